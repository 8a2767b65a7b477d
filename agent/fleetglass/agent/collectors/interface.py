from typing import Protocol

from fleetglass.wire.payloads import Group


class Collector(Protocol):
    """Reads one group of metrics.

    A collector may keep its last reading, so it is called from one thread at a time. Whatever it raises
    costs its group this one message.
    """

    group: str
    """Name of the group, the last level of its topic."""
    interval: float
    """Seconds between two turns; 0 is every tick."""

    def collect(self, time: float, tick: int) -> Group | None:
        """Return the group's message, or None when the host has no such thing."""
