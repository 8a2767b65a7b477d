"""When the hosts of a fleet can be heard, and so how long one has been silent. Times are in seconds."""

import logging
import math
from dataclasses import dataclass

GRACE_SECONDS = 15.0
"""After the broker returned, agents get this long to be back before silence or a will counts."""
STALL_SECONDS = 1.0
"""A bridge asks for the time several times a second. After a longer pause it was suspended or too busy, and
has yet to take in the messages of that time."""
SUSPEND_SECONDS = 5.0
"""The same by UTC, since the monotonic clock of Linux and macOS stands still while the machine sleeps."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListeningClock:
    """A clock that runs while hosts can be heard; silence is measured by it."""

    reading: float = 0.0
    """Its time at `runs_from` and before."""
    runs_from: float = 0.0
    runs_until: float = math.inf

    def at(self, now: float) -> float:
        """Return its time at a moment of the clock that drives it."""
        if self.runs_from <= now <= self.runs_until:
            return self.reading + now - self.runs_from
        return self.reading + max(0.0, min(now, self.runs_until) - self.runs_from)

    def stopped(self, at: float) -> "ListeningClock":
        """Return this clock, stopped at a moment."""
        return ListeningClock(self.at(at), at, at)

    def started(self, at: float) -> "ListeningClock":
        """Return this clock, which was stopped, running again from a moment on."""
        return ListeningClock(self.at(at), at)


class Listening:
    """What a fleet's clock shows, as the broker comes and goes and this process runs or not.

    `now` is the monotonic clock, `wall` is UTC.
    """

    def __init__(self) -> None:
        self.connected = False
        """Whether the broker is there."""
        self.stretch = 0
        """The number of the present stretch of uninterrupted listening."""
        self._clock = ListeningClock().stopped(0.0)
        self._seen_broker = False
        self._ran_at = 0.0  # when anybody asked for the time last
        self._wall_ahead = math.inf  # how far UTC was ahead of the monotonic clock then

    def broker_connected(self, now: float) -> None:
        """Take in that the broker is there; after an absence the clock starts when the grace is over."""
        self.connected = True
        self._start(now, now + GRACE_SECONDS if self._seen_broker else now)
        self._seen_broker = True
        self._wall_ahead = math.inf

    def broker_lost(self, now: float) -> None:
        """Take in that the broker is away: the clock stops."""
        self.connected = False
        self._clock = self._clock.stopped(now)

    def at(self, now: float) -> float:
        """Return the time. After a pause in which nobody asked, it stands still for as long again."""
        if now - self._ran_at > STALL_SECONDS and self.connected:
            self._excuse(now, now - self._ran_at)
        self._ran_at = now
        return self._clock.at(now)

    def notice_sleep(self, now: float, wall: float) -> None:
        """Find out from both clocks whether the machine slept since the last call."""
        slept = wall - now - self._wall_ahead
        self._wall_ahead = wall - now
        if slept > SUSPEND_SECONDS and self.connected:
            self._excuse(now, slept)

    def _excuse(self, now: float, seconds: float) -> None:
        if seconds > SUSPEND_SECONDS:
            _log.warning("stood still for %.0f s (suspended, or too busy); catching up", seconds)
        grace_until = max(self._clock.runs_from, now + min(seconds, GRACE_SECONDS))
        self._clock = self._clock.stopped(self._ran_at)
        self._start(now, grace_until)

    def _start(self, now: float, at: float) -> None:
        self._clock = self._clock.started(at)
        self.stretch += 1
        self._ran_at = now
