"""Readings of mounted filesystems (proc_pid_mountinfo(5), statvfs(3))."""

import os
import re
import stat as modes
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from fleetglass.agent.readings.files import read_file, read_whole
from fleetglass.agent.readings.mounts import is_full_image, is_image, is_out_of_reach, is_read_only
from fleetglass.agent.readings.types import FilesystemReading, FilesystemsReading, printable
from fleetglass.agent.selection import EVERYTHING, Selection

# Memory, and the kernel's own. Asking an autofs would mount it.
_WITHOUT_DATA = frozenset(
    (  # noqa: SIM905 - a list would take forty lines
        "autofs bdev binder binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devpts devtmpfs efivarfs"
        " fuse.gvfsd-fuse fuse.lxcfs fuse.portal fusectl hugetlbfs mqueue nsfs pipefs proc pstore ramfs"
        " rootfs rpc_pipefs securityfs selinuxfs sockfs sysfs tmpfs tracefs"
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
    """One line of `mountinfo`. `superblock` and `options` are the same for every mount of one filesystem."""

    superblock: str
    subtree: str
    mount: str
    type: str
    device: str
    options: str


class FilesystemReader:
    """Asks every filesystem for its sizes, on threads of their own.

    Those that may wait for another machine are asked 16 at once, the others one after another. One that
    does not answer in time is named, and not asked again until its thread has come back from it; one that
    answers with an error of its own is named as well. While 64 threads wait like that, no other machine is
    asked.
    """

    def __init__(
        self,
        root: str = "",
        *,
        selection: Selection = EVERYTHING,
        stat: Callable[[str], os.stat_result] = os.stat,
        statvfs: Callable[[str], "os.statvfs_result"] | None = None,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._root = root
        self._selection = selection
        self._stat = stat
        self._statvfs = statvfs or os.statvfs
        self._patience = patience
        processes = ("1", "self") if root else ("self",)
        self._mountinfo = [f"{root}/proc/{process}/mountinfo" for process in processes]
        self._hung: list[_Round] = []

    def __call__(self) -> FilesystemsReading:
        """Return the filesystems that answered, in the order of their mount points."""
        self._hung = [one for one in self._hung if not one.done.is_set()]
        silent = {one.asking for one in self._hung if one.asking}
        filesystems = filesystems_of(self._mounts(), self._selection)
        waiting = [mounts for mounts in filesystems if mounts[0].mount not in silent]
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
                silent.update(one.failed)
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
        """Ask a filesystem at its first mount that is a folder: containers have single files mounted.

        Raises:
            OSError: it answers with an error of its own.
        """
        failure: OSError | None = None
        for one in mounts:
            path = f"{self._root}{one.mount}".rstrip("/") or "/"
            try:
                if self._is_at(path, one):
                    return self._ask(path, one)
            except OSError as error:
                if is_out_of_reach(error):
                    failure = error
        if failure is not None:
            raise failure
        return None

    def _is_at(self, path: str, mounted: Mounted) -> bool:
        """Return whether a folder is what `mountinfo` says.

        A later mount may cover it, and mounts of a host may not reach the container that reads them.
        """
        found = self._stat(path)
        if not modes.S_ISDIR(found.st_mode):
            return False
        if path == "/" or f"{os.major(found.st_dev)}:{os.minor(found.st_dev)}" == mounted.superblock:
            return True
        if mounted.type != "btrfs" and not mounted.superblock.startswith("0:"):
            return False
        # Each subvolume of btrfs has a number of its own, which mountinfo does not tell; so may others that
        # have no device. That something is mounted here has to be enough.
        return found.st_dev != self._stat(os.path.dirname(path)).st_dev  # noqa: PTH120 -- as above

    def _ask(self, path: str, mounted: Mounted) -> FilesystemReading | None:
        if _is_image(mounted):
            return None
        if is_read_only(mounted.options) and self._has_read_only_device(mounted):
            return None
        stat = self._statvfs(path)
        if not stat.f_blocks or is_full_image(
            kind=mounted.type, options=mounted.options, free_blocks=stat.f_bfree
        ):
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

    def _has_read_only_device(self, mounted: Mounted) -> bool:
        """Return whether the device below refuses writing, as do a disc, and a system that is verified."""
        number = mounted.superblock
        if number.startswith("0:"):
            if not mounted.device.startswith("/dev/"):
                return False
            try:
                device = self._stat(self._root + mounted.device).st_rdev
            except OSError:
                return False
            number = f"{os.major(device)}:{os.minor(device)}"
        return read_whole(f"{self._root}/sys/dev/block/{number}/ro") == 1


def parse_mountinfo(text: bytes) -> list[Mounted]:
    """Return every mount in the order of the text; of several at one mount point, the topmost."""
    mounts: dict[str, Mounted] = {}
    for line in text.split(b"\n"):  # any other byte may stand in a name
        mount, _, source = line.partition(b" - ")
        fields, sources = mount.split(b" "), source.split(b" ")
        if len(fields) < 6 or len(sources) < 2:
            continue
        superblock, subtree, point, kind, device, options = (
            os.fsdecode(_ESCAPE.sub(_unescaped, field))
            for field in (*fields[2:5], *sources[:2], b",".join(sources[2:]))
        )
        mounts.pop(point, None)
        mounts[point] = Mounted(superblock, subtree, point, kind, device, options)
    return list(mounts.values())


def filesystems_of(mounts: Iterable[Mounted], selection: Selection = EVERYTHING) -> list[list[Mounted]]:
    """Return the mounts of each filesystem that holds data and is selected, the whole and shortest first.

    As `df` does, a filesystem is told once, however often it is mounted. The root is told even where it is
    in memory.
    """
    found: dict[str, list[Mounted]] = {}
    for one in mounts:
        if one.type in _WITHOUT_DATA and one.mount != "/":
            continue
        if _is_image(one) and not one.type.startswith("fuse"):  # a program that ended is told all the same
            continue
        if selection.takes(printable(one.mount), one.type):
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
        self.failed: list[str] = []
        """Mount points of filesystems that answered with an error."""
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
                try:
                    answer = self._ask(mounts)
                except OSError:
                    self.failed.append(mounts[0].mount)
                    continue
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


def _is_image(one: Mounted) -> bool:
    return is_image(kind=one.type, device=one.device, mount=one.mount, options=one.options)


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8) & 0xFF])
