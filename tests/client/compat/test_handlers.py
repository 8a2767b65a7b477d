import json
from pathlib import Path
from typing import Any

import pytest

from fleetglass.client.compat.handlers import Handler, LoggingHandler, MonitoringHandler
from fleetglass.client.compat.snapshot import envelope
from fleetglass.client.formatting.formatters import formatter


def message(host: str, percent: float) -> dict[str, Any]:
    return envelope("monitoring_data", host, {"processor": {"usage_percent": percent}}, 5.0)


def test_the_last_of_each_host() -> None:
    """The last message is kept without a history, of each host and of all."""
    handler = MonitoringHandler()
    assert handler.get_last_data() is None
    for host, percent in (("a", 1), ("b", 2), ("a", 3)):
        handler.handle_message(message(host, percent))
    assert handler.get_last_data() == handler.get_last_data("a") == message("a", 3)
    assert handler.get_last_data("b") == message("b", 2)
    handler.forget("a")
    assert handler.get_last_data("a") is None
    assert handler.get_stats() == {"message_count": 3, "hosts": 1, "history_size": 0}


def test_history() -> None:
    """The history is chronological, and the oldest goes when it is full."""
    handler = MonitoringHandler(store_history=True, history_size=3)
    for number in range(5):
        handler.handle_message(message("ab"[number % 2], number))
    assert handler.get_history() == [message("a", 2), message("b", 3), message("a", 4)]
    assert handler.get_history("b") == [message("b", 3)]


def test_no_history() -> None:
    """A history that is not kept cannot be asked for."""
    with pytest.raises(ValueError, match=r"^history: got none, expected store_history=True"):
        MonitoringHandler().get_history()


def test_filter_and_display() -> None:
    """Messages that are not wanted are neither kept nor shown, all others in the chosen format."""
    shown: list[str] = []
    handler = MonitoringHandler(
        keep=lambda one: one["host"] == "a", formatter=formatter("simple", color=False), show=shown.append
    )
    handler.handle_message(message("b", 99))
    handler.handle_message(message("a", 45.2))
    assert handler.message_count == 1
    assert [line.partition(" |")[0] for line in shown] == ["a  CPU: 45.2%"]


def test_one_json_object_a_line(tmp_path: Path) -> None:
    """Raw messages are JSON lines, appended to what is there; the handler counts them."""
    path = tmp_path / "data.jsonl"
    handler = LoggingHandler(path, name="disk")
    for percent in (1, 2):
        handler.handle_message(message("a", percent))
        handler.close()
    assert [json.loads(line) for line in path.read_text().splitlines()] == [message("a", 1), message("a", 2)]
    assert handler.name == "disk"
    assert handler.get_stats() == {"message_count": 2, "log_file": str(path)}
    assert isinstance(handler, Handler)


def test_formatted_lines(tmp_path: Path) -> None:
    """With a formatter the file holds its text."""
    handler = LoggingHandler(tmp_path / "data.log", formatter=formatter("simple", color=False))
    handler.handle_message(message("a", 45.2))
    handler.close()
    assert handler.log_file.read_text().startswith("a  CPU: 45.2% |")


def test_rotation(tmp_path: Path) -> None:
    """A full file is renamed, and of those no more are kept than said."""
    handler = LoggingHandler(tmp_path / "data.jsonl", size_bytes=300, files=2)
    for number in range(20):
        handler.handle_message(message("a", number))
    handler.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "data.jsonl.1", "data.jsonl.2"]
    for path in tmp_path.iterdir():
        assert path.stat().st_size <= 300
        assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The error reaches whoever writes, be it at the start or later."""
    with pytest.raises(OSError, match="nowhere"):
        LoggingHandler(tmp_path / "nowhere" / "data.jsonl")
    full = LoggingHandler("/dev/full")
    with pytest.raises(OSError, match="space"):
        full.handle_message(message("a", 1))
    full.close()
