"""What needs attention on a host, from what it said last; the limits are those of the page."""

import math
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from msgspec import UNSET, UnsetType

from fleetglass.client.formatting.quantities import clock_time
from fleetglass.client.terminal.top.model import FleetModel, SeenHost
from fleetglass.client.terminal.top.numbers import length_of_time, plain
from fleetglass.wire.payloads import CollectorReport, Filesystem, Memory, Power, Pulse, Sensor, Unit

Level = Literal["warn", "critical"]

BUSY_SECONDS: Final = 59
"""Between the first and the last sample of a busy minute."""
SKEW_SECONDS: Final = 2


class Limit(NamedTuple):
    """From where on a number is trouble; `falling` where trouble is below."""

    warn: float
    critical: float | None = None
    falling: bool = False

    def level(self, value: float | UnsetType) -> Level | None:
        """Return how bad a value is."""
        if value is UNSET:
            return None
        sign = -1 if self.falling else 1
        if self.critical is not None and sign * value >= sign * self.critical:
            return "critical"
        return "warn" if sign * value >= sign * self.warn else None


METER: Final = Limit(80, 95)
BUSY_METER: Final = Limit(80)
FILESYSTEM: Final = Limit(90, 95)
MEMORY: Final = Limit(90, 95)
SWAP: Final = Limit(80)
BATTERY: Final = Limit(15, 5, falling=True)


class Alert(NamedTuple):
    """One thing that needs attention."""

    level: Level
    words: str


def alerts_of(host: SeenHost, fleet: FleetModel) -> list[Alert]:
    """Return what is wrong, the worst first; of a host that is not heard nothing else is said."""
    return sorted(_alerts(host, fleet), key=lambda alert: alert.level)


def state_in_words(host: SeenHost, fleet: FleetModel, now: float) -> str:
    """Return what its state means: `lost since 14:02:11`, `late, last sample 4 s ago`."""
    since = clock_time(host.since + fleet.clock_offset)
    match host.state:
        case "late" if not math.isnan(host.heard):
            return f"late, last sample {max(0, int(now - host.heard))} s ago"
        case "lost":
            return f"lost since {since}"
        case "suspended":
            asleep = max(0.0, now - host.since - fleet.clock_offset)
            return f"suspended for {length_of_time(asleep)}"
        case "stopped":
            return f"stopped at {since}"
        case "waiting":
            return "has not reported yet" if host.is_unheard else "waiting for the first sample"
        case state:
            return state


def _alerts(host: SeenHost, fleet: FleetModel) -> Iterator[Alert]:
    if host.facts.conflict is not UNSET:
        yield Alert("critical", "another machine uses this host id")
    if host.state == "lost":
        yield Alert("critical", f"lost since {clock_time(host.since + fleet.clock_offset)}")
    if host.state == "late" and not host.cut_off:  # of which the status line tells once
        yield Alert("warn", "late")
    if host.state == "live" and host.pulse is not None:
        yield from _headline(host, host.pulse)
        if abs(host.ahead_seconds) > SKEW_SECONDS:
            side = "ahead" if host.ahead_seconds > 0 else "behind"
            yield Alert("warn", f"clock {length_of_time(abs(host.ahead_seconds))} {side}")
        yield from _detail(host)


def _headline(host: SeenHost, pulse: Pulse) -> Iterator[Alert]:
    memory = host.groups.get("memory")
    used, swap = pulse.memory_percent, pulse.swap_percent
    if isinstance(memory, Memory):
        used, swap = memory.used_percent, memory.swap_percent
    yield from _judge("memory", MEMORY, used)
    yield from _judge("swap", SWAP, swap)
    filesystem, power = host.groups.get("filesystem"), host.groups.get("power")
    if isinstance(filesystem, Filesystem) and filesystem.mounts:
        for name, mount in filesystem.mounts.items():
            yield from _judge(name, FILESYSTEM, mount.used_percent)
    else:
        yield from _judge("disk", FILESYSTEM, pulse.filesystem_percent)
    if isinstance(power, Power) and power.batteries:
        for name, battery in power.batteries.items():
            yield from _judge(name, BATTERY, battery.charge_percent)
    else:
        yield from _judge("battery", BATTERY, pulse.battery_percent)
    unit = host.groups.get("unit")
    failed = unit.failed_count if isinstance(unit, Unit) else pulse.failed_units
    if failed is not UNSET and failed:
        yield Alert("warn", f"{failed} failed {'unit' if failed == 1 else 'units'}")
    if host.busy_seconds >= BUSY_SECONDS:
        yield Alert("warn", "CPU busy over 60 s")


def _judge(what: str, limit: Limit, value: float | UnsetType) -> Iterator[Alert]:
    level = limit.level(value)
    if level is not None and value is not UNSET:
        yield Alert(level, f"{plain(what)} {value:.0f} %")


def _detail(host: SeenHost) -> Iterator[Alert]:
    sensor, report = host.groups.get("sensor"), host.groups.get("collector")
    if isinstance(sensor, Sensor):
        for name, one in sensor.temperatures.items():
            limit = Limit(
                one.high_celsius if one.high_celsius is not UNSET else float("inf"),
                one.critical_celsius if one.critical_celsius is not UNSET else None,
            )
            if (level := limit.level(one.current_celsius)) is not None:
                yield Alert(level, f"{plain(name)} {one.current_celsius:.0f} °C")
        if sensor.throttling is not UNSET and sensor.throttling.now:
            yield Alert("warn", f"held back: {plain(', '.join(sensor.throttling.now))}")
    if isinstance(report, CollectorReport):
        for name, run in report.collectors.items():
            if run.state == "failed":
                reason = f": {plain(run.reason)}" if run.reason is not UNSET else ""
                yield Alert("warn", f"{plain(name)} cannot be read{reason}")
