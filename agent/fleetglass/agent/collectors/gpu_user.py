"""The processes that use GPUs, read in the background; imported only where there is a GPU."""

from collections.abc import Callable, Iterable

from msgspec import UNSET

from fleetglass.agent.collectors.rates import known, percent
from fleetglass.agent.readings.types import (
    GpuInstanceReading,
    GpuProcessReading,
    GpuUsersReading,
    ProcessFacts,
)
from fleetglass.wire.payloads import MAX_GPU_PROCESSES, GpuDevice, GpuInstance, GpuProcess

_MAX_NAME = 100  # users choose the names of their programs


def gpu_users(reading: GpuUsersReading, facts_of: Callable[[int], ProcessFacts]) -> GpuDevice:
    """Return what a device tells of its users: those with most memory, described by `facts_of`."""
    device = GpuDevice()
    if reading.processes is not None:
        device.process_count = len({one.pid for one in reading.processes})
        device.processes = [_process(one, facts_of(one.pid)) for one in _largest(reading.processes)]
    if reading.instances:
        device.instances = {key: _instance(one) for key, one in reading.instances.items()}
    return device


def _largest(processes: Iterable[GpuProcessReading]) -> list[GpuProcessReading]:
    order = sorted(processes, key=lambda one: (-(one.memory or 0), -(one.busy or 0.0), one.pid))
    return order[:MAX_GPU_PROCESSES]


def _process(reading: GpuProcessReading, facts: ProcessFacts) -> GpuProcess:
    return GpuProcess(
        pid=reading.pid,
        name=UNSET if facts.name is None else facts.name[:_MAX_NAME],
        user=known(facts.user),
        memory_bytes=known(reading.memory),
        busy_percent=percent(reading.busy, 100),
        container=UNSET if facts.container is None else facts.container[:_MAX_NAME],
        instance=known(reading.instance),
    )


def _instance(reading: GpuInstanceReading) -> GpuInstance:
    return GpuInstance(
        profile=known(reading.profile),
        memory_used_bytes=known(reading.memory_used),
        memory_total_bytes=known(reading.memory_total),
    )
