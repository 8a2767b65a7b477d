import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.mqtt.hand_written import Connection, MqttError, Packets, connected
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES
from support.mosquitto import Mosquitto
from support.waiting import wait_until


class _Taken:
    """All that a stream of packets gave."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.oversized: list[tuple[str, int]] = []
        self.controls: list[tuple[int, bytes]] = []
        self.acknowledged: list[bytes] = []
        self.packets = Packets(
            lambda topic, payload: self.messages.append((topic, payload)),
            lambda topic, size: self.oversized.append((topic, size)),
            lambda kind, body: self.controls.append((kind, body)),
            self.acknowledged.append,
        )


def _publish(topic: bytes, payload: bytes, packet_id: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + packet_id + payload
    length, encoded = len(body), b""
    while length >= 0x80:
        length, digit = divmod(length, 128)
        encoded += bytes([digit | 0x80])
    return bytes([0x32 if packet_id else 0x30]) + encoded + bytes([length]) + body


@given(
    st.lists(st.tuples(st.text("abc/", min_size=1, max_size=9), st.binary(max_size=300)), max_size=6),
    st.lists(st.integers(1, 400), min_size=1, max_size=8),
)
def test_messages_are_the_same_wherever_the_stream_is_cut(
    messages: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    """A read may end anywhere, within a header too, and hold any number of packets."""
    stream = b"".join(_publish(topic.encode(), payload) + b"\xd0\x00" for topic, payload in messages)
    taken = _Taken()
    turn = 0
    while stream:
        cut = cuts[turn % len(cuts)]
        taken.packets.feed(stream[:cut])
        stream = stream[cut:]
        turn += 1
    assert taken.messages == messages
    assert taken.controls == [(13, b"")] * len(messages)


@pytest.mark.parametrize("cut", [1, 7, 1000, 70_000, 10_000_000])
def test_a_payload_that_is_too_large_is_told_and_never_held(cut: int) -> None:
    """What is beyond any limit is skipped as it comes; the message after it is whole."""
    size = 300_000 if cut < 1000 else 5_000_000
    stream = _publish(b"a/b", b"x" * size) + _publish(b"a/c", b"y")
    taken = _Taken()
    for at in range(0, len(stream), cut):
        taken.packets.feed(stream[at : at + cut])
        assert len(taken.packets._rest) <= MAX_PAYLOAD_BYTES + 70_000
    assert taken.oversized == [("a/b", size)]
    assert taken.messages == [("a/c", b"y")]


def test_what_is_skipped_shows_no_life() -> None:
    """A length that the network garbled must not keep a bridge deaf for the next 256 MB."""
    taken = _Taken()
    assert taken.packets.feed(_publish(b"t", b"x"))
    assert taken.packets.feed(b"\x30\xff\xff\xff\x7f\x00\x01tpayload")  # a PUBLISH of 256 MB begins
    assert not any(taken.packets.feed(_publish(b"t", b"x")) for _ in range(100))


def test_a_payload_just_above_the_limit_is_told_too() -> None:
    """The limit is that of the contract, to the byte."""
    taken = _Taken()
    for size in (MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1):
        taken.packets.feed(_publish(b"a", bytes(size)))
    assert [len(payload) for _, payload in taken.messages] == [MAX_PAYLOAD_BYTES]
    assert taken.oversized == [("a", MAX_PAYLOAD_BYTES + 1)]


def test_a_message_of_qos_1_is_acknowledged() -> None:
    """Without PUBACK a broker stops after so many messages."""
    taken = _Taken()
    taken.packets.feed(_publish(b"a", b"x", packet_id=b"\x12\x34"))
    assert (taken.messages, taken.acknowledged) == ([("a", b"x")], [b"\x12\x34"])


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_packets_or_an_error(chunks: list[bytes]) -> None:
    """A broker may send what it likes: the documented error is all that comes of it."""
    taken = _Taken()
    try:
        for chunk in chunks:
            taken.packets.feed(chunk)
    except MqttError:
        pass


@pytest.mark.broker
async def test_what_is_published_comes_to_who_subscribed(mosquitto: Mosquitto, prefix: str) -> None:
    """Subscribe, publish, receive, unsubscribe: against a real broker."""
    got: list[tuple[str, bytes]] = []
    async with _connection(mosquitto.port, lambda topic, payload: got.append((topic, payload))) as connection:
        assert await connection.subscribe([(f"{prefix}/+", 1)]) == [1]
        await connection.publish_retained(f"{prefix}/a", b"x" * 1000)
        await wait_until(lambda: got, "the message")
        assert got == [(f"{prefix}/a", b"x" * 1000)]
        await connection.unsubscribe([f"{prefix}/+"])
        await connection.publish_retained(f"{prefix}/a", b"")
        assert len(got) == 1


async def test_a_broker_that_refuses_says_why() -> None:
    """The text of the error is what the return code means."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x20\x02\x00\x05")
        await reader.read()
        writer.close()

    with pytest.raises(MqttError, match="not authorized"):
        await _try(refuse)


async def test_a_broker_that_is_silent_is_given_up() -> None:
    """A port that answers nothing does not hold the bridge for ever."""

    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with pytest.raises(MqttError, match="no answer within"):
        await _try(be_silent)


async def test_a_busy_stream_does_not_silence_us() -> None:
    """However much comes, we ping: a broker leaves a client that says nothing for 1.5 keepalives."""
    heard = bytearray()

    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x20\x02\x00\x00")
        talking = asyncio.create_task(talk(writer))
        while data := await reader.read(100):
            heard.extend(data)
        talking.cancel()
        writer.close()

    async def talk(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(_publish(b"x", b"{}"))
            await asyncio.sleep(0.01)

    async def wait_for_pings(connection: Connection) -> None:
        pinging = asyncio.create_task(connection.keep_alive(0.4))
        await wait_until(lambda: heard.count(b"\xc0\x00") >= 2, "two pings")
        pinging.cancel()

    await _try(chatter, wait_for_pings)


async def test_a_broker_that_falls_silent_is_noticed() -> None:
    """A frozen broker keeps its connections open; only the missing answer to a ping tells."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x20\x02\x00\x00")
        await reader.read()
        writer.close()

    async def wait_for_the_end(connection: Connection) -> None:
        await connection.keep_alive(0.1)
        await connection.lost

    with pytest.raises(MqttError, match="heard nothing"):
        await _try(greet, wait_for_the_end)


async def test_a_server_that_speaks_something_else_is_an_error() -> None:
    """Pointing the bridge at a web server ends in one line."""

    async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    with pytest.raises(MqttError):
        await _try(speak_http)


async def _try(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    use: Callable[[Connection], Awaitable[None]] | None = None,
) -> None:
    ended = asyncio.Event()

    async def serve_to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
            await writer.wait_closed()
        finally:
            ended.set()

    server = await asyncio.start_server(serve_to_the_end, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            async with _connection(port, lambda *_: None, timeout_seconds=0.5) as connection:
                if use is not None:
                    await use(connection)
        finally:
            await ended.wait()


def _connection(
    port: int, on_message: Callable[[str, bytes], None], timeout_seconds: float = 5
) -> AbstractAsyncContextManager[Connection]:
    return connected(
        "127.0.0.1",
        port,
        identifier="test",
        user=None,
        password=None,
        keepalive_seconds=15,
        timeout_seconds=timeout_seconds,
        tls=None,
        on_message=on_message,
        on_oversize=lambda *_: None,
        on_read=lambda: None,
    )
