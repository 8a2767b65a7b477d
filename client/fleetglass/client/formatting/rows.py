"""The lines of a block: what each field of a snapshot is called, and how its value is told."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fleetglass.client.formatting.quantities import duration, percent, printable, rate, size, whole
from fleetglass.client.formatting.summary import SECTIONS

Section = Mapping[str, Any]
Rows = Iterator[tuple[str, str]]
Table = tuple[tuple[str, str, Callable[[Any], str]], ...]
"""Label, field, and what makes its text."""

PROCESSOR: Final[Table] = (
    ("Load", "load_1m", "{:.2f}".format),
    ("Frequency", "frequency_mhz", "{:.0f} MHz".format),
    ("Highest", "frequency_max_mhz", "{:.0f} MHz".format),
    ("Temperature", "temperature", "{:.1f} °C".format),
    ("Cores", "physical_cores", str),
    ("Threads", "logical_cores", str),
    ("Model", "model", printable),
)
MEMORY: Final[Table] = (("Swap", "swap_percent", percent),)
DISK: Final[Table] = (
    ("Mount", "path", printable),
    ("Read", "read_bytes_per_second", rate),
    ("Written", "write_bytes_per_second", rate),
)
GPU: Final[Table] = (("Temperature", "temperature", "{:.1f} °C".format), ("Name", "name", printable))
NETWORK: Final[Table] = (
    ("Received", "receive_bytes_per_second", rate),
    ("Sent", "transmit_bytes_per_second", rate),
)
SYSTEM: Final[Table] = (
    ("Host name", "hostname", printable),
    ("OS", "os_name", printable),
    ("Kernel", "kernel", printable),
    ("Architecture", "architecture", printable),
    ("Processes", "process_count", str),
    ("Battery", "battery_percent", percent),
    ("Failed units", "failed_units", str),
    ("Up", "uptime_seconds", duration),
)


def told(section: Section, table: Table) -> Rows:
    """Yield label and text of what a section has."""
    for label, field, show in table:
        if (value := section.get(field)) is not None:
            yield label, show(value)


def cores(section: Section) -> Rows:
    """Yield the use of each core; with its number where some are switched off."""
    percents, numbers = section.get("core_percents"), section.get("core_numbers")
    if percents is None:
        return
    words = [whole(core) for core in percents]
    if numbers is None:
        yield "Each core", " ".join(words) + " %"
    else:
        named = (f"{number}: {word}" for number, word in zip(numbers, words, strict=False))
        yield "Each core", ", ".join(named) + " %"


def used(section: Section, unit: str, rest: str = "", of: str = "") -> Rows:
    """Yield how much is used of how much, and with `rest`, such as `free`, what is left."""
    suffix = unit.lower()
    taken, total, left = (section.get(f"{name}_{suffix}") for name in (of + "used", of + "total", rest))
    if taken is not None and total is not None:
        digits = 1 if unit == "GB" else 0
        more = "" if left is None else f", {left:.{digits}f} {unit} {rest}"
        yield "Used", f"{taken:.{digits}f} / {total:.{digits}f} {unit}{more}"


def statistics(values: Mapping[str, Any]) -> Rows:
    """Yield the statistics of a connection."""
    for label, field, show in (("Messages", "messages", str), ("Bytes", "bytes", size)):
        if f"{field}_received" in values:
            yield label, f"{show(values[f'{field}_received'])} received, {show(values[f'{field}_sent'])} sent"
    if "connection_start" in values:
        start, seconds = values["connection_start"], values.get("uptime_seconds") or 0
        yield "Connected", "never" if start is None else f"{duration(seconds)}, last since {start}"
    yield from told(values, _COUNTS)


def summary(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield mean and highest use of each section of a summary of one host."""
    for label, section in SECTIONS.items():
        if use := told.get(section):
            yield f"{label}: {whole(use['mean_percent'])}/{whole(use['highest_percent'])}%"


_COUNTS: Final[Table] = (
    ("State", "current_state", printable),
    ("Disconnections", "total_disconnections", str),
    ("Reconnects", "reconnect_attempts", str),
    ("Errors", "error_count", str),
    ("Last error", "last_error", printable),
)
