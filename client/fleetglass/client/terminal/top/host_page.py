"""A host in full: who it is, what is wrong, processors and memory, then its panels in columns."""

from collections.abc import Callable, Iterator
from functools import partial
from textwrap import wrap
from typing import Final

from msgspec import UNSET

from fleetglass.client.formatting.quantities import clock_time
from fleetglass.client.terminal.top.alerts import BUSY_METER, METER, Alert, Limit, state_in_words
from fleetglass.client.terminal.top.drawing import (
    GLYPHS,
    Line,
    bar,
    fit_line,
    minute,
    role_of,
    upright_bars,
    width_of,
)
from fleetglass.client.terminal.top.host_panels import panels
from fleetglass.client.terminal.top.model import FleetModel, SeenHost
from fleetglass.client.terminal.top.numbers import Number, hertz, load, percent, plain, size, uptime
from fleetglass.client.terminal.top.panel import Panel
from fleetglass.wire.payloads import Cpu, Memory, Pulse

NARROWEST_COLUMN: Final = 38
GAP: Final = 2
MAX_CORES: Final = 8192
"""The most that Linux can be built for."""
MAX_CORES_AS_BARS: Final = 16
CORE_WIDTH: Final = 18


def host_lines(
    host: SeenHost, fleet: FleetModel, alerts: list[Alert], now: float, width: int, *, by_memory: bool
) -> list[Line]:
    """Return the page of a host, each line `width` cells wide.

    `by_memory`: whether its processes are the largest by memory, instead of by CPU.
    """
    lines = [*_identity(host, fleet, now, width), *_notes(host, width), *_alert_lines(alerts, width)]
    if host.pulse is not None or host.groups:
        lines += [*_cpu(host, now, width), *_memory(host, now, width), []]
        lines += in_columns(panels(host, by_memory=by_memory), width)
    return [fit_line(line, width) for line in lines]


def in_columns(blocks: list[Panel], width: int) -> list[Line]:
    """Return the panels below each other in as many columns as there is room for, each in the shortest."""
    count = max(1, min(3, (width + GAP) // (NARROWEST_COLUMN + GAP)))
    column_width = (width - GAP * (count - 1)) // count
    columns: list[list[Line]] = [[] for _ in range(count)]
    for panel in blocks:
        shortest = min(columns, key=len)
        if shortest:
            shortest.append([])
        shortest.append(heading(panel.title, panel.note, column_width))
        shortest += [fit_line(line, column_width) for line in panel.draw(column_width)]
    lines = []
    for at in range(max(map(len, columns))):
        line: Line = []
        for place, column in enumerate(columns):
            if place:
                line.append((" " * GAP, ""))
            line += fit_line(column[at] if at < len(column) else [], column_width)
        lines.append(line)
    return lines


def heading(title: str, note: str, width: int) -> Line:
    """Return the title of a panel, a rule, and what is said of the whole at its end."""
    line: Line = [(title, "title"), (" ", "")]
    room = width - width_of(line) - (len(note) + 1 if note else 0)
    if room < 1:
        return fit_line(line, width)
    return [*line, ("─" * room, "dim"), *([(" " + note, "")] if note else [])]  # type: ignore[list-item] # roles are literals


def _identity(host: SeenHost, fleet: FleetModel, now: float, width: int) -> Iterator[Line]:
    facts, pulse = host.facts, host.pulse
    glyph, role = GLYPHS[host.state]
    state = state_in_words(host, fleet, now)
    line: Line = [(glyph, role), (f" {state}", role if role != "good" else ""), ("  ", "")]
    cores = f"{facts.logical_cores} cores" if facts.logical_cores else ""
    if facts.physical_cores and facts.physical_cores != facts.logical_cores:
        cores = f"{facts.physical_cores} cores, {facts.logical_cores} threads"
    memory = size(facts.memory_total_bytes) if facts.memory_total_bytes else ""
    up = (
        f"up {uptime(pulse.uptime_seconds)}"
        if pulse is not None and pulse.uptime_seconds is not UNSET
        else ""
    )
    all_addresses = [facts.main_address, *(one for several in facts.addresses.values() for one in several)]
    addresses = [one for one in dict.fromkeys(all_addresses) if one and _reachable(one)]
    since = f"waited for since {clock_time(host.since + fleet.clock_offset)}" if host.is_unheard else ""
    said = [since, facts.os_name, cores, memory, *addresses[:2], up, facts.kernel, facts.cpu_model]
    left = width - width_of(line)
    for text in filter(None, map(plain, said)):
        room = left if not line[-1][0].strip() else left - 3
        if len(text) > room:
            yield line
            line, left = [], width
        if line and line[-1][0].strip():
            line.append((" · ", "dim"))
            left -= 3
        line.append((text, ""))
        left -= len(text)
    yield line


def _notes(host: SeenHost, width: int) -> Iterator[Line]:
    for paragraph in host.notes.splitlines():
        for text in wrap(plain(paragraph), width):
            yield [(text, "")]


def _reachable(address: str) -> bool:
    return not address.startswith(("127.", "::1", "fe80:"))


def _alert_lines(alerts: list[Alert], width: int) -> Iterator[Line]:
    line: Line = []
    for alert in alerts:
        glyph, role = GLYPHS[alert.level]
        if line and width_of(line) + len(alert.words) + 4 > width:
            yield line
            line = []
        line += [(f"{glyph} ", role), (alert.words, role), ("  ", "")]
    if line:
        yield line


def _cpu(host: SeenHost, now: float, width: int) -> Iterator[Line]:
    cpu, pulse = host.groups.get("cpu"), host.pulse
    group = cpu if isinstance(cpu, Cpu) else None
    total = group.total_percent if group else UNSET if pulse is None else pulse.cpu_percent
    loads = [group.load_1m, group.load_5m, group.load_15m] if group else [pulse.load_1m if pulse else UNSET]
    notes = []
    if any(one is not UNSET for one in loads):
        notes.append("load " + " ".join(load(one) for one in loads))
    if group and group.frequency_hertz is not UNSET:
        notes.append(hertz(group.frequency_hertz))
    if group:
        parts = [
            ("user", group.user_percent),
            ("sys", group.system_percent),
            ("iowait", group.iowait_percent),
        ]
        if group.steal_percent:
            parts.append(("steal", group.steal_percent))
        notes.append(" ".join(f"{word} {percent(one)}" for word, one in parts if one is not UNSET))
    yield heading("CPU", "  ".join(filter(None, notes)), width)
    yield _figure("all", total, BUSY_METER, partial(minute, host, "cpu_percent", now), width)
    told = group if group and group.core_percents is not UNSET else pulse
    yield from _cores(_cores_of(told), width)


def _cores_of(told: Cpu | Pulse | None) -> dict[int, float]:
    """Return the use of each core by its number; those that are switched off have none."""
    if told is None or told.core_percents is UNSET:
        return {}
    cores = dict(enumerate(map(float, told.core_percents)))
    if told.core_numbers is UNSET:
        return cores
    placed = dict(zip(told.core_numbers, cores.values(), strict=False))
    is_sane = len(placed) == len(cores) and all(0 <= number < MAX_CORES for number in placed)
    return placed if is_sane else cores


def _cores(cores: dict[int, float], width: int) -> Iterator[Line]:
    if len(cores) > MAX_CORES_AS_BARS:
        room = width - 7
        columns = [upright_bars([cores[one]]) if one in cores else " " for one in range(max(cores) + 1)]
        for start in range(0, len(columns), room):
            yield [(f"{start:>5}  ", "dim"), ("".join(columns[start : start + room]), "bar")]
        return
    per_line = max(1, (width + 2) // (CORE_WIDTH + 2))
    core_width = (width - 2 * (per_line - 1)) // per_line
    told = [*cores.items()]
    for start in range(0, len(told), per_line):
        line: Line = []
        for number, core in told[start : start + per_line]:
            if line:
                line.append(("  ", ""))
            line += [(f"{number:>2} ", "dim"), *bar(core, core_width - 7, BUSY_METER)]
            line.append((f" {percent(core):>3}", role_of(core, BUSY_METER)))
        yield line


def _memory(host: SeenHost, now: float, width: int) -> Iterator[Line]:
    memory, pulse = host.groups.get("memory"), host.pulse
    group = memory if isinstance(memory, Memory) else None
    used = group.used_percent if group else UNSET if pulse is None else pulse.memory_percent
    swap = group.swap_percent if group else UNSET if pulse is None else pulse.swap_percent
    notes = []
    if group:
        notes.append(f"{size(group.used_bytes)} of {size(group.total_bytes)}")
        parts = (("available", group.available_bytes), ("cached", group.cached_bytes))
        notes += [f"{word} {size(one)}" for word, one in parts if one is not UNSET]
    yield heading("MEMORY", "  ".join(notes), width)
    yield _figure("used", used, METER, partial(minute, host, "memory_percent", now), width)
    if swap is not UNSET:
        note = f"  {size(group.swap_used_bytes)} of {size(group.swap_total_bytes)}" if group else ""
        room = max(4, min(32, width - 10 - len(note)))
        yield [
            (f"{'swap':<5}", "dim"),
            (f"{percent(swap):>3} ", role_of(swap, METER)),
            *bar(swap, room, METER),
            (note, ""),
        ]


def _figure(word: str, value: Number, limit: Limit, draw_minute: Callable[[int], str], width: int) -> Line:
    """Return a word, a number, its bar, and its last minute."""
    bar_width = min(32, (width - 10) // 2)
    return [
        (f"{word:<5}", "dim"),
        (f"{percent(value):>3} ", role_of(value, limit)),
        *bar(value, bar_width, limit),
        (" ", ""),
        (draw_minute(min(60, width - 10 - bar_width)), "bar"),
    ]
