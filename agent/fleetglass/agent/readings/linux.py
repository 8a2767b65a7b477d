"""Readings from `/proc` and `/sys`, of this host or of one whose files lie under another folder."""

import contextlib
import functools
import os
import time
from collections.abc import Callable, Collection

from fleetglass.agent.readings.files import finite, read_text
from fleetglass.agent.readings.linux_block import BlockDevices
from fleetglass.agent.readings.linux_filesystem import FilesystemReader
from fleetglass.agent.readings.linux_firmware import FIRMWARE_TEMPERATURE, FirmwareReader
from fleetglass.agent.readings.linux_host import is_replaced, read_host
from fleetglass.agent.readings.linux_interface import (
    LinkReader,
    interface_names,
    read_mac_addresses,
    read_routes,
)
from fleetglass.agent.readings.linux_network import (
    main_address_of,
    own_ipv4_addresses,
    parse_ipv4,
    parse_ipv6,
)
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
from fleetglass.agent.readings.main_address import own_main_address
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
from fleetglass.agent.selection import EVERY_SELECTION, InterfaceChoice, Selections

_MAX_NAMES = 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_LOOK_FOR_ARC_SECONDS = 60.0
_CLOCK_STEP_SECONDS = 1.0  # by which two clocks read one after the other may differ


class LinuxReadings:
    """Reads one host. Paths are made once: making them anew costs as much as reading some of the files.

    Of another host, what belongs to namespaces (mounts, networks) is that of its first process.
    """

    def __init__(
        self,
        root: str = "/",
        clock: Callable[[], float] = time.monotonic,
        *,
        selections: Selections = EVERY_SELECTION,
    ) -> None:
        self._root = root.rstrip("/")
        self._clock = clock
        proc, self._sys = f"{self._root}/proc", f"{self._root}/sys"
        net = f"{proc}/1/net" if self._root else f"{proc}/net"
        self._stat = f"{proc}/stat"
        self._loadavg = f"{proc}/loadavg"
        self._asks_load: bool | None = None
        self._uptime = f"{proc}/uptime"
        self._pressure = f"{proc}/pressure/"
        self._meminfo, self._vmstat = f"{proc}/meminfo", f"{proc}/vmstat"
        self._arcstats = f"{proc}/spl/kstat/zfs/arcstats"
        self._arc_is_there = False
        self._look_for_arc_at = float("-inf")
        self._diskstats = f"{proc}/diskstats"
        self._net = net
        self._links = LinkReader(f"{self._sys}/class/net", net)
        self._net_dev, self._snmp, self._sockstat = f"{net}/dev", f"{net}/snmp", f"{net}/sockstat"
        self._files = OpenFiles()
        self._processes = ProcessList(proc, clock=clock)
        self._process_names = ProcessNames(self._root)
        self._sensors = SensorReader(f"{self._sys}/class", clock, selected=selections.sensors)
        self._firmware = FirmwareReader(self._root, clock)
        self._reads_firmware = selections.sensors.takes(FIRMWARE_TEMPERATURE)
        self._disks = selections.disks
        self._interfaces = InterfaceChoice(selections.interfaces)
        self._addressed_interfaces = InterfaceChoice(selections.interfaces)  # asked on a thread of its own
        self._takes_disk = functools.lru_cache(_MAX_NAMES)(selections.disks.takes)
        self._block_devices = BlockDevices(self._sys)
        self._filesystems = FilesystemReader(self._root, selection=selections.filesystems)

    def cpu(self) -> CpuReading:
        """Read `/proc/stat`."""
        return parse_stat(self._clock(), self._optional(self._stat))

    def frequency(self) -> FrequencyReading | None:
        """Read cpufreq, or `/proc/cpuinfo`, of the cores in `/proc/stat`."""
        return read_frequency(self._root, self.cpu().cores)

    def load(self) -> tuple[float, float, float] | None:
        """Ask the kernel of this host; read `/proc/loadavg` of another, or where a container has its own."""
        if self._asks_load is None:
            self._asks_load = not self._root and not is_replaced("", self._loadavg)
        if self._asks_load:
            with contextlib.suppress(OSError):
                return os.getloadavg()
        return parse_load(self._optional(self._loadavg))

    def pressure(self, resource: str) -> dict[str, float] | None:
        """Read `/proc/pressure/<resource>`; kernels without it, or with it switched off, give None."""
        return parse_pressure(self._optional(self._pressure + resource))

    def memory(self) -> MemoryReading:
        """Read `/proc/meminfo` and `/proc/vmstat`, and how large the cache of ZFS is."""
        return parse_memory(
            self._clock(),
            self._optional(self._meminfo),
            self._optional(self._vmstat),
            self._optional(self._arcstats) if self._has_arc() else b"",
        )

    def disks(self) -> DiskReading:
        """Read `/proc/diskstats`, and `/sys/class/block` once in a while."""
        at = self._clock()
        text = self._files.read(self._diskstats)
        devices = parse_diskstats(text, self._takes_disk)
        if not devices and self._disks.is_default:
            devices = parse_diskstats(text)  # a container may have nothing but a loop
        return DiskReading(at, devices, self._block_devices.summed(at, devices))

    def filesystems(self) -> FilesystemsReading:
        """Read `mountinfo`, and ask each mount for its sizes."""
        return self._filesystems()

    def network(self) -> NetworkReading:
        """Read `/proc/net/dev`."""
        return parse_net_dev(self._clock(), self._files.read(self._net_dev), self._interfaces)

    def links(self, names: Collection[str]) -> dict[str, Link]:
        """Read `/sys/class/net`."""
        return self._links(names)

    def tcp(self) -> dict[str, int] | None:
        """Read `/proc/net/snmp` and `/proc/net/sockstat`: listing every socket would cost far more."""
        return parse_tcp(self._optional(self._snmp), self._optional(self._sockstat))

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
        chosen = self._addressed_interfaces(list(found))
        return {name: addresses for name, addresses in found.items() if name in chosen}

    def mac_addresses(self) -> dict[str, str]:
        """Read `/sys/class/net`."""
        folder = f"{self._sys}/class/net"
        return read_mac_addresses(folder, self._addressed_interfaces(interface_names(folder)))

    def main_address(self) -> str | None:
        """Ask the kernel for its way out; of another host, read tables."""
        if not self._root:
            return own_main_address()
        ipv6_routes = read_text(f"{self._net}/ipv6_route") or ""
        return main_address_of(read_routes(self._net), ipv6_routes, self.addresses())

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

    def program(self, pid: int) -> str | None:
        """Return what a process is called."""
        return self._process_names.program(pid)

    def full_name(self, pid: int, name: str) -> str:
        """Return the name of a program where the kernel cut it off."""
        return self._process_names.full_name(pid, name)

    def uptime_seconds(self) -> float | None:
        """Read `/proc/uptime`: of this host only where it says other than the more precise clock.

        In a container of LXC it does, where the clock is the host's.
        """
        told = finite((read_text(self._uptime) or "").partition(" ")[0])
        if self._root:
            return told
        clock = time.clock_gettime(time.CLOCK_BOOTTIME)
        return clock if told is None or abs(told - clock) < _CLOCK_STEP_SECONDS else told

    def host(self) -> HostReading:
        """Read what is known of the host. A container of LXC started when its uptime says so."""
        host = read_host(self._root)
        up = None if self._root else self.uptime_seconds()
        if up is None or abs(time.clock_gettime(time.CLOCK_BOOTTIME) - up) < _CLOCK_STEP_SECONDS:
            return host
        return host._replace(boot_time=round(time.time() - up))

    def _optional(self, path: str) -> bytes:
        """Return the text of a file without which a group has fewer values, or nothing."""
        try:
            return self._files.read(path)
        except OSError:
            return b""

    def _has_arc(self) -> bool:
        """Look now and then whether ZFS came; lxcfs tells a container of its own memory, not of the ARC."""
        now = self._clock()
        if not self._arc_is_there and now >= self._look_for_arc_at:
            self._look_for_arc_at = now + _LOOK_FOR_ARC_SECONDS
            self._arc_is_there = bool(self._optional(self._arcstats)) and not is_replaced(
                self._root, "/proc/meminfo"
            )
        return self._arc_is_there

    def own_resident_bytes(self) -> int | None:
        """Read `/proc/self/statm`, always of the running system."""
        try:
            return int(self._files.read("/proc/self/statm").split()[1]) * _PAGE_BYTES
        except OSError:
            return None
