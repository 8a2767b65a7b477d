"""One file per group of metrics, behind one interface."""

import sys
from collections.abc import Mapping
from pathlib import Path

from fleetglass.agent.collectors.background import BackgroundCollector, current
from fleetglass.agent.collectors.base import Collector
from fleetglass.agent.collectors.cpu import CpuCollector
from fleetglass.agent.collectors.disk import DiskCollector
from fleetglass.agent.collectors.filesystem import FilesystemCollector
from fleetglass.agent.collectors.gpu import GpuCollector
from fleetglass.agent.collectors.memory import MemoryCollector
from fleetglass.agent.collectors.network import NetworkCollector
from fleetglass.agent.collectors.power import PowerCollector
from fleetglass.agent.collectors.process import ProcessCollector
from fleetglass.agent.collectors.sensor import SensorCollector
from fleetglass.agent.readings import Readings, host_readings
from fleetglass.agent.readings.gpu.gpu_reader import GpuReader
from fleetglass.agent.readings.types import ProcessFacts
from fleetglass.agent.selection import EVERYTHING
from fleetglass.agent.settings import AgentSettings

__all__ = ["BackgroundCollector", "Collector", "current", "default_collectors"]


def default_collectors(settings: AgentSettings, readings: Readings | None = None) -> list[Collector]:
    """Return the collectors of every group but the agent's own report, in the order of their turn."""
    host = readings or host_readings(settings.root, settings.selections)
    container_names: dict[str, str] = {}  # by id
    collectors: list[Collector] = [
        CpuCollector(host.cpu, frequency=host.frequency, load=host.load, pressure=host.pressure),
        MemoryCollector(host.memory, pressure=host.pressure),
        DiskCollector(host.disks, pressure=host.pressure),
        NetworkCollector(host.network, links=host.links, tcp=host.tcp),
        SensorCollector(host.sensors, throttling=host.throttling),
        _power(settings, host),
        _gpu_collector(settings, host, container_names),
        FilesystemCollector(host.filesystems),
        ProcessCollector(
            top=settings.top_processes,
            read=host.processes,
            total_memory=lambda: host.memory().total,
            owner=host.owner,
            full_name=host.full_name,
            users=settings.selections.users,
        ),
    ]
    if settings.containers:
        from fleetglass.agent.collectors.container import container_collector  # on demand

        collectors.append(
            container_collector(
                Path(settings.root), total_memory=lambda: host.memory().total, names=container_names
            )
        )
    if settings.units:
        from fleetglass.agent.collectors.systemd_unit import unit_collector

        collectors.append(unit_collector(settings.units, Path(settings.root)))
    if settings.storage:
        from fleetglass.agent.collectors.storage import storage_collector

        collectors.append(storage_collector(Path(settings.root), settings.selections.disks))
    if settings.custom_folder is not None:
        from fleetglass.agent.collectors.custom import CustomFolder

        collectors.append(CustomFolder(settings.custom_folder))
    return collectors


def _gpu_collector(
    settings: AgentSettings, host: Readings, container_names: Mapping[str, str]
) -> GpuCollector:
    users = settings.selections.users

    def takes(pid: int) -> bool:
        return users is EVERYTHING or users.takes(host.owner(pid) or "")

    def facts_of(pid: int) -> ProcessFacts:
        container = None
        if sys.platform == "linux":
            from fleetglass.agent.readings.linux_cgroup import container_of  # of Linux only

            container = container_of(settings.root.rstrip("/"), pid, container_names)
        return ProcessFacts(host.program(pid), host.owner(pid), container)

    reader = GpuReader(Path(settings.root), takes=takes, sensors=settings.selections.sensors)
    return GpuCollector.of(reader, facts_of)


def _power(settings: AgentSettings, host: Readings) -> Collector:
    if settings.nut is None:
        return PowerCollector(host.batteries)
    from fleetglass.agent.collectors.ups import power_collector

    return power_collector(host.batteries, settings.nut)
