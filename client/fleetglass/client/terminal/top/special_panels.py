"""The panels of groups that few hosts publish: GPUs, batteries, containers, units, own metrics."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET

from fleetglass.client.formatting.quantities import ABSENT
from fleetglass.client.terminal.top.alerts import BATTERY, METER
from fleetglass.client.terminal.top.drawing import Line, Role, bar, fit, role_of
from fleetglass.client.terminal.top.numbers import celsius, length_of_time, percent, plain, short_size, size
from fleetglass.client.terminal.top.panel import Panel, cut, listed
from fleetglass.wire.payloads import (
    CollectorReport,
    Container,
    Gpu,
    Power,
    Storage,
    StorageArray,
    StorageDisk,
    Unit,
)

_TROUBLE: Final = ("failed", "degraded")


def gpus(group: Gpu) -> Panel | None:
    """Return the panel of GPUs."""

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
            for process in one.processes or ():
                program = plain(process.name or f"pid {process.pid}")
                user = "" if process.user is UNSET else f"{plain(process.user)}: "
                yield [
                    (fit(f"  {user}{program}", width - 12), ""),
                    (f" {percent(process.busy_percent):>4}", ""),
                    (f" {short_size(process.memory_bytes):>6}", ""),
                ]

    return listed("GPU", "", group.devices, draw)


def power(group: Power) -> Panel | None:
    """Return the panel of batteries."""

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

    return listed("POWER", "", group.batteries, draw)


def containers(group: Container) -> Panel | None:
    """Return the panel of containers."""

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

    return listed("CONTAINERS", "cpu, memory", group.containers, draw)


def units(group: Unit) -> Panel | None:
    """Return the panel of units of systemd, the failed ones first."""
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

    return listed("UNITS", f"{group.failed_count} failed", rows, draw)


def storage(group: Storage) -> Panel | None:
    """Return the panel of disks, arrays and pools, those in trouble first."""
    arrays = {} if group.arrays is UNSET else group.arrays
    told: dict[str, StorageDisk | StorageArray] = {**arrays, **group.disks}
    rows = dict(sorted(told.items(), key=lambda row: row[1].health not in _TROUBLE))

    def draw(width: int) -> Iterator[Line]:
        for name, one in rows.items():
            bad = one.health in _TROUBLE
            word = one.health if one.health is not UNSET else one.state if one.state is not UNSET else ABSENT
            note: Line = []
            if isinstance(one, StorageDisk):
                wear = "" if one.wear_percent is UNSET else f"{percent(one.wear_percent)} % worn"
                degrees = "" if one.temperature_celsius is UNSET else celsius(one.temperature_celsius)
                note = [(f" {fit(wear, 11)} {degrees:>6}", "dim")]
            else:
                lacks = one.degraded_devices
                note = [(f" {fit(f'lacks {lacks}' if lacks else '', 18)}", "dim")]
            yield [
                ("◆ " if bad else "  ", "critical" if bad else ""),
                (fit(name, max(6, width - 33)), ""),
                (f" {fit(plain(word), 11)}", "critical" if bad else "dim"),
                *note,
            ]

    failed = sum(one.health in _TROUBLE for one in rows.values())
    return listed("STORAGE", f"{failed} in trouble" if failed else "", rows, draw)


def collectors(group: CollectorReport) -> Panel | None:
    """Return the panel of the agent itself, with the collectors that failed or are late."""
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

    return Panel("AGENT", "", cut(draw))


def own_metric(name: str, group: dict[str, Any]) -> Panel:
    """Return the panel of a group that this version does not know: its numbers and texts."""
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

    return Panel(plain(name[:30]).upper(), "", cut(draw))
