"""When to sample: at fixed points of the monotonic clock, another fraction of the interval for every host."""

import math
import random
import time
from collections.abc import Callable

FIRST_SAMPLE_SECONDS = 0.3
"""The least time that the first rates are measured over."""

_FIRST_TICK_WITHIN_SECONDS = 1.0


def phase_of(host_id: str, interval: float) -> float:
    """Return a host's own offset into the interval, so that a fleet spreads evenly over it."""
    return random.Random(host_id).random() * interval


def deadline_after(moment: float, interval: float, phase: float) -> float:
    """Return the first `phase + n * interval` later than a moment."""
    return phase + (math.floor((moment - phase) / interval) + 1) * interval


def first_deadline(start: float, interval: float, phase: float) -> float:
    """Return when to take the first tick: on the grid when that is soon, at once when it is not."""
    earliest = start + FIRST_SAMPLE_SECONDS
    regular = deadline_after(earliest, interval, phase)
    return regular if regular <= start + _FIRST_TICK_WITHIN_SECONDS else earliest


class Schedule:
    """Waits for one tick after the other. It never drifts, and never catches up what it missed."""

    def __init__(
        self,
        *,
        interval: float,
        phase: float,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start counting now; `wait` takes seconds and returns whether to stop."""
        self.skipped = 0
        """Ticks missed so far."""
        self._interval = interval
        self._phase = phase
        self._wait = wait
        self._clock = clock
        self._deadline = first_deadline(clock(), interval, phase)
        self._taken = False

    def next(self) -> bool:
        """Wait for the next tick; return False when it is time to stop."""
        if self._taken:
            # Half an interval is kept after a first tick that was off the grid.
            due = deadline_after(self._deadline + self._interval / 2, self._interval, self._phase)
            now = self._clock()
            if now > due:
                later = deadline_after(now, self._interval, self._phase)
                self.skipped += round((later - due) / self._interval)
                due = later
            self._deadline = due
        self._taken = True
        return not self._wait(max(self._deadline - self._clock(), 0.0))
