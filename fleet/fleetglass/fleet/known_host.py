"""What is known of one host."""

from dataclasses import dataclass, field

from fleetglass.fleet.arrivals import Arrivals
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.presence import Presence
from fleetglass.wire.protocol import HostState
from fleetglass.wire.topics import DEFAULT_PREFIX

EARLIEST_TIME = 1_577_836_800.0
"""2020-01-01: a host whose clock shows an earlier time has never set it."""


@dataclass(slots=True)
class KnownHost:
    """One host: what it said last, as it came, and the state it is in."""

    id: str
    presence: Presence
    prefix: str = DEFAULT_PREFIX
    """Of the topics under which it is known; empty for an expected host that was never heard."""
    expected: ExpectedHost | None = None
    """What the list of expected hosts says of it."""
    state: HostState = "waiting"
    since: float = 0.0
    """When it got into this state: UTC, seconds since the epoch, by the bridge's clock."""
    last_sign_time: float | None = None
    """The host's own time in its last sign of life, when nobody here listened as the host was lost: then
    `since` is that time."""
    known_since: float = 0.0
    """When any message of it came first, by the monotonic clock."""
    heard_wall: float = 0.0
    """When the last pulse came: UTC."""
    heard_stretch: int = 0
    """In which stretch of uninterrupted listening it came."""
    info: bytes | None = None
    info_summary: bytes | None = None
    """Less what only those are told who watch the host."""
    upkeep: tuple[tuple[str, int], ...] = ()
    """The fields of its info that tell of updates and reboots, with their values."""
    pulse: bytes | None = None
    pulse_key: tuple[str, int] | None = None
    """Session and tick of the last pulse."""
    summary: bytes | None = None
    """The last one, while somebody asks for them."""
    arrivals: Arrivals = field(default_factory=Arrivals)
    demand_groups: frozenset[str] = frozenset()
    """The groups it publishes, when it takes leases."""

    @property
    def is_gone(self) -> bool:
        """Whether nothing says that the host lives."""
        return self.state in ("lost", "suspended", "stopped", "waiting")

    def by_bridge_clock(self, time: float, wall: float) -> float:
        """Return a time of the host's clock by the bridge's clock, which shows `wall` now.

        Pulses show how far the clocks are apart. Without any, the host's clock is believed, unless it was
        never set. The result is not before the last pulse, and never in the future.
        """
        if self.arrivals.received:
            time -= self.arrivals.clock_offset
        elif time < EARLIEST_TIME:
            return wall
        return min(max(time, self.heard_wall), wall)
