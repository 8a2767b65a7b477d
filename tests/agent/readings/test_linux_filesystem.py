import ast
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.frozen_mounts import mount_root, stat_as_mounted
from fleetglass.agent.selection import EVERYTHING, Selection
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_filesystem import (
        FilesystemReader,
        filesystems_of,
        parse_mountinfo,
    )

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


def reader(
    root: str,
    *,
    statvfs: Callable[[str], os.statvfs_result] = os.statvfs,
    patience: float = 20,
    selection: Selection = EVERYTHING,
) -> "FilesystemReader":
    return FilesystemReader(
        root, statvfs=statvfs, patience=patience, selection=selection, stat=stat_as_mounted(root)
    )


def mounts_of(mountinfo: bytes) -> list[str]:
    """Return the mount points at which filesystems are asked first."""
    return [same[0].mount for same in filesystems_of(parse_mountinfo(mountinfo))]


def test_each_filesystem_is_told_once(tmp_path: Path) -> None:
    """As df does: once, at the root or its whole; no memory, image, overlay; network ones too."""
    found = reader(made(tmp_path))()
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
    found = reader(root)()
    assert [one.mount for one in found.filesystems] == ["/", "/mnt/nas"]


def test_the_root_is_told_whatever_it_is() -> None:
    """A container's root is an overlay, a live system's in memory."""
    assert mounts_of(b"1 0 0:30 / / rw - overlay o rw,upperdir=/u\n2 1 0:31 / /tmp rw - tmpfs t rw\n") == [
        "/"
    ]
    assert mounts_of(b"1 0 0:30 / / rw - tmpfs tmpfs rw\n") == ["/"]


@pytest.mark.parametrize(
    "filesystem",
    [
        "squashfs /dev/root ro,errors=continue",
        "erofs /dev/mapper/system ro,cache_strategy=readaround",
        "iso9660 /dev/sr0 ro,nojoliet,blocksize=2048",
        "udf /dev/sr0 ro,iocharset=utf8",
        "cramfs /dev/mtdblock2 ro",
        "romfs /dev/mtdblock0 ro",
        "overlay composefs ro,seclabel,lowerdir=/run/ostree/lower::/sysroot/ostree/repo/objects",
        "overlay overlay ro,lowerdir=/a:/b",
        "fuse.nvim.appimage nvim.appimage ro,user_id=1000,group_id=1000",
        "fuse.Some\\040Name-2.1.AppImage Some\\040Name-2.1.AppImage ro,user_id=1000",
        "fuse.squashfuse_ll squashfuse_ll rw,user_id=0,group_id=0",
        "fuse.snapfuse snapfuse ro,user_id=0",
        "fuse.dwarfs dwarfs ro,user_id=0",
        "fuse.archivemount archivemount rw,user_id=0",
        "zfs tank/home@autosnap_2026-11-30 ro,xattr",
    ],
)
@pytest.mark.parametrize("mount", ["/", "/data"])
def test_an_image_is_no_news(tmp_path: Path, filesystem: str, mount: str) -> None:
    """What nobody can write to is always full: it is not asked, not even as the root."""
    asked = []

    def statvfs(path: str) -> os.statvfs_result:
        asked.append(path)
        return os.statvfs(path)

    root = made(tmp_path, f"1 0 0:99 / {mount} ro,relatime shared:1 - {filesystem}\n".encode())
    assert reader(root, statvfs=statvfs)() == ([], [])
    assert asked == []


@pytest.mark.parametrize(
    "line",
    [
        "/ rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/u,workdir=/w",
        "/ ro - overlay overlay rw,lowerdir=/a,upperdir=/u,workdir=/w",  # docker run --read-only
        "/ rw - overlay composefs rw,lowerdir=/a::/b,upperdir=/run/u,workdir=/run/w",  # a transient root
        "/ rw - overlay none rw",  # gVisor tells no layers
        "/ rw - fuse.fuse-overlayfs fuse-overlayfs rw,user_id=0",
        "/media/stick rw - udf /dev/sdb1 rw,utf8",
        "/tank rw - zfs tank/home rw,xattr",
        "/boot/efi ro - vfat /dev/sda1 ro,fmask=0077",
        "/mnt/nas rw - fuse.sshfs anna@nas:/export rw,user_id=1000",
        "/media/windows ro - fuseblk /dev/sdc2 ro,user_id=0,blksize=4096",
    ],
)
def test_what_can_be_filled_is_told(line: str) -> None:
    """The root of a container, a stick, a filesystem that is only mounted read-only."""
    mount, rest = line.split(" ", 1)
    assert mounts_of(f"1 0 0:99 / {mount} {rest}\n".encode()) == [mount]


@pytest.mark.parametrize(
    "filesystem",
    [
        "aufs none rw,si=1b2c",
        "overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c",
        "shiftfs /var/lib/lxd/rootfs rw,passthrough=3",
        "fuse.fuse-overlayfs fuse-overlayfs rw,user_id=1000",
        "nfs4 nas:/tank/.zfs/snapshot/daily ro,vers=4.2",
    ],
)
def test_a_view_of_another_filesystem_is_not_told(tmp_path: Path, filesystem: str) -> None:
    """What is below or behind it is told itself."""
    root = made(tmp_path, f"1 0 0:99 / /data rw - {filesystem}\n".encode())
    assert reader(root)() == ([], [])


@pytest.mark.parametrize(("options", "free", "is_told"), [("ro", 0, False), ("ro", 5, True), ("rw", 0, True)])
def test_an_unknown_fuse_image_is_told_by_its_numbers(
    tmp_path: Path, options: str, free: int, *, is_told: bool
) -> None:
    """A program of any name may serve an image: read-only, and without a free block."""
    root = made(tmp_path, f"1 0 0:60 / /data ro - fuse.Obsidian Obsidian {options},user_id=1000\n".encode())
    numbers = os.statvfs_result((4096, 4096, 100, free, free, 10, 0, 0, 0, 255))
    found = reader(root, statvfs=lambda _: numbers)()
    assert [one.mount for one in found.filesystems] == ["/data"] * is_told


@pytest.mark.parametrize(
    ("options", "read_only", "is_told"), [("ro", 1, False), ("ro", 0, True), ("rw", 1, True)]
)
@pytest.mark.parametrize("number", ["254:0", "0:33"])
def test_a_filesystem_on_a_read_only_device_is_an_image(
    tmp_path: Path, options: str, read_only: int, number: str, *, is_told: bool
) -> None:
    """A verified `/usr` is ext4 or btrfs, on a device that nobody can write to."""
    root = made(tmp_path, f"1 0 {number} / /data ro - btrfs /dev/mapper/usr {options}\n".encode())
    (tmp_path / "sys/dev/block/254:0").mkdir(parents=True)
    (tmp_path / "sys/dev/block/254:0/ro").write_text(f"{read_only}\n")
    (tmp_path / "dev/mapper").mkdir(parents=True)
    (tmp_path / "dev/mapper/usr").touch()

    def stat(path: str) -> os.stat_result:
        if path.endswith("/dev/mapper/usr"):
            return os.stat_result([*Path(path).stat()], {"st_rdev": os.makedev(254, 0)})
        return stat_as_mounted(root)(path)

    found = FilesystemReader(root, stat=stat, patience=20)()
    assert [one.mount for one in found.filesystems] == ["/data"] * is_told


def test_a_mount_of_another_is_left_out(tmp_path: Path) -> None:
    """A mount that is covered by a later one above it, or did not reach this container, has no numbers."""
    root = made(tmp_path)
    mount_root(tmp_path)
    found = FilesystemReader(root, patience=20)()
    assert [one.mount for one in found.filesystems] == ["/"]
    assert found.silent == []


@pytest.mark.parametrize(
    ("kind", "superblock", "of_folder", "is_told"),
    [
        ("btrfs", "0:33", (0, 34), True),  # a subvolume has a number of its own
        ("btrfs", "0:33", None, False),
        ("ext4", "8:17", (8, 18), False),
        ("xfs", "253:1", (0, 34), False),
        ("gpfs", "0:33", (0, 34), True),
        ("nfs4", "0:33", None, False),
        ("zfs", "0:33", None, False),
        ("zfs", "0:33", (0, 33), True),
    ],
)
def test_what_lies_there_is_what_mountinfo_tells(
    tmp_path: Path, kind: str, superblock: str, of_folder: tuple[int, int] | None, *, is_told: bool
) -> None:
    """Numbers without a device may differ; that of a device may not, and something must be mounted."""
    root = made(tmp_path, f"1 0 {superblock} / /data rw - {kind} /dev/x rw\n".encode())

    def stat(path: str) -> os.stat_result:
        found = list(Path(path).stat())
        if path.endswith("/data") and of_folder is not None:
            found[2] = os.makedev(*of_folder)
        return os.stat_result(found)

    found = FilesystemReader(root, stat=stat, patience=20)()
    assert [one.mount for one in found.filesystems] == ["/data"] * is_told


@pytest.mark.parametrize("kind", ["fuse.demo.AppImage", "fuse.sshfs", "fuse"])
def test_a_program_that_ended_is_named_whatever_it_served(tmp_path: Path, kind: str) -> None:
    """Its mount is in everybody's way, even where it was an image."""
    root = made(tmp_path, f"1 0 0:99 / /data rw - {kind} demo ro\n".encode())

    def stat(path: str) -> os.stat_result:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN), path)

    assert FilesystemReader(root, stat=stat, patience=20)() == ([], ["/data"])


@pytest.mark.parametrize("code", [errno.ENOTCONN, errno.ESTALE, errno.EIO, errno.EHOSTDOWN, errno.ETIMEDOUT])
@pytest.mark.parametrize("call", ["stat", "statvfs"])
def test_a_filesystem_that_answers_with_an_error_is_named(tmp_path: Path, code: int, call: str) -> None:
    """Its program ended, its server is gone, its disk failed: it is named until it answers again."""
    root = made(tmp_path)
    is_dead = True

    def refuse(path: str) -> None:
        if is_dead and path.endswith("nas"):
            raise OSError(code, os.strerror(code))

    def stat(path: str) -> os.stat_result:
        if call == "stat":
            refuse(path)
        return stat_as_mounted(root)(path)

    def statvfs(path: str) -> os.statvfs_result:
        refuse(path)
        return os.statvfs(path)

    ask = FilesystemReader(root, stat=stat, statvfs=statvfs, patience=20)
    found = ask()
    assert ([one.mount for one in found.filesystems], found.silent) == (["/", "/with space"], ["/mnt/nas"])
    is_dead = False
    found = ask()
    assert ([one.mount for one in found.filesystems], found.silent) == (["/", "/mnt/nas", "/with space"], [])


# Mounts what a program would serve, and ends it at once. What is asked is the real `mountinfo`.
_DEAD_MOUNT = """
import ctypes, os, sys
from fleetglass.agent.readings.linux_filesystem import FilesystemReader
target = sys.argv[1].encode()
mount = ctypes.CDLL(None, use_errno=True).mount
program = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % program
if mount(b"demo", target, b"fuse.demo", 0, options):
    sys.exit("refused")
os.close(program)
print(ascii(FilesystemReader(patience=20)().silent))
assert not mount(b"cover", os.path.dirname(target), b"tmpfs", 0, None)
print(ascii(FilesystemReader(patience=20)().silent))
"""


def test_a_mount_whose_program_ended_is_named_on_the_real_host(tmp_path: Path) -> None:
    """Whatever bytes are in its name; one that is covered by a later mount is not there at all."""
    target = tmp_path / "parent" / "a\rb\x1c"
    target.mkdir(parents=True)
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", _DEAD_MOUNT, str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and (
        "refused" in done.stderr or "unshare" in done.stderr or "/dev/fuse" in done.stderr
    ):
        pytest.skip("mounting is not permitted")
    before, covered = map(ast.literal_eval, done.stdout.splitlines())
    assert str(target) in before
    assert set(before) - set(covered) == {str(target)}


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EPERM, errno.EKEYEXPIRED])
def test_a_filesystem_of_somebody_else_is_left_out(tmp_path: Path, code: int) -> None:
    """What was unmounted meanwhile, or is not ours to see, is no trouble."""

    def stat(path: str) -> os.stat_result:
        raise OSError(code, os.strerror(code), path)

    assert FilesystemReader(made(tmp_path), stat=stat, patience=20)() == ([], [])


@pytest.mark.parametrize("name", ["a\rb", "a\x0bb", "a\x0cb", "a\x1cb", "a\x85b", "a\u2028b", "a\udcffb"])
def test_any_byte_may_stand_in_a_name(name: str) -> None:
    """Only space, tab, newline and backslash are written as numbers; no other byte ends a line."""
    line = b"1 0 8:17 / /mnt/" + os.fsencode(name) + b" rw - ext4 /dev/sdb1 rw\n"
    assert [one.mount for one in parse_mountinfo(line)] == [f"/mnt/{name}"]


def test_what_is_excluded_is_not_touched(tmp_path: Path) -> None:
    """By mount point or by type; a filesystem that is mounted elsewhere too is told there."""
    touched = []

    def statvfs(path: str) -> os.statvfs_result:
        touched.append(path.removeprefix(root))
        return os.statvfs(path)

    root = made(tmp_path)
    for selection, told in (
        (Selection(exclude=("/mnt/*", "/data")), ["/", "/with space"]),
        (Selection(exclude=("nfs*",)), ["/", "/with space"]),
        (Selection(exclude=("/",)), ["/data", "/mnt/nas", "/with space"]),
        (Selection(include=("ext4",)), ["/", "/with space"]),
        (Selection(include=("ext4", "/mnt/nas"), exclude=("/with*",)), ["/", "/mnt/nas"]),
    ):
        touched.clear()
        assert [one.mount for one in reader(root, statvfs=statvfs, selection=selection)().filesystems] == told
        assert sorted(path or "/" for path in touched) == told


def test_a_mount_that_vanishes_is_left_out(tmp_path: Path) -> None:
    """A filesystem that may not be asked, or has no blocks, does not cost the others."""

    def refuse(path: str) -> os.statvfs_result:
        if path.endswith("nas"):
            raise PermissionError(errno.EACCES, "Permission denied")
        if path.endswith("space"):
            return os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
        return os.statvfs(path)

    found = reader(made(tmp_path), statvfs=refuse)()
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

    ask = reader(made(tmp_path), statvfs=hang, patience=1.0)
    everything = {"/", "/with space", "/mnt/nas"}
    for _ in range(3):
        found = ask()
        [silent] = found.silent
        assert silent.endswith(name)
        assert {one.mount for one in found.filesystems} == everything - {silent}
    assert len(asked) == 1
    release.set()
    wait_for(lambda: not ask().silent, "the mount answers")
    assert {one.mount for one in ask().filesystems} == everything


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
    ask = reader(made(tmp_path, b"\n".join(lines)), statvfs=hang, patience=0.5)
    for _ in range(2):
        found = ask()
        assert [one.mount for one in found.filesystems] == ["/"]
        assert 64 <= len(found.silent) < 100
        assert threading.active_count() - before < 100
    release.set()
    wait_for(lambda: len(ask().filesystems) == 301, "every mount")


def test_the_root_is_told_on_the_real_host() -> None:
    """Whatever carries the root, its size is known, and inodes where it counts them."""
    root = next(one for one in FilesystemReader()().filesystems if one.mount == "/")
    assert root.total >= root.free >= root.available > 0


def test_a_hidden_first_process_leaves_the_own_mounts(tmp_path: Path) -> None:
    """Where the first process may not be seen, the mounts of the agent's own are read."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_bytes(MOUNTINFO)
    mount_root(tmp_path, "proc/self/mountinfo")
    assert [one.mount for one in FilesystemReader(str(tmp_path), patience=20)().filesystems] == ["/"]


@given(st.binary())
def test_no_text_can_harm(text: bytes) -> None:
    """Whatever `mountinfo` holds, the mounts that make sense are found."""
    mounts = parse_mountinfo(text + b"\n1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert mounts[-1][1:] == ("/", "/", "ext4", "/dev/sda1", "rw")
