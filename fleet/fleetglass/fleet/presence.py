"""What state a host is in: pure rules over times of one monotonic clock, in seconds."""

import math
from dataclasses import dataclass

from fleetglass.wire.payloads import State, Status
from fleetglass.wire.protocol import HostState

LATE_INTERVALS = 2.5
LATE_MIN_SECONDS = 2.5
LOST_MIN_SECONDS = 30.0
WILL_HOLD_SECONDS = 0.4
"""A broker that shuts down publishes every will before it closes our connection: a will counts only
when the connection outlives it by this much."""
GRACE_SECONDS = 15.0
"""After the broker returned, agents get this long to be back before their silence or will counts."""
RETAINED_SECONDS = 1.0
"""What is retained of a site comes within this time of its first word."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site whose broker passes its hosts' topics on to ours, by what it says of that connection."""

    since: float = 0.0
    """When it was cut off, or returned: UTC, seconds since the epoch."""
    changed_at: float = -math.inf
    """The same. Who has not been heard since then is not live."""
    cut_at: float | None = None
    """From then on neither silence nor a will counts, as nobody could know; None while it is connected."""
    grace_until: float = -math.inf
    """Silence and wills before that are excused."""

    def hear(self, *, connected: bool, now: float, wall: float) -> "Site":
        """Return what it is after its next word."""
        if connected == (self.cut_at is None):
            return self
        if connected:
            return Site(since=wall, changed_at=now, grace_until=now + GRACE_SECONDS)
        return Site(since=wall, changed_at=now, cut_at=now)


def new_site(*, connected: bool, now: float, wall: float) -> Site:
    """Return what a site is after its first word, which may have been kept for long."""
    if connected:
        return Site(since=wall)
    return Site(since=wall, changed_at=now, cut_at=now + RETAINED_SECONDS)


NO_SITE = Site()


@dataclass(slots=True)
class Presence:
    """What has been heard of one host."""

    known_since: float
    """When the host was first heard of, by any message."""
    session: str | None = None
    """The agent's current session: that of its last `online` or pulse."""
    said: State | None = None
    """What the current session's last status said."""
    said_at: float = 0.0
    """When that status came."""
    said_time: float = 0.0
    """The host's own time in that status."""
    heard_at: float | None = None
    """When the last pulse came."""
    interval: float = 1.0
    """Seconds between two pulses, as the host's `info` says."""

    def hear_status(self, status: Status, now: float) -> None:
        """Take in a status. A goodbye or will of any but the current session is ignored."""
        if status.state != "online" and self.session not in (None, status.session):
            return
        self.session = status.session
        self.said = status.state
        self.said_at = now
        self.said_time = status.time

    def hear_pulse(self, session: str, time: float, now: float) -> None:
        """Take in that a pulse came; `time` is the host's own."""
        if self.session != session:
            self.session = session
            self.said = None
        elif self.said == "lost" or (self.said == "stopped" and time > self.said_time):
            self.said = None  # it spoke after its goodbye or will, so it is back
        self.heard_at = now

    def state(self, now: float, grace_until: float, site: Site = NO_SITE) -> HostState:
        """Return the state at `now`, while the broker is connected.

        Silence and wills before `grace_until` are excused.
        """
        if self.said == "stopped":
            return "stopped"
        known_until = now if site.cut_at is None else min(now, site.cut_at)
        excused_until = max(grace_until, site.grace_until)
        if self.said == "lost" and known_until >= max(self.said_at + WILL_HOLD_SECONDS, excused_until):
            return "lost"
        late_after = max(LATE_MIN_SECONDS, LATE_INTERVALS * self.interval)
        lost_after = max(LOST_MIN_SECONDS, 2 * late_after)
        if self.heard_at is None:
            silent = known_until - max(self.known_since, excused_until)
            return "lost" if self.said is not None and silent > lost_after else "waiting"
        if known_until - max(self.heard_at, excused_until) > lost_after:
            return "lost"
        is_late = now - max(self.heard_at, grace_until) > late_after or self.heard_at < site.changed_at
        return "late" if is_late else "live"
