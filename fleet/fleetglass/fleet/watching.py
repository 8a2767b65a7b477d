"""Of which hosts the live groups are subscribed: those somebody watches, and for a while after."""

from collections import Counter
from collections.abc import Iterable

LINGER_SECONDS = 300.0


class Watching:
    """Counts the watchers of each host. `now` is the monotonic clock, in seconds."""

    def __init__(self, linger_seconds: float = LINGER_SECONDS) -> None:
        self._linger = linger_seconds
        self._watchers: Counter[str] = Counter()
        self._left_at: dict[str, float] = {}

    def add(self, host: str) -> None:
        """Count one more watcher of a host."""
        self._watchers[host] += 1
        self._left_at.pop(host, None)

    def remove(self, host: str, now: float) -> None:
        """Count one watcher less."""
        self._watchers[host] -= 1
        if self._watchers[host] <= 0:
            del self._watchers[host]
            self._left_at[host] = now

    def hosts(self, now: float) -> set[str]:
        """Return the hosts that are watched, or were until a short while ago."""
        self._left_at = {host: at for host, at in self._left_at.items() if now - at < self._linger}
        return self._watchers.keys() | self._left_at.keys()

    @property
    def watched(self) -> Iterable[str]:
        """The hosts that somebody watches now."""
        return self._watchers.keys()

    def __len__(self) -> int:
        return len(self._watchers)
