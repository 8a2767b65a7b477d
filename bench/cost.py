"""What processes cost, read from `/proc`: CPU time and memory, and what the machine lost meanwhile."""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_TIMES_OF_ENDED_CHILDREN = slice(13, 15)  # cutime and cstime (proc_pid_stat(5))


class Cost(NamedTuple):
    """What a tree of processes has used since its start (CPU), and holds now (memory)."""

    cpu_seconds: float
    resident_bytes: int
    proportional_bytes: int
    """Resident memory, each shared page divided by how many share it (PSS)."""


class Machine(NamedTuple):
    """Seconds of all cores since boot."""

    total_seconds: float
    idle_seconds: float
    steal_seconds: float


def cost_of(root: int) -> Cost:
    """Read what a process and all its descendants have used, ended children among them."""
    resident = proportional = 0
    seconds = 0.0
    for pid in _tree(root):
        try:
            fields = _stat(pid)
            memory = _memory(pid)
            own = time.clock_gettime(_cpu_clock(pid))
        except OSError:
            continue  # its parent has its time by now
        seconds += own + sum(map(int, fields[_TIMES_OF_ENDED_CHILDREN])) / _TICKS_PER_SECOND
        resident += memory["Rss"]
        proportional += memory["Pss"]
    return Cost(seconds, resident, proportional)


def machine() -> Machine:
    """Read the first line of `/proc/stat` (proc_stat(5))."""
    times = [
        int(one) / _TICKS_PER_SECOND for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    ]
    return Machine(sum(times), times[3] + times[4], times[7])


def process_count() -> int:
    """Return how many processes there are."""
    return sum(1 for _ in _pids())


def _tree(root: int) -> Iterable[int]:
    children: dict[int, list[int]] = {}
    for pid in _pids():
        try:
            children.setdefault(int(_stat(pid)[1]), []).append(pid)
        except OSError:
            continue
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, ()))
    return tree


def _pids() -> Iterator[int]:
    return (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit())


def _cpu_clock(pid: int) -> int:
    """Return the clock of a process's CPU time, in nanoseconds; `stat` counts in hundredths of a second.

    The number is what clock_getcpuclockid(3) gives on Linux, which Python has for threads only.
    """
    return ~pid << 3 | 2


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()


def _memory(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}
