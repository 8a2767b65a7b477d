"""What `/proc/<pid>` tells of one process (proc_pid_stat(5))."""

import os
import time

from fleetglass.agent.readings.files import read_file, read_text
from fleetglass.agent.readings.types import ProcessStat

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_SHORT_NAME_LENGTH = 15  # where the kernel cuts a name off
_STATES = {
    b"R": "running",
    b"S": "sleeping",
    b"D": "disk-sleep",
    b"T": "stopped",
    b"t": "tracing-stop",
    b"Z": "zombie",
    b"X": "dead",
    b"I": "idle",
    b"P": "parked",
    b"W": "waking",
}


class ProcessNames:
    """Tells what the processes of one host are called and who runs them; asking for a user can be slow."""

    def __init__(self, root: str = "") -> None:
        self._proc = f"{root}/proc"
        self._passwd = f"{root}/etc/passwd" if root else None
        self._users: dict[int, str] = {}

    def owner(self, pid: int) -> str | None:
        """Return whose rights a process has; the owner of its folder can be another (proc(5))."""
        uid = parse_uid(read_text(f"{self._proc}/{pid}/status") or "")
        if uid is None:
            return None
        if uid not in self._users:
            self._users[uid] = self._user_name(uid) or str(uid)
        return self._users[uid]

    def program(self, pid: int) -> str | None:
        """Return what a process is called."""
        name = read_text(f"{self._proc}/{pid}/comm")
        return None if name is None else self.full_name(pid, name)

    def full_name(self, pid: int, name: str) -> str:
        """Return the name of a program where the kernel cut it off, else the name as it is.

        A program that wrote over its command line, as browsers do, has its arguments there as well.
        """
        if len(name) < _SHORT_NAME_LENGTH:
            return name
        try:
            text = read_file(f"{self._proc}/{pid}/cmdline", 4096).split(b"\0", 1)[0]
        except OSError:
            return name
        line = text.decode(errors="replace")
        for path in (line, line.partition(" ")[0]):
            program = path.rpartition("/")[2]
            if program.startswith(name):
                return name + program[len(name) :].partition(" ")[0]
        return name

    def _user_name(self, uid: int) -> str | None:
        if self._passwd is not None:
            # The name services of this system do not know another's users.
            lines = (line.split(":", 3) for line in (read_text(self._passwd) or "").split("\n"))
            return next((fields[0] for fields in lines if fields[2:3] == [str(uid)]), None)
        import pwd  # Windows has none

        try:
            return pwd.getpwuid(uid).pw_name
        except (KeyError, OverflowError):
            return None


def parse_process(text: bytes) -> ProcessStat:
    """Read the text of a `stat`. The name is in parentheses, and may hold spaces and parentheses.

    Raises:
        ValueError, IndexError: it is not one.
    """
    end = text.rindex(b")")
    # Fields by their number in proc_pid_stat(5), less 3: the state is number 3.
    fields = text[end + 2 :].split(b" ", 22)
    return ProcessStat(
        name=text[text.index(b"(") + 1 : end].decode(errors="replace"),
        state=_STATES.get(fields[0], "other"),
        started=int(fields[19]),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND,
        resident_bytes=int(fields[21]) * _PAGE_BYTES,
        threads=int(fields[17]),
    )


def start_clock_now() -> int:
    """Return what a process that starts now has as `started`: clock ticks since boot, sleep included."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS_PER_SECOND)


def parse_uid(status: str) -> int | None:
    """Return the effective user id from the text of a `status`."""
    _, found, rest = status.partition("\nUid:")
    fields = rest.split(None, 2)
    return int(fields[1]) if found and len(fields) > 1 and fields[1].isdecimal() else None
