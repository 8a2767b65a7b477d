"""Readings of processes from `/proc/<pid>` (proc_pid_stat(5))."""

import os
import pwd
import time

from fleetglass.agent.readings.kinds import ProcessReading, ProcessStat

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
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


def read_processes() -> ProcessReading:
    """Read the `stat` of every process; those that end meanwhile are left out."""
    at = time.monotonic()
    processes: dict[int, ProcessStat] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 -- a Path for each costs as much as reading it
        if not name.isdigit():
            continue
        try:
            descriptor = os.open(f"/proc/{name}/stat", os.O_RDONLY)
            try:
                text = os.read(descriptor, 2048)
            finally:
                os.close(descriptor)
        except OSError:
            continue
        if text:
            processes[int(name)] = parse_process(text)
    return ProcessReading(at, processes)


def parse_process(text: bytes) -> ProcessStat:
    """Read the text of a `stat`. The name is in parentheses, and may hold spaces and parentheses."""
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


def owner(pid: int, names: dict[int, str]) -> str | None:
    """Return who runs a process. `names` is the caller's memory of users: asking for one can be slow."""
    try:
        uid = os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116 -- once per process shown
    except OSError:
        return None
    if uid not in names:
        try:
            names[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:
            names[uid] = str(uid)
    return names[uid]


def full_name(pid: int, name: str) -> str:
    """Return the name of a program where the kernel cut it off, else the name as it is."""
    if len(name) < _SHORT_NAME_LENGTH:
        return name
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:  # noqa: PTH123 -- as above
            program = file.read(4096).split(b"\0", 1)[0]
    except OSError:
        return name
    whole = program.rpartition(b"/")[2].decode(errors="replace")
    return whole if whole.startswith(name) else name
