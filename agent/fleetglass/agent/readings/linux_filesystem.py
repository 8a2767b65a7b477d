"""Readings of mounted filesystems (proc_pid_mountinfo(5), statvfs(3))."""

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from fleetglass.agent.readings.files import read_file
from fleetglass.agent.readings.types import FilesystemReading, FilesystemsReading, printable

# Memory, the kernel's own, and images, which are always full. Asking an autofs would mount it.
_WITHOUT_DATA = frozenset(
    (  # noqa: SIM905 - a list would take forty lines
        "autofs bdev binder binfmt_misc bpf cgroup cgroup2 configfs cpuset cramfs debugfs devpts devtmpfs"
        " efivarfs erofs fuse.gvfsd-fuse fuse.lxcfs fuse.portal fuse.snapfuse fusectl hugetlbfs iso9660"
        " mqueue nsfs overlay pipefs proc pstore ramfs rootfs romfs rpc_pipefs securityfs selinuxfs sockfs"
        " squashfs sysfs tmpfs tracefs udf"
    ).split()
)
# These wait for another machine or another process, possibly for ever.
_REMOTE = re.compile(
    r"(nfs|nfs4|cifs|smb3|smbfs|9p|afs|ceph|coda|glusterfs|lustre|beegfs|gfs2|ocfs2|orangefs|virtiofs|vboxsf"
    r"|davfs|fuse.*)\Z"
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")
_PATIENCE_SECONDS = 0.1
_AT_ONCE = 16
_MAX_HUNG = 64


class Mounted(NamedTuple):
    """One line of `mountinfo`. `superblock` is the same for every mount of one filesystem."""

    superblock: str
    subtree: str
    mount: str
    type: str
    device: str


class FilesystemReader:
    """Asks every filesystem for its sizes, on threads of their own.

    Those that may wait for another machine are asked 16 at once, the others one after another. One that
    does not answer in time is named, and not asked again until its thread has come back from it. While 64
    threads wait like that, no other machine is asked.
    """

    def __init__(
        self,
        root: str = "",
        *,
        statvfs: Callable[[str], "os.statvfs_result"] | None = None,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._root = root
        self._statvfs = statvfs or os.statvfs
        self._patience = patience
        processes = ("1", "self") if root else ("self",)
        self._mountinfo = [f"{root}/proc/{process}/mountinfo" for process in processes]
        self._hung: list[_Round] = []

    def __call__(self) -> FilesystemsReading:
        """Return the filesystems that answered, in the order of their mount points."""
        self._hung = [one for one in self._hung if not one.done.is_set()]
        silent = {one.asking for one in self._hung if one.asking}
        waiting = [mounts for mounts in filesystems_of(self._mounts()) if mounts[0].mount not in silent]
        found: dict[str, FilesystemReading] = {}
        while waiting:
            rounds = [_Round(batch, self._first) for batch in self._batches(waiting)]
            until = time.monotonic() + self._patience
            waiting = []
            for one in rounds:
                if not one.done.wait(max(until - time.monotonic(), 0)):
                    waiting += one.leave()
                    self._hung.append(one)
                    if one.asking:  # else this machine is too busy to have begun
                        silent.add(one.asking)
                found |= {filesystem.mount: filesystem for filesystem in one.found}
        return FilesystemsReading(
            sorted(found.values(), key=lambda one: one.mount), sorted(map(printable, silent))
        )

    def _batches(self, filesystems: list[list[Mounted]]) -> list[list[list[Mounted]]]:
        """Return what is to be asked at the same time; each batch, one after another."""
        remote = [mounts for mounts in filesystems if _REMOTE.match(mounts[0].type)]
        local = [mounts for mounts in filesystems if not _REMOTE.match(mounts[0].type)]
        dealt = [remote[first::_AT_ONCE] for first in range(_AT_ONCE)] if len(self._hung) < _MAX_HUNG else []
        return [batch for batch in (local, *dealt) if batch]

    def _mounts(self) -> list[Mounted]:
        for path in self._mountinfo[:-1]:
            try:
                return parse_mountinfo(read_file(path))
            except OSError:
                continue  # the first process may be hidden
        return parse_mountinfo(read_file(self._mountinfo[-1]))

    def _first(self, mounts: Iterable[Mounted]) -> FilesystemReading | None:
        """Ask a filesystem at its first mount that is a folder: containers have single files mounted."""
        for one in mounts:
            if os.path.isdir(self._root + one.mount):  # noqa: PTH112 -- one stat
                return self._ask(one)
        return None

    def _ask(self, mounted: Mounted) -> FilesystemReading | None:
        try:
            stat = self._statvfs(self._root + mounted.mount)
        except OSError:
            return None  # unmounted meanwhile, or not ours to see
        if not stat.f_blocks:
            return None
        return FilesystemReading(
            mount=printable(mounted.mount),
            device=printable(mounted.device),
            type=mounted.type,
            total=stat.f_blocks * stat.f_frsize,
            free=stat.f_bfree * stat.f_frsize,
            available=stat.f_bavail * stat.f_frsize,
            inodes=stat.f_files or None,
            free_inodes=stat.f_ffree if stat.f_files else None,
        )


def parse_mountinfo(text: bytes) -> list[Mounted]:
    """Return every mount in the order of the text; of several at one mount point, the topmost."""
    mounts: dict[str, Mounted] = {}
    for line in text.splitlines():
        mount, _, source = line.partition(b" - ")
        fields, sources = mount.split(b" "), source.split(b" ")
        if len(fields) < 6 or len(sources) < 2:
            continue
        superblock, subtree, point, kind, device = (
            os.fsdecode(_ESCAPE.sub(_unescaped, field)) for field in (*fields[2:5], *sources[:2])
        )
        mounts.pop(point, None)
        mounts[point] = Mounted(superblock, subtree, point, kind, device)
    return list(mounts.values())


def filesystems_of(mounts: Iterable[Mounted]) -> list[list[Mounted]]:
    """Return the mounts of each filesystem that holds data, the whole and shortest first.

    As `df` does, a filesystem is told once, however often it is mounted. The root is told in any case.
    """
    found: dict[str, list[Mounted]] = {}
    for one in mounts:
        if one.type not in _WITHOUT_DATA or one.mount == "/":
            found.setdefault(one.superblock, []).append(one)
    return [
        sorted(same, key=lambda one: (one.mount != "/", one.subtree != "/", len(one.mount)))
        for same in found.values()
    ]


class _Round:
    """Filesystems being asked one after another on a thread of its own."""

    def __init__(
        self,
        filesystems: Sequence[list[Mounted]],
        ask: Callable[[list[Mounted]], FilesystemReading | None],
    ) -> None:
        self.found: list[FilesystemReading] = []
        self.asking = ""
        """Mount point of the filesystem that is being asked."""
        self.done = threading.Event()
        self._waiting = deque(filesystems)
        self._ask = ask
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="fleetglass-mounts", daemon=True).start()

    def leave(self) -> list[list[Mounted]]:
        """Return what it has not asked yet, and let it end when it comes back from where it is."""
        with self._lock:
            left = list(self._waiting)
            self._waiting.clear()
        return left

    def _run(self) -> None:
        try:
            while (mounts := self._next()) is not None:
                answer = self._ask(mounts)
                if answer is not None:
                    self.found.append(answer)
        finally:
            self.done.set()

    def _next(self) -> list[Mounted] | None:
        with self._lock:
            if not self._waiting:
                return None
            mounts = self._waiting.popleft()
            self.asking = mounts[0].mount
            return mounts


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8) & 0xFF])
