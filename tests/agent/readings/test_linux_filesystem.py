import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_filesystem import FilesystemReader, filesystems_of, parse_mountinfo

MOUNTINFO = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
28 27 8:2 /srv/data /data rw,relatime shared:1 - ext4 /dev/sda2 rw
29 27 8:3 /var/lib/docker/hostname /etc/hostname rw - ext4 /dev/sda3 rw
30 27 8:3 / /with\040space rw,relatime - ext4 /dev/sda3 rw
31 27 0:31 / /run rw,nosuid - tmpfs tmpfs rw
32 27 0:40 / /mnt/nas rw,relatime - autofs systemd-1 rw
33 32 0:41 / /mnt/nas rw,relatime shared:9 - nfs4 nas:/export rw,vers=4.2
34 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
35 27 0:52 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
"""


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Give what a hanging mount waits for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


def made(tmp_path: Path, mountinfo: bytes = MOUNTINFO) -> str:
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/mountinfo").write_bytes(mountinfo)
    for folder in ("data", "with space", "mnt/nas"):
        (tmp_path / folder).mkdir(parents=True)
    return str(tmp_path)


def test_each_filesystem_is_told_once(tmp_path: Path) -> None:
    """As df does: once, at the root or its whole; no memory, image, overlay; network ones too."""
    found = FilesystemReader(made(tmp_path), patience=20)()
    assert [(one.mount, one.device, one.type) for one in found.filesystems] == [
        ("/", "/dev/sda2", "ext4"),
        ("/mnt/nas", "nas:/export", "nfs4"),
        ("/with space", "/dev/sda3", "ext4"),
    ]
    assert found.silent == []


def test_a_single_file_is_no_mount(tmp_path: Path) -> None:
    """Containers have single files of a disk of the host mounted: they are not told."""
    root = made(tmp_path, MOUNTINFO.replace(b"/with\\040space", b"/etc/hosts"))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").touch()
    found = FilesystemReader(root, patience=20)()
    assert [one.mount for one in found.filesystems] == ["/", "/mnt/nas"]


def test_the_root_is_told_whatever_it_is() -> None:
    """A container's root is an overlay, a live system's in memory."""
    mounts = parse_mountinfo(b"1 0 0:30 / / rw - overlay overlay rw\n2 1 0:31 / /tmp rw - tmpfs tmpfs rw\n")
    assert [same[0].mount for same in filesystems_of(mounts)] == ["/"]


def test_a_mount_that_vanishes_is_left_out(tmp_path: Path) -> None:
    """A filesystem that cannot be asked, or has no blocks, does not cost the others."""

    def refuse(path: str) -> os.statvfs_result:
        if path.endswith("nas"):
            raise OSError(116, "Stale file handle")
        if path.endswith("space"):
            return os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
        return os.statvfs(path)

    found = FilesystemReader(made(tmp_path), statvfs=refuse, patience=20)()
    assert [one.mount for one in found.filesystems] == ["/"]
    assert found.silent == []


@pytest.mark.parametrize("name", ["nas", "space"])
def test_a_hung_mount_costs_only_itself(tmp_path: Path, release: threading.Event, name: str) -> None:
    """It is named, one thread waits for it however often it is due, and it is told again when it answers."""
    asked = []

    def hang(path: str) -> os.statvfs_result:
        if path.endswith(name):
            asked.append(path)
            assert release.wait(20)
        return os.statvfs(path)

    reader = FilesystemReader(made(tmp_path), statvfs=hang, patience=1.0)
    everything = {"/", "/with space", "/mnt/nas"}
    for _ in range(3):
        found = reader()
        [silent] = found.silent
        assert silent.endswith(name)
        assert {one.mount for one in found.filesystems} == everything - {silent}
    assert len(asked) == 1
    release.set()
    wait_for(lambda: not reader().silent, "the mount answers")
    assert {one.mount for one in reader().filesystems} == everything


def test_hundreds_of_hung_mounts_take_no_hundreds_of_threads(
    tmp_path: Path, release: threading.Event
) -> None:
    """When a server of very many mounts is gone, some threads wait for it, and local ones are told."""
    lines = [b"1 0 8:2 / / rw - ext4 /dev/sda2 rw"]
    for number in range(300):
        (tmp_path / f"mnt{number}").mkdir()
        lines.append(b"%d 1 0:%d / /mnt%d rw - nfs4 nas:/x rw" % (number, number + 50, number))

    def hang(path: str) -> os.statvfs_result:
        if "mnt" in path:
            assert release.wait(60)
        return os.statvfs(path)

    before = threading.active_count()
    reader = FilesystemReader(made(tmp_path, b"\n".join(lines)), statvfs=hang, patience=0.5)
    for _ in range(2):
        found = reader()
        assert [one.mount for one in found.filesystems] == ["/"]
        assert 64 <= len(found.silent) < 100
        assert threading.active_count() - before < 100
    release.set()
    wait_for(lambda: len(reader().filesystems) == 301, "every mount")


def test_the_root_is_told_on_the_real_host() -> None:
    """Whatever carries the root, its size is known, and inodes where it counts them."""
    root = next(one for one in FilesystemReader()().filesystems if one.mount == "/")
    assert root.total >= root.free >= root.available > 0


def test_a_hidden_first_process_leaves_the_own_mounts(tmp_path: Path) -> None:
    """Where the first process may not be seen, the mounts of the agent's own are read."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_bytes(MOUNTINFO)
    assert [one.mount for one in FilesystemReader(str(tmp_path), patience=20)().filesystems] == ["/"]


@given(st.binary())
def test_no_text_can_harm(text: bytes) -> None:
    """Whatever `mountinfo` holds, the mounts that make sense are found."""
    mounts = parse_mountinfo(text + b"\n1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert mounts[-1][1:] == ("/", "/", "ext4", "/dev/sda1")
