from collections.abc import Callable, Iterable

from msgspec import UNSET, UnsetType

from fleetglass.agent.readings.types import (
    FanReading,
    SensorReading,
    TemperatureReading,
    ThrottlingReading,
)
from fleetglass.wire.payloads import Fan, Sensor, Temperature, Throttling

# Chips report nonsense such as -128 or 65261.8 for what is not connected or not set.
_LOWEST_CELSIUS = -90.0
_HIGHEST_CELSIUS = 400.0


class SensorCollector:
    """Every temperature and every fan, and what holds a Raspberry Pi back."""

    group = "sensor"
    interval = 0.0

    def __init__(
        self,
        read: Callable[[], SensorReading],
        *,
        throttling: Callable[[], ThrottlingReading | None] = lambda: None,
    ) -> None:
        self._read = read
        self._read_throttling = throttling

    def collect(self, time: float, tick: int) -> Sensor | None:
        """Return what the sensors say now."""
        return sensor_message(self._read(), self._read_throttling(), time=time, tick=tick)


def sensor_message(
    now: SensorReading, throttling: ThrottlingReading | None = None, *, time: float, tick: int
) -> Sensor | None:
    """Return the plausible values by `chip/label`; the device is in the name where chips share theirs."""
    shared = _shared_names([*now.temperatures, *now.fans])
    temperatures = {
        _name(one, shared): Temperature(
            chip=one.chip,
            label=one.label,
            current_celsius=round(one.current, 1),
            high_celsius=_limit(one.high),
            critical_celsius=_limit(one.critical),
        )
        for one in now.temperatures
        if _LOWEST_CELSIUS < one.current < _HIGHEST_CELSIUS
    }
    fans = {_name(one, shared): Fan(chip=one.chip, label=one.label, speed_rpm=one.speed) for one in now.fans}
    if not temperatures and not fans and throttling is None:
        return None
    return Sensor(
        time=time,
        tick=tick,
        temperatures=temperatures,
        fans=fans or UNSET,
        throttling=(
            UNSET if throttling is None else Throttling(now=throttling.now, since_boot=throttling.since_boot)
        ),
    )


def _limit(value: float | None) -> float | UnsetType:
    return round(value, 1) if value is not None and 0 < value < _HIGHEST_CELSIUS else UNSET


def _shared_names(sensors: Iterable[TemperatureReading | FanReading]) -> set[str]:
    devices: dict[str, set[str]] = {}
    for one in sensors:
        devices.setdefault(one.chip, set()).add(one.device)
    return {chip for chip, found in devices.items() if len(found) > 1}


def _name(one: TemperatureReading | FanReading, shared: set[str]) -> str:
    return f"{one.chip}-{one.device}/{one.label}" if one.chip in shared else f"{one.chip}/{one.label}"
