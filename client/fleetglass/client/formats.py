"""How one pulse looks in a terminal. A value that a host does not give is a dash, or is left out."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from fleetglass.wire.payloads import Pulse

ABSENT: Final = "—"

_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def simple(host: str, pulse: Pulse) -> str:
    """Return `web-1  CPU: 45.2% | RAM: 62.8% | Disk: 28.5%`."""
    return (
        f"{host}  CPU: {percent(pulse.cpu_percent)} | RAM: {percent(pulse.memory_percent)} | "
        f"Disk: {percent(pulse.filesystem_percent)}"
    )


def compact(host: str, pulse: Pulse) -> str:
    """Return `web-1 cpu 45 ram 63 disk 29 in 1.2 MiB/s out 310 KiB/s`, only what the host gives."""
    parts = [
        ("cpu", pulse.cpu_percent, _whole),
        ("ram", pulse.memory_percent, _whole),
        ("disk", pulse.filesystem_percent, _whole),
        ("in", pulse.network_receive_bytes_per_second, rate),
        ("out", pulse.network_transmit_bytes_per_second, rate),
        ("temp", pulse.temperature_celsius, _whole),
    ]
    shown = [f"{label} {show(value)}" for label, value, show in parts if value is not msgspec.UNSET]
    return " ".join([host, *(shown or [ABSENT])])


def detailed(host: str, pulse: Pulse) -> str:
    """Return the host and, below it, every value that it gives, one a line."""
    rows = [f"  {label:<12}{text}" for label, text in _rows(pulse)]
    return "\n".join([host, *(rows or [f"  {ABSENT}"])])


def as_json(host: str, pulse: Mapping[str, Any]) -> str:
    """Return one JSON object in one line: the pulse as it came, and whose it is."""
    return msgspec.json.encode({"host": host, **pulse}).decode()


FORMATS: Final[dict[str, Callable[[str, Pulse], str]]] = {
    "simple": simple,
    "detailed": detailed,
    "compact": compact,
}


def percent(value: Any) -> str:
    """Return `45.2%`, or a dash."""
    return ABSENT if value is msgspec.UNSET else f"{value:.1f}%"


def size(value: float) -> str:
    """Return bytes with a unit, three digits at the most: `1.2 MiB`."""
    for unit in _BINARY:
        if abs(value) < 1000 or unit == _BINARY[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def rate(value: float) -> str:
    """Return bytes per second with a unit: `1.2 MiB/s`."""
    return size(value) + "/s"


def duration(seconds: float) -> str:
    """Return `3 d 4 h`, `2 h 5 min` or `45 s`: the two largest units."""
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _rows(pulse: Pulse) -> list[tuple[str, str]]:
    rows: list[tuple[str, Any, Callable[[Any], str]]] = [
        ("CPU", pulse.cpu_percent, percent),
        ("Cores", pulse.core_percents, lambda cores: " ".join(f"{core}" for core in cores) + " %"),
        ("Load", pulse.load_1m, "{:.2f}".format),
        ("Memory", pulse.memory_percent, percent),
        ("Swap", pulse.swap_percent, percent),
        ("Filesystem", pulse.filesystem_percent, percent),
        ("Disk read", pulse.disk_read_bytes_per_second, rate),
        ("Disk write", pulse.disk_write_bytes_per_second, rate),
        ("Received", pulse.network_receive_bytes_per_second, rate),
        ("Sent", pulse.network_transmit_bytes_per_second, rate),
        ("Hottest", pulse.temperature_celsius, "{:.1f} °C".format),
        ("GPU", pulse.gpu_percent, percent),
        ("Battery", pulse.battery_percent, percent),
        ("Processes", pulse.process_count, str),
        ("Up", pulse.uptime_seconds, duration),
    ]
    return [(label, show(value)) for label, value, show in rows if value is not msgspec.UNSET]
