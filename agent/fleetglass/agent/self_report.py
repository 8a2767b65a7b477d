import time as clocks
from collections.abc import Callable, Mapping

from msgspec import UNSET

from fleetglass.agent.clock_jumps import ClockJump
from fleetglass.agent.collectors.rates import known
from fleetglass.wire.payloads import CollectorReport, CollectorRun


class SelfReport:
    """The agent about itself: what its collectors did, and what it costs."""

    group = "collector"

    def __init__(
        self,
        read_resident_bytes: Callable[[], int | None],
        *,
        read_cpu_seconds: Callable[[], float] = clocks.process_time,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self._read_cpu_seconds = read_cpu_seconds
        self._clock = clock
        self._read_resident_bytes = read_resident_bytes
        self._before = (clock(), read_cpu_seconds())

    def report(
        self,
        time: float,
        tick: int,
        *,
        runs: Mapping[str, CollectorRun],
        dropped_messages: int,
        skipped_ticks: int,
        internal_errors: int,
        jump: ClockJump = ClockJump(0.0, 0.0),  # noqa: B008 -- it cannot change
    ) -> CollectorReport:
        """Return the last message of a tick. The CPU is that of all threads since the last call."""
        at, spent = self._clock(), self._read_cpu_seconds()
        (at_before, spent_before), self._before = self._before, (at, spent)
        elapsed = at - at_before
        return CollectorReport(
            time=time,
            tick=tick,
            collectors=dict(runs),
            cpu_percent=round(100 * (spent - spent_before) / elapsed, 1) if elapsed > 0 else UNSET,
            resident_bytes=known(self._read_resident_bytes()),
            dropped_messages=dropped_messages,
            skipped_ticks=skipped_ticks,
            internal_errors=internal_errors or UNSET,
            slept_seconds=round(jump.slept_seconds) or UNSET,
            clock_set_seconds=round(jump.set_seconds) or UNSET,
        )
