"""Which block devices are summed, so that each byte of the disks themselves counts once."""

import re
import string
from collections.abc import Collection, Mapping
from typing import NamedTuple

from fleetglass.agent.readings.types import DiskCounters

_IN_MEMORY = re.compile(r"z?ram\d+")
_ON_TOP = re.compile(
    r"dm-\d|md\d|md_|loop\d|zloop\d|bcache\d|drbd\d|zd\d|emcpower[a-z]|VxDMP\d|VxVM\d|sddlm[a-z]"
)
_PATH = re.compile(r"nvme(\d+)c\d+n(\d+)")


class BlockDevice(NamedTuple):
    """What carries the input and output of a device."""

    below: frozenset[str] = frozenset()
    """Names of the devices below, down to the disks; of a partition, its disk."""
    is_in_memory: bool = False
    """Whether nothing of it reaches a disk."""
    is_unfounded: bool = False
    """Whether it stands on something that nobody tells, such as a file."""
    multipath: str | None = None
    """Of a path of NVMe multipath, the device to which it leads."""


def summed_disks(devices: Mapping[str, BlockDevice], counters: Mapping[str, DiskCounters]) -> frozenset[str]:
    """Return the devices of whose use the sum is that of all disks.

    A device is left out while one below it is there, and what is in memory always. What stands on something
    unknown is summed where there is nothing else, as in a container.
    """
    below = {name: set(one.below) for name, one in devices.items()}
    for name, one in devices.items():
        if (upper := one.multipath) is not None and upper in devices:
            if _is_used(counters[upper]):
                below[name].add(upper)
            else:  # older kernels count in the paths only, and the device itself stays at 0
                below[upper].add(name)
    lowest = [
        name for name, one in devices.items() if not one.is_in_memory and below[name].isdisjoint(devices)
    ]
    founded = frozenset(name for name in lowest if not devices[name].is_unfounded)
    return founded or frozenset(lowest)


def device_by_name(name: str, names: Collection[str]) -> BlockDevice:
    """Return what the name of a device tells, where nothing else does."""
    disk = disk_of(name, names)
    return BlockDevice(
        below=frozenset() if disk is None else frozenset((disk,)),
        is_in_memory=is_in_memory(name),
        is_unfounded=is_on_top(name),
        multipath=multipath_of(name),
    )


def disk_of(name: str, names: Collection[str]) -> str | None:
    """Return the disk of a partition: of `sda1` it is `sda`, of `nvme0n1p1` it is `nvme0n1`."""
    disk = name.rstrip(string.digits)
    if disk == name:
        return None
    return next((one for one in (disk, disk[:-1] if disk.endswith("p") else "") if one in names), None)


def multipath_of(name: str) -> str | None:
    """Return the device to which a path of NVMe multipath leads: of `nvme0c1n1` it is `nvme0n1`."""
    path = _PATH.fullmatch(name)
    return None if path is None else f"nvme{path[1]}n{path[2]}"


def is_in_memory(name: str) -> bool:
    """Return whether a virtual device of this name keeps in memory what is written to it."""
    return _IN_MEMORY.match(name) is not None


def is_on_top(name: str) -> bool:
    """Return whether a virtual device of this name stands on other devices, or on files."""
    return _ON_TOP.match(name) is not None


def _is_used(counters: DiskCounters) -> bool:
    return bool(counters.reads or counters.writes)
