"""What is read from the host, at the edge: values as the system gives them, and nothing computed.

Linux is read from `/proc` and `/sys` directly, which costs a fraction of psutil; every other system is
read through psutil. Both give the kinds of `kinds`. A value the system does not have is None.
"""

import sys

if sys.platform == "linux":
    from fleetglass.agent.readings.linux import (
        read_cpu,
        read_disks,
        read_memory,
        read_network,
        read_pressure,
        read_tcp,
        resident_bytes,
    )
    from fleetglass.agent.readings.linux_power import read_batteries
    from fleetglass.agent.readings.linux_process import full_name, owner, read_processes
    from fleetglass.agent.readings.linux_sensor import SensorReader
else:
    from fleetglass.agent.readings.portable import (
        SensorReader,
        full_name,
        owner,
        read_batteries,
        read_cpu,
        read_disks,
        read_memory,
        read_network,
        read_pressure,
        read_processes,
        read_tcp,
        resident_bytes,
    )

from fleetglass.agent.readings.common import (
    read_filesystems,
    read_frequency,
    read_links,
    read_load,
    uptime_seconds,
)

__all__ = [
    "SensorReader",
    "full_name",
    "owner",
    "read_batteries",
    "read_cpu",
    "read_disks",
    "read_filesystems",
    "read_frequency",
    "read_links",
    "read_load",
    "read_memory",
    "read_network",
    "read_pressure",
    "read_processes",
    "read_tcp",
    "resident_bytes",
    "uptime_seconds",
]
