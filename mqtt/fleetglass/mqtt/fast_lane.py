"""A lane past paho for the messages of a subscription: one read of the socket takes in hundreds.

Through paho and aiomqtt a message costs more than everything that a bridge does with it. So messages are cut
out of what the socket gives, in the order in which they came, and all other packets go on to paho byte for
byte. In place of a message with QoS 1, paho gets an empty one with the same packet id, which it acknowledges.
`docs/performance.md` has the figures.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from fleetglass.mqtt.buffered_socket import BufferedSocket
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

MAX_PUBLISH_BYTES: Final = MAX_PAYLOAD_BYTES + 0xFFFF + 4
"""A larger packet cannot carry an acceptable payload under any topic. It is skipped, and never held."""

_CONNACK = 0x20
_PINGREQ, _PINGRESP = b"\xc0\x00", b"\xd0\x00"


class Sink(Protocol):
    """Takes the messages of a connection. None of its methods may raise."""

    def put(self, topic: str, payload: bytes) -> None:
        """Take a message."""

    def refuse(self, topic: str, size: int) -> None:
        """Take note of a payload of `size` bytes, which is too large and was skipped."""

    def take_in(self) -> None:
        """Handle what was put: that is every message of one read of the socket."""


class PacketError(ConnectionError):
    """The broker sent something that is not MQTT, or that no subscriber is sent."""


class PacketSplitter:
    """Splits a stream of bytes into packets.

    Args:
        sink: gets the messages.
        is_mqtt_5: whether the stream is one of MQTT 5, in which messages carry properties.
    """

    def __init__(self, sink: Sink, *, is_mqtt_5: bool) -> None:
        self._sink = sink
        self._is_mqtt_5 = is_mqtt_5
        self._stub_head = b"\x32\x06\0\1-" if is_mqtt_5 else b"\x32\x05\0\1-"
        self._stub_tail = b"\0" if is_mqtt_5 else b""
        self.greeting = b""
        """The broker's answer to CONNECT, without its fixed header."""
        self._rest = b""
        self._skip = 0
        """Bytes of an oversized packet that are still to come."""

    def split(self, data: bytes) -> bytes | None:
        """Take in what was read, and return the packets for paho; None if not one packet was complete.

        A garbled length may announce a packet of 256 MB: what is skipped is no sign of life.

        Raises:
            PacketError: the stream cannot be understood.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        buffer = self._rest + data if self._rest else data
        put, is_mqtt_5, others = self._sink.put, self._is_mqtt_5, b""
        at, end = 0, len(buffer)
        while end - at >= 2:
            first, length, start = buffer[at], buffer[at + 1], at + 2
            if length >= 0x80:
                found = _number(buffer, at + 1)
                if found is None:
                    break
                length, start = found
            stop = start + length
            if stop > end and length <= MAX_PUBLISH_BYTES:
                break
            if first & 0xF4 != 0x30:  # not PUBLISH, or one of QoS 2
                if length > MAX_PUBLISH_BYTES:
                    raise PacketError(f"got a packet of type {first >> 4} with {length} bytes")
                if first == _CONNACK:
                    self.greeting = buffer[start:stop]
                others += buffer[at:stop]
                at = stop
                continue
            if length >= 2 > end - start:
                break  # the topic of an oversized message is worth waiting for
            topic_end = start + 2 + int.from_bytes(buffer[start : start + 2], "big")
            payload_start = topic_end + 2 if first & 0x02 else topic_end
            if payload_start > stop:
                raise PacketError("got a malformed message")
            if payload_start > end:
                break
            topic = str(buffer[start + 2 : topic_end], "utf-8", "replace")
            if is_mqtt_5 and stop <= end:
                has_none = payload_start < stop and buffer[payload_start] == 0
                payload_start = (
                    payload_start + 1 if has_none else _past_properties(buffer, payload_start, stop)
                )
            if first & 0x02:
                others += self._stub_head + buffer[topic_end : topic_end + 2] + self._stub_tail
            if stop - payload_start > MAX_PAYLOAD_BYTES:
                self._sink.refuse(topic, stop - payload_start)
            else:
                put(topic, buffer[payload_start:stop])
            at = stop
        self._skip += max(0, at - end)
        self._rest = buffer[at:]
        return others if at else None


class FastLane(BufferedSocket):
    """The socket of a connection whose messages go to a sink.

    Args:
        connected: as of `BufferedSocket`.
        splitter: takes the messages out.
        sink: told after each read that its messages have been put.
        on_open: called, on the thread that connects, when the connection stands.
        on_close: called when paho closes the socket.
    """

    def __init__(
        self,
        connected: socket.socket | ssl.SSLSocket,
        splitter: PacketSplitter,
        sink: Sink,
        *,
        on_open: Callable[[], None],
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(connected)
        self._splitter = splitter
        self._take_in = sink.take_in
        self._on_open = on_open
        self._on_close = on_close
        self._is_pinged = False

    def do_handshake(self) -> None:
        """Greet the other side, where it speaks TLS, and say that the connection stands."""
        super().do_handshake()
        self._on_open()

    def send(self, data: bytes | bytearray) -> int:
        """Send, and note when paho begins to wait for the answer to a ping."""
        if data == _PINGREQ:
            self._is_pinged = True
        return super().send(data)

    def close(self) -> None:
        """Close it, as paho does at the end."""
        super().close()
        self._on_close()

    def shut(self) -> None:
        """End the connection, from any thread; a read then finds its end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> bytes:
        data = super()._read()
        if not data:
            return b""
        try:
            others = self._splitter.split(data)
        except PacketError as error:
            self.failure = error
            raise
        self._take_in()
        if self._is_pinged and others is not None:
            # paho sees no messages, and an answer that waits behind many of them would come too late for it.
            self._is_pinged = False
            others += _PINGRESP
        if not others:
            raise BlockingIOError
        return others


def _past_properties(buffer: bytes, at: int, stop: int) -> int:
    found = _number(buffer[at : min(at + 4, stop)], 0)
    if found is None or at + sum(found) > stop:
        raise PacketError("got a malformed message")
    return at + sum(found)


def _number(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Return a variable byte integer and where it ends, or None when it is not all there (1.5.5)."""
    number = 0
    for place in range(4):
        if at + place >= len(buffer):
            return None
        digit = buffer[at + place]
        number |= (digit & 0x7F) << (7 * place)
        if digit < 0x80:
            return number, at + place + 1
    raise PacketError("got a malformed length")
