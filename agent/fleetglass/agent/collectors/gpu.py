from collections.abc import Callable

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.rates import known, percent
from fleetglass.agent.readings.gpu import GpuReader
from fleetglass.agent.readings.plausible import is_speed, is_temperature
from fleetglass.agent.readings.types import GpuReading
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Gpu, GpuDevice


class GpuCollector:
    """Every GPU. One that sleeps is not woken."""

    group = "gpu"
    interval = 0.0

    def __init__(self, reader: Callable[[], list[GpuReading]], problem: Callable[[], str | None]) -> None:
        """`problem` says why a GPU that is there could not be read at the last reading."""
        self._read = reader
        self._problem = problem
        self._before: dict[str, GpuReading] = {}

    @classmethod
    def of(cls, reader: GpuReader) -> "GpuCollector":
        """Return the collector of what a reader finds."""
        return cls(reader, lambda: reader.problem)

    def collect(self, time: float, tick: int) -> Gpu | Partial | None:
        """Return what the GPUs did since the last call.

        Raises:
            CollectionError: none can be read, though there is one.
        """
        readings = self._read()
        problem = self._problem()
        if not readings:
            self._before = {}
            if problem is not None:
                raise CollectionError(problem)
            return None
        devices = {one.key: gpu_use(self._before.get(one.key), one) for one in readings}
        self._before |= {one.key: one for one in readings if one.state == "active"}
        message = Gpu(time=time, tick=tick, devices=devices)
        return message if problem is None else Partial(message, problem)


def gpu_use(before: GpuReading | None, now: GpuReading) -> GpuDevice:
    """Return what one GPU did; power from a counter of energy, where the GPU tells no power."""
    elapsed = now.at - before.at if before is not None else 0.0
    power = now.power
    if power is None and (joules := _grown(before and before.energy, now.energy)) is not None and elapsed > 0:
        power = joules / elapsed
    asleep = _grown(before and before.asleep_seconds, now.asleep_seconds)
    return GpuDevice(
        name=known(now.name),
        vendor=now.vendor,
        state=now.state,
        busy_percent=_share(now.busy),
        awake_percent=UNSET if asleep is None else percent(elapsed - asleep, elapsed),
        memory_used_bytes=known(now.memory_used),
        memory_total_bytes=known(now.memory_total),
        memory_percent=percent(now.memory_used, now.memory_total),
        temperature_celsius=(
            round(float(now.temperature), 1)
            if now.temperature is not None and is_temperature(now.temperature)
            else UNSET
        ),
        power_watts=UNSET if power is None else round(power, 1),
        clock_hertz=known(now.frequency),
        fan_percent=_share(now.fan_percent),
        fan_rpm=now.fan_rpm if now.fan_rpm is not None and is_speed(now.fan_rpm) else UNSET,
    )


def _grown(before: float | None, now: float | None) -> float | None:
    if before is None or now is None or now < before:
        return None
    return now - before


def _share(value: float | None) -> float | UnsetType:
    return UNSET if value is None else round(min(max(float(value), 0.0), 100.0), 1)
