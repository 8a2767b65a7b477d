"""An agent that is told an interface publishes only while that has an address."""

import time
from collections.abc import Callable

from fleetglass.agent.readings.interface_address import has_address

GRACE_SECONDS = 3.0
"""A connection outlives an interface that is away for a moment, as when a station roams."""


class InterfaceGate:
    """Says whether to stay away from the broker; without an interface there is no reason to.

    To be asked about once per tick.
    """

    def __init__(
        self,
        interface: str | None,
        *,
        has_address: Callable[[str], bool] = has_address,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interface = interface
        self._has_address = has_address
        self._clock = clock
        self._seen = float("-inf")

    def reason_to_wait(self) -> str | None:
        """Return in one line what is waited for, or None when nothing is."""
        if self._interface is None:
            return None
        now = self._clock()
        if self._has_address(self._interface):
            self._seen = now
        return f"waiting for interface {self._interface}" if now - self._seen >= GRACE_SECONDS else None
