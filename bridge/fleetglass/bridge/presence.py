"""What state a host is in: pure rules over times of one monotonic clock, in seconds."""

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

    def state(self, now: float, grace_until: float) -> HostState:
        """Return the state at `now`, while the broker is connected.

        Silence and wills before `grace_until` are excused.
        """
        if self.said == "stopped":
            return "stopped"
        if self.said == "lost" and now >= max(self.said_at + WILL_HOLD_SECONDS, grace_until):
            return "lost"
        late_after = max(LATE_MIN_SECONDS, LATE_INTERVALS * self.interval)
        lost_after = max(LOST_MIN_SECONDS, 2 * late_after)
        if self.heard_at is None:
            silent = now - max(self.known_since, grace_until)
            return "lost" if self.said is not None and silent > lost_after else "waiting"
        silent = now - max(self.heard_at, grace_until)
        if silent > lost_after:
            return "lost"
        return "late" if silent > late_after else "live"
