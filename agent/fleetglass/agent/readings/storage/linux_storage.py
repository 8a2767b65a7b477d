"""What the kernel tells of arrays (md), of btrfs, and of eMMC and SD cards; no disk is asked."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from fleetglass.agent.readings.files import list_folder, read_text, read_whole
from fleetglass.wire.payloads import StorageArray, StorageDisk

_Health = Literal["ok", "degraded", "failed"]

_SECTOR_BYTES = 512
_FAILED_STATES = {"inactive", "broken"}
_SPARE_DEVICES: Final = {"raid4": 1, "raid5": 1, "raid6": 2}
_WRITTEN_ERRORS = ("write_errs", "flush_errs")
_DAMAGED = ("corruption_errs", "generation_errs")
_WORN_OUT = 0x0B
_RESERVE_WORDS: Final = {0x02: "spare-low", 0x03: "spare-urgent"}


def read_md_arrays(root: Path, takes: Callable[[str], bool]) -> dict[str, StorageArray]:
    """Return the arrays by name (kernel: Documentation/admin-guide/md.rst)."""
    block = f"{_folder(root)}/sys/block"
    names = [name for name in list_folder(block) if name.startswith("md") and takes(name)]
    arrays = {name: _md_array(f"{block}/{name}") for name in names}
    return {name: array for name, array in arrays.items() if array is not None}


def read_btrfs(root: Path, takes: Callable[[str], bool]) -> dict[str, StorageArray]:
    """Return the mounted filesystems by `btrfs/` and their label, or else the beginning of their id."""
    folder = f"{_folder(root)}/sys/fs/btrfs"
    found = {}
    for uuid in list_folder(folder):
        if not re.fullmatch(r"[0-9a-f-]{36}", uuid):
            continue
        label = read_text(f"{folder}/{uuid}/label")
        name = f"btrfs/{label or uuid[:8]}"
        if name in found:
            name = f"btrfs/{uuid[:8]}"
        if takes(name):
            found[name] = _btrfs(f"{folder}/{uuid}")
    return found


def read_flash(root: Path, takes: Callable[[str], bool]) -> dict[str, StorageDisk]:
    """Return eMMC with its wear (JESD84-B51: EXT_CSD), and SD cards, which tell nothing, by name."""
    block = f"{_folder(root)}/sys/block"
    names = [name for name in list_folder(block) if re.fullmatch(r"mmcblk\d+", name) and takes(name)]
    return {name: _flash(f"{block}/{name}") for name in names}


def _folder(root: Path) -> str:
    return str(root).rstrip("/")


def _md_array(folder: str) -> StorageArray | None:
    state = read_text(f"{folder}/md/array_state")
    metadata = read_text(f"{folder}/md/metadata_version") or ""
    if (
        state is None
        or state == "clear"
        or (metadata.startswith("external:") and not metadata.startswith("external:/"))
    ):
        return None  # stopped, or the container of a firmware's RAID, which holds arrays and is none
    level = read_text(f"{folder}/md/level")
    disks = _leading(read_text(f"{folder}/md/raid_disks"))
    degraded = read_whole(f"{folder}/md/degraded")
    array = StorageArray(
        type="md",
        level=level or UNSET,
        health=_md_health(state, level, disks, degraded),
        state=state,
        devices=UNSET if disks is None else disks,
        degraded_devices=UNSET if degraded is None else degraded,
        size_bytes=_size(folder),
    )
    action = read_text(f"{folder}/md/sync_action")
    if action is not None and action not in {"idle", "frozen"}:
        array.sync_action = action
        done = re.match(r"(\d+) / (\d+)", read_text(f"{folder}/md/sync_completed") or "")
        if done and int(done[2]) > 0:
            array.sync_percent = round(min(100 * int(done[1]) / int(done[2]), 100.0), 1)
    members = [name for name in list_folder(f"{folder}/md") if name.startswith("dev-")]
    errors = [read_whole(f"{folder}/md/{name}/errors") for name in members]
    if counted := [count for count in errors if count is not None]:
        array.read_errors = sum(counted)
    return array


def _md_health(state: str, level: str | None, disks: int | None, degraded: int | None) -> _Health:
    """Return how an array is; one that lacks more devices than its level can do without has failed."""
    if state in _FAILED_STATES:
        return "failed"
    if not degraded:
        return "ok"
    spare = _SPARE_DEVICES.get(level or "")
    if level == "raid1" and disks:
        spare = disks - 1
    return "failed" if spare is not None and degraded > spare else "degraded"


def _btrfs(folder: str) -> StorageArray:
    names = [name for name in list_folder(f"{folder}/devinfo") if name.isdigit()]
    array = StorageArray(type="btrfs")
    if not names:  # before Linux 5.6
        array.devices = len(list_folder(f"{folder}/devices")) or UNSET
        return array
    missing = [read_whole(f"{folder}/devinfo/{name}/missing") for name in names]
    known = [one for one in missing if one is not None]
    array.devices = len(names)
    if known:
        array.degraded_devices = sum(known)
        array.health = "degraded" if any(known) else "ok"
        array.state = "degraded" if any(known) else "complete"
    errors: dict[str, int] = {}
    for name in names:
        for line in (read_text(f"{folder}/devinfo/{name}/error_stats") or "").splitlines():
            word, _, count = line.partition(" ")
            if count.strip().isdigit():
                errors[word] = errors.get(word, 0) + int(count)
    array.read_errors = errors.get("read_errs", UNSET)
    array.write_errors = _sum(errors, _WRITTEN_ERRORS)
    array.checksum_errors = _sum(errors, _DAMAGED)
    return array


def _flash(folder: str) -> StorageDisk:
    disk = StorageDisk(
        kind="sd" if read_text(f"{folder}/device/type") == "SD" else "emmc",
        model=read_text(f"{folder}/device/name") or UNSET,
        size_bytes=_size(folder),
    )
    ages = [_hex(word) for word in (read_text(f"{folder}/device/life_time") or "").split()]
    used = [age for age in ages if age is not None and 1 <= age <= _WORN_OUT]
    reserve = _hex(read_text(f"{folder}/device/pre_eol_info") or "")
    warnings = [_RESERVE_WORDS[reserve]] if reserve in _RESERVE_WORDS else []
    if used:
        # In steps of a tenth: 0x03 is 20 to 30 percent, of which the worse is told.
        disk.wear_percent = min(max(used) * 10.0, 100.0)
        warnings += ["worn-out"] if max(used) == _WORN_OUT else []
    disk.warnings = warnings or UNSET
    disk.state = "active" if used or reserve else "unsupported"
    if disk.state == "unsupported":
        disk.reason = "SD cards do not tell their wear" if disk.kind == "sd" else "it does not tell its wear"
    return disk


def _size(folder: str) -> int | UnsetType:
    sectors = read_whole(f"{folder}/size")
    return UNSET if sectors is None else sectors * _SECTOR_BYTES


def _leading(text: str | None) -> int | None:
    """Return the number at the beginning: while an array is reshaped, the one before stands behind it."""
    found = re.match(r"\d+", text or "")
    return int(found[0]) if found else None


def _hex(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def _sum(errors: dict[str, int], names: tuple[str, ...]) -> int | UnsetType:
    counted = [errors[name] for name in names if name in errors]
    return sum(counted) if counted else UNSET
