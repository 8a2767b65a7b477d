"""The messages on the broker: one struct per payload, with units in the names.

A value that a host cannot give is absent (`UNSET`): never 0, never null. Percentages are rounded to
0.1, rates and sizes are whole numbers. Unknown fields are ignored when decoding, so that a newer agent
never breaks an older reader.
"""

from fleetglass.wire.payloads.common import MAX_PAYLOAD_BYTES, Session, Stamp, Tick, Time
from fleetglass.wire.payloads.groups import (
    MAX_GPU_PROCESSES,
    Battery,
    CollectorReport,
    CollectorRun,
    Cpu,
    Disk,
    DiskDevice,
    Fan,
    Filesystem,
    Gpu,
    GpuDevice,
    GpuInstance,
    GpuProcess,
    Group,
    Memory,
    Mount,
    Network,
    NetworkInterface,
    Power,
    Pressure,
    Process,
    ProcessEntry,
    Sensor,
    Temperature,
    Throttling,
)
from fleetglass.wire.payloads.headline import Backfill, Demand, Headline, Pulse, State, Status, Summary
from fleetglass.wire.payloads.info import FieldInfo, GroupInfo, Info
from fleetglass.wire.payloads.services import Container, ContainerEntry, Custom, Unit, UnitEntry
from fleetglass.wire.payloads.storage import Storage, StorageArray, StorageDisk

__all__ = [
    "GROUPS",
    "MAX_GPU_PROCESSES",
    "MAX_PAYLOAD_BYTES",
    "Backfill",
    "Battery",
    "CollectorReport",
    "CollectorRun",
    "Container",
    "ContainerEntry",
    "Cpu",
    "Custom",
    "Demand",
    "Disk",
    "DiskDevice",
    "Fan",
    "FieldInfo",
    "Filesystem",
    "Gpu",
    "GpuDevice",
    "GpuInstance",
    "GpuProcess",
    "Group",
    "GroupInfo",
    "Headline",
    "Info",
    "Memory",
    "Mount",
    "Network",
    "NetworkInterface",
    "Power",
    "Pressure",
    "Process",
    "ProcessEntry",
    "Pulse",
    "Sensor",
    "Session",
    "Stamp",
    "State",
    "Status",
    "Storage",
    "StorageArray",
    "StorageDisk",
    "Summary",
    "Temperature",
    "Throttling",
    "Tick",
    "Time",
    "Unit",
    "UnitEntry",
]

GROUPS: dict[str, type[Group]] = {
    "cpu": Cpu,
    "memory": Memory,
    "disk": Disk,
    "filesystem": Filesystem,
    "network": Network,
    "sensor": Sensor,
    "power": Power,
    "gpu": Gpu,
    "process": Process,
    "container": Container,
    "unit": Unit,
    "storage": Storage,
    "collector": CollectorReport,
}
"""The groups this version knows. An unknown group is relayed and drawn all the same."""
