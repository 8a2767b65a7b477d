"""Whether a broker drops large messages without a word, as it may by MQTT 3.1.1: what comes back tells."""

import logging
import time as clocks
from collections.abc import Callable, Iterator
from typing import Final

from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt.message import Message
from fleetglass.mqtt.packet_limit import LEAST_LEARNED_BYTES, packet_bytes
from fleetglass.mqtt.threaded_connection import ThreadedConnection

_log = logging.getLogger(__name__)

_STABLE_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 5.0
_GROWTH: Final = 1.25
_ATTEMPTS: Final = 2


class EchoProbe:
    """Sends messages of growing size once, up to the largest that there was; what comes back is the limit.

    They go to a topic that nobody else reads. Where not even the smallest comes back, this host may not
    read it, and nothing is taken for known. It is tried again when messages grow, and on a new connection
    where some did not come back.
    """

    def __init__(
        self,
        topic: str,
        session: str,
        connection: ThreadedConnection,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.topic = topic
        self._session = session
        self._connection = connection
        self._clock = clock
        self._attempts = _ATTEMPTS
        self._sent: dict[bytes, int] = {}  # size of packets, by payload, while they are waited for
        self._returned: set[int] = set()
        self._sent_at = 0.0
        self._number = 0  # of the connection on which they were sent
        self._proven = 0

    def look(self) -> None:
        """Send or judge what it is time for; to be called about once per tick, while connected."""
        if self._sent:
            if self._connection.number != self._number:
                self._sent = {}
            elif len(self._returned) == len(self._sent) or self._clock() - self._sent_at > _ANSWER_SECONDS:
                self._judge()
        elif size := self._due():
            self._send(size)

    def hear(self, payload: bytes) -> None:
        """Take what comes back."""
        if (size := self._sent.get(payload)) is not None:
            self._returned.add(size)

    def _due(self) -> int:
        """Return up to which size it is time to try; 0 when it is not."""
        limit = self._connection.limit
        if (
            self._connection.version is MQTTProtocolVersion.MQTTv5
            or not self._attempts
            or limit.told is not None
            or self._connection.connected_seconds < _STABLE_SECONDS
        ):
            return 0
        size = min(limit.largest, limit.learned or limit.largest)
        has_grown = size > self._proven * _GROWTH
        return size if has_grown or (limit.returned and self._connection.number != self._number) else 0

    def _send(self, largest: int) -> None:
        self._attempts -= 1
        self._connection.limit.returned = None
        self._number, self._sent_at = self._connection.number, self._clock()
        self._returned = set()
        messages = [self._message(size) for size in _sizes(largest)]
        self._sent = {one.payload: packet_bytes(one) for one in messages}
        self._connection.subscribe([self.topic], qos=0)
        self._connection.send(messages)

    def _message(self, size: int) -> Message:
        text = f'{{"session":"{self._session}"}}'.encode()
        room = size - packet_bytes(Message(self.topic, b""))
        return Message(self.topic, text.ljust(room))

    def _judge(self) -> None:
        tried, most = max(self._sent.values()), max(self._returned, default=0)
        self._sent = {}
        if not most:
            return  # it may not read the topic
        self._attempts = _ATTEMPTS
        self._proven = tried
        if most < tried:
            self._connection.limit.returned = most
            _log.warning(
                "broker %s drops large messages: sending no packet above %d bytes; "
                "raise its limit (mosquitto: message_size_limit)",
                self._connection.url,
                most,
            )


def _sizes(largest: int) -> Iterator[int]:
    size = LEAST_LEARNED_BYTES
    while size < largest:
        yield size
        size *= 2
    yield max(largest, LEAST_LEARNED_BYTES)
