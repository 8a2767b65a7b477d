"""Whatever has no earlier counter of its own has no rate: counters reach back to before the agent looked."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.container import container_use
from fleetglass.agent.collectors.cpu import core_use
from fleetglass.agent.collectors.disk import device_use
from fleetglass.agent.collectors.gpu import gpu_use
from fleetglass.agent.collectors.memory import memory_use
from fleetglass.agent.collectors.network import interface_use
from fleetglass.agent.collectors.process import cpu_use
from fleetglass.agent.collectors.systemd_unit import unit_use
from fleetglass.agent.readings.container import ContainerReading
from fleetglass.agent.readings.systemd_unit import UnitReading
from fleetglass.agent.readings.types import (
    ContainerUse,
    DiskCounters,
    GpuReading,
    InterfaceCounters,
    MemoryReading,
    ProcessReading,
    ProcessStat,
)

LARGE = 10**12
OLD = ProcessStat("worker", "running", 100, 100_000.0, 4096, 2)
DISK = device_use(None, DiskCounters(LARGE, LARGE, LARGE, LARGE, 1e9), 1.0)
INTERFACE = interface_use(None, InterfaceCounters(*[LARGE] * 8), None, 1.0)
CONTAINER = container_use(
    None,
    ContainerReading(
        10.0, "a", "web", "nginx", "running", None, 0, 1.0, ContainerUse(1e9, 1, 2, *[LARGE] * 4)
    ),
)
UNIT = UnitReading("ssh.service", "loaded", "active", "running", 100.0, 5_000_000, 1e9, 0)
MEMORY = memory_use(None, MemoryReading(10.0, *[LARGE] * 10), time=1.0, tick=1)


@pytest.mark.parametrize(
    "rates",
    [
        lambda: [cpu_use(ProcessReading(10.0, 500, {}), ProcessReading(15.0, 1000, {7: OLD})) or UNSET],
        lambda: [DISK.read_bytes_per_second, DISK.writes_per_second, DISK.busy_percent],
        lambda: [INTERFACE.receive_bytes_per_second, INTERFACE.transmit_packets_per_second],
        lambda: [core_use({}, {0: (1e9, 1e9, 0.0)}) or UNSET],
        lambda: [CONTAINER.cpu_percent, CONTAINER.network_receive_bytes_per_second],
        lambda: [unit_use(None, UNIT, 30.0).cpu_percent],
        lambda: [gpu_use(None, GpuReading(10.0, "a", "Intel", energy=1e9, asleep_seconds=0.0)).power_watts],
        lambda: [MEMORY.swap_in_bytes_per_second, MEMORY.swap_out_bytes_per_second],
    ],
    ids=["process", "disk", "interface", "core", "container", "unit", "gpu", "swap"],
)
def test_what_was_not_seen_before_has_no_rate(rates: Callable[[], list[Any]]) -> None:
    """A counter of years that was not in the previous reading is no use of the last second."""
    assert set(rates()) == {UNSET}
