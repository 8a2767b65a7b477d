"""What came from the broker and waits to be taken in: bounded, and in turns between hosts."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from time import perf_counter

from fleetglass.wire.unexpected_errors import UnexpectedErrors

MessageHandler = Callable[[str, bytes], None]
OversizeHandler = Callable[[str, int], None]

MAX_BYTES = 32 * 1024 * 1024
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

    Messages are taken in in the order of arrival. Once many wait, each host has its turn, and the host with
    the most bytes waiting loses its oldest message, so that a host that floods the broker delays itself.

    `sender` returns the host of a topic. An exception of a callback costs its message, and is counted in
    `errors`.
    """

    def __init__(
        self,
        on_message: MessageHandler,
        on_oversize: OversizeHandler = lambda *_: None,
        *,
        errors: UnexpectedErrors | None = None,
        sender: Callable[[str], str] = lambda _: "",
        most_bytes: int = MAX_BYTES,
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self.dropped = 0
        """Messages that were dropped for want of room."""
        self._on_message = on_message
        self._on_oversize = on_oversize
        self._errors = errors or UnexpectedErrors()
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
        """The sender with most, when one last grew beyond all others."""
        self._others: list[tuple[int, int, _Waiting]] = []
        """A heap of the others by what they held at most, the heaviest first; they may hold less by now."""
        self._number = count()
        self._more = False
        """Whether the next slice is scheduled."""

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
        sender = self._sender_of(topic)
        waiting = self._turns.get(sender)
        if waiting is None:
            waiting = self._turns[sender] = _Waiting(sender)
            self._bytes += _TURN_BYTES
        waiting.messages.append((topic, payload))
        waiting.size += size
        if waiting is not self._heaviest:
            if waiting.size > self._heaviest.size:
                waiting, self._heaviest = self._heaviest, waiting
            self._remember(waiting)
        while self._bytes > self._most_bytes and self._turns:
            self._find_heaviest()
            self._pop(self._heaviest)
            self.dropped += 1

    def refuse(self, topic: str, size: int) -> None:
        """Take in that a payload of so many bytes came, which is too large to be read."""
        with self._errors.caught("refusing a message"):
            self._on_oversize(topic, size)

    def take_in(self) -> None:
        """Take in what waits: at once for as long as a slice lasts, the rest soon."""
        if not self._more:
            self._take_slice()

    def _take_slice(self) -> None:
        self._more = False
        until = perf_counter() + self._slice
        try:
            while self._count:
                if self._calm:
                    topic, payload = self._calm.popleft()
                    self._bytes -= len(payload) + _OVERHEAD_BYTES
                    self._count -= 1
                else:
                    waiting = next(iter(self._turns.values()))
                    self._turns.move_to_end(waiting.sender)
                    topic, payload = self._pop(waiting)
                try:
                    self._on_message(topic, payload)
                except Exception as error:  # noqa: BLE001 - whatever it is, the next message is another
                    self._errors.count("taking in a message", error)
                if perf_counter() >= until:
                    break
        finally:
            # However a slice ends, the next one comes, or all messages from now on would wait for ever.
            if self._count:
                asyncio.get_running_loop().call_soon(self._take_slice)
                self._more = True

    def _sender_of(self, topic: str) -> str:
        try:
            return self._sender(topic)
        except Exception as error:  # noqa: BLE001 - the message can be taken in all the same
            self._errors.count("finding the sender of a message", error)
            return ""

    def _remember(self, waiting: "_Waiting") -> None:
        if len(self._others) > 2 * len(self._turns) + 100:
            self._others = [(-one.size, next(self._number), one) for one in self._turns.values()]
            heapify(self._others)
        heappush(self._others, (-waiting.size, next(self._number), waiting))

    def _find_heaviest(self) -> None:
        while self._others and -self._others[0][0] > self._heaviest.size:
            size, _, other = heappop(self._others)
            if -size == other.size:
                other, self._heaviest = self._heaviest, other
            if other.messages:
                self._remember(other)

    def _pop(self, waiting: "_Waiting") -> tuple[str, bytes]:
        topic, payload = waiting.messages.popleft()
        size = len(payload) + _OVERHEAD_BYTES
        waiting.size -= size
        self._bytes -= size
        self._count -= 1
        if not waiting.messages:
            del self._turns[waiting.sender]
            self._bytes -= _TURN_BYTES
            if not self._turns:
                self._others.clear()
        return topic, payload


class _Waiting:
    """What waits of one sender."""

    __slots__ = ("messages", "sender", "size")

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.messages: deque[tuple[str, bytes]] = deque()
        self.size = 0
