from pathlib import Path

import pytest
from msgspec import UNSET

from agent.gpu_tree import AMD, INTEL_INTEGRATED, add_card
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.gpu import GpuCollector, gpu_use
from fleetglass.agent.readings.gpu import GpuReader
from fleetglass.agent.readings.types import GpuReading
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Gpu

BEFORE = GpuReading(10.0, "0000:03:00.0", "Intel", energy=100.0, asleep_seconds=5.0)


def test_a_host_with_two_makers_of_gpus(tmp_path: Path) -> None:
    """Each GPU is told under its PCI address with what it gives, and without what it does not."""
    add_card(tmp_path, "card0", "0000:00:02.0", INTEL_INTEGRATED)
    add_card(tmp_path, "card1", "0000:0b:00.0", AMD)
    message = GpuCollector.of(GpuReader(tmp_path)).collect(1.0, 1)
    assert isinstance(message, Gpu)
    assert list(message.devices) == ["0000:00:02.0", "0000:0b:00.0"]
    amd = message.devices["0000:0b:00.0"]
    assert (amd.vendor, amd.busy_percent, amd.memory_percent) == ("AMD", 4.0, 17.4)
    assert (amd.temperature_celsius, amd.power_watts, amd.clock_hertz) == (43.0, 17.0, 852_000_000)
    intel = message.devices["0000:00:02.0"]
    assert (intel.busy_percent, intel.memory_percent, intel.power_watts) == (UNSET, UNSET, UNSET)


def test_power_and_time_awake_follow_from_counters() -> None:
    """Joules become watts and time asleep its opposite; a counter that went backwards gives nothing."""
    use = gpu_use(BEFORE, BEFORE._replace(at=12.0, energy=130.0, asleep_seconds=6.5))
    assert (use.power_watts, use.awake_percent) == (15.0, 25.0)
    reset = gpu_use(BEFORE, BEFORE._replace(at=12.0, energy=1.0, asleep_seconds=0.0))
    assert (reset.power_watts, reset.awake_percent) == (UNSET, UNSET)
    first = gpu_use(None, BEFORE)
    assert (first.power_watts, first.awake_percent) == (UNSET, UNSET)


def test_nonsense_is_left_out() -> None:
    """Whatever reads a GPU, a temperature or a speed that cannot be is absent."""
    use = gpu_use(None, GpuReading(1.0, "a", "NVIDIA", temperature=255.0, fan_rpm=65535))
    assert (use.temperature_celsius, use.fan_rpm) == (UNSET, UNSET)


def test_counters_are_kept_over_a_rest() -> None:
    """After a while in which a GPU was left alone, its rates are of the whole while."""
    readings = [
        BEFORE,
        GpuReading(11.0, BEFORE.key, "Intel", "idle"),
        BEFORE._replace(at=20.0, energy=200.0, asleep_seconds=14.0),
    ]
    collector = GpuCollector(lambda: [readings.pop(0)], lambda: None)
    messages = [collector.collect(1.0, tick) for tick in (1, 2, 3)]
    assert isinstance(messages[1], Gpu)
    assert messages[1].devices[BEFORE.key].power_watts is UNSET
    assert messages[1].devices[BEFORE.key].state == "idle"
    assert isinstance(messages[2], Gpu)
    assert messages[2].devices[BEFORE.key].power_watts == 10.0


def test_why_a_gpu_cannot_be_read_is_told() -> None:
    """It is the group's failure where there is no other GPU, and is told beside the others where there is."""
    found: list[GpuReading] = []
    collector = GpuCollector(lambda: found, lambda: "NVML: no driver")
    with pytest.raises(CollectionError, match="NVML: no driver"):
        collector.collect(1.0, 1)
    found.append(BEFORE)
    partial = collector.collect(1.0, 2)
    assert isinstance(partial, Partial)
    assert partial.reason == "NVML: no driver"
    assert isinstance(partial.message, Gpu)
    assert list(partial.message.devices) == [BEFORE.key]


def test_a_host_without_a_gpu_has_no_message(tmp_path: Path) -> None:
    """There is no group, and no failure."""
    assert GpuCollector.of(GpuReader(tmp_path)).collect(1.0, 1) is None
