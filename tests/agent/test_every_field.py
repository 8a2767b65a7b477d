"""What the older systems told of a host, ours tells as well, on the machine that runs the tests."""

from pathlib import Path
from typing import Any

import pytest

from agent.recording import agent_process, recording
from support.mosquitto import Mosquitto

pytestmark = pytest.mark.broker

Messages = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def messages(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Messages:
    """Return the second message of every topic, or its first where one is enough."""
    prefix = "test/every-field"
    log: Path = tmp_path_factory.mktemp("agent") / "log"
    with recording(mosquitto.port, prefix) as witness, agent_process(mosquitto.url, prefix, log):
        groups = ("cpu", "memory", "disk", "network", "process", "filesystem", "collector")
        for topic in (*(f"live/{group}" for group in groups), "summary", "info"):
            witness.wait(topic)
        witness.wait("pulse", 3)
        witness.wait("live/cpu", 3)
        return {one.topic: one.payload for one in list(witness.messages)}


@pytest.mark.parametrize(
    ("topic", "fields"),
    [
        ("live/cpu", "total_percent core_percents"),
        ("live/cpu", "load_1m load_5m load_15m"),
        (
            "live/memory",
            "total_bytes used_bytes available_bytes free_bytes cached_bytes buffers_bytes used_percent",
        ),
        ("live/memory", "swap_total_bytes swap_used_bytes swap_free_bytes"),
        ("pulse", "time tick session cpu_percent memory_percent uptime_seconds"),
        ("pulse", "filesystem_percent"),
        ("summary", "time cpu_percent memory_percent filesystem_percent boot_time"),
        ("live/process", "count states top_cpu top_memory"),
        (
            "info",
            (
                "host_name os_name kernel architecture cpu_model python_version boot_time addresses "
                "logical_cores"
            ),
        ),
        ("live/collector", "collectors cpu_percent resident_bytes"),
    ],
)
def test_a_message_has_these_fields(messages: Messages, topic: str, fields: str) -> None:
    """The message has the fields named by the case."""
    assert set(fields.split()) <= messages[topic].keys()


@pytest.mark.parametrize(
    ("topic", "devices", "fields"),
    [
        (
            "live/filesystem",
            "mounts",
            "device type total_bytes used_bytes free_bytes used_percent",
        ),
        (
            "live/disk",
            "devices",
            (
                "read_bytes_per_second write_bytes_per_second read_total_bytes write_total_bytes "
                "read_total write_total"
            ),
        ),
        (
            "live/network",
            "interfaces",
            (
                "receive_bytes_per_second transmit_bytes_per_second receive_total_bytes transmit_total_bytes "
                "receive_packets_total transmit_packets_total receive_errors_total transmit_errors_total "
                "receive_drops_total transmit_drops_total up"
            ),
        ),
    ],
)
def test_every_device_has_these_fields(messages: Messages, topic: str, devices: str, fields: str) -> None:
    """Every device that was found tells them, not only the first."""
    found = messages[topic][devices]
    assert found
    for device in found.values():
        assert set(fields.split()) <= device.keys()


def test_a_process_tells_what_it_takes(messages: Messages) -> None:
    """Pid, name, and shares of processor and memory, which are not all 0 at first."""
    processes = messages["live/process"]["top_cpu"]
    assert {"pid", "name", "user", "cpu_percent", "threads"} <= processes[0].keys()
    assert processes[0]["cpu_percent"] > 0
    assert messages["live/process"]["top_memory"][0]["memory_percent"] > 0


def test_cores_are_told_apart_from_threads(messages: Messages) -> None:
    """The number of cores is not just that of the threads again."""
    info = messages["info"]
    assert 1 <= info.get("physical_cores", 1) <= info["logical_cores"]
    assert len(messages["live/cpu"]["core_percents"]) == info["logical_cores"]
