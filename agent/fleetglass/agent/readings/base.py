from collections.abc import Collection
from typing import Protocol

from fleetglass.agent.readings.types import (
    BatteryReading,
    CpuReading,
    DiskReading,
    FilesystemsReading,
    FrequencyReading,
    HostReading,
    Link,
    MemoryReading,
    NetworkReading,
    ProcessReading,
    SensorReading,
    ThrottlingReading,
)


class Readings(Protocol):
    """Everything that can be read from one host. A value the system does not have is None.

    Any of them may raise OSError, or ValueError for a file that is not what it should be.
    """

    def cpu(self) -> CpuReading:
        """Return the times of the processors."""

    def frequency(self) -> FrequencyReading | None:
        """Return the frequencies of the cores."""

    def load(self) -> tuple[float, float, float] | None:
        """Return the load averages of 1, 5 and 15 minutes."""

    def pressure(self, resource: str) -> dict[str, float] | None:
        """Return the stalls for `cpu`, `memory` or `io` in percent by `some_10s` and the like."""

    def memory(self) -> MemoryReading:
        """Return the sizes of memory and swap."""

    def disks(self) -> DiskReading:
        """Return the counters of every block device."""

    def filesystems(self) -> FilesystemsReading:
        """Return the sizes of every filesystem that holds data."""

    def network(self) -> NetworkReading:
        """Return the counters of every network interface."""

    def links(self, names: Collection[str]) -> dict[str, Link]:
        """Return the state of the network interfaces of these names."""

    def tcp(self) -> dict[str, int] | None:
        """Return the TCP sockets by state."""

    def addresses(self) -> dict[str, list[str]]:
        """Return the IP addresses of each network interface that has any, such as `192.0.2.9/24`.

        The length of the prefix is left out where the system does not tell it.
        """

    def mac_addresses(self) -> dict[str, str]:
        """Return the hardware addresses of the network interfaces that have one."""

    def main_address(self) -> str | None:
        """Return the source address of the default route."""

    def sensors(self) -> SensorReading:
        """Return every temperature and fan."""

    def throttling(self) -> ThrottlingReading | None:
        """Return what holds the processor of a Raspberry Pi back."""

    def batteries(self) -> list[BatteryReading]:
        """Return every battery and UPS that feeds the host."""

    def processes(self) -> ProcessReading:
        """Return every process."""

    def owner(self, pid: int) -> str | None:
        """Return the name of who runs a process."""

    def program(self, pid: int) -> str | None:
        """Return the name of a process."""

    def full_name(self, pid: int, name: str) -> str:
        """Return the name of a process where the system cut it off, else the name as it is."""

    def uptime_seconds(self) -> float | None:
        """Return the time since boot, sleep included; a file of another host may keep it waiting."""

    def host(self) -> HostReading:
        """Return what does not change while the host is up."""

    def own_resident_bytes(self) -> int | None:
        """Return the resident memory of the process that asks, whatever host is read."""
