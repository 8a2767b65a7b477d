from collections.abc import Callable

from msgspec import UNSET, UnsetType

from fleetglass.agent.readings.plausible import is_limit, is_speed, is_temperature
from fleetglass.agent.readings.types import SensorReading, ThrottlingReading
from fleetglass.wire.payloads import Fan, Sensor, Temperature, Throttling


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
    """Return the plausible values by name."""
    temperatures = {
        one.name: Temperature(
            chip=one.chip,
            label=one.label,
            current_celsius=round(one.current, 1),
            high_celsius=_limit(one.high),
            critical_celsius=_limit(one.critical),
            alarm=one.alarm or UNSET,
        )
        for one in now.temperatures
        if is_temperature(one.current)
    }
    fans = {
        one.name: Fan(chip=one.chip, label=one.label, speed_rpm=one.speed, alarm=one.alarm or UNSET)
        for one in now.fans
        if is_speed(one.speed)
    }
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
    return round(value, 1) if value is not None and is_limit(value) else UNSET
