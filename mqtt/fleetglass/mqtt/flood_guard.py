"""Notices topics on which far more messages come than anybody there has to say."""

from collections.abc import Callable
from typing import Final

PAUSE_SECONDS: Final = 60.0
MAX_PAUSE_SECONDS: Final = 3600.0


class FloodGuard:
    """Counts messages by topic, and says for how long to leave out a topic.

    Each flood that follows on the last one doubles the pause, up to an hour.

    Args:
        max_per_second: messages on one topic, within one second, above which it is a flood.
        clock: seconds that never go back.
    """

    def __init__(self, max_per_second: int, clock: Callable[[], float]) -> None:
        self._max = max_per_second
        self._clock = clock
        self._second = 0
        self._counts: dict[str, int] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        """For each topic that was flooded: until when it is left out, and for how many seconds that is."""

    def is_flood(self, topic: str) -> bool:
        """Count a message; return whether from now on its topic is to be left out."""
        now = self._clock()
        if int(now) != self._second:
            self._second = int(now)
            self._counts.clear()
        count = self._counts[topic] = self._counts.get(topic, 0) + 1
        if count != self._max + 1:
            return False
        until, pause = self._pauses.get(topic, (now - MAX_PAUSE_SECONDS, 0.0))
        follows = now - until < MAX_PAUSE_SECONDS
        pause = min(max(2 * pause, PAUSE_SECONDS), MAX_PAUSE_SECONDS) if follows else PAUSE_SECONDS
        self._pauses[topic] = (now + pause, pause)
        return True

    def left_out_seconds(self, topic: str) -> float:
        """Return for how long yet a topic is to be left out; 0 if it is not."""
        until, _ = self._pauses.get(topic, (0.0, 0.0))
        return max(0.0, until - self._clock())
