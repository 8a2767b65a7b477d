"""What came from the broker and waits to be taken in: bounded, and in turns between hosts."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from time import perf_counter

MessageHandler = Callable[[str, bytes], None]
OversizeHandler = Callable[[str, int], None]

MOST_BYTES = 32 * 1024 * 1024
SLICE_SECONDS = 0.004
"""After so long, viewers and HTTP get their turn."""
_OVERHEAD_BYTES = 200  # of a message: tuple, topic, bytes object
_TURN_BYTES = 1000  # of a sender: deque and entry
_CALM_SHARE = 32
"""While less than this part of the room is taken, nobody floods, and turns would only cost time."""


class Inbox:
    """Messages that came faster than they are taken in.

    Reading costs a fraction of taking in. Left with the broker, a backlog would lose its newest messages,
    as most brokers drop what does not fit; here it loses the oldest, and they are counted.

    What waits is taken in in the order of arrival. Once it is much, each host has its turn, and it is the one
    with most that loses: who floods the broker delays itself. `sender` tells of a topic whose it is.
    """

    def __init__(
        self,
        on_message: MessageHandler,
        on_oversize: OversizeHandler = lambda *_: None,
        *,
        sender: Callable[[str], str] = lambda _: "",
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
        self._sender = sender
        self._bytes = 0
        self._count = 0
        self._calm: deque[tuple[str, bytes]] = deque()
        """What came before there was much; nothing is added while somebody waits for a turn."""
        self._turns: OrderedDict[str, _Waiting] = OrderedDict()
        """Of every sender of which something waits, in the order of their turns."""
        self._heaviest = _Waiting("")
        self._more = False

    def __len__(self) -> int:
        return self._count

    def put(self, topic: str, payload: bytes) -> None:
        """Leave a message; what waits of one sender is taken in in the order of arrival."""
        size = len(payload) + _OVERHEAD_BYTES
        self._bytes += size
        self._count += 1
        if self._bytes * _CALM_SHARE < self._most_bytes and not self._turns:
            self._calm.append((topic, payload))
            return
        sender = self._sender(topic)
        waiting = self._turns.get(sender)
        if waiting is None:
            waiting = self._turns[sender] = _Waiting(sender)
            self._bytes += _TURN_BYTES
        waiting.messages.append((topic, payload))
        waiting.size += size
        if waiting.size > self._heaviest.size:
            self._heaviest = waiting
        while self._bytes > self._most_bytes and self._turns:
            if not self._heaviest.messages:
                # A search for the next heaviest would take long; who floods is the heaviest again at once.
                self._heaviest = next(iter(self._turns.values()))
            self._pop(self._heaviest)
            self.dropped += 1

    def take_in(self) -> None:
        """Take in what waits: at once for as long as a slice lasts, the rest soon."""
        if not self._more:
            self._take_slice()

    def _take_slice(self) -> None:
        until = perf_counter() + self._slice
        while self._count:
            if self._calm:
                topic, payload = self._calm.popleft()
                self._bytes -= len(payload) + _OVERHEAD_BYTES
                self._count -= 1
            else:
                waiting = next(iter(self._turns.values()))
                self._turns.move_to_end(waiting.sender)
                topic, payload = self._pop(waiting)
            self._on_message(topic, payload)
            if perf_counter() >= until:
                break
        self._more = self._count > 0
        if self._more:
            asyncio.get_running_loop().call_soon(self._take_slice)

    def _pop(self, waiting: "_Waiting") -> tuple[str, bytes]:
        topic, payload = waiting.messages.popleft()
        size = len(payload) + _OVERHEAD_BYTES
        waiting.size -= size
        self._bytes -= size
        self._count -= 1
        if not waiting.messages:
            del self._turns[waiting.sender]
            self._bytes -= _TURN_BYTES
        return topic, payload


class _Waiting:
    """What waits of one sender."""

    __slots__ = ("messages", "sender", "size")

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.messages: deque[tuple[str, bytes]] = deque()
        self.size = 0
