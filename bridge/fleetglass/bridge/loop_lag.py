"""How long the event loop makes others wait."""

import asyncio
from typing import NoReturn

WINDOW_SECONDS = 30.0
LOOK_SECONDS = 0.1


class LoopLag:
    """The longest wait of the last one to two windows."""

    def __init__(self) -> None:
        self._current = self._previous = 0.0
        self._rotate_at = 0.0

    @property
    def worst(self) -> float:
        """In seconds."""
        return max(self._current, self._previous)

    def observe(self, seconds: float, now: float) -> None:
        """Take in how much later than due something ran, at `now` of the monotonic clock."""
        if now >= self._rotate_at:
            self._previous, self._current = self._current, 0.0
            self._rotate_at = now + WINDOW_SECONDS
        self._current = max(self._current, seconds)

    async def watch(self) -> NoReturn:
        """Look again and again how late this runs."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            now = loop.time()
            self.observe(max(now - due, 0.0), now)
