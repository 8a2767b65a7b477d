"""What state a host is in: pure rules over times in seconds.

Times called `now` are of a `ListeningClock`, which stands still while the fleet cannot be heard.
"""

import math
from dataclasses import dataclass, field

from fleetglass.fleet.listening import GRACE_SECONDS, ListeningClock
from fleetglass.wire.payloads import State, Status
from fleetglass.wire.protocol import HostState

LATE_INTERVALS = 2.5
LATE_MIN_SECONDS = 2.5
LOST_MIN_SECONDS = 30.0
WILL_HOLD_SECONDS = 0.4
"""A broker that shuts down publishes every will before it closes our connection: a will counts only
when the connection outlives it by this much."""
RETAINED_SECONDS = 1.0
"""The retained messages of a site arrive within this time of its first word."""
UNEVEN_SECONDS = 60.0
"""A host that was late twice within this time, and heard again, has a connection with long gaps. It keeps
that name until no gap has been long for as long."""
UNEVEN_FACTOR = 1.5
"""Such a host is late after this many times its longest gap ..."""
UNEVEN_MAX_SECONDS = 10.0
"""... and after this time at the latest."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site whose broker passes its hosts' topics on to ours, by its word on that connection."""

    since: float = 0.0
    """When it was cut off, or returned: UTC, seconds since the epoch."""
    changed_at: float = -math.inf
    """The same moment by the fleet's clock. A host that has not been heard since then is not live."""
    is_cut_off: bool = False
    clock: ListeningClock = field(default_factory=ListeningClock)
    """Driven by the fleet's clock. It stands still while the site is cut off and for a grace after that, when
    neither silence nor a will says anything of a host."""

    def hear(self, *, connected: bool, now: float, wall: float) -> "Site":
        """Return the site after its next word."""
        if connected != self.is_cut_off:
            return self
        if connected:
            return Site(since=wall, changed_at=now, clock=self.clock.started(now + GRACE_SECONDS))
        return Site(since=wall, changed_at=now, is_cut_off=True, clock=self.clock.stopped(now))


def new_site(*, connected: bool, now: float, wall: float) -> Site:
    """Return a site after its first word, which the broker may have kept for long."""
    if connected:
        return Site(since=wall)
    clock = ListeningClock(runs_until=now + RETAINED_SECONDS)
    return Site(since=wall, changed_at=now, is_cut_off=True, clock=clock)


NO_SITE = Site()


@dataclass(slots=True)
class Presence:
    """What has been heard of one host. `now` is of the fleet's clock, `site_now` of its site's."""

    silent_since: float
    """When silence began to count, by the site's clock: with the first message of any kind, with the last
    pulse, or with the `online` of an agent that came back."""
    session: str | None = None
    """The agent's current session."""
    said: State | None = None
    """The state in the last status of the current session, unless a pulse proved it wrong since."""
    said_at: float = 0.0
    """When that status came, by the site's clock."""
    said_time: float = 0.0
    """The host's own time in that status."""
    woke_at: float = -math.inf
    """When its last sleep ended, by the site's clock."""
    heard_at: float | None = None
    """When the last pulse came."""
    host_time: float = -1.0
    """The host's own time in its last sign of life: its last pulse, or a later message that was retained."""
    interval: float = 1.0
    """Seconds between two pulses, as the host's `info` says."""
    gap_at: float = -math.inf
    """When the last long gap between two pulses ended."""
    gap_seconds: float = 0.0
    """How long that gap was."""
    patience_seconds: float = 0.0
    """The silence that is usual for the host, while its connection is uneven."""

    def hear_status(self, status: Status, site_now: float) -> None:
        """Take in a status, unless it is an old one.

        A broker repeats its retained messages to a bridge that returns, and after a crash it may repeat older
        ones. The status of another session than the current one is old unless its time is the newest of this
        host, and so is an `online` of the current one. A goodbye or a will says nothing new after a goodbye,
        nor does a will after a will: a broker that misses the end of a connection says `lost` of a host that
        sleeps. Only `stopped` is new after `suspended`.
        """
        is_current = self.session in (None, status.session)
        is_newest = self.see(status.time)
        if status.state == "online":
            if not is_newest and (self.said is not None or self.heard_at is not None):
                return
            if not is_current or self.said in ("suspended", "stopped", "lost"):
                self.silent_since = site_now
            if self.said == "suspended":
                self.woke_at = site_now
        elif not (self._is_news(status.state, is_newest=is_newest) if is_current else is_newest):
            return
        self.session = status.session
        self.said = status.state
        self.said_at = site_now
        self.said_time = status.time

    def hear_pulse(self, session: str, time: float, now: float, site_now: float) -> None:
        """Take in that a pulse came; `time` is the host's own."""
        if self.session != session:
            self.session = session
            self.said = None
        elif self.said == "lost" or (self.said in ("suspended", "stopped") and time > self.said_time):
            self.said = None  # it spoke after its goodbye or will, so it is back
        if self.heard_at is not None and now - self.heard_at > LATE_MIN_SECONDS:
            self._note_gap(now - self.heard_at, now)
        self.heard_at = now
        self.silent_since = site_now
        self.host_time = time

    def see(self, time: float) -> bool:
        """Take in the host's own time in a message that a broker retains; return whether it is the newest."""
        is_newest = time > self.host_time
        if is_newest:
            self.host_time = time
        return is_newest

    def shift(self, seconds: float) -> None:
        """Take in that the site's clock was set forward."""
        self.silent_since += seconds
        self.said_at += seconds

    def state(self, now: float, site: Site = NO_SITE) -> HostState:
        """Return the state at `now`, while the broker is connected."""
        if self.said == "suspended" or self.said == "stopped":  # noqa: PLR1714 -- so that the type is narrow
            return self.said
        site_now = site.clock.at(now)
        if self.said == "lost" and site_now >= self.said_at + WILL_HOLD_SECONDS:
            return "lost"
        lost_after = max(LOST_MIN_SECONDS, 2 * self._late_after())
        is_announced = self.said is not None or self.heard_at is not None
        if is_announced and site_now - self.silent_since > lost_after:
            return "lost"
        if self.heard_at is None:
            return "waiting"
        silence = min(now - self.heard_at, site_now - self.woke_at)
        if silence > self._late_after() and not self._is_patient(silence, now):
            return "late"
        return "late" if self.heard_at < site.changed_at else "live"

    def _is_news(self, state: State, *, is_newest: bool) -> bool:
        """Return whether a goodbye or a will of the current session says anything new."""
        match self.said:
            case "stopped":
                return False
            case "suspended":
                return state == "stopped" and is_newest
            case "lost":
                return state == "stopped" or (state == "suspended" and is_newest)
            case _:
                return True

    def _late_after(self) -> float:
        return max(LATE_MIN_SECONDS, LATE_INTERVALS * self.interval)

    def _is_patient(self, silence: float, now: float) -> bool:
        return silence <= self.patience_seconds and now - self.gap_at <= UNEVEN_SECONDS

    def _note_gap(self, seconds: float, now: float) -> None:
        """Take in a gap between two pulses.

        An agent waits for the broker's acknowledgements, so over a connection with seconds of delay its
        pulses arrive several at once, seconds apart. Such a host would be late and live in turns.
        """
        if seconds <= self._late_after():
            return
        if now - self.gap_at <= UNEVEN_SECONDS:
            longest = max(seconds, self.gap_seconds)
            self.patience_seconds = min(UNEVEN_FACTOR * longest, UNEVEN_MAX_SECONDS)
        else:
            self.patience_seconds = 0.0
        self.gap_at = now
        self.gap_seconds = seconds
