"""Notices by the clocks that the host slept, or that its time was set."""

import sys
import time as clocks
from collections.abc import Callable
from typing import NamedTuple

_LEAST_SECONDS = 5.0


class ClockReading(NamedTuple):
    """The same moment on three clocks, in seconds."""

    running: float
    """Stands still while the host sleeps."""
    elapsed: float
    """Goes on while the host sleeps."""
    wall: float
    """The time of day, which may be set."""


class ClockJump(NamedTuple):
    """What happened between two moments; 0 is nothing."""

    slept_seconds: float
    set_seconds: float
    """How far the time of day was set forward; negative is back."""


class ClockJumps:
    """Compares each tick's moment with the one before."""

    def __init__(self, read: "Callable[[], ClockReading] | None" = None) -> None:
        self._read = read or read_clocks
        self._before = self._read()

    def look(self) -> ClockJump:
        """Return what happened since the last look; less than 5 s is nothing."""
        now = self._read()
        before, self._before = self._before, now
        return jump_between(before, now)


def jump_between(before: ClockReading, now: ClockReading) -> ClockJump:
    """Return by how much the clocks went apart between two moments."""
    elapsed = now.elapsed - before.elapsed
    slept = elapsed - (now.running - before.running)
    set_by = (now.wall - before.wall) - elapsed
    return ClockJump(*(value if abs(value) >= _LEAST_SECONDS else 0.0 for value in (slept, set_by)))


def read_clocks() -> ClockReading:
    """Read the clocks. Only Linux counts sleep on one; elsewhere it looks like a time that was set."""
    running = clocks.monotonic()
    elapsed = clocks.clock_gettime(clocks.CLOCK_BOOTTIME) if sys.platform == "linux" else running
    return ClockReading(running, elapsed, clocks.time())
