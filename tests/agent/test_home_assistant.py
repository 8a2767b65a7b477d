import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.recording import recording
from fleetglass.agent.agent import run
from fleetglass.agent.home_assistant import (
    GONE_SUMMARIES,
    SUMMARY_FIELDS,
    HomeAssistant,
    device_config,
    discovery_topic,
)
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Info, Summary
from support.mosquitto import Mosquitto
from support.waiting import PATIENCE_SECONDS, wait_for

GOLDEN = Path(__file__).with_name("home_assistant_config.json")
INFO = Info(
    time=1.0,
    session="abc",
    host_name="web-1.example.org",
    agent_version="0.1.0",
    interval_seconds=1.0,
    groups={},
    machine_id_hash="0123456789abcdef",
    os_name="Debian GNU/Linux 12 (bookworm)",
    manufacturer="LENOVO",
    model="ThinkStation P620",
    cpu_model="AMD Ryzen 7 5800X 8-Core Processor",
)
SETTINGS = AgentSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1)), host_id="web-1")
TOPIC = "homeassistant/device/web-1/config"
NUMBERS = [name for name in SUMMARY_FIELDS if name != "boot_time"]


def config(info: Info = INFO, **values: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"host_id": "web-1", "prefix": "fleet", "present": SUMMARY_FIELDS, **values}
    return device_config(info, **told)


class Board:
    """Takes what is announced instead of a connection."""

    def __init__(self) -> None:
        self.room = 65_536
        self.announced: list[dict[str, Any]] = []
        self.repeated: list[tuple[str, float]] = []
        self.withdrawn: list[str] = []
        self.listeners: dict[str, Callable[[bytes, bool], None]] = {}

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload may be."""
        assert topic == TOPIC
        return self.room

    def announce(self, topic: str, payload: bytes) -> None:
        """Keep what is announced."""
        assert topic == TOPIC
        self.announced.append(json.loads(payload))

    def announce_again(self, topic: str, *, after_seconds: float) -> None:
        """Keep what is asked for."""
        self.repeated.append((topic, after_seconds))

    def withdraw(self, topic: str) -> None:
        """Keep what is withdrawn."""
        self.withdrawn.append(topic)

    def listen(self, topic: str, take: Callable[[bytes, bool], None]) -> None:
        """Keep who listens."""
        self.listeners[topic] = take


def test_a_made_up_host() -> None:
    """The message for a host with everything is exactly the one on file."""
    assert config() == json.loads(GOLDEN.read_text())


@given(present=st.sets(st.sampled_from(SUMMARY_FIELDS)), gone=st.sets(st.sampled_from(SUMMARY_FIELDS)))
def test_every_entity_reads_what_is_really_published(present: set[str], gone: set[str]) -> None:
    """Entities read fields of the summary that the host gives, or the status, and nothing else."""
    components = config(present=present - gone, gone=gone)["cmps"]
    assert set(components) == present | gone | {"online", "status"}
    for name, component in components.items():
        if name in gone:
            assert component == {"p": "sensor"}
            continue
        read = set(re.findall(r"value_json\.(\w+)", component["val_tpl"]))
        if name in ("online", "status"):
            assert (component["stat_t"], read) == ("fleet/web-1/status", {"state"})
            assert component["avty"] == []
        else:
            assert read == {name}
            assert "stat_t" not in component


def test_only_slow_topics_are_named() -> None:
    """No topic of every second is behind an entity."""
    topics = set(re.findall(r"fleet/[^\"]+", json.dumps(config())))
    assert topics == {"fleet/web-1/summary", "fleet/web-1/status"}


def test_ids_outlive_the_names_of_a_host() -> None:
    """Ids derive from the machine, whatever its names; where a machine has no id, from the host id."""
    renamed = config(msgspec.structs.replace(INFO, host_name="db"), host_id="db")
    assert renamed["dev"]["ids"] == config()["dev"]["ids"]
    assert _unique_ids(renamed) == _unique_ids(config())
    nameless = config(msgspec.structs.replace(INFO, machine_id_hash=msgspec.UNSET, host_name=""))
    assert (nameless["dev"]["ids"], nameless["dev"]["name"]) == (["fleetglass_web-1"], "web-1")


def test_a_slow_agent_gets_more_time() -> None:
    """Values expire after four summaries, which a slow agent sends at its own interval."""
    slow = config(msgspec.structs.replace(INFO, interval_seconds=60.0))
    assert config()["cmps"]["cpu_percent"]["exp_aft"] == 60
    assert slow["cmps"]["cpu_percent"]["exp_aft"] == 240


def test_the_largest_message_fits() -> None:
    """Long names and long topics stay far below what is relayed."""
    info = msgspec.structs.replace(INFO, host_name="n" * 255, os_name="o" * 255, cpu_model="c" * 255)
    long = config(info, host_id="h" * 63, prefix="/".join(["p" * 60] * 6))
    assert len(msgspec.json.encode(long)) < MAX_PAYLOAD_BYTES / 4


def test_fields_become_entities_when_they_are_seen() -> None:
    """A host is announced with its first summary, again when what is told of it changes, and no more."""
    board = Board()
    keeper = HomeAssistant(SETTINGS, board)
    keeper.refresh(INFO)
    assert board.announced == []
    keeper.hear_summary(Summary(time=1, tick=1, cpu_percent=1.0))
    keeper.refresh(INFO)
    keeper.hear_summary(Summary(time=1, tick=1))
    keeper.refresh(INFO)
    assert [set(one["cmps"]) for one in board.announced] == [{"cpu_percent", "online", "status"}]
    keeper.hear_summary(Summary(time=1, tick=1, battery_percent=50.0))
    keeper.refresh(INFO)
    assert set(board.announced[1]["cmps"]) == {"cpu_percent", "battery_percent", "online", "status"}
    keeper.refresh(msgspec.structs.replace(INFO, addresses={"veth7": ["fe80::7"]}))
    assert len(board.announced) == 2
    keeper.refresh(msgspec.structs.replace(INFO, os_name="Debian 13"))
    assert board.announced[2]["dev"]["sw"] == "Debian 13"


def test_a_field_that_vanished_is_removed() -> None:
    """After 10 minutes without a battery its entity is removed, and it is back when the battery is."""
    board = Board()
    keeper = HomeAssistant(SETTINGS, board)
    keeper.hear_summary(Summary(time=1, tick=1, cpu_percent=1.0, battery_percent=50.0))
    for _ in range(GONE_SUMMARIES):
        keeper.refresh(INFO)
        assert board.announced[-1]["cmps"]["battery_percent"]["name"] == "Battery"
        keeper.hear_summary(Summary(time=1, tick=1, cpu_percent=1.0))
    keeper.refresh(INFO)
    assert board.announced[-1]["cmps"]["battery_percent"] == {"p": "sensor"}
    keeper.hear_summary(Summary(time=1, tick=1, cpu_percent=1.0, battery_percent=50.0))
    keeper.refresh(INFO)
    assert board.announced[-1]["cmps"]["battery_percent"]["name"] == "Battery"


def test_the_answer_to_a_birth_is_spread() -> None:
    """A birth is answered after a random while; an old one, or a will, not at all."""
    board = Board()
    HomeAssistant(SETTINGS, board, chance=lambda low, high: (low + high) / 2)
    hear = board.listeners["homeassistant/status"]
    hear(b"online", True)
    hear(b"offline", False)
    assert board.repeated == []
    hear(b"online", False)
    assert board.repeated == [(TOPIC, 15.5)]


@contextmanager
def running(broker: Mosquitto, prefix: str, **told: Any) -> Iterator[AgentSettings]:
    settings = AgentSettings(
        broker=BrokerAccess(url=BrokerURL("127.0.0.1", broker.port)),
        host_id="web-1",
        prefix=prefix,
        interval=0.5,
        home_assistant_prefix=f"{prefix}/ha",
        **told,
    )
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, stop), daemon=True)
    thread.start()
    try:
        yield settings
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.broker
def test_updates_and_reboots_are_entities_of_the_inventory() -> None:
    """Only what the host can tell; they read its inventory, which is retained."""
    info = msgspec.structs.replace(INFO, pending_updates=12, reboot_required=False)
    told = config(info)["cmps"]
    assert "security_updates" not in told
    assert told["pending_updates"]["stat_t"] == "fleet/web-1/info"
    assert told["reboot_required"]["p"] == "binary_sensor"
    assert {"pending_updates", "reboot_required"} & config()["cmps"].keys() == set()


def test_entities_that_few_people_look_at_go_first_when_the_broker_takes_little() -> None:
    """Those that wait to be enabled are left out, then diagnostic ones; presence stays as long as can be."""
    board = Board()
    keeper = HomeAssistant(SETTINGS, board)
    summary = Summary(time=1, tick=1, boot_time=1.0)
    keeper.hear_summary(msgspec.structs.replace(summary, **dict.fromkeys(NUMBERS, 1)))
    keeper.refresh(INFO)
    assert len(board.announced[-1]["cmps"]) == len(NUMBERS) + 3
    presence = {"online", "status"}
    for room, kept in ((3000, presence | {"cpu_percent", "memory_percent"}), (1200, presence)):
        board.room = room
        keeper.refresh(INFO)
        told = board.announced[-1]
        assert len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()) <= room
        assert kept <= told["cmps"].keys()
        assert not {"load_1m", "process_count", "boot_time"} & told["cmps"].keys()
    board.room = 65_536
    keeper.refresh(INFO)
    assert len(board.announced[-1]["cmps"]) == len(NUMBERS) + 3


def test_an_agent_announces_its_host(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real agent's message is retained, names what its summary has, and comes again after a birth."""
    monkeypatch.setattr("fleetglass.agent.home_assistant._BIRTH_SECONDS", (0.0, 0.1))
    with recording(mosquitto.port, prefix) as witness, running(mosquitto, prefix) as settings:
        topic = discovery_topic(settings.home_assistant_prefix, settings.host_id)
        witness.wait(topic)
        summary = witness.wait("summary")[0].payload
        with recording(mosquitto.port, prefix) as later:
            [found] = later.wait(topic)
        assert found.retained
        assert set(found.payload["cmps"]) == {*summary, "online", "status"} - {"time", "tick"}
        heard = len(witness.of(topic))
        witness.client.publish(f"{prefix}/ha/status", "online")
        witness.wait(topic, heard + 1)


@pytest.mark.broker
def test_an_agent_that_shall_not_withdraws_its_host(mosquitto: Mosquitto, prefix: str) -> None:
    """Turned off, the message of an earlier run is cleared, none is sent, and no birth is listened to."""
    topic = f"{prefix}/ha/device/web-1/config"
    with recording(mosquitto.port, prefix) as witness:
        witness.client.publish(topic, "{}", qos=1, retain=True).wait_for_publish(PATIENCE_SECONDS)
        with running(mosquitto, prefix, home_assistant=False):
            witness.wait("summary")
            witness.wait("live/collector", 3)
            wait_for(lambda: len(witness.of(topic)) == 2, "the clearing")
    with recording(mosquitto.port, prefix) as witness:
        witness.wait_status("stopped")
        assert witness.of(topic) == []


def _unique_ids(message: dict[str, Any]) -> list[str]:
    return [component["uniq_id"] for component in message["cmps"].values()]
