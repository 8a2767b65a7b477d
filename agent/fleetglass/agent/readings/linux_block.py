"""Readings of how block devices stand on each other (kernel: Documentation/ABI/stable/sysfs-block)."""

import functools
import os
import time
from collections.abc import Collection, Iterable, Mapping

from fleetglass.agent.readings.block_devices import (
    BlockDevice,
    device_by_name,
    disk_of,
    is_in_memory,
    is_on_top,
    multipath_of,
    summed_disks,
)
from fleetglass.agent.readings.files import list_folder, read_whole
from fleetglass.agent.readings.types import DiskCounters

_INTERVAL_SECONDS = 60.0


class BlockDevices:
    """Knows which disks are summed. `/sys` is read when a device came or went, and once a minute."""

    def __init__(self, sys: str) -> None:
        self._sys = sys
        self._names: frozenset[str] = frozenset()
        self._summed: frozenset[str] = frozenset()
        self._due = float("-inf")

    def summed(self, at: float, counters: Mapping[str, DiskCounters]) -> frozenset[str]:
        """Return the devices of whose use the sum is that of all disks."""
        if at >= self._due or counters.keys() != self._names:
            self._due = at + _INTERVAL_SECONDS
            self._names = frozenset(counters)
            self._summed = summed_disks(read_block_devices(self._sys, self._names), counters)
        return self._summed


def disks_among(sys: str, numbers: Iterable[str]) -> frozenset[str]:
    """Return those of some devices, by numbers such as `8:0`, of whose use the sum is that of all disks."""
    return _disks_in_span(sys, frozenset(numbers), time.monotonic() // _INTERVAL_SECONDS)


@functools.lru_cache(maxsize=256)
def _disks_in_span(sys: str, numbers: frozenset[str], span: float) -> frozenset[str]:  # noqa: ARG001 -- what is known ends with it
    names = {os.path.basename(os.path.realpath(f"{sys}/dev/block/{one}")): one for one in numbers}  # noqa: PTH119
    used = dict.fromkeys(names, DiskCounters(1, 1, 1, 1, None))
    return frozenset(names[one] for one in summed_disks(read_block_devices(sys, names), used))


def read_block_devices(sys: str, names: Collection[str]) -> dict[str, BlockDevice]:
    """Return what carries each device; names tell it where `/sys` does not."""
    tree = _Tree(sys, names)
    return {name: tree.device(name) or device_by_name(name, names) for name in names}


class _Tree:
    """The block devices in `/sys`, looked up from those of a list."""

    def __init__(self, sys: str, names: Collection[str]) -> None:
        self._sys = sys
        self._names = names

    def device(self, name: str) -> BlockDevice | None:
        if self._folder(name) is None:
            return None
        found = self._with_all_below(name)
        lowest = [one for one, below in found.items() if not below]
        return BlockDevice(
            below=frozenset(found.keys() - {name}),
            is_in_memory=all(is_in_memory(one) and self._is_virtual(one) for one in lowest),
            is_unfounded=any(map(self._is_unfounded, lowest)),
            multipath=multipath_of(name),
        )

    def _with_all_below(self, name: str) -> dict[str, set[str]]:
        """Return what is right below a device, and below every device that is below it."""
        found: dict[str, set[str]] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            found[one] = self._right_below(one)
            waiting.extend(found[one] - found.keys())
        return found

    def _right_below(self, name: str) -> set[str]:
        folder = self._folder(name)
        if folder is None:
            return set()
        if not os.path.lexists(f"{folder}/partition"):
            return {entry.replace("!", "/") for entry in list_folder(f"{folder}/slaves")}
        disk = os.path.basename(os.path.dirname(os.path.realpath(folder)))  # noqa: PTH119, PTH120 -- no Path
        if os.path.lexists(f"{self._sys}/block/{disk}"):
            return {disk.replace("!", "/")}
        by_name = disk_of(name, self._names)
        return set() if by_name is None else {by_name}

    def _is_unfounded(self, name: str) -> bool:
        # DRBD tells what it stands on, unless that is on another machine.
        if is_on_top(name) and self._is_virtual(name) and not name.startswith("drbd"):
            return True
        return multipath_of(name) is None and read_whole(f"{self._folder(name)}/hidden") == 1

    def _is_virtual(self, name: str) -> bool:
        return not os.path.lexists(f"{self._folder(name)}/device")

    def _folder(self, name: str) -> str | None:
        entry = name.replace("/", "!")
        folders = [f"{self._sys}/class/block/{entry}", f"{self._sys}/block/{entry}"]
        if (disk := disk_of(name, self._names)) is not None:
            folders.append(f"{self._sys}/block/{disk.replace('/', '!')}/{entry}")
        return next(filter(os.path.isdir, folders), None)
