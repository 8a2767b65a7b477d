"""The list of processes from `/proc`, at a third of what opening every `stat` at every turn would cost."""

import contextlib
import os
import time
from collections.abc import Callable

from fleetglass.agent.readings.files import read_file
from fleetglass.agent.readings.linux_process import parse_process, start_clock_now
from fleetglass.agent.readings.types import ProcessReading, ProcessStat

_MAX_DESCRIPTORS = 1024
_OTHER_DESCRIPTORS = 64  # connection, what else stays open, and what is opened for a moment
_CLOSED = -1
_LONGEST = 2048  # of both files
_NOT_COUNTED = b"0 0 0\n"  # the schedstat of kernels that keep none (kernel: scheduler/sched-stats.rst)
_TURNS_AWAKE = 3
_TURNS_ASLEEP = 12  # and up to twice as many, until its memory is read again: it may be swapped out


class ProcessList:
    """Reads every process of a host, and parses only those whose `stat` changed since the last time.

    The `stat` of a process stays open: reading it again costs a third of opening it, and it answers for
    this one process only, never for another that took over the pid. An open file costs the kernel some
    5 KiB, so there are at most 1024 of them, and no more than leaves half of what this process may open,
    and 64, to all else. What is beyond is opened every time.
    """

    def __init__(
        self,
        proc: str = "/proc",
        *,
        clock: Callable[[], float] = time.monotonic,
        most_descriptors: int | None = None,
    ) -> None:
        self._known: dict[str, _Known] = {}  # by the name of the folder, which is the pid
        self._proc = proc
        self._clock = clock
        self._room = most_descriptors or 0
        self._room_is_known = most_descriptors is not None

    def __del__(self) -> None:
        for one in self._known.values():
            self._close(one)

    def read(self) -> ProcessReading:
        """Read every process; those that end meanwhile are left out."""
        if not self._room_is_known:  # asked no earlier: whoever only makes a list waits for no file
            self._room, self._room_is_known = _descriptors_allowed(self._proc), True
        at, start_clock = self._clock(), start_clock_now()
        known = self._known
        processes: dict[int, ProcessStat] = {}
        for name in os.listdir(self._proc):  # noqa: PTH208 -- a Path for each costs as much as reading it
            one = known.get(name)
            if one is None:
                if not name.isdigit():
                    continue
                one = known[name] = _Known(int(name))
            try:
                text = os.pread(one.descriptor, _LONGEST, 0)
            except OSError:  # closed, or of a process that ended
                text = None
            if text != one.text:
                if not self._update(one, None if one.asleep else text):
                    continue
            elif one.turns_left > 1:
                one.turns_left -= 1
            else:
                self._look_closer(one)
            processes[one.pid] = one.stat
        if len(processes) != len(known):
            for name in [name for name, one in known.items() if one.pid not in processes]:
                self._close(known.pop(name))
        return ProcessReading(at, start_clock, processes)

    def _update(self, one: "_Known", text: bytes | None = None) -> bool:
        """Take the text of a `stat`, or read it; return False when there is no such process any more."""
        try:
            if text is None:
                text = self._open(one)
            one.stat = parse_process(text)
        except (OSError, ValueError, IndexError):
            return False
        one.text = text if one.descriptor != _CLOSED else b""
        one.asleep = False
        one.turns_left = _TURNS_AWAKE
        return True

    def _look_closer(self, one: "_Known") -> None:
        """After some turns without change see whether it sleeps, and later whether it lost memory."""
        one.turns_left = _TURNS_ASLEEP + one.pid % _TURNS_ASLEEP
        if one.asleep:
            with contextlib.suppress(OSError, ValueError, IndexError):
                one.stat = parse_process(read_file(f"{self._proc}/{one.pid}/stat"))
            return
        if one.stat.threads != 1:
            return
        try:
            descriptor = os.open(f"{self._proc}/{one.pid}/schedstat", os.O_RDONLY)
        except OSError:
            return
        text = b""
        with contextlib.suppress(OSError):
            text = os.pread(descriptor, _LONGEST, 0)
            if os.pread(one.descriptor, _LONGEST, 0) != one.text:
                text = b""  # it ran before the first look into its schedstat
        if not text or text == _NOT_COUNTED:
            os.close(descriptor)
            return
        os.close(one.descriptor)
        one.descriptor = descriptor
        one.text = text
        one.asleep = True

    def _open(self, one: "_Known") -> bytes:
        """Return the `stat` of a process; where there is room it stays open."""
        self._close(one)
        descriptor = os.open(f"{self._proc}/{one.pid}/stat", os.O_RDONLY)
        one.descriptor = descriptor
        self._room -= 1
        try:
            return os.pread(descriptor, _LONGEST, 0)
        finally:
            if self._room < 0:
                self._close(one)

    def _close(self, one: "_Known") -> None:
        if one.descriptor != _CLOSED:
            os.close(one.descriptor)
            one.descriptor = _CLOSED
            self._room += 1


class _Known:
    """What is known of one process, and the open file that tells whether it changed."""

    __slots__ = ("asleep", "descriptor", "pid", "stat", "text", "turns_left")

    stat: ProcessStat

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.descriptor = _CLOSED
        self.asleep = False
        """Whether the file is its `schedstat` instead of its `stat`."""
        self.text = b""
        """What the file said last, nothing if it is not open."""
        self.turns_left = _TURNS_AWAKE
        """Turns without change until the other file is looked at."""


def _descriptors_allowed(proc: str) -> int:
    import resource  # Windows has none

    with contextlib.suppress(OSError):
        # The files of a copy have a size, and do not tell that their process ended.
        if os.stat(f"{proc}/stat").st_size == 0:  # noqa: PTH116 -- as above
            allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            return (
                _MAX_DESCRIPTORS
                if allowed == resource.RLIM_INFINITY
                else min(_MAX_DESCRIPTORS, allowed // 2, max(allowed - _OTHER_DESCRIPTORS, 0))
            )
    return 0
