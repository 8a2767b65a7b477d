from typing import Any

import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.filesystem import FilesystemCollector, mount_use
from fleetglass.agent.readings.types import FilesystemReading, FilesystemsReading
from fleetglass.wire import encode
from fleetglass.wire.payloads import Filesystem, Mount


def reading(mount: str = "/", *, inodes: int | None = 1000) -> FilesystemReading:
    return FilesystemReading(
        mount,
        "/dev/sda1",
        "ext4",
        total=1000,
        free=400,
        available=350,
        inodes=inodes,
        free_inodes=900 if inodes else None,
    )


def test_the_percentage_leaves_out_the_reserve_of_root() -> None:
    """600 used of the 950 that users can fill are 63.2 %, as df shows it."""
    message = mount_use(reading())
    assert message.used_bytes == 600
    assert message.free_bytes == 350
    assert message.used_percent == 63.2
    assert message.inodes_percent == 10.0


def test_a_filesystem_without_inodes_has_no_share_of_them() -> None:
    """Filesystems such as btrfs and vfat count no inodes."""
    assert mount_use(reading(inodes=None)).inodes_percent is UNSET


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"free": 2**64 - 4096}, {"used_bytes", "used_percent"}),
        ({"free": 1001}, {"used_bytes", "used_percent"}),
        ({"available": (2**64 - 2) * 4096}, {"free_bytes", "used_percent"}),
        ({"available": -4096}, {"free_bytes", "used_percent"}),
        ({"free_inodes": 2**64 - 1}, {"inodes_percent"}),
        ({"total": (2**64 - 1) * 4096}, {"total_bytes", "used_bytes", "free_bytes", "used_percent"}),
    ],
)
def test_a_number_that_went_below_zero_is_absent(change: dict[str, Any], absent: set[str]) -> None:
    """FUSE, NFS, FAT and damaged filesystems tell such numbers; the others are told, and the message fits."""
    message = mount_use(reading()._replace(**change))
    assert {name for name in Mount.__struct_fields__ if getattr(message, name) is UNSET} == absent
    assert encode(message)


def test_filesystems_are_keyed_by_mount_point() -> None:
    """Every mount has its entry, and a host without any has no message."""
    collector = FilesystemCollector(lambda: FilesystemsReading([reading("/"), reading("/home")], []))
    message = collector.collect(1.0, 1)
    assert isinstance(message, Filesystem)
    assert list(message.mounts) == ["/", "/home"]
    assert FilesystemCollector(lambda: FilesystemsReading([], [])).collect(1.0, 1) is None


def test_a_silent_filesystem_is_named() -> None:
    """What does not answer is absent and named; the others are told all the same."""
    found = FilesystemCollector(lambda: FilesystemsReading([reading("/")], ["/mnt/nas"])).collect(1.0, 1)
    assert isinstance(found, Partial)
    assert isinstance(found.message, Filesystem)
    assert list(found.message.mounts) == ["/"]
    assert found.reason == "no answer from /mnt/nas"
