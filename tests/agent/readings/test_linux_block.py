"""Trees of `/sys/block` as kernels make them, with the links between their folders."""

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from fleetglass.agent.readings.types import DiskCounters

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_block import BlockDevices

USED = DiskCounters(9, 9, 4608, 4608, 0.1)


class Tree:
    """A `/sys` to which devices are added from the bottom up."""

    def __init__(self, sys: Path) -> None:
        self.sys = sys
        for folder in ("block", "class/block"):
            (sys / folder).mkdir(parents=True)

    def disk(self, name: str, *, bus: str = "pci0000:00", hidden: bool = False) -> None:
        """Add a disk of some hardware."""
        folder = self._add(name, f"devices/{bus}/block/{name}")
        (folder / "device").symlink_to("../..")
        (folder / "hidden").write_text(f"{hidden:d}\n")
        (self.sys / "block" / folder.name).symlink_to(folder)

    def virtual(self, name: str, below: Iterable[str] = ()) -> None:
        """Add a device that stands on others."""
        folder = self._add(name, f"devices/virtual/block/{name}")
        (self.sys / "block" / folder.name).symlink_to(folder)
        for one in below:
            (folder / "slaves" / one).symlink_to(self.folder(one))

    def partitions(self, disk: str, *names: str) -> None:
        """Add partitions of a disk."""
        for number, name in enumerate(names, 1):
            folder = self._add(name, f"{self.folder(disk).relative_to(self.sys)}/{name}")
            (folder / "slaves").rmdir()
            (folder / "partition").write_text(f"{number}\n")

    def folder(self, name: str) -> Path:
        """Return where a device is."""
        return (self.sys / "class/block" / name.replace("/", "!")).resolve()

    def summed(self, *names: str, unused: str = "") -> set[str]:
        """Return what is summed of the devices that are in the list."""
        counters = {name: DiskCounters(0, 0, 0, 0, 0.0) if name == unused else USED for name in names}
        return set(BlockDevices(str(self.sys)).summed(1.0, counters))

    def _add(self, name: str, path: str) -> Path:
        folder = self.sys / path.replace(name, name.replace("/", "!"))
        (folder / "slaves").mkdir(parents=True)
        (self.sys / "class/block" / folder.name).symlink_to(folder)
        return folder


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Give an empty `/sys`."""
    return Tree(tmp_path)


def test_multipath_counts_its_paths(tree: Tree) -> None:
    """A request goes over one path, which is below the device with the partitions."""
    for name in ("sda", "sdb", "sdc"):
        tree.disk(name)
    tree.virtual("dm-0", ("sda", "sdb"))
    tree.virtual("dm-1", ("dm-0",))
    tree.virtual("dm-2", ("dm-1",))
    names = ("sda", "sdb", "sdc", "dm-0", "dm-1", "dm-2")
    assert tree.summed(*names) == {"sda", "sdb", "sdc"}
    assert tree.summed("dm-0", "dm-1", "dm-2") == {"dm-0"}
    assert tree.summed("dm-2", "sda", "sdb") == {"sda", "sdb"}


def test_raid_volumes_and_caches_stand_on_disks(tree: Tree) -> None:
    """On whole disks or on partitions of any name, told or not."""
    for disk in ("sda", "sdb", "nvme0n1"):
        tree.disk(disk)
    tree.partitions("sda", "sda1", "sda2")
    tree.partitions("sdb", "sdb1")
    tree.virtual("md127", ("sda1", "sdb1"))
    tree.partitions("md127", "md127p1")
    tree.virtual("bcache0", ("sda2", "nvme0n1"))
    tree.virtual("drbd5", ("md127p1",))
    names = ("sda", "sda1", "sda2", "sdb", "sdb1", "nvme0n1", "md127", "md127p1", "bcache0", "drbd5")
    assert tree.summed(*names) == {"sda", "sdb", "nvme0n1"}
    assert tree.summed("sda1", "sda2", "sdb1", "nvme0n1", "md127p1") == {"sda1", "sda2", "sdb1", "nvme0n1"}
    assert tree.summed("drbd5") == {"drbd5"}


def test_a_network_disk_has_nothing_below(tree: Tree) -> None:
    """It counts, and so does DRBD whose disk is on another machine."""
    for name in ("nbd0", "rbd0", "drbd0"):
        tree.virtual(name)
    tree.disk("sda")
    tree.virtual("dm-0", ("rbd0",))
    assert tree.summed("nbd0", "rbd0", "drbd0", "sda", "dm-0") == {"nbd0", "rbd0", "drbd0", "sda"}


def test_what_is_in_memory_or_in_a_file_is_no_disk(tree: Tree) -> None:
    """A volume of ZFS, a loop and a target such as `zero` do not tell what they stand on."""
    for name in ("zram0", "ram0", "loop0", "zd0", "dm-3"):
        tree.virtual(name)
    tree.partitions("zd0", "zd0p1")
    tree.partitions("loop0", "loop0p1")
    tree.disk("vda")
    names = ("zram0", "ram0", "loop0", "loop0p1", "zd0", "zd0p1", "dm-3", "vda")
    assert tree.summed(*names) == {"vda"}
    assert tree.summed("zram0", "loop0", "loop0p1") == {"loop0"}
    assert tree.summed("zram0", "ram0") == set()
    tree.virtual("dm-4", ("loop0",))
    tree.virtual("dm-5", ("zram0",))
    assert tree.summed("vda", "zd0p1", "dm-4", "dm-5") == {"vda"}
    assert tree.summed("dm-4", "dm-5") == {"dm-4"}


def test_hidden_paths_of_nvme(tree: Tree) -> None:
    """The device counts, or, in kernels in which it does not, its paths."""
    tree.virtual("nvme0n1")
    tree.partitions("nvme0n1", "nvme0n1p1")
    tree.virtual("dm-0", ("nvme0n1p1",))
    for path in ("nvme0c0n1", "nvme0c1n1"):
        tree.disk(path, hidden=True)
    names = ("nvme0n1", "nvme0n1p1", "dm-0", "nvme0c0n1", "nvme0c1n1")
    assert tree.summed(*names) == {"nvme0n1"}
    assert tree.summed(*names, unused="nvme0n1") == {"nvme0c0n1", "nvme0c1n1"}


def test_a_name_does_not_make_a_partition(tree: Tree) -> None:
    """Xen gives disks the names of partitions; a boot area of eMMC is not in the sum of its disk."""
    for disk in ("xvda", "xvda1", "mmcblk0", "mmcblk0boot0", "sr0", "cciss/c0d0", "ram0"):
        tree.disk(disk)
    tree.partitions("cciss/c0d0", "cciss/c0d0p1")
    tree.partitions("mmcblk0", "mmcblk0p1")
    names = ("xvda", "xvda1", "mmcblk0", "mmcblk0boot0", "sr0", "cciss/c0d0", "ram0")
    assert tree.summed(*names, "cciss/c0d0p1", "mmcblk0p1") == set(names)
    assert tree.summed("cciss/c0d0p1", "xvda") == {"cciss/c0d0p1", "xvda"}


def test_without_sysfs_names_are_all_there_is(tmp_path: Path) -> None:
    """What `/sys` lacks is told by its name, and the rest by `/sys`."""
    disks = BlockDevices(str(tmp_path / "none"))
    assert disks.summed(1.0, dict.fromkeys(("sda", "sda1", "dm-0"), USED)) == {"sda"}
    tree = Tree(tmp_path)
    tree.disk("xvda1")
    assert tree.summed("xvda", "xvda1", "xvda2") == {"xvda", "xvda1"}


def test_the_tree_is_read_when_devices_come_and_once_a_minute(tree: Tree) -> None:
    """A volume that moved to another disk is seen within a minute."""
    tree.disk("sda")
    tree.virtual("dm-0")
    disks = BlockDevices(str(tree.sys))
    counters = {"dm-0": USED}
    assert disks.summed(0.0, counters) == {"dm-0"}
    assert disks.summed(1.0, counters | {"sda": USED}) == {"sda"}
    tree.virtual("drbd0")
    assert disks.summed(2.0, counters | {"sda": USED, "drbd0": USED}) == {"sda", "drbd0"}
    (tree.folder("drbd0") / "slaves/dm-0").symlink_to(tree.folder("dm-0"))
    assert disks.summed(3.0, counters | {"sda": USED, "drbd0": USED}) == {"sda", "drbd0"}
    assert disks.summed(62.0, counters | {"sda": USED, "drbd0": USED}) == {"sda"}


def test_a_circle_ends(tree: Tree) -> None:
    """Whatever a copied tree holds, reading it comes to an end."""
    tree.virtual("dm-0")
    tree.virtual("dm-1", ("dm-0",))
    (tree.folder("dm-0") / "slaves/dm-1").symlink_to(tree.folder("dm-1"))
    assert tree.summed("dm-0", "dm-1") == set()
