"""Readings through psutil, for systems other than Linux."""

import os
import platform
import socket
import sys
import time
from collections.abc import Collection
from typing import Any

import psutil

from fleetglass.agent.readings.block_devices import device_by_name, summed_disks
from fleetglass.agent.readings.main_address import own_main_address
from fleetglass.agent.readings.mounts import is_image, is_out_of_reach
from fleetglass.agent.readings.sensor_name import Place, sensor_names
from fleetglass.agent.readings.types import (
    BatteryReading,
    CpuReading,
    DiskCounters,
    DiskReading,
    FanReading,
    FilesystemReading,
    FilesystemsReading,
    FrequencyReading,
    HostReading,
    InterfaceCounters,
    Link,
    MemoryReading,
    NetworkReading,
    ProcessReading,
    ProcessStat,
    SensorReading,
    TemperatureReading,
    printable,
)
from fleetglass.agent.selection import EVERY_SELECTION, InterfaceChoice, Selections

_KINDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest")


class PortableReadings:
    """Reads the host it runs on, as far as psutil does."""

    def __init__(self, selections: Selections = EVERY_SELECTION) -> None:
        self._sensors = selections.sensors
        self._disks = selections.disks
        self._interfaces = InterfaceChoice(selections.interfaces)
        self._addressed_interfaces = InterfaceChoice(selections.interfaces)
        self._filesystems = selections.filesystems

    def cpu(self) -> CpuReading:
        """Return the processor times that the system has."""
        at = time.monotonic()
        times = psutil.cpu_times()
        stats = psutil.cpu_stats()
        cores = {}
        for number, core in enumerate(psutil.cpu_times(percpu=True)):
            waiting = getattr(core, "iowait", 0.0)
            cores[number] = (sum(core) - core.idle - waiting, core.idle, waiting)
        return CpuReading(
            at=at,
            times={kind: float(getattr(times, kind)) for kind in _KINDS if hasattr(times, kind)},
            cores=cores,
            context_switches=stats.ctx_switches,
            interrupts=stats.interrupts,
        )

    def memory(self) -> MemoryReading:
        """Return the sizes that the system has."""
        at = time.monotonic()
        memory = psutil.virtual_memory()
        swap = psutil.swap_memory()
        return MemoryReading(
            at=at,
            total=memory.total,
            available=memory.available,
            free=memory.free,
            cached=getattr(memory, "cached", None),
            buffers=getattr(memory, "buffers", None),
            shared=getattr(memory, "shared", None),
            swap_total=swap.total,
            swap_free=swap.free,
            swapped_in=swap.sin,
            swapped_out=swap.sout,
        )

    def disks(self) -> DiskReading:
        """Return the counters of every disk."""
        at = time.monotonic()
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False)
        devices = {}
        for name, one in counters.items():
            if not self._disks.takes(printable(name)):
                continue
            busy = getattr(one, "busy_time", None)
            devices[printable(name)] = DiskCounters(
                one.read_count,
                one.write_count,
                one.read_bytes,
                one.write_bytes,
                None if busy is None else busy / 1000,
            )
        known = {name: device_by_name(name, devices) for name in devices}
        return DiskReading(at, devices, summed_disks(known, devices))

    def network(self) -> NetworkReading:
        """Return the counters of every network interface."""
        at = time.monotonic()
        found = {
            printable(name): one for name, one in psutil.net_io_counters(pernic=True, nowrap=False).items()
        }
        chosen = self._interfaces(list(found))
        return NetworkReading(
            at,
            {
                name: InterfaceCounters(
                    one.bytes_recv,
                    one.bytes_sent,
                    one.packets_recv,
                    one.packets_sent,
                    one.errin,
                    one.errout,
                    one.dropin,
                    one.dropout,
                )
                for name, one in found.items()
                if name in chosen
            },
        )

    def tcp(self) -> dict[str, int] | None:
        """Give nothing: elsewhere every socket would have to be listed, which needs root and much time."""
        return None

    def pressure(self, resource: str) -> dict[str, float] | None:  # noqa: ARG002 -- as on Linux
        """Give nothing: pressure is Linux's own."""
        return None

    def batteries(self) -> list[BatteryReading]:
        """Return the battery, if there is one."""
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        if battery is None:
            return []
        left = battery.secsleft if battery.secsleft >= 0 else None
        return [BatteryReading("battery", battery.percent, battery.power_plugged, left)]

    def sensors(self) -> SensorReading:
        """Return what the system has; FreeBSD has temperatures, macOS and Windows have nothing."""
        temperatures = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
        fans = psutil.sensors_fans() if hasattr(psutil, "sensors_fans") else {}
        return SensorReading(
            temperatures=[
                TemperatureReading(name, chip, label, one.current, one.high, one.critical)
                for name, chip, label, one in self._named("temp", temperatures)
            ],
            fans=[
                FanReading(name, chip, label, one.current)
                for name, chip, label, one in self._named("fan", fans)
            ],
        )

    def _named(self, kind: str, found: dict[str, list[Any]]) -> list[tuple[str, str, str, Any]]:
        """Return what may be read as name, chip, label and what psutil tells."""
        sensors = [
            (Place(chip, "", chip, f"{kind}{number}", one.label or f"{kind}{number}"), one)
            for chip, entries in found.items()
            for number, one in enumerate(entries, 1)
        ]
        names = sensor_names([place for place, _ in sensors], set())
        return [
            (name, place.chip, label, one)
            for (place, one), (name, label) in zip(sensors, names, strict=True)
            if self._sensors.takes(name)
        ]

    def processes(self) -> ProcessReading:
        """Return every process that may be seen."""
        at, start_clock = time.monotonic(), time.time()
        processes: dict[int, ProcessStat] = {}
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    processes[process.pid] = ProcessStat(
                        name=printable(process.name()),
                        state=str(process.status()),
                        started=process.create_time(),
                        cpu_seconds=times.user + times.system,
                        resident_bytes=process.memory_info().rss,
                        threads=process.num_threads(),
                    )
            except (psutil.Error, OSError):
                continue
        return ProcessReading(at, start_clock, processes)

    def owner(self, pid: int) -> str | None:
        """Return who runs a process, if that may be known."""
        try:
            return printable(psutil.Process(pid).username())
        except (psutil.Error, OSError, KeyError):
            return None

    def program(self, pid: int) -> str | None:
        """Return what a process is called, if that may be known."""
        try:
            return printable(psutil.Process(pid).name())
        except (psutil.Error, OSError):
            return None

    def full_name(self, pid: int, name: str) -> str:  # noqa: ARG002 -- as on Linux
        """Return the name: nothing cut it off."""
        return name

    def own_resident_bytes(self) -> int:
        """Return the resident memory of this process."""
        return int(psutil.Process(os.getpid()).memory_info().rss)

    def frequency(self) -> FrequencyReading | None:
        """Return the mean frequency of the cores and its bounds."""
        frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
        if frequency is None:
            return None
        return FrequencyReading(
            current=int(frequency.current * 1e6) or None,
            cores={},
            lowest=int(frequency.min * 1e6) or None,
            highest=int(frequency.max * 1e6) or None,
        )

    def load(self) -> tuple[float, float, float] | None:
        """Return the load averages; Windows has none."""
        return os.getloadavg() if hasattr(os, "getloadavg") else None

    def links(self, names: Collection[str]) -> dict[str, Link]:
        """Return the state of the network interfaces of these names."""
        return {
            # psutil gives megabits; 65535 is what a driver says that does not know.
            name: Link(one.isup, one.speed * 125_000 if 0 < one.speed < 65535 else None)
            for name, one in ((printable(name), one) for name, one in psutil.net_if_stats().items())
            if name in names
        }

    def addresses(self) -> dict[str, list[str]]:
        """Return the IP addresses by interface, without the zone that IPv6 addresses carry."""
        families = (socket.AF_INET, socket.AF_INET6)
        addresses = {
            printable(name): [
                one.address.partition("%")[0] + _prefix(one.family, one.netmask)
                for one in found
                if one.family in families
            ]
            for name, found in psutil.net_if_addrs().items()
        }
        addresses = {name: found for name, found in addresses.items() if found}
        chosen = self._addressed_interfaces(list(addresses))
        return {name: found for name, found in addresses.items() if name in chosen}

    def mac_addresses(self) -> dict[str, str]:
        """Return the hardware addresses, written as on Linux."""
        found = {printable(name): addresses for name, addresses in psutil.net_if_addrs().items()}
        chosen = self._addressed_interfaces(list(found))
        return {
            name: one.address.replace("-", ":").lower()
            for name, addresses in found.items()
            if name in chosen
            for one in addresses
            if one.family == psutil.AF_LINK and one.address.strip("0:-")
        }

    def main_address(self) -> str | None:
        """Return the source address of the default route."""
        return own_main_address()

    def filesystems(self) -> FilesystemsReading:
        """Return the filesystems on devices."""
        found, failed = [], []
        for part in psutil.disk_partitions(all=False):
            mount = printable(part.mountpoint)
            if not self._filesystems.takes(mount, part.fstype) or is_image(
                kind=part.fstype, device=part.device, mount=part.mountpoint, options=part.opts
            ):
                continue
            try:
                found.append(_usage(part.mountpoint, part.device, part.fstype))
            except OSError as error:  # an empty drive, unmounted meanwhile, or not ours to see
                if is_out_of_reach(error):
                    failed.append(mount)
        return FilesystemsReading(found, failed)

    def throttling(self) -> None:
        """Give nothing: this is Linux's own."""

    def uptime_seconds(self) -> float | None:
        """Return the time since boot."""
        return time.time() - psutil.boot_time()

    def host(self) -> HostReading:
        """Return what is known of the host."""
        return HostReading(
            os_name=f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else _os_name(),
            kernel=f"{platform.system()} {platform.release()}",
            architecture=platform.machine() or None,
            cpu_model=platform.processor() or None,
            physical_cores=psutil.cpu_count(logical=False),
            logical_cores=os.cpu_count(),
            boot_time=psutil.boot_time(),
            manufacturer=None,
            model=None,
        )


def _os_name() -> str:
    return f"{platform.system()} {platform.version()}"


def _prefix(family: int, mask: str | None) -> str:
    """Return the length of a network's prefix as it follows an address, nothing where it is not told."""
    try:
        number = int.from_bytes(socket.inet_pton(family, (mask or "").partition("%")[0]), "big")
    except OSError:
        return ""
    return f"/{number.bit_count()}"


def _usage(mount: str, device: str, kind: str) -> FilesystemReading:
    names = (printable(mount), printable(device), kind)
    if not hasattr(os, "statvfs"):
        usage = psutil.disk_usage(mount)
        return FilesystemReading(*names, usage.total, usage.free, usage.free, None, None)
    stat = os.statvfs(mount)
    return FilesystemReading(
        *names,
        total=stat.f_blocks * stat.f_frsize,
        free=stat.f_bfree * stat.f_frsize,
        available=stat.f_bavail * stat.f_frsize,
        inodes=stat.f_files or None,
        free_inodes=stat.f_ffree if stat.f_files else None,
    )
