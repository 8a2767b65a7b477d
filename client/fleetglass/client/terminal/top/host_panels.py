"""The panels of a host, one for each group that it publishes; what a host does not give has no panel."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import UNSET

from fleetglass.client.formatting.quantities import ABSENT
from fleetglass.client.terminal.top.alerts import FILESYSTEM, METER, Limit
from fleetglass.client.terminal.top.drawing import Line, bar, fit, role_of, width_of
from fleetglass.client.terminal.top.model import SeenHost
from fleetglass.client.terminal.top.numbers import (
    Number,
    celsius,
    percent,
    short_size,
)
from fleetglass.client.terminal.top.panel import MAX_ROWS, Panel, listed
from fleetglass.client.terminal.top.special_panels import (
    collectors,
    containers,
    gpus,
    own_metric,
    power,
    storage,
    units,
)
from fleetglass.wire.payloads import (
    Disk,
    Filesystem,
    Network,
    Process,
    Sensor,
)


def panels(host: SeenHost, *, by_memory: bool) -> list[Panel]:
    """Return the panels of what a host tells, what people look for first at the top."""
    made = []
    for name, make in _PANELS.items():
        if (group := host.groups.get(name)) is not None and (panel := make(group)) is not None:
            made.append(panel)
    if isinstance(process := host.groups.get("process"), Process):
        made.insert(0, _processes(process, by_memory=by_memory))
    others = sorted(host.groups.keys() - _PANELS.keys() - {"cpu", "memory", "process"})
    return made + [
        own_metric(name, host.groups[name]) for name in others if isinstance(host.groups[name], dict)
    ]


def _processes(group: Process, *, by_memory: bool) -> Panel:
    entries = group.top_memory if by_memory else group.top_cpu

    def draw(width: int) -> Iterator[Line]:
        with_user = width >= 52
        name_width = max(4, width - 23 - (10 if with_user else 0))
        user = f" {'user':<9}" if with_user else ""
        yield [(f"{'pid':>7} {'name':<{name_width}}{user}  cpu  mem  rss", "dim")]
        for entry in entries[:MAX_ROWS]:
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

    return listed("FILESYSTEMS", "used / size", group.mounts, draw)


def _networks(group: Network) -> Panel | None:
    names = sorted(group.interfaces, key=lambda name: group.interfaces[name].in_total is False)
    shown = {name: group.interfaces[name] for name in names if group.interfaces[name].up is not False}
    down = [name for name in group.interfaces if name not in shown]

    def draw(width: int) -> Iterator[Line]:
        for name, one in shown.items():
            lost = sum(
                count for count in (one.receive_errors_total, one.transmit_errors_total) if count is not UNSET
            )
            notes: Line = [] if one.signal_dbm is UNSET else [(f" {one.signal_dbm} dBm", "dim")]
            if lost:
                notes.append((f" {lost} errors", "warn"))
            yield [
                (fit(name, max(6, width - 20 - width_of(notes))), ""),
                *_rates(("↓", one.receive_bytes_per_second), ("↑", one.transmit_bytes_per_second)),
                *notes,
            ]
        if down:
            yield [(fit("down: " + ", ".join(down), width), "dim")]

    connections = group.tcp_connections
    notes = [f"{connections.get('established', 0)} TCP"] if connections is not UNSET else []
    if group.receive_total_bytes is not UNSET and group.transmit_total_bytes is not UNSET:
        notes.append(
            f"total ↓{short_size(group.receive_total_bytes)} ↑{short_size(group.transmit_total_bytes)}"
        )
    return listed("NETWORK", " · ".join(notes), group.interfaces, draw)


def _disks(group: Disk) -> Panel | None:
    def draw(width: int) -> Iterator[Line]:
        for name, one in group.devices.items():
            yield [
                (fit(name, max(6, width - 31)), ""),
                (f"{percent(one.busy_percent):>4}", role_of(one.busy_percent, METER)),
                ("%", "dim"),
                *_rates(("r", one.read_bytes_per_second), ("w", one.write_bytes_per_second)),
            ]

    return listed("DISKS", "busy, read, written", group.devices, draw)


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

    return listed("TEMPERATURES", "now, high, critical", rows, draw)


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
    "gpu": gpus,
    "power": power,
    "unit": units,
    "storage": storage,
    "container": containers,
    "collector": collectors,
}
