"""How one message looks in a terminal or to a program: `simple`, `detailed`, `compact`, `json`.

A formatter takes the envelopes of `snapshot.py` and returns text without a newline at its end. A value
that a host does not give is a dash, or is left out. To write another, subclass `Formatter`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import msgspec

from fleetglass.client.quantities import ABSENT, duration, percent, printable, rate, short, size, whole

THRESHOLD_WARNING: Final = 80.0
THRESHOLD_CRITICAL: Final = 90.0
PROGRESS_BAR_LENGTH: Final = 20
TIME_FORMAT: Final = "%H:%M:%S"
JSON_INDENT_LEVEL: Final = 2

_GREEN, _YELLOW, _RED = 32, 33, 31
_BOLD: Final = 1

Section = Mapping[str, Any]


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

    def format_error(self, error: str, severity: str = "warning") -> str:
        """Return the text of an error; `severity` is `warning` or `error`."""
        return self._paint(f"{severity}: {printable(error)}", _YELLOW if severity == "warning" else _RED)

    def format_statistics(self, statistics: Mapping[str, Any]) -> str:
        """Return the text of the statistics of a client; those that are not there are left out."""
        rows = [f"  {label:<14}{text}" for label, text in _statistics_rows(statistics)]
        rows += [
            f"    {self._clock(error['timestamp'])}  {printable(error['error'])}"
            for error in statistics.get("error_history", ())
        ]
        return "\n".join([self._paint("Statistics", _BOLD), *rows])

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
        return printable(message.get("host") or "") if self.show_host else ""

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
            for label, section in (("CPU", "processor"), ("RAM", "memory"), ("Disk", "disk"), ("GPU", "gpu"))
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
        for name, rows in (
            ("Processor", self._processor_rows(data.get("processor", {}))),
            ("Memory", self._memory_rows(data.get("memory", {}))),
            ("Disk", self._disk_rows(data.get("disk", {}))),
            ("GPU", self._gpu_rows(data.get("gpu", {}))),
            ("Network", _rows(data.get("network", {}), _NETWORK)),
            ("System", _rows(data.get("system", {}), _SYSTEM)),
        ):
            if shown := [f"  {label:<13}{text}" for label, text in rows]:
                lines += ["", self._paint(name, _BOLD), *shown]
        return "\n".join([*lines, "", f"Timestamp: {message['timestamp']}", "=" * 50])

    def _processor_rows(self, section: Section) -> Iterator[tuple[str, str]]:
        yield from self._bar_rows(section, "Usage", "usage_percent")
        yield from _rows(section, _PROCESSOR)

    def _memory_rows(self, section: Section) -> Iterator[tuple[str, str]]:
        yield from self._bar_rows(section, "Usage", "usage_percent")
        yield from _used_rows(section, "GB", "available")

    def _disk_rows(self, section: Section) -> Iterator[tuple[str, str]]:
        yield from self._bar_rows(section, "Usage", "usage_percent")
        yield from _used_rows(section, "GB", "free")
        yield from _rows(section, (("Mount", "path", printable),))

    def _gpu_rows(self, section: Section) -> Iterator[tuple[str, str]]:
        yield from self._bar_rows(section, "Usage", "usage_percent")
        yield from self._bar_rows(section, "Memory", "memory_percent")
        used, total = section.get("memory_used_mb"), section.get("memory_total_mb")
        if used is not None and total is not None:
            yield "Used", f"{used:.0f} / {total:.0f} MB"
        yield from _rows(section, _GPU)

    def _bar_rows(self, section: Section, label: str, field: str) -> Iterator[tuple[str, str]]:
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
        return self._json({"timestamp": _now(), "type": "connection_message", "message": message})

    def format_error(self, error: str, severity: str = "warning") -> str:
        """Return `{"timestamp", "type": "error_message", "error", "severity"}`."""
        return self._json(
            {"timestamp": _now(), "type": "error_message", "error": error, "severity": severity}
        )

    def format_statistics(self, statistics: Mapping[str, Any]) -> str:
        """Return `{"timestamp", "type": "statistics", "data"}`."""
        return self._json({"timestamp": _now(), "type": "statistics", "data": statistics})

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


_Row = tuple[str, str, Callable[[Any], str]]

_PROCESSOR: Final[tuple[_Row, ...]] = (
    ("Temperature", "temperature", "{:.1f} °C".format),
    ("Frequency", "frequency_mhz", "{:.0f} MHz".format),
    ("Highest", "frequency_max_mhz", "{:.0f} MHz".format),
    ("Model", "model", printable),
    ("Architecture", "architecture", printable),
    ("Cores", "core_count", str),
    ("Threads", "logical_count", str),
    ("Each", "per_core_usage", lambda cores: " ".join(whole(core) for core in cores) + " %"),
    ("Load", "load_1m", "{:.2f}".format),
)
_GPU: Final[tuple[_Row, ...]] = (
    ("Temperature", "temperature", "{:.1f} °C".format),
    ("Name", "name", printable),
)
_NETWORK: Final[tuple[_Row, ...]] = (
    ("Received", "receive_bytes_per_second", rate),
    ("Sent", "transmit_bytes_per_second", rate),
)
_SYSTEM: Final[tuple[_Row, ...]] = (
    ("Host", "hostname", printable),
    ("OS", "os_name", printable),
    ("Kernel", "os_version", printable),
    ("Processes", "process_count", str),
    ("Up", "uptime_seconds", duration),
)


def _rows(section: Section, rows: tuple[_Row, ...]) -> Iterator[tuple[str, str]]:
    for label, field, show in rows:
        if (value := section.get(field)) is not None:
            yield label, show(value)


def _used_rows(section: Section, unit: str, rest: str) -> Iterator[tuple[str, str]]:
    used, total = section.get("used_gb"), section.get("total_gb")
    if used is None or total is None:
        return
    left = section.get(f"{rest}_gb")
    yield (
        "Used",
        f"{used:.1f} / {total:.1f} {unit}" + (f", {left:.1f} {unit} {rest}" if left is not None else ""),
    )


def _gigabytes(section: Section) -> str:
    used, total = section.get("used_gb"), section.get("total_gb")
    return "" if used is None or total is None else f"({short(used)}/{short(total)}G)"


def _statistics_rows(statistics: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, field, show in (("Messages", "messages", str), ("Bytes", "bytes", size)):
        if f"{field}_received" in statistics:
            received, sent = statistics[f"{field}_received"], statistics.get(f"{field}_sent", 0)
            yield label, f"{show(received)} received, {show(sent)} sent"
    if "connection_start" in statistics:
        start, seconds = statistics["connection_start"], statistics.get("uptime_seconds")
        yield "Connected", "never" if start is None else f"since {start}, for {duration(seconds or 0)}"
    for label, field in (
        ("State", "current_state"),
        ("Disconnections", "total_disconnections"),
        ("Reconnects", "reconnect_attempts"),
        ("Errors", "error_count"),
        ("Last error", "last_error"),
    ):
        if statistics.get(field) is not None:
            yield label, printable(statistics[field])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
