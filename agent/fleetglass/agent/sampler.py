"""Runs the collectors of a tick so that none of them can harm another."""

import logging
import threading
import time as clocks
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.background import BackgroundCollector, current
from fleetglass.agent.collectors.base import BackgroundWork, Collector, Partial
from fleetglass.agent.publishing.encoding import written
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, CollectorRun, Group

_log = logging.getLogger(__name__)

_MAX_REASON = 200


class Sampled(NamedTuple):
    """What one collector found at a tick: the message, and its payload, unless that is too large."""

    group: str
    message: Group
    payload: bytes | None


class Sampler:
    """Runs the collectors that are due, one after the other on one thread of its own.

    A collector that raises whatever it may, that ends its thread, or whose message cannot be sent, loses
    its group for this tick. One that takes longer than half an interval, at most 0.5 s, is late: the tick
    goes on without it on a new thread, with half of its time left. The old thread stays with the late
    collector, which gets no other turn before it has come back.

    Args:
        collectors: what to run.
        interval: seconds between two ticks.
        room: how large the payload of a group may be, in bytes.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        collectors: Sequence[Collector],
        *,
        interval: float,
        room: Callable[[str], int] = lambda _: MAX_PAYLOAD_BYTES,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.runs: dict[str, CollectorRun] = {}
        """How each collector did at its last turn, by group."""
        self._collectors = list(collectors)
        self._background = [one for one in collectors if isinstance(one, BackgroundWork)]
        self._interval = interval
        self._room = room
        self._clock = clock
        self._deadline = min(0.5, interval / 2)
        self._late: dict[str, _Turn] = {}
        self._hastened: Mapping[str, float] = {}
        self._worker: _Worker | None = None  # the one that has nothing to do

    def prime(self) -> None:
        """Let every collector take the reading that the first tick is measured from."""
        self.sample(round(clocks.time(), 3), 0)

    def sample(self, time: float, tick: int) -> list[Sampled]:
        """Return what the due collectors found, within one deadline per late collector."""
        for work in self._background:
            work.hasten(self._hastened.get(work.group))
        collectors = list(current(self._collectors))
        for gone in self.runs.keys() - {one.group for one in collectors}:
            del self.runs[gone]
        due = [one for one in collectors if self._is_due(one, tick)]
        found: list[Sampled] = []
        while due:
            turn = _Turn(due, time, tick, self._clock)
            try:
                self._worker = self._worker or _Worker()
            except RuntimeError as error:
                for one in due:
                    self._note(one.group, CollectorRun(state="failed", reason=str(error)))
                break
            self._worker.take(turn)
            left_at = turn.wait(self._deadline, self._worker)
            found += self._written(turn.outcomes)
            if left_at is None:
                break
            if turn.is_abandoned:
                self._late[left_at.group] = turn
                self._note(left_at.group, self._late_run(left_at.group))
            else:
                self._note(left_at.group, CollectorRun(state="failed", reason="its thread ended"))
            self._worker = None
            due = list(turn.waiting)
        return found

    def hasten(self, intervals: Mapping[str, float]) -> None:
        """Run the collectors of these groups at least as often as this, in seconds, until told otherwise."""
        self._hastened = intervals

    def close(self) -> None:
        """Let the threads end. One that is stuck in a late collector ends with the process."""
        if self._worker is not None:
            self._worker.end()
        for work in self._background:
            work.close()

    def _is_due(self, collector: Collector, tick: int) -> bool:
        turn = self._late.get(collector.group)
        if turn is not None:
            if not turn.returned.is_set():
                self.runs[collector.group] = self._late_run(collector.group)
                return False
            del self._late[collector.group]
        if isinstance(collector, BackgroundCollector):
            collector.hasten(self._hastened.get(collector.group))
            return True
        # Ticks count from 1, and everything is due at the first.
        interval = min(collector.interval, self._hastened.get(collector.group, collector.interval))
        turns = turns_between(interval, self._interval)
        return (tick - 1) % turns == 0 or collector.group not in self.runs

    def _written(self, outcomes: "Mapping[str, _Outcome]") -> Iterator[Sampled]:
        """Yield what can be sent, and note how every collector did."""
        for group, (run, message) in outcomes.items():
            noted = run
            if message is not None:
                try:
                    payload, left_out = written(message, self._room(group))
                except CollectionError as error:
                    noted = msgspec.structs.replace(run, state="failed", reason=_reason_of(error))
                    yield Sampled(group, message, None)
                except Exception as error:  # noqa: BLE001 -- whatever a message holds harms only its own group
                    noted = msgspec.structs.replace(run, state="failed", reason=_reason_of(error))
                else:
                    if left_out is not None:
                        reasons = (
                            left_out if isinstance(run.reason, UnsetType) else f"{run.reason}; {left_out}"
                        )
                        noted = msgspec.structs.replace(run, reason=_sendable(reasons))
                    yield Sampled(group, message, payload)
            self._note(group, noted)

    def _late_run(self, group: str) -> CollectorRun:
        running = self._late[group].running_for()
        return CollectorRun(
            state="late",
            duration_seconds=round(running, 3),
            reason=f"took more than {self._deadline:g} s, and still runs",
        )

    def _note(self, group: str, run: CollectorRun) -> None:
        """Keep how it went, and log only what changed."""
        before = self.runs.get(group)
        self.runs[group] = run
        if before is not None and _kind(before) == _kind(run):
            return
        if run.state == "ok" and not isinstance(run.reason, UnsetType):
            _log.warning("collector %s: %s", group, run.reason)
        elif run.state != "ok":
            _log.warning("collector %s %s: %s", group, run.state, run.reason)
        elif before is not None:
            _log.info("collector %s works again", group)


def _kind(run: CollectorRun) -> tuple[str, bool]:
    """Return whether it failed, and whether it could read all."""
    return run.state, isinstance(run.reason, UnsetType)


def turns_between(collector_interval: float, tick_interval: float) -> int:
    """Return how many ticks lie between two turns of a collector: at least 1."""
    return max(1, round(collector_interval / tick_interval))


class _Outcome(NamedTuple):
    """How a collector did, and what it found."""

    run: CollectorRun
    message: Group | None = None


class _Turn:
    """The collectors of one tick on their way through one thread."""

    def __init__(self, due: Sequence[Collector], time: float, tick: int, clock: Callable[[], float]) -> None:
        self.waiting = deque(due)
        self.outcomes: dict[str, _Outcome] = {}
        self.returned = threading.Event()
        """The thread is done with it, or came back from the collector it was left with."""
        self.is_abandoned = False
        """The thread was left with a late collector."""
        self._time = time
        self._tick = tick
        self._clock = clock
        self._lock = threading.Lock()
        self._running: Collector | None = None
        self._since = clock()

    def run(self) -> bool:
        """Run everything; return False when it was left behind on the way."""
        try:
            while (collector := self._next()) is not None:
                outcome = self._collect(collector)
                with self._lock:
                    if self.is_abandoned:
                        return False
                    self.outcomes[collector.group] = outcome
                    self._running = None
            return True
        finally:
            self.returned.set()

    def wait(self, deadline: float, worker: "_Worker") -> Collector | None:
        """Wait until all is done, or return the collector that is over its deadline or ended its thread."""
        left = deadline
        while not self.returned.wait(left):
            with self._lock:
                left = deadline - self.running_for()
                if self._running is not None and left <= 0:
                    self.is_abandoned = True
                    return self._running
                if not worker.is_alive:
                    break
                # Between two collectors: give the thread a moment to take the next.
                left = max(left, 0.01)
        with self._lock:
            # A thread that ended on its way has one that runs; one that ended before, some that wait.
            return self._running or (self.waiting.popleft() if self.waiting else None)

    def running_for(self) -> float:
        """Return how long the current collector has been running, in seconds."""
        return self._clock() - self._since

    def _next(self) -> Collector | None:
        with self._lock:
            self._running = self.waiting.popleft() if self.waiting else None
            self._since = self._clock()
            return self._running

    def _collect(self, collector: Collector) -> _Outcome:
        try:
            message = collector.collect(self._time, self._tick)
        except BaseException as error:  # noqa: BLE001 -- whatever a collector does harms only its own group
            run = CollectorRun(
                state="failed", duration_seconds=self._duration(collector), reason=_reason_of(error)
            )
            return _Outcome(run)
        message, reason = message if isinstance(message, Partial) else (message, "")
        run = CollectorRun(
            state="ok", duration_seconds=self._duration(collector), reason=_sendable(reason) or UNSET
        )
        return _Outcome(run, message)

    def _duration(self, collector: Collector) -> float:
        if isinstance(collector, BackgroundCollector) and collector.duration is not None:
            return round(collector.duration, 6)
        return round(self.running_for(), 6)


class _Worker:
    """A thread that runs one turn after another, until it is left behind with one."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[_Turn | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="fleetglass-sampler", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread has not ended."""
        return self._thread.is_alive()

    def take(self, turn: _Turn) -> None:
        """Run a turn as soon as the one before is done."""
        self._inbox.put(turn)

    def end(self) -> None:
        """End when all turns are done."""
        self._inbox.put(None)

    def _work(self) -> None:
        while (turn := self._inbox.get()) is not None:
            if not turn.run():
                return


def _reason_of(error: BaseException) -> str:
    return _sendable(str(error) if isinstance(error, CollectionError) else f"{type(error).__name__}: {error}")


def _sendable(reason: str) -> str:
    """Return one short line that fits into UTF-8: it may name a file whose name does not."""
    return " ".join(reason.split())[:_MAX_REASON].encode(errors="replace").decode()
