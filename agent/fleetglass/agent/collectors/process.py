from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.rates import known, percent
from fleetglass.agent.readings.types import ProcessReading, ProcessStat
from fleetglass.agent.selection import EVERYTHING, Selection
from fleetglass.wire.payloads import Process, ProcessEntry

_MAX_NAME = 100  # users choose the names of their programs
_TOLD_SECONDS = 30.0  # for how long names, users and the size of the memory are believed

_Identity = tuple[int, float, str]


class ProcessCollector:
    """Processes: how many, and the largest by CPU and by memory among those of selected users."""

    group = "process"
    interval = 5.0

    def __init__(
        self,
        *,
        top: int,
        read: Callable[[], ProcessReading],
        total_memory: Callable[[], int | None] = lambda: None,
        owner: Callable[[int], str | None] = lambda _: None,
        full_name: Callable[[int, str], str] = lambda _, name: name,
        users: Selection = EVERYTHING,
    ) -> None:
        self._top = top
        self._read = read
        self._total_memory = total_memory
        self._before: ProcessReading | None = None
        self._owner = owner
        self._full_name = full_name
        self._users = users
        # Users of the processes that may be listed, by pid, start and short name: another program in the
        # same process has another name.
        self._owners: dict[_Identity, str | None] = {}
        # Full name and user of the processes told lately, by pid, start and short name.
        self._told: dict[_Identity, tuple[str, str | UnsetType]] = {}
        self._told_until = float("-inf")
        self._total: int | None = None

    def collect(self, time: float, tick: int) -> Process:
        """Return the processes now, and their use of CPU since the last call."""
        now = self._read()
        before, self._before = self._before, now
        use = cpu_use(before, now)
        if now.at >= self._told_until:
            self._told_until = now.at + _TOLD_SECONDS
            self._told.clear()
            self._owners.clear()
            self._total = self._total_memory()
        memory = {pid: one.resident_bytes for pid, one in now.processes.items()}
        largest = sorted(memory, key=memory.__getitem__, reverse=True)
        by_memory = self._first(largest, now.processes)
        # Sorting is stable: of those that use no CPU, the larger ones are told first.
        busiest = sorted((pid for pid in largest if pid in use), key=use.__getitem__, reverse=True)
        by_cpu = self._first(busiest, now.processes)
        entries = {pid: self._entry(pid, now.processes[pid], use.get(pid)) for pid in {*by_cpu, *by_memory}}
        return Process(
            time=time,
            tick=tick,
            count=len(now.processes),
            states=dict(Counter([one.state for one in now.processes.values()])),
            top_cpu=[entries[pid] for pid in by_cpu],
            top_memory=[entries[pid] for pid in by_memory],
        )

    def _first(self, pids: Iterable[int], processes: Mapping[int, ProcessStat]) -> list[int]:
        """Return the first processes of selected users: no more owners are asked for than that takes."""
        if self._users is not EVERYTHING:
            pids = (pid for pid in pids if self._users.takes(self._owner_of(pid, processes[pid]) or ""))
        return list(islice(pids, self._top))

    def _owner_of(self, pid: int, stat: ProcessStat) -> str | None:
        identity = (pid, stat.started, stat.name)
        if identity not in self._owners:
            self._owners[identity] = self._owner(pid)
        return self._owners[identity]

    def _entry(self, pid: int, stat: ProcessStat, use: float | None) -> ProcessEntry:
        identity = (pid, stat.started, stat.name)
        if identity not in self._told:
            name = self._full_name(pid, stat.name)[:_MAX_NAME]
            self._told[identity] = (name, known(self._owner_of(pid, stat)))
        name, user = self._told[identity]
        # A kernel thread has no memory of its own.
        resident: int | UnsetType = stat.resident_bytes or UNSET
        return ProcessEntry(
            pid=pid,
            name=name,
            user=user,
            cpu_percent=known(use),
            memory_percent=UNSET if isinstance(resident, UnsetType) else percent(resident, self._total),
            resident_bytes=resident,
            threads=stat.threads,
        )


def cpu_use(before: ProcessReading | None, now: ProcessReading) -> dict[int, float]:
    """Return the percentage of one core that each process used between two readings.

    A process that started between the readings used all its time since then. An older one that the
    earlier reading lacks has no percentage: its time may be that of years.
    """
    if before is None or now.at <= before.at:
        return {}
    per_second = 100 / (now.at - before.at)
    use = {}
    for pid, stat in now.processes.items():
        earlier = before.processes.get(pid)
        if earlier is stat:  # most did nothing
            use[pid] = 0.0
            continue
        if earlier is not None and earlier.started == stat.started:
            spent = stat.cpu_seconds - earlier.cpu_seconds
        elif stat.started >= before.start_clock:
            spent = stat.cpu_seconds
        else:
            continue
        if spent >= 0:
            use[pid] = round(spent * per_second, 1)
    return use
