"""One file per group of metrics, behind one interface."""

from fleetglass.agent.collectors.cpu import CpuCollector
from fleetglass.agent.collectors.disk import DiskCollector
from fleetglass.agent.collectors.filesystem import FilesystemCollector
from fleetglass.agent.collectors.interface import Collector
from fleetglass.agent.collectors.memory import MemoryCollector
from fleetglass.agent.collectors.network import NetworkCollector
from fleetglass.agent.collectors.power import PowerCollector
from fleetglass.agent.collectors.process import ProcessCollector
from fleetglass.agent.collectors.sensor import SensorCollector

__all__ = ["Collector", "default_collectors"]


def default_collectors(*, top_processes: int) -> list[Collector]:
    """Return the collectors of every group but the agent's own report, in the order of their turn."""
    return [
        CpuCollector(),
        MemoryCollector(),
        DiskCollector(),
        NetworkCollector(),
        SensorCollector(),
        PowerCollector(),
        FilesystemCollector(),
        ProcessCollector(top=top_processes),
    ]
