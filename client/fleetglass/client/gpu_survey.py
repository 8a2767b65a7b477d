"""The GPUs of a fleet at one moment, and who uses them, from the summaries that a broker keeps."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType

from fleetglass.client.source import Source
from fleetglass.wire import PayloadError, decode
from fleetglass.wire.payloads import GpuDevice, GpuInstance, GpuProcess, Summary
from fleetglass.wire.protocol import Fleet, Host, HostEntry, HostState, SummaryFrame, Watch

T = TypeVar("T")

SELECTION: Final = Watch(summaries=True)
"""What the source of a survey is to select."""
LITTLE_PERCENT: Final = 5.0
"""A GPU that is less busy, with less of its memory in use, is free."""
LITTLE_BYTES: Final = 2**30
"""So much memory may be in use as well: that of a desktop, or of the driver."""

_LONGEST_SECONDS = 3.0
_PAUSE_SECONDS = 0.5  # in what comes, after which nobody is waited for any longer
_LAST_SECONDS = 0.1  # after which it is believed that there are no more hosts
_AWAY: Final = {"lost", "suspended", "stopped"}


@dataclass(frozen=True, slots=True)
class SurveyedGpu:
    """A GPU, or one MIG instance of it. What is not known is None."""

    host: str
    address: str
    device: GpuDevice
    instance: str | None = None

    @property
    def memory_total(self) -> int | None:
        """Its memory in bytes."""
        return _known(self._part.memory_total_bytes)

    @property
    def memory_used(self) -> int | None:
        """The memory in use, in bytes; a GPU that sleeps uses none."""
        if self.device.state == "suspended":
            return None if self.memory_total is None else 0
        return _known(self._part.memory_used_bytes)

    @property
    def memory_free(self) -> int | None:
        """The memory that is not in use, in bytes."""
        if self.memory_total is None or self.memory_used is None:
            return None
        return max(self.memory_total - self.memory_used, 0)

    @property
    def busy_percent(self) -> float | None:
        """The time with work; of Intel's the time awake, which is no less. NVIDIA tells none of instances."""
        if self.instance is not None:
            return None
        busy = _known(self.device.busy_percent)
        return _known(self.device.awake_percent) if busy is None else busy

    @property
    def processes(self) -> list[GpuProcess] | None:
        """Those that use it, with most memory first; None where they cannot be seen."""
        processes = self.device.processes
        if isinstance(processes, UnsetType):
            return [] if self.device.state == "suspended" else None
        return [one for one in processes if self.instance is None or one.instance == self.instance]

    @property
    def is_free(self) -> bool:
        """Whether nobody uses it to speak of; where memory is not known, whether no process does."""
        if self.busy_percent is not None and self.busy_percent >= LITTLE_PERCENT:
            return False
        used, total = self.memory_used, self.memory_total
        if used is None or total is None:
            return self.processes == []
        return used < max(total * LITTLE_PERCENT / 100, LITTLE_BYTES)

    @property
    def _part(self) -> GpuDevice | GpuInstance:
        instances = self.device.instances
        if self.instance is None or isinstance(instances, UnsetType):
            return self.device
        return instances[self.instance]


@dataclass(slots=True)
class Survey:
    """The GPUs that were found, by host and index, and why others may be missing."""

    gpus: list[SurveyedGpu] = field(default_factory=list)
    hosts: int = 0
    """Hosts that were asked about."""
    away: dict[str, HostState] = field(default_factory=dict)
    """Hosts with GPUs that are lost, suspended or stopped: nothing is known of these GPUs."""
    unknown: list[str] = field(default_factory=list)
    """Hosts that were named and do not exist."""


async def survey(source: Source, hosts: Collection[str] = ()) -> Survey:
    """Ask for the GPUs of these hosts, or of the whole fleet.

    Args:
        source: with `SELECTION` for its selection. It is closed in the end.
        hosts: ids of hosts; none is all.

    Raises:
        ClientError: the bridge or the broker cannot be read.
    """
    states: dict[str, HostState] = {}
    awaited: set[str] = set()
    summaries: dict[str, Summary] = {}
    loop = asyncio.get_running_loop()
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as timer, aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
            last_moment = float("inf")
            async for message in messages:
                match message:
                    case Fleet():
                        states = {one.id: one.state for one in message.hosts}
                        awaited = {one.id for one in message.hosts if _was_heard(one)}
                        awaited = awaited & set(hosts) if hosts else awaited
                        last_moment = loop.time() + _LONGEST_SECONDS
                    case Host(id=host, state=state, info=info) if not isinstance(state, UnsetType):
                        states[host] = state
                        if info is UNSET or host in summaries or (hosts and host not in hosts):
                            continue
                        awaited.add(host)
                    case SummaryFrame(host=host):
                        is_first = host not in summaries
                        with suppress(PayloadError):
                            summaries[host] = decode(bytes(message.summary), Summary)
                        if not is_first:
                            continue
                        awaited.discard(host)
                    case _:
                        continue
                # Only news prolongs it: a fleet never falls silent.
                pause = _LAST_SECONDS if not awaited else _PAUSE_SECONDS if summaries else _LONGEST_SECONDS
                timer.reschedule(min(loop.time() + pause, last_moment))
    return _survey(states, summaries, hosts)


def _was_heard(host: HostEntry) -> bool:
    """Whether a host can have a summary: one that is only expected has none."""
    return host.info is not UNSET or host.expected is UNSET


def _survey(states: dict[str, HostState], summaries: dict[str, Summary], hosts: Collection[str]) -> Survey:
    named = set(hosts) or states.keys()
    result = Survey(hosts=len(named), unknown=sorted(set(hosts) - states.keys()))
    for host in sorted(named & summaries.keys()):
        gpus = summaries[host].gpus
        if isinstance(gpus, UnsetType):
            continue
        if (state := states.get(host)) in _AWAY and state is not None:
            result.away[host] = state
            continue
        for address, device in sorted(gpus.items(), key=lambda item: _order(*item)):
            result.gpus += _parts(host, address, device)
    return result


def _order(address: str, device: GpuDevice) -> tuple[str, int, str]:
    vendor = "" if isinstance(device.vendor, UnsetType) else device.vendor
    return vendor, -1 if isinstance(device.index, UnsetType) else device.index, address


def _parts(host: str, address: str, device: GpuDevice) -> Iterator[SurveyedGpu]:
    if isinstance(device.instances, UnsetType):
        yield SurveyedGpu(host, address, device)
    else:
        for instance in device.instances:
            yield SurveyedGpu(host, address, device, instance)


def _known(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
