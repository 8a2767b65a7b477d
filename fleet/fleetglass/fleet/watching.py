"""Which hosts' live groups are subscribed: those that a viewer watches, and for a while after."""

from collections.abc import Set as AbstractSet

LINGER_SECONDS = 300.0


class Watching:
    """Remembers for a while the hosts that nobody watches any more: a viewer may come back to them."""

    def __init__(self, linger_seconds: float = LINGER_SECONDS) -> None:
        self._linger = linger_seconds
        self._watched: AbstractSet[str] = frozenset()
        self._left_at: dict[str, float] = {}

    def hosts(self, watched: AbstractSet[str], now: float) -> set[str]:
        """Return the hosts that are watched now, and those that were until a short while ago.

        Args:
            watched: the hosts that are watched now.
            now: the monotonic clock, in seconds.
        """
        self._left_at |= dict.fromkeys(self._watched - watched, now)
        self._watched = watched
        self._left_at = {
            host: at for host, at in self._left_at.items() if now - at < self._linger and host not in watched
        }
        return watched | self._left_at.keys()
