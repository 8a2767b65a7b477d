"""The dashboard and the automations for Home Assistant, in a real one, as `fleetglass enroll` lets it in."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from support.consumers import DEPLOY, TREES, recipe
from support.home_assistant import HomeAssistantCore, running_home_assistant
from support.mosquitto import find_mosquitto
from support.programs import REPOSITORY, Fleetglass
from support.secured_broker import Client, SecuredBroker, secured_broker
from support.waiting import wait_for

pytestmark = [
    pytest.mark.broker,
    pytest.mark.home_assistant,
    pytest.mark.slow,  # Home Assistant takes 500 MB
]

NAMES = ("web-1", "web-2")
DASHBOARD: dict[str, Any] = yaml.safe_load((DEPLOY / "home-assistant" / "dashboard.yaml").read_text())


class House(NamedTuple):
    """A secured broker, Home Assistant with the recipe's automations, and the agents of two hosts."""

    broker: SecuredBroker
    core: HomeAssistantCore
    agents: dict[str, Fleetglass]

    def state(self, entity: str) -> str | None:
        """Return the state of an entity."""
        found = self.core.look()["entities"].values()
        return next((one["state"] for one in found if one["entity_id"] == entity), None)

    def until_notified(self, message: str) -> None:
        """Wait until an automation has told something."""
        wait_for(lambda: message in self.core.look()["notified"], message)


def machine(name: str, folder: Path) -> Path:
    """Return the root of a machine of its own: the processors of this one, the sensors of a laptop."""
    root = folder / name
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "hostname").write_text(f"{name}\n")
    (root / "etc" / "machine-id").write_text(name.encode().hex().ljust(32, "0"))
    (root / "proc").symlink_to("/proc")
    (root / "sys").symlink_to(REPOSITORY / "tests" / "fixtures" / TREES["laptop"] / "sys")
    return root


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give a house in which both hosts are online."""
    folder = tmp_path_factory.mktemp("house")
    quick = {'"00:01:00"': '"00:00:01"', '"00:05:00"': '"00:00:01"'}
    automations = recipe("home-assistant/automations.yaml", folder, quick)
    with ExitStack() as stack:
        program = find_mosquitto()
        assert program is not None
        broker = stack.enter_context(secured_broker(program, *NAMES, "--home-assistant")).start()
        agents = {
            name: stack.enter_context(
                Fleetglass(
                    *("agent", "--config", str(broker.folder / "hosts" / f"{name}.yaml")),
                    *("--root", str(machine(name, folder))),
                    home=folder,
                )
            )
            for name in NAMES
        }
        access = broker.reader("home-assistant")
        credential = {
            "username": access.url.user or "",
            "password": access.password or "",
            "certificate": (broker.folder / "ca.crt").read_text(),
        }
        core = stack.enter_context(running_home_assistant(broker.port, folder, **credential))
        house = House(broker, core, agents)
        for entity in ("sensor.web_1_temperature", "sensor.web_2_status", "sensor.web_2_temperature"):
            wait_for(lambda entity=entity: house.state(entity) not in (None, "unknown"), entity)  # type: ignore[misc]
        core.automate(automations)
        yield house
        assert core.look()["warnings"] == []


def entities(card: object) -> Iterator[str]:
    """Return every entity that a card or a view names."""
    match card:
        case str() if re.fullmatch(r"(binary_)?sensor\.\w+", card):
            yield card
        case list():
            for one in card:
                yield from entities(one)
        case dict():
            yield from entities(list(card.values()))


def test_every_entity_of_the_dashboard_is_there(house: House) -> None:
    """Each entity that a card names is one that a real host brought, and need not be enabled first."""
    named = set(entities(DASHBOARD["views"]))
    shown = {one["entity_id"] for one in house.core.look()["entities"].values() if one["enabled"]}
    assert len(named) >= 8
    assert named - shown == set()


def test_the_table_has_every_host(house: House) -> None:
    """The card that lists the fleet has a row for each host with its state and its values."""
    table = house.core.render(DASHBOARD["views"][0]["cards"][0]["content"])
    _, _, *rows = table.splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row]
    assert [row[:2] for row in cells] == [["web-1", "online"], ["web-2", "online"]]
    for row in cells:
        assert re.fullmatch(r"\d+ % \d+ % \d+ % 47 °C", " ".join(row[2:])), row


def test_a_host_that_is_killed_is_told_of(house: House) -> None:
    """One automation tells of a host whose agent is killed, another when it is back; a goodbye is silent."""
    agent = house.agents["web-2"]
    agent.kill()
    house.until_notified("web-2 is lost")
    agent.start()
    house.until_notified("web-2 is back")
    agent.interrupt()
    wait_for(lambda: house.state("sensor.web_2_status") == "stopped", "the goodbye")
    agent.start()
    wait_for(lambda: house.state("sensor.web_2_status") == "online", "the host is online")
    assert sorted(house.core.look()["notified"]) == ["web-2 is back", "web-2 is lost"]


def test_a_hot_host_and_a_full_filesystem_are_told_of(house: House) -> None:
    """Above their limits both values are told of, by the host's name and with the value."""
    payload = b'{"time":1,"tick":1,"temperature_celsius":85.2,"filesystem_percent":93.4}'
    told = {"web-1: 85 °C", "web-1: a filesystem is 93 % full"}
    with Client(house.broker.host("web-1")) as web_1:

        def are_told() -> bool:
            web_1.publish("fleet/web-1/summary", payload)  # each time: the agent publishes its own
            return told <= set(house.core.look()["notified"])

        wait_for(are_told, f"{told}")
