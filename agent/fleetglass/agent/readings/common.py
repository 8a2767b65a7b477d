"""Readings that are the same on every system."""

import os
import sys
import time

import psutil

from fleetglass.agent.readings.kinds import FilesystemReading, FrequencyReading, Link, printable

# An image is always full, which says nothing.
_IMAGE_TYPES = {"squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"}


def read_frequency() -> FrequencyReading | None:
    """Return the mean frequency of the cores and its bounds."""
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    if frequency is None:
        return None
    return FrequencyReading(
        current=int(frequency.current * 1e6) or None,
        lowest=int(frequency.min * 1e6) or None,
        highest=int(frequency.max * 1e6) or None,
    )


def read_load() -> tuple[float, float, float] | None:
    """Return the load averages of 1, 5 and 15 minutes; Windows has none."""
    return os.getloadavg() if hasattr(os, "getloadavg") else None


def read_links() -> dict[str, Link]:
    """Return whether each network interface is up, and its speed."""
    return {
        # psutil gives megabits; 65535 is what a driver says that does not know.
        printable(name): Link(one.isup, one.speed * 125_000 if 0 < one.speed < 65535 else None)
        for name, one in psutil.net_if_stats().items()
    }


def uptime_seconds() -> float:
    """Return the time since boot, sleep included."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - psutil.boot_time()


def read_filesystems() -> list[FilesystemReading]:
    """Return the filesystems on devices, each device once as `df` does, and the root in any case."""
    found = []
    for mount, device, kind in _mounts():
        try:
            found.append(_usage(mount, device, kind))
        except OSError:
            continue  # unmounted meanwhile, or not ours to see
    return found


def _mounts() -> list[tuple[str, str, str]]:
    shortest: dict[str, tuple[str, str, str]] = {}
    for part in psutil.disk_partitions(all=False):
        # Containers have single files mounted from a disk of the host.
        if part.fstype in _IMAGE_TYPES or not os.path.isdir(part.mountpoint):  # noqa: PTH112 -- one stat
            continue
        known = shortest.get(part.device)
        if known is None or len(part.mountpoint) < len(known[0]):
            shortest[part.device] = (part.mountpoint, part.device, part.fstype)
    mounts = list(shortest.values())
    if sys.platform == "linux" and all(mount != "/" for mount, _, _ in mounts):
        mounts.extend(
            (part.mountpoint, part.device, part.fstype)
            for part in psutil.disk_partitions(all=True)[::-1]
            if part.mountpoint == "/"
        )
    return mounts


def _usage(mount: str, device: str, kind: str) -> FilesystemReading:
    names = (printable(mount), printable(device), kind)
    if sys.platform == "win32":
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
