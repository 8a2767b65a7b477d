import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.disk import DiskCollector, device_use
from fleetglass.agent.readings.types import DiskCounters, DiskReading
from fleetglass.wire.payloads import Disk


def counters(reads: int = 0, writes: int = 0, busy: float | None = 0.0) -> DiskCounters:
    return DiskCounters(reads, writes, reads * 4096, writes * 512, busy)


def test_rates_are_over_the_elapsed_time() -> None:
    """Ten reads in 2 s are 5 per second; half a second at work of two is 25 %."""
    message = device_use(counters(0, 0, 1.0), counters(10, 4, 1.5), 2.0)
    assert message.reads_per_second == 5
    assert message.read_bytes_per_second == 20480
    assert message.write_bytes_per_second == 1024
    assert message.busy_percent == 25.0
    assert message.read_total == 10


def test_a_counter_that_went_backwards_gives_no_rate() -> None:
    """A device that was replaced keeps its totals and has no rate for one tick."""
    message = device_use(counters(10, 1, 9.0), counters(2, 1, 0.5), 1.0)
    assert message.reads_per_second is UNSET
    assert message.busy_percent is UNSET
    assert message.writes_per_second == 0


def test_a_device_that_does_not_tell_its_busy_time_has_none() -> None:
    """Without a busy time there is no busy percentage."""
    assert device_use(counters(busy=None), counters(busy=None), 1.0).busy_percent is UNSET


def test_devices_come_and_go() -> None:
    """A disk that is pulled vanishes, one that is plugged in appears with totals only."""
    left = [
        DiskReading(1.0, {"sda": counters(1), "sdb": counters(1)}, frozenset()),
        DiskReading(2.0, {"sda": counters(3), "sdc": counters(7)}, frozenset()),
        DiskReading(3.0, {}, frozenset()),
    ]
    collector = DiskCollector(lambda: left.pop(0))
    collector.collect(1.0, 0)
    message = collector.collect(2.0, 1)
    assert isinstance(message, Disk)
    assert set(message.devices) == {"sda", "sdc"}
    assert message.devices["sda"].reads_per_second == 2
    assert message.devices["sdc"].reads_per_second is UNSET
    assert message.devices["sdc"].read_total == 7
    assert collector.collect(3.0, 2) is None


@pytest.mark.parametrize("error", [None, PermissionError("not yours")])
def test_pressure_is_told_without_disks(error: OSError | None) -> None:
    """It comes from another file than the counters; without it either, the refusal counts."""

    def read() -> DiskReading:
        if error is not None:
            raise error
        return DiskReading(1.0, {}, frozenset())

    found = DiskCollector(read, pressure=lambda _: {"some_10s": 1.5}).collect(1.0, 1)
    assert isinstance(found, Partial)
    assert isinstance(found.message, Disk)
    assert (found.message.devices, found.reason) == ({}, str(error or ""))
    if error is not None:
        with pytest.raises(PermissionError):
            DiskCollector(read).collect(1.0, 1)


def test_the_sums_are_of_the_disks_that_count() -> None:
    """A device below which another is told adds nothing; one that is seen for the first time, totals only."""
    summed = frozenset(("sda", "sdb", "sdc"))
    left = [
        DiskReading(1.0, {name: counters(1, 1) for name in ("sda", "sda1", "sdb", "dm-0")}, summed),
        DiskReading(2.0, {name: counters(3, 2) for name in ("sda", "sda1", "sdb", "dm-0", "sdc")}, summed),
    ]
    collector = DiskCollector(lambda: left.pop(0))
    first, message = collector.collect(1.0, 0), collector.collect(2.0, 1)
    assert isinstance(first, Disk)
    assert isinstance(message, Disk)
    assert first.read_bytes_per_second is UNSET
    assert (first.read_total_bytes, first.write_total_bytes) == (2 * 4096, 2 * 512)
    assert (message.read_bytes_per_second, message.write_bytes_per_second) == (4 * 4096, 2 * 512)
    assert (message.read_total_bytes, message.write_total_bytes) == (9 * 4096, 6 * 512)
    assert [name for name, one in message.devices.items() if one.in_total] == ["sda", "sdb", "sdc"]
    assert message.devices["sda1"].in_total is False


def test_without_a_disk_that_counts_there_is_no_sum() -> None:
    """What is only in memory is no disk of which 0 bytes were read."""
    left = [DiskReading(at, {"zram0": counters(1)}, frozenset()) for at in (1.0, 2.0)]
    collector = DiskCollector(lambda: left.pop(0))
    collector.collect(1.0, 0)
    message = collector.collect(2.0, 1)
    assert isinstance(message, Disk)
    assert (message.read_bytes_per_second, message.write_total_bytes) == (UNSET, UNSET)
