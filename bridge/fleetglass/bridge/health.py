"""Whether the bridge does its work, as seen once per second from what waits and what was done."""

import logging
from collections.abc import Callable
from typing import Final

from fleetglass.fleet.relay import Relay

STALLED_LOOKS: Final = 5
"""After so many looks without progress something is stuck. Looks, as a machine that slept counts none."""

_log = logging.getLogger(__name__)


class Health:
    """Finds work that waits while none of it is done.

    A bridge that takes in less than comes, as in a flood, is not stuck: a restart would not help it.
    """

    def __init__(self, relay: Relay) -> None:
        self.reason: str | None = None
        """Why the bridge is degraded, in one word; None while it is not."""
        self._progress = (
            _Progress("messages_not_taken", lambda: relay.received, lambda: len(relay.inbox)),
            _Progress("frames_not_sent", lambda: relay.fanout.spread, lambda: relay.fanout.waiting),
            _Progress("states_not_updated", lambda: relay.advances, lambda: True),
            _Progress("fleet_frames_not_made", lambda: relay.pulse_turns, lambda: True),
        )

    def look(self) -> None:
        """Compare with the last look; to be called once per second."""
        stalled = [progress.reason for progress in self._progress if progress.is_stalled()]
        reason = stalled[0] if stalled else None
        if reason == self.reason:
            return
        self.reason = reason
        if reason is not None:
            _log.error("the bridge is degraded: %s", reason)
        else:
            _log.warning("the bridge works again")


class _Progress:
    """How long something waits while nothing is done."""

    def __init__(self, reason: str, done: Callable[[], int], waiting: Callable[[], object]) -> None:
        self.reason = reason
        self._done = done
        self._waiting = waiting
        self._last = -1
        self._looks = 0

    def is_stalled(self) -> bool:
        done = self._done()
        if done != self._last or not self._waiting():
            self._looks = 0
        else:
            self._looks += 1
        self._last = done
        return self._looks >= STALLED_LOOKS
