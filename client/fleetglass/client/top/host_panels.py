"""The panels of a host, one for each group that it publishes; what a host does not give has no panel."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from fleetglass.client.top.alerts import BATTERY, FILESYSTEM, METER, Limit
from fleetglass.client.top.drawing import Line, Role, bar, fit, role_of
from fleetglass.client.top.model import SeenHost
from fleetglass.client.top.numbers import (
    ABSENT,
    Number,
    celsius,
    length_of_time,
    percent,
    plain,
    short_size,
    size,
)
from fleetglass.wire.payloads import (
    CollectorReport,
    Container,
    Disk,
    Filesystem,
    Gpu,
    Network,
    Power,
    Process,
    Sensor,
    Unit,
)

MOST_ROWS: Final = 24
"""Of one panel; how many others there are is said below."""

Lines = Iterable[Line]


class Panel(NamedTuple):
    """One panel: its title, what is said of the whole, and its lines in so many cells."""

    title: str
    note: str
    draw: Callable[[int], Lines]


def panels(host: SeenHost, *, by_memory: bool) -> list[Panel]:
    """Return the panels of what a host tells, what people look for first at the top."""
    made = []
    for name, make in _PANELS.items():
        if (group := host.groups.get(name)) is not None and (panel := make(group)) is not None:
            made.append(panel)
    if isinstance(process := host.groups.get("process"), Process):
        made.insert(0, _processes(process, by_memory=by_memory))
    others = sorted(host.groups.keys() - _PANELS.keys() - {"cpu", "memory", "process"})
    return made + [_own(name, host.groups[name]) for name in others if isinstance(host.groups[name], dict)]


def _processes(group: Process, *, by_memory: bool) -> Panel:
    entries = group.top_memory if by_memory else group.top_cpu

    def draw(width: int) -> Iterator[Line]:
        with_user = width >= 52
        name_width = max(4, width - 23 - (10 if with_user else 0))
        user = f" {'user':<9}" if with_user else ""
        yield [(f"{'pid':>7} {'name':<{name_width}}{user}  cpu  mem  rss", "dim")]
        for entry in entries[:MOST_ROWS]:
            owner = f" {fit(entry.user or '', 9)}" if with_user else ""
            text = f"{entry.pid:>7} {fit(entry.name, name_width)}{owner} "
            numbers = f"{percent(entry.cpu_percent):>4} {percent(entry.memory_percent):>4} "
            yield [(text, ""), (numbers, ""), (f"{short_size(entry.resident_bytes):>4}", "")]

    order = "memory" if by_memory else "CPU"
    return Panel("PROCESSES", f"{group.count} · by {order}", draw)


def _filesystems(group: Filesystem) -> Panel | None:
    def draw(width: int) -> Iterator[Line]:
        bar_width = max(4, min(20, width - 36))
        name_width = width - bar_width - 16
        for name, mount in group.mounts.items():
            used = mount.used_percent
            yield [
                (_tail(name, name_width), ""),
                (f" {percent(used):>3} ", role_of(used, FILESYSTEM)),
                *bar(used, bar_width, FILESYSTEM),
                (f" {short_size(mount.used_bytes):>4}", ""),
                (f"/{short_size(mount.total_bytes):<4}", "dim"),
            ]

    return _listed("FILESYSTEMS", "used / size", group.mounts, draw)


def _networks(group: Network) -> Panel | None:
    shown = {name: one for name, one in group.interfaces.items() if one.up is not False}
    down = [name for name in group.interfaces if name not in shown]

    def draw(width: int) -> Iterator[Line]:
        for name, one in shown.items():
            lost = sum(
                count for count in (one.receive_errors_total, one.transmit_errors_total) if count is not UNSET
            )
            errors: Line = [(f" {lost} errors", "warn")] if lost else []
            yield [
                (fit(name, max(6, width - 26)), ""),
                *_rates(("↓", one.receive_bytes_per_second), ("↑", one.transmit_bytes_per_second)),
                *errors,
            ]
        if down:
            yield [(fit("down: " + ", ".join(down), width), "dim")]

    connections = group.tcp_connections
    note = f"{connections.get('established', 0)} TCP" if connections is not UNSET else ""
    return _listed("NETWORK", note, group.interfaces, draw)


def _disks(group: Disk) -> Panel | None:
    def draw(width: int) -> Iterator[Line]:
        for name, one in group.devices.items():
            yield [
                (fit(name, max(6, width - 31)), ""),
                (f"{percent(one.busy_percent):>4}", role_of(one.busy_percent, METER)),
                ("%", "dim"),
                *_rates(("r", one.read_bytes_per_second), ("w", one.write_bytes_per_second)),
            ]

    return _listed("DISKS", "busy, read, written", group.devices, draw)


def _sensors(group: Sensor) -> Panel | None:
    rows: dict[str, Any] = {**group.temperatures, **(group.fans if group.fans is not UNSET else {})}

    def draw(width: int) -> Iterator[Line]:
        for name, one in group.temperatures.items():
            limit = Limit(
                one.high_celsius if one.high_celsius is not UNSET else float("inf"),
                one.critical_celsius if one.critical_celsius is not UNSET else None,
            )
            bounds = [
                celsius(bound) for bound in (one.high_celsius, one.critical_celsius) if bound is not UNSET
            ]
            note = "of " + "/".join(bounds) if bounds else ""
            value: Line = [
                (f"{celsius(one.current_celsius):>5}", role_of(one.current_celsius, limit)),
                (f" {note:<12}", "dim"),
            ]
            yield [(fit(name, width - 18), ""), *value]
        for name, fan in (group.fans if group.fans is not UNSET else {}).items():
            speed = ABSENT if fan.speed_rpm is UNSET else str(fan.speed_rpm)
            yield [(fit(name, width - 18), ""), (f"{speed:>5} {'rpm':<12}", "")]

    return _listed("TEMPERATURES", "now, high, critical", rows, draw)


def _gpus(group: Gpu) -> Panel | None:
    def draw(width: int) -> Iterator[Line]:
        for address, one in group.devices.items():
            name = one.name if one.name is not UNSET else address
            watts = "" if one.power_watts is UNSET else f"{one.power_watts:.0f} W"
            state = "" if one.state is UNSET or one.state == "active" else one.state
            yield [(fit(name, width), "")]
            yield [
                ("  busy ", "dim"),
                (f"{percent(one.busy_percent):>3}", ""),
                ("  mem ", "dim"),
                (f"{percent(one.memory_percent):>3}", role_of(one.memory_percent, METER)),
                (f" {celsius(one.temperature_celsius):>5} {watts:>6} {state}", ""),
            ]

    return _listed("GPU", "", group.devices, draw)


def _power(group: Power) -> Panel | None:
    def draw(width: int) -> Iterator[Line]:
        for name, one in group.batteries.items():
            left = "" if one.left_seconds is UNSET else f"{length_of_time(one.left_seconds)} left"
            plugged = "" if one.plugged is UNSET else "plugged in" if one.plugged else "on battery"
            yield [
                (fit(name, 6), ""),
                (f"{percent(one.charge_percent):>4} ", role_of(one.charge_percent, BATTERY)),
                *bar(one.charge_percent, 6, BATTERY),
                (fit(f" {plugged} {left}", max(0, width - 17)), ""),
            ]

    return _listed("POWER", "", group.batteries, draw)


def _containers(group: Container) -> Panel | None:
    def draw(width: int) -> Iterator[Line]:
        for name, one in group.containers.items():
            state = plain(one.state or ABSENT)
            role: Role = "" if state == "running" else "dim"
            yield [
                (fit(name, width - 23), role),
                (f" {fit(state, 10)}", role),
                (f"{percent(one.cpu_percent):>5}", role),
                (f" {short_size(one.memory_used_bytes):>5}", role),
            ]

    return _listed("CONTAINERS", "cpu, memory", group.containers, draw)


def _units(group: Unit) -> Panel | None:
    rows = {**dict.fromkeys(group.failed), **group.units}

    def draw(width: int) -> Iterator[Line]:
        for name, one in rows.items():
            state = "failed" if one is None else plain(one.active_state or ABSENT)
            mark: Line = [("◆ ", "critical")] if state == "failed" else [("  ", "")]
            yield [
                *mark,
                (fit(name, width - 13), ""),
                (f" {fit(state, 10)}", "critical" if state == "failed" else "dim"),
            ]

    return _listed("UNITS", f"{group.failed_count} failed", rows, draw)


def _collectors(group: CollectorReport) -> Panel | None:
    bad = {name: run for name, run in group.collectors.items() if run.state != "ok"}

    def draw(width: int) -> Iterator[Line]:
        yield [
            ("cpu ", "dim"),
            (f"{percent(group.cpu_percent)} %", ""),
            ("  memory ", "dim"),
            (size(group.resident_bytes), ""),
        ]
        for name, run in bad.items():
            yield [("▲ ", "warn"), (fit(f"{name} {run.state}: {run.reason or ''}", width - 2), "warn")]

    return Panel("AGENT", "", _cut(draw))


def _own(name: str, group: dict[str, Any]) -> Panel:
    values = {
        key: value
        for key, value in group.items()
        if isinstance(value, int | float | str) and key not in {"time", "tick"}
    }

    def draw(width: int) -> Iterator[Line]:
        for key, value in values.items():
            text = (
                plain(value[:80])
                if isinstance(value, str)
                else f"{value:g}"
                if isinstance(value, float)
                else str(value)[:40]
            )
            room = max(8, width - len(text) - 1)
            yield [(fit(key, room), "dim"), (" ", ""), (text, "")]

    return Panel(plain(name[:30]).upper(), "", _cut(draw))


def _listed(
    title: str, note: str, rows: Sequence[Any] | dict[str, Any], draw: Callable[[int], Lines]
) -> Panel | None:
    return Panel(title, note, _cut(draw)) if rows else None


def _cut(draw: Callable[[int], Lines]) -> Callable[[int], Lines]:
    def cut(width: int) -> Iterator[Line]:
        lines = list(draw(width))
        yield from lines[:MOST_ROWS]
        if len(lines) > MOST_ROWS:
            yield [(f"and {len(lines) - MOST_ROWS} more", "dim")]

    return cut


def _rates(*pairs: tuple[str, Number]) -> Line:
    line: Line = []
    for word, value in pairs:
        line += [(f" {word} ", "dim"), (f"{short_size(value):>5}", ""), ("/s", "dim")]
    return line


def _tail(path: str, width: int) -> str:
    """Return a path in so many cells; of a long one the end, which tells more."""
    return fit(path, width) if len(path) <= width else "…" + fit(path[-(width - 1) :], width - 1)


_PANELS: Final[dict[str, Callable[[Any], Panel | None]]] = {
    "filesystem": _filesystems,
    "network": _networks,
    "disk": _disks,
    "sensor": _sensors,
    "gpu": _gpus,
    "power": _power,
    "unit": _units,
    "container": _containers,
    "collector": _collectors,
}
