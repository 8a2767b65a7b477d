import pytest

from fleetglass.agent.readings.block_devices import BlockDevice, device_by_name, summed_disks
from fleetglass.agent.readings.types import DiskCounters

USED = DiskCounters(1, 1, 512, 512, 0.0)
UNUSED = DiskCounters(0, 0, 0, 0, 0.0)


def summed(names: str, unused: str = "") -> str:
    """Return what is summed of some devices of which only the names are known."""
    found = names.split()
    counters = {name: UNUSED if name in unused.split() else USED for name in found}
    return " ".join(sorted(summed_disks({name: device_by_name(name, found) for name in found}, counters)))


@pytest.mark.parametrize(
    ("names", "disks"),
    [
        ("sda sda1 nvme0n1 nvme0n1p2 mmcblk0 mmcblk0p1", "mmcblk0 nvme0n1 sda"),
        ("cciss/c0d0 cciss/c0d0p1 cciss/c0d1", "cciss/c0d0 cciss/c0d1"),
        ("dasda dasda1 dasdb", "dasda dasdb"),
        ("mmcblk0 mmcblk0boot0 mmcblk0boot1 mmcblk0p1", "mmcblk0 mmcblk0boot0 mmcblk0boot1"),
        ("xvda1 vdb", "vdb xvda1"),  # only a partition is visible
        ("sda dm-0 dm-1 md127 md_d0 bcache0 drbd1 zd16 emcpowera loop3", "sda"),
        ("sda zram0 ram1", "sda"),
        ("nbd0 rbd0 rbd0p1 sda", "nbd0 rbd0 sda"),
        ("disk0 disk2", "disk0 disk2"),
        ("PhysicalDrive0", "PhysicalDrive0"),
        ("dm-5", "dm-5"),  # a container that sees nothing else
        ("loop7 zram0", "loop7"),
        ("zram0 ram0", ""),
        ("", ""),
    ],
)
def test_names_tell_which_are_disks(names: str, disks: str) -> None:
    """Partitions and what stands on disks is left out, unless the disk is not in the list."""
    assert summed(names) == disks


def test_paths_count_once() -> None:
    """Either the device of NVMe multipath counts, or its paths do, as they did in older kernels."""
    names = "nvme0n1 nvme0n1p1 nvme0c0n1 nvme0c1n1 nvme3n1 nvme3c5n1"
    assert summed(names) == "nvme0n1 nvme3n1"
    assert summed(names, unused="nvme0n1 nvme0n1p1") == "nvme0c0n1 nvme0c1n1 nvme3n1"
    assert summed("nvme0c0n1") == "nvme0c0n1"


def test_a_device_whose_disks_are_not_in_the_list_is_one_itself() -> None:
    """A container may see a volume, and not the disk of its host below."""
    on_sda = BlockDevice(below=frozenset(("sda2", "sda")))
    on_that = BlockDevice(below=frozenset(("dm-0", "sda2", "sda")))
    devices = {"dm-0": on_sda, "dm-1": on_that}
    assert summed_disks(devices, dict.fromkeys(devices, USED)) == {"dm-0"}
    devices["sda"] = BlockDevice()
    assert summed_disks(devices, dict.fromkeys(devices, USED)) == {"sda"}
