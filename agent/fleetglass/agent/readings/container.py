"""Readings of containers: what the engine lists, and their use of the host from cgroups where it can be."""

import re
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from fleetglass.agent.readings.container_engine import Engine
from fleetglass.agent.readings.linux_block import disks_among
from fleetglass.agent.readings.types import ContainerUse
from fleetglass.wire.errors import CollectionError

T = TypeVar("T")

_DETAIL_SECONDS = 60.0
_ASKING_SECONDS = 4.0  # after the list, for what each container is asked
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")


class ContainerReading(NamedTuple):
    """One container. `started` is in seconds since the epoch, `at` monotonic."""

    at: float
    id: str
    name: str
    image: str
    state: str
    health: str | None
    restarts: int | None
    started: float | None
    use: ContainerUse


class ContainerReader:
    """Lists the containers; what changes seldom is asked for once a minute."""

    def __init__(
        self,
        sockets: Sequence[Path],
        *,
        total_memory: Callable[[], int | None],
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sockets = sockets
        self._root = root
        self._clock = clock
        self._total_memory = total_memory
        self._details: dict[str, tuple[float, str, _Inspected]] = {}

    def __call__(self) -> list[ContainerReading]:
        """Ask for every container, stopped ones among them.

        Raises:
            CollectionError: there is no engine, or it does not answer.
        """
        engine = Engine(self._sockets, clock=self._clock)
        try:
            listed = engine.get("/containers/json?all=true", list[_Listed])
            deadline = self._clock() + _ASKING_SECONDS
            self._details = {one.id: self._details[one.id] for one in listed if one.id in self._details}
            return [self._reading(engine, one, deadline) for one in listed]
        finally:
            engine.close()

    def _reading(self, engine: Engine, listed: "_Listed", deadline: float) -> ContainerReading:
        state = listed.state.lower()
        detail = self._detail(engine, listed, deadline)
        health = _HEALTH.search(listed.status)
        use = ContainerUse()
        if state == "running":
            use = self._use(engine, listed.id, detail, deadline)
        return ContainerReading(
            at=self._clock(),
            id=listed.id,
            name=_name(listed),
            image=listed.image,
            state=state,
            health=health[1] if health else detail.health,
            restarts=detail.restart_count,
            started=_moment(detail.state.started_at),
            use=use,
        )

    def _detail(self, engine: Engine, listed: "_Listed", deadline: float) -> "_Inspected":
        known = self._details.get(listed.id)
        now = self._clock()
        # The text of the status of a container that runs counts up; whether it runs is enough.
        if known is not None and now < known[0] and known[1] == listed.state:
            return known[2]
        detail = _asked(engine, f"/containers/{listed.id}/json", _Inspected) if now < deadline else None
        if detail is None:
            return known[2] if known is not None and known[1] == listed.state else _Inspected()
        self._details[listed.id] = (now + _DETAIL_SECONDS, listed.state, detail)
        return detail

    def _use(self, engine: Engine, name: str, detail: "_Inspected", deadline: float) -> ContainerUse:
        if sys.platform == "linux" and detail.state.pid > 0:
            from fleetglass.agent.readings.linux_cgroup import read_use  # of Linux only

            own_network = detail.host_config.network_mode != "host"
            use = read_use(self._root, detail.state.pid, name, own_network=own_network)
            if use is not None:
                return self._limited(use)
        if self._clock() >= deadline:
            return ContainerUse()
        stats = _asked(engine, f"/containers/{name}/stats?stream=false&one-shot=true", _Stats)
        if stats is None:
            return ContainerUse()
        return self._limited(use_of(stats, lambda numbers: disks_among(f"{self._root}/sys", numbers)))

    def _limited(self, use: ContainerUse) -> ContainerUse:
        """Leave out a limit that is none: what the whole host has, or more."""
        total = self._total_memory()
        if use.memory_limit is not None and total is not None and use.memory_limit >= total:
            return use._replace(memory_limit=None)
        return use


def _asked(engine: Engine, path: str, answer_type: type[T]) -> T | None:
    """Return what the engine says of one container; without an answer the others still have theirs."""
    try:
        return engine.get(path, answer_type)
    except (CollectionError, LookupError):
        return None


class _Listed(msgspec.Struct, rename="pascal"):
    id: str
    names: list[str] | None = None
    image: str = ""
    state: str = ""
    status: str = ""


class _Health(msgspec.Struct, rename="pascal"):
    status: str = ""


class _State(msgspec.Struct, rename="pascal"):
    pid: int = 0
    started_at: str = ""
    health: _Health | None = None


class _HostConfig(msgspec.Struct, rename="pascal"):
    network_mode: str = ""


class _Inspected(msgspec.Struct, rename="pascal"):
    state: _State = msgspec.field(default_factory=_State)
    host_config: _HostConfig = msgspec.field(default_factory=_HostConfig)
    restart_count: int | None = None

    @property
    def health(self) -> str | None:
        status = self.state.health.status if self.state.health else ""
        return status if status not in {"", "none"} else None


class _CpuUsage(msgspec.Struct):
    total_usage: int | None = None  # nanoseconds


class _CpuStats(msgspec.Struct):
    cpu_usage: _CpuUsage = msgspec.field(default_factory=_CpuUsage)


class _MemoryStats(msgspec.Struct):
    usage: int | None = None
    limit: int | None = None
    stats: dict[str, int] | None = None


class _Traffic(msgspec.Struct):
    rx_bytes: int = 0
    tx_bytes: int = 0


class _Operation(msgspec.Struct):
    op: str = ""
    value: int = 0
    major: int = 0
    minor: int = 0

    @property
    def number(self) -> str:
        return f"{self.major}:{self.minor}"


class _BlockStats(msgspec.Struct):
    io_service_bytes_recursive: list[_Operation] | None = None


class _Stats(msgspec.Struct):
    cpu_stats: _CpuStats = msgspec.field(default_factory=_CpuStats)
    memory_stats: _MemoryStats = msgspec.field(default_factory=_MemoryStats)
    networks: dict[str, _Traffic] | None = None
    blkio_stats: _BlockStats = msgspec.field(default_factory=_BlockStats)


def use_of(stats: _Stats, disks: Callable[[Iterable[str]], Collection[str]]) -> ContainerUse:
    """Return what the engine says of one container; file cache not in use is no use (as `docker stats`).

    What goes through a volume is told of the volume and of its disk: `disks` chooses those to be summed from
    the numbers of devices.
    """
    nanoseconds = stats.cpu_stats.cpu_usage.total_usage
    memory = stats.memory_stats
    pages = memory.stats or {}
    cache = pages.get("inactive_file", pages.get("total_inactive_file", 0))
    operations = stats.blkio_stats.io_service_bytes_recursive
    if operations is not None:
        chosen = disks({one.number for one in operations})
        operations = [one for one in operations if one.number in chosen]
    networks = stats.networks
    return ContainerUse(
        cpu_seconds=None if nanoseconds is None else nanoseconds / 1e9,
        memory_used=None if memory.usage is None else max(memory.usage - cache, 0),
        memory_limit=memory.limit,
        received=None if networks is None else sum(one.rx_bytes for one in networks.values()),
        transmitted=None if networks is None else sum(one.tx_bytes for one in networks.values()),
        read=None if operations is None else _operations(operations, "read"),
        written=None if operations is None else _operations(operations, "write"),
    )


def _operations(operations: Sequence[_Operation], kind: str) -> int:
    return sum(one.value for one in operations if one.op.lower() == kind)


def _name(listed: _Listed) -> str:
    # A link gives a container a second name below that of another container.
    names = [name.lstrip("/") for name in listed.names or []]
    return min(names, key=lambda name: name.count("/"), default="") or listed.id[:12]


def _moment(text: str) -> float | None:
    """Return a moment (RFC 3339); a container that never ran has one of the year 1."""
    try:
        seconds = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return round(seconds, 3) if seconds > 0 else None
