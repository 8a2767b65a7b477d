"""How one message looks in a terminal or to a program: `simple`, `detailed`, `compact`, `json`.

A formatter takes the envelopes of `snapshot.py` and returns text without a newline at its end. A value
that a host does not give is a dash, or is left out. To write another, subclass `Formatter`.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec

from fleetglass.client.compat.snapshot import connection_message, envelope, error_message, timestamp
from fleetglass.client.formatting import rows
from fleetglass.client.formatting.quantities import ABSENT, duration, percent, printable, short, size, whole
from fleetglass.client.formatting.rows import Rows, Section
from fleetglass.client.formatting.summary import SECTIONS, summary

THRESHOLD_WARNING: Final = 80.0
THRESHOLD_CRITICAL: Final = 90.0
PROGRESS_BAR_LENGTH: Final = 20
TIME_FORMAT: Final = "%H:%M:%S"
JSON_INDENT_LEVEL: Final = 2

_GREEN, _YELLOW, _RED = 32, 33, 31
_BOLD: Final = 1
_STATE_COLORS: Final = {
    "live": 32,
    "late": 33,
    "lost": 31,
    "suspended": 90,
    "stopped": 35,
    "waiting": 36,
}


class Formatter(ABC):
    """Turns messages into text. Only `format_monitoring_data` must be written by a subclass.

    Args:
        color: whether to paint: green, yellow from `warning_percent`, red from `critical_percent`.
        show_host: whether data say whose they are.
        bar_length: cells of a bar.
        time_format: of `strftime`.
        time_zone: in which times are told; without one that of this machine.
    """

    def __init__(
        self,
        *,
        color: bool = True,
        show_host: bool = True,
        warning_percent: float = THRESHOLD_WARNING,
        critical_percent: float = THRESHOLD_CRITICAL,
        bar_length: int = PROGRESS_BAR_LENGTH,
        time_format: str = TIME_FORMAT,
        time_zone: tzinfo | None = None,
    ) -> None:
        self.color = color
        self.show_host = show_host
        self.warning_percent = warning_percent
        self.critical_percent = critical_percent
        self.bar_length = bar_length
        self.time_format = time_format
        self.time_zone = time_zone

    @abstractmethod
    def format_monitoring_data(self, message: Mapping[str, Any]) -> str:
        """Return the text of an envelope of the type `monitoring_data`."""

    def format_connection_message(self, message: str) -> str:
        """Return the text of what happened to a connection or to a host."""
        return printable(message)

    def format_host_state(self, host: str, state: str, since: float, *, name: str = "") -> str:
        """Return the text of a host's new state; `since` is UTC in seconds, `name` that of a list."""
        painted = self._paint(state, _STATE_COLORS.get(state, _YELLOW))
        verb = "has not reported yet," if state == "waiting" else "is"
        since_then = f"{painted} since {self._clock(timestamp(since))}"
        return f"{self._paint(_label(host, name), _BOLD)}  {verb} {since_then}"

    def format_error(self, error: str, severity: str = "warning") -> str:
        """Return the text of an error; `severity` is `warning` or `error`."""
        return self._paint(f"{severity}: {printable(error)}", _YELLOW if severity == "warning" else _RED)

    def format_statistics(self, statistics: Mapping[str, Any]) -> str:
        """Return the text of the statistics of a client; those that are not there are left out."""
        lines = [f"  {label:<15}{text}" for label, text in rows.statistics(statistics)]
        lines += [
            f"    {self._clock(error['timestamp'])}  {printable(error['error'])}"
            for error in statistics.get("error_history", ())
        ]
        return "\n".join([self._paint("Statistics", _BOLD), *lines])

    def format_history(self, messages: Iterable[Mapping[str, Any]]) -> str:
        """Return the text of what many envelopes have in common: mean and highest use of each host."""
        lines = [
            f"  {printable(host)}  {told['messages']} times  " + " | ".join(rows.summary(told))
            for host, told in summary(messages).items()
        ]
        return "\n".join([self._paint("History", _BOLD) + " (mean/highest)", *(lines or [f"  {ABSENT}"])])

    def _format_bytes(self, value: float) -> str:
        return size(value)

    def _format_duration(self, seconds: float) -> str:
        return duration(seconds)

    def _get_usage_color(self, usage_percent: float) -> int:
        """Return the number of the colour, as terminals count them."""
        if usage_percent >= self.critical_percent:
            return _RED
        return _YELLOW if usage_percent >= self.warning_percent else _GREEN

    def _usage(self, value: float | None, text: str) -> str:
        return text if value is None else self._paint(text, self._get_usage_color(value))

    def _host(self, message: Mapping[str, Any]) -> str:
        return _label(message.get("host") or "", message.get("name") or "") if self.show_host else ""

    def _clock(self, timestamp: str) -> str:
        return datetime.fromisoformat(timestamp).astimezone(self.time_zone).strftime(self.time_format)

    def _paint(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text


class SimpleFormatter(Formatter):
    """`web-1  CPU: 45.2% | RAM: 62.8% | Disk: 28.5% | GPU: 15.0%`."""

    def format_monitoring_data(self, message: Mapping[str, Any]) -> str:
        """Return one line."""
        data = message["data"]
        parts = [
            f"{label}: {self._usage(value, percent(value))}"
            for label, section in SECTIONS.items()
            if (value := data.get(section, {}).get("usage_percent")) is not None or section != "gpu"
        ]
        host = self._host(message)
        return (self._paint(host, _BOLD) + "  " if host else "") + " | ".join(parts)


class CompactFormatter(Formatter):
    """`[14:30:25] web-1 CPU:45% │ RAM:63%(8.2/13G) │ DSK:29% │ GPU:15%/45%`."""

    def format_monitoring_data(self, message: Mapping[str, Any]) -> str:
        """Return one line, of what the host gives."""
        data = message["data"]
        memory, gpu = data.get("memory", {}), data.get("gpu", {})
        parts = [
            self._part("CPU", data.get("processor", {}).get("usage_percent")),
            self._part("RAM", memory.get("usage_percent"), _gigabytes(memory)),
            self._part("DSK", data.get("disk", {}).get("usage_percent")),
            self._part("GPU", gpu.get("usage_percent"), self._gpu_memory(gpu)),
        ]
        host = self._host(message)
        head = f"[{self._clock(message['timestamp'])}] " + (self._paint(host, _BOLD) + " " if host else "")
        return head + (" │ ".join(part for part in parts if part) or ABSENT)

    def _part(self, label: str, value: float | None, more: str = "") -> str:
        return "" if value is None else f"{label}:{self._usage(value, whole(value) + '%')}{more}"

    def _gpu_memory(self, gpu: Section) -> str:
        value = gpu.get("memory_percent")
        return "" if value is None else "/" + self._usage(value, whole(value) + "%")


class DetailedFormatter(Formatter):
    """A header, then a block for each part of the host, with bars, and the time."""

    def format_monitoring_data(self, message: Mapping[str, Any]) -> str:
        """Return the blocks, of what the host gives."""
        data = message["data"]
        host = self._host(message)
        title = " - ".join(
            ["Monitoring System", *([host] if host else []), self._clock(message["timestamp"])]
        )
        lines = [self._paint(f"=== {title} ===", _BOLD)]
        for name, lines_of in (
            ("Processor", self._processor),
            ("Memory", self._memory),
            ("Disk", self._disk),
            ("GPU", self._gpu),
            ("Network", self._network),
            ("System", self._system),
        ):
            if shown := [f"  {label:<13}{text}" for label, text in lines_of(data.get(name.lower(), {}))]:
                lines += ["", self._paint(name, _BOLD), *shown]
        return "\n".join([*lines, "", f"Timestamp: {message['timestamp']}", "=" * 50])

    def _processor(self, section: Section) -> Rows:
        yield from self._bar(section, "Usage", "usage_percent")
        yield from rows.cores(section)
        yield from rows.told(section, rows.PROCESSOR)

    def _memory(self, section: Section) -> Rows:
        yield from self._bar(section, "Usage", "usage_percent")
        yield from rows.used(section, "GB", "available")
        yield from rows.told(section, rows.MEMORY)

    def _disk(self, section: Section) -> Rows:
        yield from self._bar(section, "Usage", "usage_percent")
        yield from rows.used(section, "GB", "free")
        yield from rows.told(section, rows.DISK)

    def _gpu(self, section: Section) -> Rows:
        yield from self._bar(section, "Usage", "usage_percent")
        yield from self._bar(section, "Memory", "memory_percent")
        yield from rows.used(section, "MB", of="memory_")
        yield from rows.told(section, rows.GPU)

    def _network(self, section: Section) -> Rows:
        yield from rows.told(section, rows.NETWORK)

    def _system(self, section: Section) -> Rows:
        yield from rows.told(section, rows.SYSTEM)

    def _bar(self, section: Section, label: str, field: str) -> Rows:
        value = section.get(field)
        if value is None:
            return
        filled = min(self.bar_length, max(0, int(value / 100 * self.bar_length + 0.5)))
        bar = self._usage(value, "█" * filled) + "▒" * (self.bar_length - filled)
        yield label, f"[{bar}] {self._usage(value, percent(value))} ({self._state(value)})"

    def _state(self, value: float) -> str:
        if value >= self.critical_percent:
            return "Critical"
        return "Warning" if value >= self.warning_percent else "Normal"


class JSONFormatter(Formatter):
    """JSON, never painted: the message as it is, of some lines, or without `indent` of one."""

    def __init__(self, indent: int | None = JSON_INDENT_LEVEL, **options: Any) -> None:
        super().__init__(**{**options, "color": False})
        self.indent = indent

    def format_monitoring_data(self, message: Mapping[str, Any]) -> str:
        """Return the message as JSON."""
        return self._json(message)

    def format_connection_message(self, message: str) -> str:
        """Return `{"timestamp", "type": "connection_message", "message"}`."""
        return self._json(connection_message(message, time.time()))

    def format_host_state(self, host: str, state: str, since: float, *, name: str = "") -> str:
        """Return an envelope of the type `host_state`, with the data `{"state"}`."""
        told = envelope("host_state", host, {"state": state}, since)
        return self._json(told | ({"name": name} if name else {}))

    def format_error(self, error: str, severity: str = "warning") -> str:
        """Return `{"timestamp", "type": "error_message", "error", "severity"}`."""
        return self._json(error_message(error, time.time(), severity))

    def format_statistics(self, statistics: Mapping[str, Any]) -> str:
        """Return `{"timestamp", "type": "statistics", "data"}`."""
        return self._json({"timestamp": timestamp(time.time()), "type": "statistics", "data": statistics})

    def format_history(self, messages: Iterable[Mapping[str, Any]]) -> str:
        """Return `{"timestamp", "type": "history", "data"}`."""
        return self._json({"timestamp": timestamp(time.time()), "type": "history", "data": summary(messages)})

    def _json(self, message: Mapping[str, Any]) -> str:
        encoded = msgspec.json.encode(message)
        return (encoded if self.indent is None else msgspec.json.format(encoded, indent=self.indent)).decode()


FORMATTERS: Final[Mapping[str, type[Formatter]]] = {
    "simple": SimpleFormatter,
    "detailed": DetailedFormatter,
    "compact": CompactFormatter,
    "json": JSONFormatter,
}


def formatter(kind: str, *, color: bool = True, **options: Any) -> Formatter:
    """Return the formatter of a name; `options` are those of its class.

    Raises:
        ValueError: there is none of that name.
    """
    if kind not in FORMATTERS:
        raise ValueError(f"format: got {kind!r}, expected one of {', '.join(FORMATTERS)}")
    return FORMATTERS[kind](color=color, **options)


def _label(host: str, name: str) -> str:
    return printable(f"{host} ({name})" if name and name != host else host)


def _gigabytes(section: Section) -> str:
    used, total = section.get("used_gb"), section.get("total_gb")
    return "" if used is None or total is None else f"({short(used)}/{short(total)}G)"
