from collections.abc import Callable

from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.pressure import pressure_message
from fleetglass.agent.collectors.rates import percent, rate, total
from fleetglass.agent.readings.types import DiskCounters, DiskReading
from fleetglass.wire.payloads import Disk, DiskDevice


class DiskCollector:
    """Input and output of every block device, partitions and stacked devices among them."""

    group = "disk"
    interval = 0.0

    def __init__(
        self,
        read: Callable[[], DiskReading],
        *,
        pressure: Callable[[str], dict[str, float] | None] = lambda _: None,
    ) -> None:
        self._read = read
        self._read_pressure = pressure
        self._before: DiskReading | None = None

    def collect(self, time: float, tick: int) -> Disk | Partial | None:
        """Return what was read and written since the last call."""
        try:
            now = self._read()
        except OSError as error:
            return self._pressure_alone(time, tick, error)
        before, self._before = self._before, now
        if not now.devices:
            return self._pressure_alone(time, tick)
        earlier = before.devices if before is not None else {}
        elapsed = now.at - before.at if before is not None else 0.0
        devices = {
            name: device_use(earlier.get(name), counters, elapsed) for name, counters in now.devices.items()
        }
        for name, device in devices.items():
            device.in_total = name in now.summed
        summed = [device for device in devices.values() if device.in_total]
        return Disk(
            time=time,
            tick=tick,
            read_bytes_per_second=total(one.read_bytes_per_second for one in summed),
            write_bytes_per_second=total(one.write_bytes_per_second for one in summed),
            read_total_bytes=total(one.read_total_bytes for one in summed),
            write_total_bytes=total(one.write_total_bytes for one in summed),
            devices=devices,
            pressure=pressure_message(self._read_pressure("io")),
        )

    def _pressure_alone(self, time: float, tick: int, error: OSError | None = None) -> Partial | None:
        pressure = pressure_message(self._read_pressure("io"))
        if pressure is not UNSET:
            return Partial(Disk(time=time, tick=tick, devices={}, pressure=pressure), str(error or ""))
        if error is not None:
            raise error
        return None


def device_use(before: DiskCounters | None, now: DiskCounters, elapsed: float) -> DiskDevice:
    """Return what one device did in `elapsed` seconds; a device seen for the first time has only totals."""
    message = DiskDevice(
        read_total_bytes=now.read_bytes,
        write_total_bytes=now.written_bytes,
        read_total=now.reads,
        write_total=now.writes,
    )
    if before is not None:
        message.read_bytes_per_second = rate(before.read_bytes, now.read_bytes, elapsed)
        message.write_bytes_per_second = rate(before.written_bytes, now.written_bytes, elapsed)
        message.reads_per_second = rate(before.reads, now.reads, elapsed)
        message.writes_per_second = rate(before.writes, now.writes, elapsed)
        backwards = before.busy is None or now.busy is None or now.busy < before.busy
        message.busy_percent = UNSET if backwards else percent((now.busy or 0) - (before.busy or 0), elapsed)
    return message
