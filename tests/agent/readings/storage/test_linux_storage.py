import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import UNSET

from fleetglass.agent.readings.storage.linux_storage import read_btrfs, read_flash, read_md_arrays
from fleetglass.wire.payloads import StorageArray, StorageDisk

UUID = "0f2d9a3e-3a55-4c1b-9a86-1d7b6a3f0c11"


def every(_: str) -> bool:
    return True


def write(root: Path, folder: str, **files: str) -> None:
    for name, text in files.items():
        path = root / folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def mirror(root: Path, name: str = "md0", **files: str) -> None:
    healthy = {
        "array_state": "clean",
        "level": "raid1",
        "raid_disks": "2",
        "degraded": "0",
        "sync_action": "idle",
        "sync_completed": "none",
        "metadata_version": "1.2",
        "dev-sda1__errors": "0",
        "dev-sdb1__errors": "3",
    }
    write(root, f"sys/block/{name}", size="2048")
    write(root, f"sys/block/{name}/md", **healthy | files)


def test_a_healthy_mirror(tmp_path: Path) -> None:
    """State, devices and the errors that its devices had; nothing runs."""
    mirror(tmp_path)
    assert read_md_arrays(tmp_path, every) == {
        "md0": StorageArray(
            type="md",
            level="raid1",
            health="ok",
            state="clean",
            devices=2,
            degraded_devices=0,
            size_bytes=1048576,
            read_errors=3,
        )
    }
    assert read_md_arrays(tmp_path, lambda name: name != "md0") == {}
    assert read_md_arrays(tmp_path / "nothing", every) == {}


@pytest.mark.parametrize(
    ("files", "health"),
    [
        ({"degraded": "1"}, "degraded"),
        ({"degraded": "2"}, "failed"),
        ({"level": "raid5", "raid_disks": "4", "degraded": "1"}, "degraded"),
        ({"level": "raid5", "raid_disks": "4", "degraded": "2"}, "failed"),
        ({"level": "raid6", "raid_disks": "6", "degraded": "2"}, "degraded"),
        ({"level": "raid10", "raid_disks": "4", "degraded": "2"}, "degraded"),
        ({"array_state": "inactive"}, "failed"),
        ({"level": "raid0", "array_state": "broken"}, "failed"),
        ({"array_state": "read-auto"}, "ok"),
    ],
)
def test_arrays_that_lack_devices(tmp_path: Path, files: dict[str, str], health: str) -> None:
    """One that lacks more than its level can do without has failed."""
    mirror(tmp_path, **files)
    assert read_md_arrays(tmp_path, every)["md0"].health == health


def test_an_array_that_is_rebuilt(tmp_path: Path) -> None:
    """Action and share done; one that waits for another array is delayed. Raid_disks may name two numbers."""
    mirror(tmp_path, degraded="1", sync_action="recover", sync_completed="1000 / 8000")
    mirror(tmp_path, "md1", sync_action="check", sync_completed="delayed", raid_disks="5 (4)")
    arrays = read_md_arrays(tmp_path, every)
    assert (arrays["md0"].sync_action, arrays["md0"].sync_percent) == ("recover", 12.5)
    assert (arrays["md1"].sync_action, arrays["md1"].sync_percent) == ("check", UNSET)
    assert arrays["md1"].devices == 5


def test_what_is_no_array(tmp_path: Path) -> None:
    """The container of a firmware's RAID, which is never active, and an array that was stopped."""
    mirror(tmp_path, "md127", metadata_version="external:imsm", array_state="inactive", level="")
    mirror(tmp_path, "md126", metadata_version="external:/md127/0")
    mirror(tmp_path, "md0", array_state="clear")
    assert read_md_arrays(tmp_path, every).keys() == {"md126"}


def test_a_stripe_has_nothing_to_lack(tmp_path: Path) -> None:
    """The kernel has no such files for it."""
    write(tmp_path, "sys/block/md_data/md", array_state="active", level="raid0", raid_disks="2")
    array = read_md_arrays(tmp_path, every)["md_data"]
    assert (array.health, array.degraded_devices, array.read_errors) == ("ok", UNSET, UNSET)


def errors(**more: int) -> str:
    names = ("write_errs", "read_errs", "flush_errs", "corruption_errs", "generation_errs")
    return "\n".join(f"{name} {more.get(name, 0)}" for name in names)


def test_btrfs(tmp_path: Path) -> None:
    """Errors of all devices; flushes belong to writes. A missing device makes it degraded."""
    folder = f"sys/fs/btrfs/{UUID}"
    write(tmp_path, folder, label="data")
    write(tmp_path, f"{folder}/devinfo/1", missing="0", error_stats=errors(read_errs=2, write_errs=1))
    write(tmp_path, f"{folder}/devinfo/2", missing="1", error_stats=errors(flush_errs=4, corruption_errs=5))
    write(tmp_path, "sys/fs/btrfs/features", raid1c34="0")
    assert read_btrfs(tmp_path, every) == {
        "btrfs/data": StorageArray(
            type="btrfs",
            health="degraded",
            state="degraded",
            devices=2,
            degraded_devices=1,
            read_errors=2,
            write_errors=5,
            checksum_errors=5,
        )
    }
    assert read_btrfs(tmp_path, lambda name: name != "btrfs/data") == {}


def test_btrfs_of_older_kernels(tmp_path: Path) -> None:
    """What they do not tell is absent, and a filesystem without a label has the beginning of its id."""
    write(tmp_path, f"sys/fs/btrfs/{UUID}", label="", devices__sda1__dev="8:1")
    assert read_btrfs(tmp_path, every) == {"btrfs/0f2d9a3e": StorageArray(type="btrfs", devices=1)}
    write(tmp_path, f"sys/fs/btrfs/{UUID}", devinfo__1__missing="0")
    array = read_btrfs(tmp_path, every)["btrfs/0f2d9a3e"]
    assert (array.health, array.degraded_devices, array.read_errors) == ("ok", 0, UNSET)


def test_two_filesystems_of_one_label(tmp_path: Path) -> None:
    """The second has its id."""
    other = UUID.replace("0f2d9a3e", "1f2d9a3e")
    for uuid in (UUID, other):
        write(tmp_path, f"sys/fs/btrfs/{uuid}", label="data", devinfo__1__missing="0")
    assert read_btrfs(tmp_path, every).keys() == {"btrfs/data", "btrfs/1f2d9a3e"}


@pytest.mark.parametrize(
    ("life_time", "pre_eol_info", "wear", "warnings"),
    [
        ("0x01 0x01", "0x01", 10.0, UNSET),
        ("0x02 0x04", "0x02", 40.0, ["spare-low"]),
        ("0x0A 0x01", "0x03", 100.0, ["spare-urgent"]),
        ("0x0b 0x0b", "0x01", 100.0, ["worn-out"]),
        ("0x00 0x00", "0x01", UNSET, UNSET),
    ],
)
def test_emmc(tmp_path: Path, life_time: str, pre_eol_info: str, wear: object, warnings: object) -> None:
    """The worse of its two memories, of each step of a tenth the upper end; an undefined step is absent."""
    folder = "sys/block/mmcblk0"
    write(tmp_path, folder, size="2048", device__type="MMC", device__name="G1M15L")
    write(tmp_path, f"{folder}/device", life_time=life_time, pre_eol_info=pre_eol_info)
    write(tmp_path, "sys/block/mmcblk0boot0", size="8", device__type="MMC")
    assert read_flash(tmp_path, every) == {
        "mmcblk0": StorageDisk(
            state="active",
            kind="emmc",
            model="G1M15L",
            size_bytes=1048576,
            wear_percent=wear,  # type: ignore[arg-type]
            warnings=warnings,  # type: ignore[arg-type]
        )
    }


def test_an_sd_card_says_nothing_of_its_wear(tmp_path: Path) -> None:
    """It is told as what it is; so is an eMMC too old to know."""
    write(tmp_path, "sys/block/mmcblk1", size="2048", device__type="SD", device__name="SC32G")
    write(tmp_path, "sys/block/mmcblk2", device__type="MMC", device__life_time="0x00 0x00")
    cards = read_flash(tmp_path, every)
    assert (cards["mmcblk1"].kind, cards["mmcblk1"].state) == ("sd", "unsupported")
    assert (cards["mmcblk2"].kind, cards["mmcblk2"].state) == ("emmc", "unsupported")
    assert cards["mmcblk1"].wear_percent is UNSET


def may_mount_btrfs() -> bool:
    return (
        sys.platform == "linux"
        and os.geteuid() == 0
        and "btrfs" in Path("/proc/filesystems").read_text()
        and all(map(shutil.which, ("mkfs.btrfs", "losetup", "mount")))
        and subprocess.run(["losetup", "--find"], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture
def real_btrfs(tmp_path: Path) -> Iterator[str]:
    """Mount a real btrfs of two devices, and return its label."""
    label = f"test{os.getpid()}"
    loops = []
    for name in ("one", "two"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(256 * 2**20)
        made = ["losetup", "--find", "--show", str(tmp_path / name)]
        loops.append(subprocess.run(made, capture_output=True, text=True, check=True).stdout.strip())
    mount = tmp_path / "mount"
    mount.mkdir()
    try:
        subprocess.run(["mkfs.btrfs", "-q", "-L", label, "-d", "raid1", *loops], check=True)
        subprocess.run(["mount", "-t", "btrfs", loops[0], str(mount)], check=True)
        yield label
        subprocess.run(["umount", str(mount)], check=True)
    finally:
        for loop in loops:
            subprocess.run(["losetup", "-d", loop], check=False)


@pytest.mark.skipif(not may_mount_btrfs(), reason="needs root, btrfs and loop devices")
def test_a_real_btrfs(real_btrfs: str) -> None:
    """The kernel of this machine tells what the fixtures tell."""
    array = read_btrfs(Path("/"), every)[f"btrfs/{real_btrfs}"]
    assert (array.health, array.devices, array.degraded_devices) == ("ok", 2, 0)
    assert (array.read_errors, array.write_errors, array.checksum_errors) == (0, 0, 0)
