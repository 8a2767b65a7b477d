"""From the groups of a tick to the headline numbers of a host, and from many to their means."""

from collections.abc import Container, Iterable, Mapping
from typing import TypeVar

from msgspec import UNSET, UnsetType

from fleetglass.wire.payloads import (
    Battery,
    Cpu,
    Disk,
    Filesystem,
    Gpu,
    Group,
    Headline,
    Memory,
    Network,
    Power,
    Process,
    Pulse,
    Sensor,
    Summary,
    Unit,
)

MAX_CORES = 64
_HIGHEST_CELSIUS = 150.0  # nothing in a computer still works there: it is an oven's, or a loose wire's

N = TypeVar("N", int, float)

_MEAN_FIELDS = tuple(name for name in Headline.__struct_fields__ if name not in ("time", "tick"))


def pulse_of(
    groups: Mapping[str, Group],
    *,
    time: float,
    tick: int,
    session: str,
    uptime_seconds: int | UnsetType = UNSET,
    failed_units: int | UnsetType = UNSET,
) -> Pulse:
    """Return the headline of a host from its groups; a group that is missing leaves its numbers out."""
    pulse = Pulse(
        time=time, tick=tick, session=session, uptime_seconds=uptime_seconds, failed_units=failed_units
    )
    temperatures: list[float | UnsetType] = []
    for group in groups.values():
        match group:
            case Cpu():
                pulse.cpu_percent = group.total_percent
                pulse.load_1m = group.load_1m
                if not isinstance(group.core_percents, UnsetType):
                    pulse.core_percents = [round(one) for one in group.core_percents[:MAX_CORES]]
                    if not isinstance(group.core_numbers, UnsetType):
                        pulse.core_numbers = group.core_numbers[:MAX_CORES]
            case Memory():
                pulse.memory_percent = group.used_percent
                pulse.swap_percent = group.swap_percent
            case Disk():
                pulse.disk_read_bytes_per_second = group.read_bytes_per_second
                pulse.disk_write_bytes_per_second = group.write_bytes_per_second
            case Filesystem():
                pulse.filesystem_percent = _highest(one.used_percent for one in group.mounts.values())
            case Network():
                pulse.network_receive_bytes_per_second = group.receive_bytes_per_second
                pulse.network_transmit_bytes_per_second = group.transmit_bytes_per_second
            case Sensor():
                temperatures.extend(
                    one.current_celsius
                    for name, one in group.temperatures.items()
                    if not _is_for_fans(name, group.temperatures)
                )
            case Gpu():
                pulse.gpu_percent = _highest(one.busy_percent for one in group.devices.values())
                # A GPU of which the sensors tell as well is no hotter for being told twice.
                temperatures.extend(one.temperature_celsius for one in group.devices.values())
            case Power():
                pulse.battery_percent = charge_of(group.batteries.values())
            case Process():
                pulse.process_count = group.count
            case Unit() if pulse.failed_units is UNSET:
                pulse.failed_units = group.failed_count
            case _:
                pass
    pulse.temperature_celsius = _highest(
        one for one in temperatures if isinstance(one, UnsetType) or one < _HIGHEST_CELSIUS
    )
    return pulse


def charge_of(batteries: Iterable[Battery]) -> float | UnsetType:
    """Return the charge of a host: what is in all its batteries, of what they hold.

    A battery that does not tell how much it holds counts like the others' mean. A UPS counts only for a host
    without a battery.
    """
    told = [one for one in batteries if one.charge_percent is not UNSET]
    told = [one for one in told if one.ups is UNSET] or told
    if len(told) < 2:
        return told[0].charge_percent if told else UNSET
    sizes = list(map(_watt_hours, told))
    if not any(sizes):
        # All of one voltage, as far as we know.
        sizes = [_known_one(one.charge_full_ampere_hours, one.charge_design_ampere_hours) for one in told]
    known = [size for size in sizes if size is not None]
    mean = sum(known) / len(known) if known else 1.0
    weights = [mean if size is None else size for size in sizes]
    held = sum(weight * _share(one) for weight, one in zip(weights, told, strict=True))
    return round(100 * held / sum(weights), 1)


class Means:
    """Adds up pulses, and gives their means."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._whole: set[str] = set()

    def add(self, pulse: Pulse) -> None:
        """Take one pulse into the means."""
        for name in _MEAN_FIELDS:
            value = getattr(pulse, name)
            if value is UNSET:
                continue
            self._sums[name] = self._sums.get(name, 0) + value
            self._counts[name] = self._counts.get(name, 0) + 1
            if isinstance(value, int):
                self._whole.add(name)

    def take(self, *, time: float, tick: int, boot_time: float | UnsetType) -> Summary:
        """Return the means of what was added since the last call; what no pulse had is absent."""
        summary = Summary(time=time, tick=tick, boot_time=boot_time)
        for name, total in self._sums.items():
            mean = total / self._counts[name]
            decimals = 2 if name == "load_1m" else 1
            setattr(summary, name, round(mean) if name in self._whole else round(mean, decimals))
        self._sums.clear()
        self._counts.clear()
        self._whole.clear()
        return summary


def _known(values: Iterable[N | UnsetType]) -> list[N]:
    return [value for value in values if not isinstance(value, UnsetType)]


def _highest(values: Iterable[float | UnsetType]) -> float | UnsetType:
    return max(_known(values), default=UNSET)


def _is_for_fans(name: str, temperatures: Container[str]) -> bool:
    """Return whether this is AMD's Tctl of a processor that has a true temperature beside it (k10temp)."""
    chip, _, label = name.rpartition("/")
    return label == "Tctl" and f"{chip}/Tdie" in temperatures


def _watt_hours(battery: Battery) -> float | None:
    """Return how much a battery holds."""
    energy = _known_one(battery.energy_full_watt_hours, battery.energy_design_watt_hours)
    charge = _known_one(battery.charge_full_ampere_hours, battery.charge_design_ampere_hours)
    volts = _known_one(battery.voltage_volts)
    if energy is None and charge is not None and volts is not None:
        return charge * volts
    return energy


def _share(battery: Battery) -> float:
    """Return how full a battery is, from 0 to 1: more precisely than in percent, where it tells that."""
    for now, full in (
        (battery.energy_watt_hours, battery.energy_full_watt_hours),
        (battery.charge_ampere_hours, battery.charge_full_ampere_hours),
    ):
        if not isinstance(now, UnsetType) and not isinstance(full, UnsetType) and full > 0:
            return min(now / full, 1.0)
    return 0.0 if isinstance(battery.charge_percent, UnsetType) else battery.charge_percent / 100


def _known_one(*values: float | UnsetType) -> float | None:
    return next((value for value in values if not isinstance(value, UnsetType) and value > 0), None)
