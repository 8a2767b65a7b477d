from typing import NamedTuple, Protocol, runtime_checkable

from fleetglass.wire.payloads import Group


class Partial(NamedTuple):
    """What could be read of a group when a part of it could not, and why."""

    message: Group | None
    reason: str


class Collector(Protocol):
    """Reads one group of metrics.

    A collector may keep its last reading, so it is called from one thread at a time. Whatever it raises
    costs its group this one message.
    """

    group: str
    """Name of the group, the last level of its topic."""
    interval: float
    """Seconds between two turns; 0 is every tick."""

    def collect(self, time: float, tick: int) -> Group | Partial | None:
        """Return the group's message, or None when the host has no such thing."""


@runtime_checkable
class BackgroundWork(Protocol):
    """A collector that reads on a thread of its own, all or a part of its group."""

    group: str

    def hasten(self, interval: float | None) -> None:
        """Read at least as often as this, in seconds; None is as often as usual."""

    def close(self) -> None:
        """Begin no other reading, and end the one that runs as far as that can be."""
