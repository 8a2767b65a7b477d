"""How large a packet a broker takes: what it says, and what is learned from one that does not say it."""

import math
import threading
import time as clocks
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from fleetglass.mqtt.message import Message, Sent, has_left
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

LEAST_LEARNED_BYTES: Final = 256
"""A connection that ends on less than this ends for another reason."""
_HEAD_BYTES: Final = 16
"""Of a message, before its topic and between that and its payload: lengths, packet id, and expiry."""
TOO_LARGE: Final = (
    "broker %s accepts no packet above %d bytes: leaving out larger messages on %s; "
    "raise that limit of the broker (mosquitto: max_packet_size)"
)
"""Of the log; with broker, bytes and topic."""

_SUBSCRIBE_BATCH = 200
_SUBSCRIBE_HEAD_BYTES, _FILTER_BYTES = 8, 3
_STRIKES = 2
_WITNESSES = 32
_SOON_SECONDS = 5.0
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 600.0, 86_400.0


class PacketLimit:
    """The largest packet that a broker takes; kept from one connection to the next.

    MQTT 5 lets a broker say it. Others end the connection on a packet that is too large. So the largest
    packet that was on its way when connections ended, twice in a row and each time soon after it was sent,
    is taken for too large, and the next power of two below it for the limit. That is tried again after ten
    minutes, and then more and more seldom: a line that breaks must not shorten messages for ever.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = clocks.monotonic) -> None:
        self.largest = 0
        """Bytes of the largest packet that was ever to be sent."""
        self.told: int | None = None
        """What the broker says itself."""
        self.returned: int | None = None
        """What comes back from a broker that drops larger messages without a word."""
        self._clock = clock
        self._learned: int | None = None
        self._before: int | None = None  # learned before it was tried again
        self._retry_at = math.inf
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._strikes = 0
        self._lock = threading.Lock()
        self._proven = 0  # on this connection
        self._open, self._open_since = 0, 0.0  # the largest that was sent, and is not proven
        # Each proves so many bytes, once it is acknowledged.
        self._witnesses: deque[tuple[Sent, int]] = deque(maxlen=_WITNESSES)

    @property
    def most(self) -> int | None:
        """The largest packet to send; None where nothing is known against any."""
        if self._learned is not None and self._clock() >= self._retry_at:
            self._before, self._learned, self._retry_at = self._learned, None, math.inf
        known = (one for one in (self.told, self._learned, self.returned) if one is not None)
        return min(known, default=None)

    @property
    def learned(self) -> int | None:
        """What was learned, for now, from connections that ended or messages that were refused."""
        return self._learned

    def payload_bytes(self, topic: str) -> int:
        """Return how large a payload on a topic may be, for the contract and for the broker."""
        most = self.most
        if most is None:
            return MAX_PAYLOAD_BYTES
        return min(MAX_PAYLOAD_BYTES, max(0, most - packet_bytes(Message(topic, b""))))

    def begin(self, told: int | None) -> None:
        """Take in a new connection, and what the broker says on it."""
        with self._lock:
            self.told = told
            self._proven = self._open = 0
            self._witnesses.clear()

    def is_unproven(self, size: int) -> bool:
        """Return whether no packet this large was acknowledged on this connection yet."""
        self._settle()
        return size > self._proven

    def sent(self, size: int, sent: Sent, qos: int) -> None:
        """Take in that a packet was handed over."""
        if size <= self._proven and not self._open:
            return
        with self._lock:
            if size > self._proven:
                self._open_since = self._open_since if self._open else self._clock()
                self._open = max(self._open, size)
            if qos and self._open and not (self._witnesses and self._witnesses[-1][1] == self._open):
                self._witnesses.append((sent, self._open))

    def end(self, *, is_certain: bool) -> None:
        """Take in that the broker ended the connection; `is_certain`: it says that a packet was too large."""
        self._settle()
        with self._lock:
            if not self._open or not (is_certain or self._clock() - self._open_since <= _SOON_SECONDS):
                return
            self._strikes = _STRIKES if is_certain else self._strikes + 1
            if self._strikes >= _STRIKES or self._before is not None:
                self._lower()

    def refuse(self) -> None:
        """Take in that the broker refused a message as too large, and keeps the connection."""
        with self._lock:
            if self._open:
                self._lower()
            # paho takes an answer for an acknowledgement, whatever it says.
            self._open = 0
            self._witnesses.clear()

    def _settle(self) -> None:
        if not self._witnesses:
            return
        with self._lock:
            while self._witnesses and has_left(self._witnesses[0][0]):
                self._proven = max(self._proven, self._witnesses.popleft()[1])
            if self._open <= self._proven:
                self._open = self._strikes = 0
            if self._before is not None and self._proven > self._before:
                self._before, self._retry_seconds = None, _FIRST_RETRY_SECONDS

    def _lower(self) -> None:
        lower = 1 << ((self._open - 1).bit_length() - 1)
        if self._before is not None and self._before < self._open:
            lower = self._before
        lower = max(lower, self._proven, LEAST_LEARNED_BYTES)
        if lower >= self._open or lower >= (self._learned or math.inf):
            return
        if self._before is not None:
            self._before = None
            self._retry_seconds = min(2 * self._retry_seconds, _LONGEST_RETRY_SECONDS)
        self._learned = lower
        self._retry_at = self._clock() + self._retry_seconds


def packet_bytes(message: Message) -> int:
    """Return how large a message is on its way, at most."""
    return len(message.payload) + len(message.topic.encode()) + _HEAD_BYTES


def filter_batches(filters: list[str], max_packet_bytes: int | None) -> Iterator[list[str]]:
    """Yield filters in batches for one packet to subscribe each, of at least one."""
    most = math.inf if max_packet_bytes is None else max_packet_bytes
    batch: list[str] = []
    size = _SUBSCRIBE_HEAD_BYTES
    for one in filters:
        more = len(one.encode()) + _FILTER_BYTES
        if batch and (len(batch) == _SUBSCRIBE_BATCH or size + more > most):
            yield batch
            batch, size = [], _SUBSCRIBE_HEAD_BYTES
        batch.append(one)
        size += more
    if batch:
        yield batch
