"""How the pulses of a host arrive: pure rules over ticks and times, in constant memory and time."""

from bisect import bisect_left

from fleetglass.wire.protocol import Delivery

WINDOW_SECONDS = 30.0
"""The shortest way is that of the last one to two windows, so that a clock that drifts is followed."""
SET_SECONDS = 60.0
"""When the age of pulses changes by more than this, the host's clock was set."""
MAX_MISSING = 100_000
"""A larger gap between two ticks is no loss but a number out of nowhere."""
LATENCY_BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_JITTER_SHARE = 1 / 16


class Arrivals:
    """What is known of the way of one host's pulses.

    The age of a pulse is the time of its arrival by the bridge's clock less its own, and so contains the
    difference of the clocks. The smallest age of the last minute stands for that difference: the latency
    is what comes on top. (dashboard/src/data/clock.js does the same; RFC 5905, 10, is the idea.)
    """

    __slots__ = (
        "_current",
        "_previous",
        "_rotate_at",
        "_session",
        "_tick",
        "age",
        "backfilled",
        "duplicates",
        "jitter",
        "late",
        "latency",
        "lost",
        "received",
    )

    def __init__(self) -> None:
        self.received = self.lost = self.late = self.duplicates = self.backfilled = 0
        self.age = self.latency = self.jitter = 0.0
        self._session = ""
        self._tick = -1
        self._current = self._previous = float("inf")
        self._rotate_at = 0.0

    @property
    def clock_offset(self) -> float:
        """How far the host's clock is ahead of the bridge's, in seconds, less the shortest way."""
        return -min(self._current, self._previous)

    def hear(self, session: str, tick: int, time: float, wall: float, interval: float) -> float:
        """Take in a pulse that came at `wall`, and return its latency in seconds."""
        age = wall - time
        if session != self._session or not self.received or abs(age - self.age) > SET_SECONDS:
            self._current = self._previous = age
            self._rotate_at = wall + WINDOW_SECONDS
            change = 0.0
        else:
            change = abs(age - self.age)
        if not 0 < self._rotate_at - wall <= WINDOW_SECONDS:
            self._previous = self._current
            self._current = age
            self._rotate_at = wall + WINDOW_SECONDS
        elif age < self._current:
            self._current = age
        self.age = age
        latency = self.latency = age - min(self._current, self._previous)
        # RFC 3550, 6.4.1: the mean of how much the way of a packet differs from that of the one before.
        self.jitter += (change - self.jitter) * _JITTER_SHARE
        self.received += 1
        if latency > interval:
            self.late += 1
        self._follow(session, tick)
        return latency

    def hear_again(self) -> None:
        """Take in that a pulse came twice."""
        self.duplicates += 1

    def fill(self, session: str, tick: int) -> None:
        """Take in a pulse that a `backfill` brought; several come in the order of their ticks."""
        self.backfilled += 1
        if session == self._session:
            self._follow(session, tick)

    def told(self) -> Delivery | None:
        """Return it as viewers are told, or None before the first pulse."""
        if not self.received:
            return None
        return Delivery(
            age_seconds=round(self.age, 4),
            latency_seconds=round(self.latency, 4),
            jitter_seconds=round(self.jitter, 4),
            clock_offset_seconds=round(self.clock_offset, 4),
            received_total=self.received,
            lost_total=self.lost,
            late_total=self.late,
            duplicate_total=self.duplicates,
            backfilled_total=self.backfilled,
        )

    def _follow(self, session: str, tick: int) -> None:
        if session != self._session:
            self._session = session
        elif tick <= self._tick:
            self.lost -= self.lost > 0  # it had been counted when a later one came
            return
        elif tick - self._tick <= MAX_MISSING:
            self.lost += tick - self._tick - 1
        self._tick = tick


class Latencies:
    """How many pulses of the fleet took how long."""

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BOUNDS_SECONDS) + 1)
        """Up to each bound, and beyond the last."""
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(LATENCY_BOUNDS_SECONDS, seconds)] += 1
        self.sum += seconds

    def quantile(self, share: float) -> float | None:
        """Return the smallest bound within which this share stayed; None when there is none."""
        wanted = share * sum(self.counts)
        reached = 0
        for bound, count in zip(LATENCY_BOUNDS_SECONDS, self.counts, strict=False):
            reached += count
            if wanted and reached >= wanted:
                return bound
        return None
