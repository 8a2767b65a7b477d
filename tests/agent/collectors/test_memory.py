from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.memory import MemoryCollector, memory_use
from fleetglass.agent.readings.types import MemoryReading
from fleetglass.wire.payloads import Memory


def reading(at: float = 1.0, *, swap_total: int = 100, swapped_out: int | None = 0) -> MemoryReading:
    return MemoryReading(
        at=at,
        total=1000,
        available=250,
        free=100,
        cached=200,
        buffers=None,
        shared=5,
        swap_total=swap_total,
        swap_free=swap_total // 2,
        swapped_in=4096,
        swapped_out=swapped_out,
    )


def test_used_is_total_less_available() -> None:
    """Of 1000 bytes 250 are available, so 750 or 75 % are used."""
    message = memory_use(None, reading(), time=1.0, tick=1)
    assert message.used_bytes == 750
    assert message.used_percent == 75.0
    assert message.swap_percent == 50.0
    assert message.buffers_bytes is UNSET


def test_swapping_is_per_second() -> None:
    """What was swapped out in half a second counts double; a standing counter is 0."""
    message = memory_use(reading(1.0), reading(1.5, swapped_out=8192), time=1.0, tick=1)
    assert message.swap_out_bytes_per_second == 16384
    assert message.swap_in_bytes_per_second == 0


def test_a_host_without_swap_has_no_swap_percentage() -> None:
    """No swap is a swap of 0 bytes, and no percentage of it."""
    message = memory_use(None, reading(swap_total=0), time=1.0, tick=1)
    assert message.swap_total_bytes == 0
    assert message.swap_percent is UNSET


def test_without_sizes_the_rest_is_told() -> None:
    """Swapping and pressure come from other files than the sizes."""
    nothing = MemoryReading(1.0, None, None, None, None, None, None, None, None, 0, 0)
    left = [nothing, nothing._replace(at=2.0, swapped_in=4096)]
    collector = MemoryCollector(lambda: left.pop(0), pressure=lambda _: {"some_10s": 1.5})
    collector.collect(1.0, 0)
    found = collector.collect(2.0, 1)
    assert isinstance(found, Partial)
    assert isinstance(found.message, Memory)
    assert found.message.swap_in_bytes_per_second == 4096
    assert found.message.pressure.some_10s_percent == 1.5  # type: ignore[union-attr]
    assert found.message.used_percent is UNSET


def test_the_collector_needs_two_readings_for_rates() -> None:
    """The first message has no rates, the second has."""
    left = [reading(1.0), reading(2.0, swapped_out=4096)]
    collector = MemoryCollector(lambda: left.pop(0))
    first, second = collector.collect(1.0, 0), collector.collect(2.0, 1)
    assert isinstance(first, Memory)
    assert isinstance(second, Memory)
    assert first.swap_out_bytes_per_second is UNSET
    assert second.swap_out_bytes_per_second == 4096
