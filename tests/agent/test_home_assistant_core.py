"""The discovery message, judged by a real Home Assistant on a real broker."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from agent.recording import Recording, agent_process, recording
from agent.test_home_assistant import INFO, SETTINGS
from fleetglass.agent.home_assistant import SUMMARY_FIELDS, device_config, discovery_topic
from fleetglass.wire import encode
from fleetglass.wire.payloads import State, Status, Summary
from support.home_assistant import HomeAssistantCore, running_home_assistant
from support.mosquitto import Mosquitto
from support.waiting import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.home_assistant, pytest.mark.slow]  # it takes 500 MB

_numbers = itertools.count(1)

EVERYTHING: dict[str, Any] = {
    "cpu_percent": 12.34,
    "load_1m": 0.26,
    "memory_percent": 41.7,
    "swap_percent": 0.0,
    "filesystem_percent": 80.5,
    "disk_read_bytes_per_second": 0,
    "disk_write_bytes_per_second": 1499,
    "network_receive_bytes_per_second": 123_456,
    "network_transmit_bytes_per_second": 999,
    "temperature_celsius": 51.6,
    "gpu_percent": 1.0,
    "battery_percent": 99.9,
    "process_count": 400,
    "failed_units": 2,
    "boot_time": 1_795_271_535.0,
}
SHOWN = {
    "online": "on",
    "status": "online",
    "cpu_percent": "12",
    "memory_percent": "42",
    "filesystem_percent": "80",
    "network_receive_bytes_per_second": "123",
    "network_transmit_bytes_per_second": "1",
    "temperature_celsius": "52",
    "gpu_percent": "1",
    "battery_percent": "100",
    "failed_units": "2",
    "boot_time": "2026-11-21T14:32:15+00:00",
}
"""The states of the entities that are enabled by default."""


class Host:
    """One host as its agent publishes it, and as Home Assistant shows it."""

    def __init__(self, witness: Recording, machine: str | None = None) -> None:
        self.name = f"host-{next(_numbers)}"
        self.machine = machine or self.name
        self.unique = f"fleetglass_{self.machine}"
        self.topic = discovery_topic(SETTINGS.home_assistant_prefix, self.name)
        self._witness = witness
        self._core: HomeAssistantCore | None = None

    def announce(self, present: set[str], gone: set[str]) -> None:
        """Publish the discovery message."""
        info = msgspec.structs.replace(INFO, machine_id_hash=self.machine, host_name=self.name)
        config = device_config(info, host_id=self.name, prefix="fleet", present=present, gone=gone)
        self.publish(self.topic, msgspec.json.encode(config))

    def say(self, state: State) -> None:
        """Publish the status."""
        status = Status(state=state, session="abc", time=1.0)
        self.publish(f"fleet/{self.name}/status", encode(status))

    def sum_up(self, **values: Any) -> None:
        """Publish the summary."""
        self.publish(f"fleet/{self.name}/summary", encode(Summary(time=1.0, tick=1, **values)))

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a retained message."""
        self._witness.client.publish(topic, payload, qos=1, retain=True).wait_for_publish(5)

    def appear_in(self, core: HomeAssistantCore) -> None:
        """Wait until Home Assistant shows the host, everything of which was published."""
        self._core = core
        self.until_shown(SHOWN)

    def until_shown(self, expected: dict[str, str]) -> None:
        """Wait until the enabled entities have exactly these states."""
        wait_for(lambda: self.shown() == expected, f"states {expected}")

    def shown(self) -> dict[str, str]:
        """Return the state of each entity that has one, by the name of its field."""
        return {name: one["state"] for name, one in self.entities().items() if one["state"] is not None}

    def written(self) -> dict[str, int]:
        """Return how many states were written so far, by the name of the field."""
        written = self._look()["written"]
        return {name: written.get(one["entity_id"], 0) for name, one in self.entities().items()}

    def entities(self) -> dict[str, dict[str, Any]]:
        """Return its entities by the name of the field."""
        mark = f"{self.unique}_"
        found = self._look()["entities"].items()
        return {unique.removeprefix(mark): one for unique, one in found if unique.startswith(mark)}

    def device(self) -> dict[str, Any] | None:
        """Return its device."""
        return next((one for one in self._look()["devices"] if one["identifiers"] == [self.unique]), None)

    def _look(self) -> dict[str, Any]:
        assert self._core is not None
        return self._core.look()


class House(NamedTuple):
    """A broker, somebody on it who publishes, Home Assistant, and a host that was there before it."""

    broker: Mosquitto
    witness: Recording
    core: HomeAssistantCore
    early: Host


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give a house."""
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    try:
        with recording(broker.port, "fleet") as witness:
            early = published(witness)
            with running_home_assistant(broker.port, tmp_path_factory.mktemp("home_assistant")) as core:
                yield House(broker, witness, core, early)
    finally:
        broker.kill()


@pytest.fixture
def host(house: House) -> Iterator[Host]:
    """Give a host that Home Assistant shows. Home Assistant must have nothing to complain of afterwards."""
    host = published(house.witness)
    host.appear_in(house.core)
    yield host
    assert house.core.look()["warnings"] == []


def published(witness: Recording, machine: str | None = None) -> Host:
    """Return a new host of which everything is published."""
    host = Host(witness, machine)
    host.announce(set(SUMMARY_FIELDS), set())
    host.say("online")
    host.sum_up(**EVERYTHING)
    return host


def test_a_host_that_was_there_before_is_found(house: House) -> None:
    """Home Assistant needs nothing but what is retained to show a host after its own start."""
    house.early.appear_in(house.core)


def test_everything_is_understood(host: Host) -> None:
    """Every field becomes an entity of one device, with the unit it was announced with."""
    assert host.device() == {
        "name": host.name,
        "identifiers": [host.unique],
        "manufacturer": INFO.manufacturer,
        "model": INFO.model,
        "hardware": INFO.cpu_model,
        "system": INFO.os_name,
    }
    entities = host.entities()
    assert set(entities) == {*SUMMARY_FIELDS, "online", "status"}
    assert {name for name, one in entities.items() if one["enabled"]} == set(SHOWN)
    assert entities["disk_read_bytes_per_second"]["unit"] == "kB/s"
    assert entities["cpu_percent"]["entity_id"] == f"sensor.{host.name.replace('-', '_')}_cpu"
    assert entities["online"]["device_class"] == "connectivity"


def test_nothing_is_written_while_nothing_changes(host: Host) -> None:
    """A summary that is the same after rounding writes no state; one that differs writes what differs."""
    before = host.written()
    host.sum_up(**{**EVERYTHING, "cpu_percent": 11.6, "network_transmit_bytes_per_second": 1400})
    host.sum_up(**EVERYTHING)
    host.say("online")
    host.sum_up(**{**EVERYTHING, "cpu_percent": 13.0})
    host.until_shown({**SHOWN, "cpu_percent": "13"})
    assert host.written() == {**before, "cpu_percent": before["cpu_percent"] + 1}


def test_a_lost_host_is_unavailable_and_said_to_be_lost(host: Host) -> None:
    """Values become unavailable, while both entities of its presence say what happened: automations work."""
    states: list[tuple[State, Callable[[str], str]]] = [
        ("lost", lambda _: "unavailable"),
        ("online", lambda name: SHOWN[name]),
        ("suspended", lambda _: "unavailable"),
        ("online", lambda name: SHOWN[name]),
        ("stopped", lambda _: "unavailable"),
    ]
    for state, expected in states:
        host.say(state)
        presence = {"online": "on" if state == "online" else "off", "status": state}
        host.until_shown({name: expected(name) for name in SHOWN} | presence)


def test_a_value_that_is_missing_is_unknown(host: Host) -> None:
    """A field that a summary lacks shows no old value, and no warning is logged."""
    host.sum_up(cpu_percent=12.0)
    kept = {"online", "status", "cpu_percent"}
    host.until_shown({name: value if name in kept else "unknown" for name, value in SHOWN.items()})


def test_a_field_that_is_gone_is_removed(host: Host) -> None:
    """Its entity disappears, the others are not touched, and it may come back."""
    before = host.written()
    host.announce(set(SUMMARY_FIELDS) - {"battery_percent"}, {"battery_percent"})
    host.until_shown({name: value for name, value in SHOWN.items() if name != "battery_percent"})
    del before["battery_percent"]
    assert host.written() == before
    host.announce(set(SUMMARY_FIELDS), set())
    host.sum_up(**EVERYTHING)
    host.until_shown(SHOWN)


def test_a_real_agent_is_shown(house: House, tmp_path: Path) -> None:
    """A real agent's host appears with its numbers, and is lost when the agent is killed."""

    def state(field: str) -> str:
        found = house.core.look()["entities"].items()
        mine = (
            one["state"]
            for unique, one in found
            if unique.endswith(field) and not unique.startswith("fleetglass_host-")
        )
        return next(mine, None) or ""

    with agent_process(house.broker.url, "fleet", tmp_path / "log") as process:
        wait_for(lambda: state("memory_percent").isdigit(), "a number of the real host")
        assert state("status") == "online"
        process.kill()
        wait_for(lambda: state("status") == "lost", "the loss")
        assert state("memory_percent") == "unavailable"
    assert house.core.look()["warnings"] == []


def test_a_host_that_is_forgotten_disappears(house: House) -> None:
    """When the discovery message is cleared, the device and all its entities go."""
    host = published(house.witness)
    host.appear_in(house.core)
    host.publish(host.topic, b"")
    wait_for(lambda: host.device() is None, "removal of the device")
    assert host.entities() == {}


def test_a_renamed_host_keeps_its_entities(house: House) -> None:
    """A machine that comes back under another host id has the entities, and so the history, it had before."""
    before = published(house.witness)
    before.appear_in(house.core)
    names = {field: one["entity_id"] for field, one in before.entities().items()}
    before.publish(before.topic, b"")
    wait_for(lambda: before.device() is None, "removal of the device")
    after = published(house.witness, machine=before.machine)
    after.appear_in(house.core)
    assert after.name != before.name
    assert {field: one["entity_id"] for field, one in after.entities().items()} == names
