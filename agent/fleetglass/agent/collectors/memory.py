from collections.abc import Callable

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.pressure import pressure_message
from fleetglass.agent.collectors.rates import known, percent, rate
from fleetglass.agent.readings.types import MemoryReading
from fleetglass.wire.payloads import Memory


class MemoryCollector:
    """Memory, swap and the pressure on them."""

    group = "memory"
    interval = 0.0

    def __init__(
        self,
        read: Callable[[], MemoryReading],
        *,
        pressure: Callable[[str], dict[str, float] | None] = lambda _: None,
    ) -> None:
        self._read = read
        self._read_pressure = pressure
        self._before: MemoryReading | None = None

    def collect(self, time: float, tick: int) -> Memory | Partial:
        """Return the sizes now, and the swapping since the last call."""
        now = self._read()
        message = memory_use(self._before, now, time=time, tick=tick)
        self._before = now
        message.pressure = pressure_message(self._read_pressure("memory"))
        return message if now.total is not None else Partial(message, "the system does not tell its memory")


def memory_use(before: MemoryReading | None, now: MemoryReading, *, time: float, tick: int) -> Memory:
    """Return the sizes of a reading. Used is what programs cannot have: total less available."""
    used = _used(now.total, now.available)
    swap_used = _used(now.swap_total, now.swap_free)
    message = Memory(
        time=time,
        tick=tick,
        total_bytes=known(now.total),
        available_bytes=known(now.available),
        used_bytes=known(used),
        free_bytes=known(now.free),
        cached_bytes=known(now.cached),
        buffers_bytes=known(now.buffers),
        shared_bytes=known(now.shared),
        used_percent=percent(used, now.total),
        swap_total_bytes=known(now.swap_total),
        swap_used_bytes=known(swap_used),
        swap_free_bytes=known(now.swap_free),
        swap_percent=percent(swap_used, now.swap_total),
    )
    if before is not None:
        elapsed = now.at - before.at
        message.swap_in_bytes_per_second = rate(before.swapped_in, now.swapped_in, elapsed)
        message.swap_out_bytes_per_second = rate(before.swapped_out, now.swapped_out, elapsed)
    return message


def _used(total: int | None, left: int | None) -> int | None:
    return None if total is None or left is None else max(total - left, 0)
