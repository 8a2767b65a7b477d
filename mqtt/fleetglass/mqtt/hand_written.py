"""MQTT 3.1.1 as a bridge needs it: subscribe, take messages in bulk, say something now and then.

With aiomqtt a message costs more than all that the bridge does with it: paho reads each with four system
calls, in a turn of the event loop of its own. Here one read takes in hundreds. `docs/performance.md` has
the figures.
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, cast

from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

REFUSED: Final = 0x80
"""From here on, a return code of SUBACK is a refusal (3.9.3)."""

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP = 2, 3, 4, 9, 11, 13
_MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 0xFFFF + 4
"""A packet beyond cannot carry an acceptable payload under any topic; it is skipped and never held."""
_REFUSALS = {
    1: "unacceptable protocol version",
    2: "client id rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorized",
}
_FINAL_REFUSALS = {1, 2, 4, 5}

MessageHandler = Callable[[str, bytes], None]
OversizeHandler = Callable[[str, int], None]


class MqttError(Exception):
    """The broker cannot be reached, refused, or went away; the text says which."""


class AccessError(MqttError):
    """The broker does not let us in: it knows neither user nor certificate, or does not speak our version."""


class Packets:
    """Cuts a stream of bytes into packets. Messages go to `on_message`, or `on_oversize` with their size.

    Raises:
        MqttError: from `feed`, when the bytes are not MQTT.
    """

    def __init__(
        self,
        on_message: MessageHandler,
        on_oversize: OversizeHandler,
        on_control: Callable[[int, bytes], None],
        acknowledge: Callable[[bytes], None],
    ) -> None:
        self._on_message = on_message
        self._on_oversize = on_oversize
        self._on_control = on_control
        self._acknowledge = acknowledge
        self._rest = b""
        self._skip = 0
        """Bytes of an oversized packet that are still to come."""

    def feed(self, data: bytes) -> bool:
        """Take in what was read, and return whether a packet was in it.

        A stream that lost its order may announce a packet of 256 MB: what is skipped shows no life.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        buffer = self._rest + data if self._rest else data
        on_message = self._on_message
        at, end = 0, len(buffer)
        while end - at >= 2:
            first, length, start = buffer[at], buffer[at + 1], at + 2
            if length >= 0x80:
                found = _long_length(buffer, at + 1)
                if found is None:
                    break
                length, start = found
            stop = start + length
            if stop > end and length <= _MAX_PACKET_BYTES:
                break
            if first >> 4 != _PUBLISH:
                if length > _MAX_PACKET_BYTES:
                    raise MqttError(f"got a control packet of {length} bytes")
                self._on_control(first >> 4, buffer[start:stop])
                at = stop
                continue
            if length < 2:
                raise MqttError("got a malformed PUBLISH")
            if stop > end and end - start < 2:
                break  # the topic of an oversized packet is worth waiting for
            topic_start = start + 2
            payload_start = topic_start + (buffer[start] << 8 | buffer[start + 1])
            if stop > end and end < payload_start + 2:
                break
            topic = str(buffer[topic_start:payload_start], "utf-8", "replace")
            if first & 0x06:  # of QoS 1 or 2, which has a packet id
                self._acknowledge(buffer[payload_start : payload_start + 2])
                payload_start += 2
            if payload_start > stop:
                raise MqttError("got a malformed PUBLISH")
            if stop - payload_start > MAX_PAYLOAD_BYTES:
                self._on_oversize(topic, stop - payload_start)
            else:
                on_message(topic, buffer[payload_start:stop])
            at = stop
        self._skip += max(0, at - end)
        self._rest = buffer[at:]
        return at > 0


class Connection(asyncio.Protocol):
    """One connection to a broker, from CONNECT to its end. Made by `connected`."""

    def __init__(
        self,
        on_message: MessageHandler,
        on_oversize: OversizeHandler,
        on_read: Callable[[], None],
        timeout_seconds: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done, with an `MqttError`, when the connection has ended."""
        self._packets = Packets(on_message, on_oversize, self._take_control, self._acknowledge)
        self._on_read = on_read
        self._timeout = timeout_seconds
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._last_id = 0
        self._heard = loop.time()
        self._transport: asyncio.Transport | None = None

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> list[int]:
        """Subscribe to filters, each with its QoS; return the return codes.

        Raises:
            MqttError: the connection ended, or there was no answer in time.
        """
        body = b"".join(_text(name) + bytes([qos]) for name, qos in filters)
        return list(await self._request(0x82, b"", body))

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe from filters.

        Raises:
            MqttError: as `subscribe`.
        """
        await self._request(0xA2, b"", b"".join(map(_text, filters)))

    async def publish_retained(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, retained, and wait until the broker has it.

        Raises:
            MqttError: as `subscribe`.
        """
        await self._request(0x33, _text(topic), payload)

    async def keep_alive(self, seconds: float) -> None:
        """Ping however much comes: the broker waits for us; end the connection when it falls silent."""
        loop = asyncio.get_running_loop()
        while not self.lost.done():
            await asyncio.sleep(seconds / 2)
            if loop.time() - self._heard > seconds:
                self._end(MqttError(f"heard nothing for {seconds:g} s"))
            self._write(b"\xc0\x00")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        """Take in what was read."""
        try:
            if self._packets.feed(data):
                self._heard = asyncio.get_running_loop().time()
        except MqttError as error:
            self._end(error)
        self._on_read()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all that wait."""
        self._end(MqttError(str(exc) if exc else "the broker closed the connection"))

    async def greet(self, identifier: str, user: str | None, password: str | None, keepalive: int) -> None:
        """Send CONNECT and wait for the answer; of `connected` only.

        Raises:
            MqttError: the broker refused, or gave no answer in time.
        """
        flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
        body = b"\x00\x04MQTT\x04" + bytes([flags]) + struct.pack("!H", keepalive) + _text(identifier)
        body += b"".join(_text(one) for one in (user, password) if one is not None)
        answer = await self._wait(0, _packet(0x10, body))
        if len(answer) != 2 or answer[1]:
            code = answer[1] if len(answer) == 2 else None
            kind = AccessError if code in _FINAL_REFUSALS else MqttError
            raise kind(f"refused: {_REFUSALS.get(code or 0, f'code {code}')}")

    def leave(self) -> None:
        """Say goodbye and close."""
        self._write(b"\xe0\x00")
        self._end(MqttError("closed"))

    async def _request(self, kind: int, before_id: bytes, after_id: bytes) -> bytes:
        number = self._last_id = self._last_id % 0xFFFF + 1
        return await self._wait(number, _packet(kind, before_id + struct.pack("!H", number) + after_id))

    async def _wait(self, number: int, packet: bytes) -> bytes:
        if self.lost.done():
            raise MqttError("the connection ended")
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._write(packet)
        try:
            async with asyncio.timeout(self._timeout):
                body: bytes = await answer
                return body
        except TimeoutError:
            raise MqttError(f"no answer within {self._timeout:g} s") from None
        finally:
            self._waiting.pop(number, None)

    def _take_control(self, kind: int, body: bytes) -> None:
        if kind == _CONNACK:
            number, answer = 0, body
        elif kind in (_PUBACK, _SUBACK, _UNSUBACK) and len(body) >= 2:
            number, answer = int.from_bytes(body[:2], "big"), body[2:]
        elif kind == _PINGRESP:
            return
        else:
            raise MqttError(
                f"got packet type {kind} of {len(body)} bytes, which no broker sends a subscriber"
            )
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _acknowledge(self, packet_id: bytes) -> None:
        self._write(b"\x40\x02" + packet_id)

    def _write(self, packet: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)

    def _end(self, error: MqttError) -> None:
        if not self.lost.done():
            self.lost.set_exception(error)
            self.lost.exception()  # nobody has to ask
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
        if self._transport is not None:
            self._transport.close()


@contextlib.asynccontextmanager
async def connected(
    host: str,
    port: int,
    *,
    identifier: str,
    user: str | None,
    password: str | None,
    keepalive_seconds: int,
    timeout_seconds: float,
    tls: ssl.SSLContext | None,
    on_message: MessageHandler,
    on_oversize: OversizeHandler,
    on_read: Callable[[], None],
) -> AsyncIterator[Connection]:
    """Connect with a clean session; leave when the block is left.

    `on_read` is called after each read, when its messages have been given to `on_message`.

    Raises:
        MqttError: the broker cannot be reached, or refused.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_seconds):
            _, connection = await loop.create_connection(
                lambda: Connection(on_message, on_oversize, on_read, timeout_seconds), host, port, ssl=tls
            )
    except TimeoutError:
        raise MqttError(f"no connection within {timeout_seconds:g} s") from None
    except OSError as error:  # also of TLS and of name resolution
        raise MqttError(error.strerror or str(error)) from error
    try:
        await connection.greet(identifier, user, password, keepalive_seconds)
        yield connection
    finally:
        connection.leave()


def _long_length(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Return the remaining length and where it ends, or None when it is not all there (2.2.3)."""
    length = 0
    for place in range(4):
        if at + place >= len(buffer):
            return None
        digit = buffer[at + place]
        length |= (digit & 0x7F) << (7 * place)
        if digit < 0x80:
            return length, at + place + 1
    raise MqttError("got a malformed length")


def _packet(first: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([first]) + bytes(encoded) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data
