import json

import pytest

from fleetglass.client.formats import as_json, compact, detailed, duration, rate, simple, size
from fleetglass.wire.payloads import Pulse

FULL = Pulse(
    time=1.0,
    tick=1,
    session="s",
    cpu_percent=45.2,
    core_percents=[40, 50],
    load_1m=1.5,
    memory_percent=62.8,
    filesystem_percent=28.5,
    network_receive_bytes_per_second=1_258_291,
    network_transmit_bytes_per_second=317_440,
    temperature_celsius=51.0,
    uptime_seconds=273_600,
)
EMPTY = Pulse(time=1.0, tick=1, session="s")


def test_simple() -> None:
    """The line that other programs expect, with a dash for what is missing."""
    assert simple("web-1", FULL) == "web-1  CPU: 45.2% | RAM: 62.8% | Disk: 28.5%"
    assert simple("web-1", EMPTY) == "web-1  CPU: — | RAM: — | Disk: —"


def test_compact() -> None:
    """The shortest line, without what is missing."""
    assert compact("web-1", FULL) == "web-1 cpu 45 ram 63 disk 28 in 1.2 MiB/s out 310 KiB/s temp 51"
    assert compact("web-1", EMPTY) == "web-1 —"


def test_detailed() -> None:
    """Every value on a line of its own, without what is missing."""
    lines = detailed("web-1", FULL).splitlines()
    assert lines[0] == "web-1"
    assert "  Cores       40 50 %" in lines
    assert "  Hottest     51.0 °C" in lines
    assert "  Up          3 d 4 h" in lines
    assert not [line for line in lines if "Battery" in line]
    assert detailed("web-1", EMPTY) == "web-1\n  —"


def test_json_keeps_what_it_does_not_know() -> None:
    """The pulse is passed on as it came, in one line."""
    line = as_json("web-1", {"cpu_percent": 1.5, "new": {"a": "\n"}})
    assert "\n" not in line
    assert json.loads(line) == {"host": "web-1", "cpu_percent": 1.5, "new": {"a": "\n"}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (10_240, "10 KiB"),
        (1024**2, "1.0 MiB"),
        (5e15, "4.4 PiB"),
    ],
)
def test_sizes(value: float, text: str) -> None:
    """Sizes have three digits at most and the unit that fits."""
    assert size(value) == text
    assert rate(value) == f"{text}/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (65, "1 min 5 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")]
)
def test_durations(seconds: float, text: str) -> None:
    """Durations have their two largest units."""
    assert duration(seconds) == text
