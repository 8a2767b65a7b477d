"""Which disks may be asked for their health, and what the kernel knows of them without asking them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from fleetglass.agent.readings.files import list_folder, read_text, read_whole
from fleetglass.agent.selection import Selection
from fleetglass.wire.payloads import StorageDisk

_SECTOR_BYTES = 512
_CONTROLLER = re.compile(r"nvme\d+")
_TYPE = re.compile(r"[a-z0-9][a-z0-9,+/-]{0,39}")  # such as `sat+megaraid,4` or `areca,3/1`


class SmartDevice(NamedTuple):
    """How smartctl is told of a disk."""

    path: str
    type: str | None = None
    """What smartctl cannot find out by itself, or not without commands that may wake the disk."""


class SmartDevices:
    """Finds the disks that are wanted, and opens none."""

    def __init__(self, sys_folder: str, selection: Selection) -> None:
        self._block = f"{sys_folder}/block"
        self._nvme = f"{sys_folder}/class/nvme"
        self._selection = selection

    def of_kernel(self) -> dict[str, SmartDevice]:
        """Return the disks of the kernel that may have SMART, by name; an NVMe disk is its controller."""
        found = {}
        for name in list_folder(self._block):
            if re.fullmatch(r"sd[a-z]+", name) and self._is_wanted(name):
                is_ata = read_text(f"{self._block}/{name}/device/vendor") == "ATA"
                found[name] = SmartDevice(f"/dev/{name}", "sat" if is_ata else None)
        controllers = [name for name in list_folder(self._nvme) if _CONTROLLER.fullmatch(name)]
        if not controllers:
            spaces = (re.fullmatch(r"(nvme\d+)n\d+", name) for name in list_folder(self._block))
            controllers = sorted({space[1] for space in spaces if space})
        return found | {
            name: SmartDevice(f"/dev/{name}") for name in controllers if self._is_wanted_controller(name)
        }

    def of_scan(self, output: bytes, kernel: Mapping[str, SmartDevice]) -> dict[str, SmartDevice]:
        """Return what else `smartctl --scan` lists, the members behind RAID controllers among it."""
        found = {}
        for path, kind in _scan_lines(output):
            name = path.removeprefix("/dev/")
            if "," in kind:
                name = f"{name.replace('/', '')}/{kind.removeprefix('sat+')}"
                if self._selection.takes(name):
                    found[name] = SmartDevice(path, kind)
            elif name in kernel or re.fullmatch(r"nvme\d+n\d+", name):
                continue  # a namespace has the values of its controller
            elif self._is_wanted_controller(name) if name.startswith("nvme") else self._is_wanted(name):
                found[name] = SmartDevice(path)
        return found

    def is_suspended(self, name: str) -> bool:
        """Whether the kernel has sent a disk to sleep: it would wake it for whoever opens it."""
        status = read_text(f"{self._block}/{name}/device/power/runtime_status")
        return status in {"suspended", "suspending"}

    def facts(self, name: str) -> StorageDisk:
        """Return model, size and kind of a disk."""
        facts = StorageDisk()
        if _CONTROLLER.fullmatch(name):
            facts.kind = "nvme"
            facts.model = read_text(f"{self._nvme}/{name}/model") or UNSET
            return facts
        folder = f"{self._block}/{name}"
        vendor, model = (read_text(f"{folder}/device/{word}") for word in ("vendor", "model"))
        facts.model = " ".join(word for word in (vendor, model) if word and word != "ATA") or UNSET
        if (sectors := read_whole(f"{folder}/size")) is not None:
            facts.size_bytes = sectors * _SECTOR_BYTES
        rotates = read_whole(f"{folder}/queue/rotational")
        if rotates == 0:
            facts.kind = "ssd"
        elif rotates == 1 and vendor == "ATA":  # a USB stick says that it rotates, too
            facts.kind = "hdd"
        return facts

    def _is_wanted(self, name: str) -> bool:
        # Empty card readers have no size.
        return self._selection.takes(name) and read_whole(f"{self._block}/{name}/size") != 0

    def _is_wanted_controller(self, name: str) -> bool:
        """Whether any of its namespaces is wanted: people know the disk by their names."""
        spaces = [one for one in list_folder(self._block) if re.fullmatch(rf"{name}(c\d+)?n\d+", one)]
        return any(map(self._selection.takes, spaces)) if spaces else self._selection.takes(name)


def _scan_lines(output: bytes) -> Iterator[tuple[str, str]]:
    try:
        told: Any = msgspec.json.decode(output)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return
    devices = told.get("devices") if isinstance(told, dict) else None
    for device in devices if isinstance(devices, list) else ():
        if isinstance(device, dict):
            path, kind = device.get("name"), device.get("type")
            if isinstance(path, str) and re.fullmatch(r"/dev/[\w./-]{1,80}", path, re.ASCII):
                yield path, kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else ""
