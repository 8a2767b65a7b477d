"""The golden files hold what each format makes of one message.

`pytest tests/client/formatting --update-golden` writes what it makes of it now: read the diff.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from fleetglass.client.formatting.formatters import FORMATTERS, Formatter, JSONFormatter, formatter

GOLDEN = Path(__file__).parent / "golden"
FULL: dict[str, Any] = {
    "timestamp": "2026-11-21T14:30:25.003+00:00",
    "type": "monitoring_data",
    "host": "web-1",
    "data": {
        "processor": {
            "usage_percent": 45.2,
            "temperature": 51.0,
            "frequency_mhz": 2400,
            "frequency_max_mhz": 3600,
            "core_percents": [40.0, 50.4],
            "load_1m": 1.5,
            "physical_cores": 2,
            "logical_cores": 4,
            "model": "AMD EPYC 7763",
        },
        "memory": {
            "usage_percent": 62.8,
            "used_gb": 8.2,
            "total_gb": 13.0,
            "available_gb": 4.8,
            "swap_percent": 0.5,
        },
        "disk": {
            "usage_percent": 28.5,
            "used_gb": 142.5,
            "total_gb": 500.0,
            "free_gb": 357.5,
            "path": "/",
            "read_bytes_per_second": 0,
            "write_bytes_per_second": 81_920,
        },
        "gpu": {
            "usage_percent": 15.0,
            "memory_percent": 45.0,
            "temperature": 60.0,
            "memory_used_mb": 3686,
            "memory_total_mb": 8192,
            "name": "Radeon Pro W6600",
        },
        "network": {"receive_bytes_per_second": 1_258_291, "transmit_bytes_per_second": 317_440},
        "system": {
            "process_count": 212,
            "battery_percent": 80.0,
            "hostname": "web-1",
            "os_name": "Debian GNU/Linux 12 (bookworm)",
            "kernel": "Linux 6.1.0-18-amd64",
            "architecture": "x86_64",
            "uptime_seconds": 273_600,
        },
    },
}
EMPTY: dict[str, Any] = FULL | {"data": {}}
STATISTICS: dict[str, Any] = {
    "messages_received": 120,
    "messages_sent": 2,
    "bytes_received": 1_258_291,
    "bytes_sent": 130,
    "connection_start": "2026-11-21T14:29:20.003+00:00",
    "uptime_seconds": 65.0,
    "reconnect_attempts": 1,
    "total_disconnections": 1,
    "current_state": "connected",
    "last_error": "bridge: gone",
    "error_count": 1,
    "error_history": [
        {"timestamp": "2026-11-21T14:29:19.003+00:00", "error": "bridge: gone", "type": "Unreachable"}
    ],
}


@pytest.mark.parametrize("kind", FORMATTERS)
def test_golden(kind: str, request: pytest.FixtureRequest) -> None:
    """Each format makes exactly its golden text of one message and of statistics."""
    plain = formatter(kind, color=False, time_zone=UTC)
    text = plain.format_monitoring_data(FULL) + "\n"
    if kind != "json":  # whose time is the present
        text += "\n" + plain.format_statistics(STATISTICS) + "\n"
    file = GOLDEN / f"{kind}.txt"
    if request.config.getoption("--update-golden"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("simple", "CPU: 45.2% | RAM: 62.8% | Disk: 28.5% | GPU: 15.0%"),
        ("compact", "[14:30:25] CPU:45% │ RAM:63%(8.2/13G) │ DSK:29% │ GPU:15%/45%"),
    ],
)
def test_without_the_host(kind: str, line: str) -> None:
    """With `show_host=False`, or of a message that names no host, the line is as promised."""
    assert formatter(kind, color=False, show_host=False, time_zone=UTC).format_monitoring_data(FULL) == line
    nameless = {name: value for name, value in FULL.items() if name != "host"}
    assert formatter(kind, color=False, time_zone=UTC).format_monitoring_data(nameless) == line


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("simple", "web-1  CPU: — | RAM: — | Disk: —"),
        ("compact", "[14:30:25] web-1 —"),
        (
            "detailed",
            "=== Monitoring System - web-1 - 14:30:25 ===\n\n"
            "Timestamp: 2026-11-21T14:30:25.003+00:00\n" + "=" * 50,
        ),
    ],
)
def test_nothing_given(kind: str, text: str) -> None:
    """A host that gives no value at all has its line, with dashes or nothing in place of values."""
    assert formatter(kind, color=False, time_zone=UTC).format_monitoring_data(EMPTY) == text


@pytest.mark.parametrize(
    ("value", "code", "word"),
    [(79.9, 32, "Normal"), (80.0, 33, "Warning"), (89.9, 33, "Warning"), (90.0, 31, "Critical")],
)
def test_colour_by_usage(value: float, code: int, word: str) -> None:
    """A number is green, from 80 % on yellow, from 90 % on red, and its state has a word."""
    message = FULL | {"data": {"processor": {"usage_percent": value}}}
    assert f"CPU: \x1b[{code}m{value}%\x1b[0m" in formatter("simple").format_monitoring_data(message)
    assert f"CPU:\x1b[{code}m" in formatter("compact").format_monitoring_data(message)
    assert f"\x1b[{code}m{value}%\x1b[0m ({word})" in formatter("detailed").format_monitoring_data(message)


@pytest.mark.parametrize("kind", FORMATTERS)
def test_without_colour(kind: str) -> None:
    """Without colour no text holds an escape sequence; JSON never does."""
    plain = formatter(kind, color=False)
    texts = [
        plain.format_monitoring_data(FULL),
        plain.format_statistics(STATISTICS),
        plain.format_error("no answer"),
        plain.format_connection_message("connected"),
    ]
    assert "\x1b" not in "".join(texts)
    assert "\x1b" not in formatter("json", color=True).format_monitoring_data(FULL)


def test_json_keeps_the_message() -> None:
    """JSON says all of the message, of some lines or of one."""
    assert json.loads(formatter("json").format_monitoring_data(FULL)) == FULL
    line = JSONFormatter(indent=None).format_monitoring_data(FULL)
    assert "\n" not in line
    assert json.loads(line) == FULL
    assert list(json.loads(line)) == ["timestamp", "type", "host", "data"]


def test_json_of_what_is_no_data() -> None:
    """In JSON a connection message and an error are objects that keep their fields."""
    said = json.loads(formatter("json").format_connection_message("connected"))
    assert (said["type"], said["message"]) == ("connection_message", "connected")
    error = json.loads(formatter("json").format_error("no answer"))
    assert (error["type"], error["error"], error["severity"]) == ("error_message", "no answer", "warning")
    statistics = json.loads(formatter("json").format_statistics(STATISTICS))
    assert (statistics["type"], statistics["data"]) == ("statistics", STATISTICS)


def test_statistics_of_no_connection() -> None:
    """Statistics without a connection, or of another client with fewer fields, can be told too."""
    text = formatter("simple", color=False).format_statistics({"connection_start": None, "error_count": 3})
    assert text == "Statistics\n  Connected      never\n  Errors         3"


def test_own_thresholds_and_bars() -> None:
    """Thresholds, length of bars, time and indent are options."""
    own = formatter(
        "detailed", warning_percent=40, critical_percent=60, bar_length=10, time_format="%M", time_zone=UTC
    )
    text = re.sub(r"\x1b\[\d+m", "", own.format_monitoring_data(FULL))
    assert "=== Monitoring System - web-1 - 30 ===" in text
    assert "[█████▒▒▒▒▒] 45.2% (Warning)" in text
    assert "62.8% (Critical)" in text
    assert '\n "type"' in formatter("json", indent=1).format_monitoring_data(FULL)


def test_unknown_format() -> None:
    """An unknown name is told with what there is."""
    expected = "format: got 'xml', expected one of simple, detailed, compact, json"
    with pytest.raises(ValueError, match=expected):
        formatter("xml")


def test_own_formatter() -> None:
    """A subclass writes one method, and has sizes, durations and colours at hand."""

    class Own(Formatter):
        def format_monitoring_data(self, message: Mapping[str, Any]) -> str:
            value = message["data"]["processor"]["usage_percent"]
            return f"{self._get_usage_color(value)} {self._format_bytes(2048)} {self._format_duration(65)}"

    assert Own().format_monitoring_data(FULL) == "32 2.0 KiB 1 min 5 s"
    assert Own(color=False).format_error("no answer", "error") == "error: no answer"
    assert Own().format_error("no answer") == "\x1b[33mwarning: no answer\x1b[0m"
    assert Own(color=False).format_statistics(STATISTICS).startswith("Statistics\n")


def test_texts_of_others_cannot_command_the_terminal() -> None:
    """What a host calls itself is shown without its control characters."""
    message = FULL | {"data": {"system": {"os_name": "\x1b[2Jevil"}}}
    assert "\ufffd[2Jevil" in formatter("detailed", color=False).format_monitoring_data(message)
    assert formatter("simple", color=False).format_connection_message("a\x07\nb") == "a\ufffd\ufffdb"


def test_history() -> None:
    """Many messages become one line for each host, with mean and highest use."""
    messages = [
        FULL | {"data": {"processor": {"usage_percent": use}, "memory": {"usage_percent": 50.0}}}
        for use in (10.0, 90.0)
    ]
    text = formatter("simple", color=False).format_history(messages)
    assert text == "History (mean/highest)\n  web-1  2 times  CPU: 50/90% | RAM: 50/50%"
    told = json.loads(formatter("json").format_history([*messages, EMPTY | {"host": "a"}]))
    assert told["type"] == "history"
    assert told["data"]["web-1"]["processor"] == {"mean_percent": 50.0, "highest_percent": 90.0}
    assert told["data"]["a"] == {"messages": 1, "first": FULL["timestamp"], "last": FULL["timestamp"]}
    assert formatter("simple", color=False).format_history([]) == "History (mean/highest)\n  —"


def test_cores_are_named_where_some_are_switched_off() -> None:
    """The second core is not number 1 then."""
    message = FULL | {"data": {"processor": {"core_percents": [40.0, 50.4], "core_numbers": [0, 3]}}}
    text = formatter("detailed", color=False, time_zone=UTC).format_monitoring_data(message)
    assert "Each core    0: 40, 3: 50 %" in text
