"""What came from the broker and waits to be taken in: bounded, oldest out first."""

import asyncio
from collections import deque
from time import perf_counter

from fleetglass.bridge.mqtt import MessageHandler, OversizeHandler

MOST_BYTES = 32 * 1024 * 1024
SLICE_SECONDS = 0.004
"""After so long, viewers and HTTP get their turn."""
_OVERHEAD_BYTES = 200  # of a message: tuple, topic, bytes object


class Inbox:
    """Messages that came faster than they are taken in.

    Reading costs a fraction of taking in. Left with the broker, a backlog would lose its newest messages,
    as most brokers drop what does not fit; here it loses the oldest, and they are counted.
    """

    def __init__(
        self,
        on_message: MessageHandler,
        on_oversize: OversizeHandler = lambda *_: None,
        *,
        most_bytes: int = MOST_BYTES,
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self.dropped = 0
        """Messages that were dropped for want of room."""
        self.refuse = on_oversize
        """Takes topic and size of a payload that is too large to be taken in."""
        self._on_message = on_message
        self._most_bytes = most_bytes
        self._slice = slice_seconds
        self._bytes = 0
        self._messages: deque[tuple[str, bytes]] = deque()
        self._more = False

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, topic: str, payload: bytes) -> None:
        """Leave a message; those that wait are taken in in the order of arrival."""
        self._messages.append((topic, payload))
        self._bytes += len(payload) + _OVERHEAD_BYTES
        while self._bytes > self._most_bytes:
            self._bytes -= len(self._messages.popleft()[1]) + _OVERHEAD_BYTES
            self.dropped += 1

    def take_in(self) -> None:
        """Take in what waits: at once for as long as a slice lasts, the rest soon."""
        if not self._more:
            self._take_slice()

    def _take_slice(self) -> None:
        until = perf_counter() + self._slice
        while self._messages:
            topic, payload = self._messages.popleft()
            self._bytes -= len(payload) + _OVERHEAD_BYTES
            self._on_message(topic, payload)
            if perf_counter() >= until:
                break
        self._more = bool(self._messages)
        if self._more:
            asyncio.get_running_loop().call_soon(self._take_slice)
