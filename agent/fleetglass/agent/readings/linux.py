"""Readings from `/proc` and `/sys`, of this host or of one whose files lie under another folder."""

import os
import time
from collections.abc import Callable

from fleetglass.agent.readings.files import finite, read_file, read_text
from fleetglass.agent.readings.linux_filesystem import FilesystemReader
from fleetglass.agent.readings.linux_firmware import FIRMWARE_TEMPERATURE, FirmwareReader
from fleetglass.agent.readings.linux_host import read_host
from fleetglass.agent.readings.linux_network import own_ipv4_addresses, parse_ipv4, parse_ipv6, read_links
from fleetglass.agent.readings.linux_power import read_batteries
from fleetglass.agent.readings.linux_proc import (
    parse_diskstats,
    parse_load,
    parse_memory,
    parse_net_dev,
    parse_pressure,
    parse_stat,
    parse_tcp,
)
from fleetglass.agent.readings.linux_process import ProcessNames
from fleetglass.agent.readings.linux_process_list import ProcessList
from fleetglass.agent.readings.linux_processor import read_frequency
from fleetglass.agent.readings.linux_sensor import SensorReader
from fleetglass.agent.readings.open_files import OpenFiles
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
from fleetglass.agent.selection import EVERYTHING, Selection

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class LinuxReadings:
    """Reads one host. Paths are made once: making them anew costs as much as reading some of the files.

    Of another host, what belongs to namespaces (mounts, networks) is that of its first process.
    """

    def __init__(
        self,
        root: str = "/",
        clock: Callable[[], float] = time.monotonic,
        *,
        sensors: Selection = EVERYTHING,
    ) -> None:
        self._root = root.rstrip("/")
        self._clock = clock
        proc, self._sys = f"{self._root}/proc", f"{self._root}/sys"
        net = f"{proc}/1/net" if self._root else f"{proc}/net"
        self._stat = f"{proc}/stat"
        self._loadavg = f"{proc}/loadavg"
        self._uptime = f"{proc}/uptime"
        self._pressure = f"{proc}/pressure/"
        self._meminfo, self._vmstat = f"{proc}/meminfo", f"{proc}/vmstat"
        self._diskstats = f"{proc}/diskstats"
        self._net = net
        self._net_dev, self._snmp, self._sockstat = f"{net}/dev", f"{net}/snmp", f"{net}/sockstat"
        self._files = OpenFiles()
        self._processes = ProcessList(proc, clock=clock)
        self._process_names = ProcessNames(self._root)
        self._sensors = SensorReader(f"{self._sys}/class", clock, selected=sensors)
        self._firmware = FirmwareReader(self._root, clock)
        self._reads_firmware = sensors.takes(FIRMWARE_TEMPERATURE)
        self._filesystems = FilesystemReader(self._root)

    def cpu(self) -> CpuReading:
        """Read `/proc/stat`."""
        return parse_stat(self._clock(), self._files.read(self._stat))

    def frequency(self) -> FrequencyReading | None:
        """Read cpufreq, or `/proc/cpuinfo`."""
        return read_frequency(self._root)

    def load(self) -> tuple[float, float, float] | None:
        """Ask this host, or read `/proc/loadavg` of another."""
        if not self._root:
            return os.getloadavg()
        return parse_load(read_file(self._loadavg))

    def pressure(self, resource: str) -> dict[str, float] | None:
        """Read `/proc/pressure/<resource>`; kernels without it, or with it switched off, give None."""
        try:
            return parse_pressure(self._files.read(self._pressure + resource))
        except OSError:
            return None

    def memory(self) -> MemoryReading:
        """Read `/proc/meminfo` and `/proc/vmstat`."""
        return parse_memory(self._clock(), self._files.read(self._meminfo), self._files.read(self._vmstat))

    def disks(self) -> DiskReading:
        """Read `/proc/diskstats`."""
        return parse_diskstats(self._clock(), self._files.read(self._diskstats))

    def filesystems(self) -> FilesystemsReading:
        """Read `mountinfo`, and ask each mount for its sizes."""
        return self._filesystems()

    def network(self) -> NetworkReading:
        """Read `/proc/net/dev`."""
        return parse_net_dev(self._clock(), self._files.read(self._net_dev))

    def links(self) -> dict[str, Link]:
        """Read `/sys/class/net`."""
        return read_links(f"{self._sys}/class/net")

    def tcp(self) -> dict[str, int] | None:
        """Read `/proc/net/snmp` and `/proc/net/sockstat`: listing every socket would cost far more."""
        try:
            return parse_tcp(self._files.read(self._snmp), self._files.read(self._sockstat))
        except OSError:
            return None

    def addresses(self) -> dict[str, list[str]]:
        """Ask the kernel for IPv4 addresses and read `/proc/net/if_inet6`; of another host, read tables."""
        if self._root:
            found = parse_ipv4(
                read_text(f"{self._net}/fib_trie") or "", read_text(f"{self._net}/route") or ""
            )
        else:
            found = own_ipv4_addresses()
        for name, addresses in parse_ipv6(read_text(f"{self._net}/if_inet6") or "").items():
            found.setdefault(name, []).extend(addresses)
        return found

    def sensors(self) -> SensorReading:
        """Read every temperature and fan, the firmware's where the kernel knows none."""
        found = self._sensors()
        if self._reads_firmware and not self._sensors.has_temperatures:
            found.temperatures.extend(self._firmware.temperatures())
        return found

    def throttling(self) -> ThrottlingReading | None:
        """Ask the firmware of a Raspberry Pi."""
        return self._firmware.throttling()

    def batteries(self) -> list[BatteryReading]:
        """Read `/sys/class/power_supply`."""
        return read_batteries(f"{self._sys}/class/power_supply")

    def processes(self) -> ProcessReading:
        """Read what changed of every process."""
        return self._processes.read()

    def owner(self, pid: int) -> str | None:
        """Return who runs a process."""
        return self._process_names.owner(pid)

    def full_name(self, pid: int, name: str) -> str:
        """Return the name of a program where the kernel cut it off."""
        return self._process_names.full_name(pid, name)

    def uptime_seconds(self) -> float | None:
        """Ask the clock of this host, or read `/proc/uptime` of another."""
        if not self._root:
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return finite((read_text(self._uptime) or "").partition(" ")[0])

    def host(self) -> HostReading:
        """Read what is known of the host."""
        return read_host(self._root)

    def own_resident_bytes(self) -> int | None:
        """Read `/proc/self/statm`, always of the running system."""
        try:
            return int(self._files.read("/proc/self/statm").split()[1]) * _PAGE_BYTES
        except OSError:
            return None
