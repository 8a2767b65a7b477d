"""Limits and garbage, over real sockets."""

import asyncio
import gc
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fleetglass.bridge.http import connections as module
from fleetglass.bridge.viewers import viewer as viewer_module
from fleetglass.bridge.viewers.shared_frames import SharedFrames
from support.bridge import Bridge, running_bridge
from support.mosquitto import Mosquitto
from support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.broker

_pieces = st.sampled_from(
    [
        *(b"GET ", b"HEAD ", b"POST ", b"/", b"/ws", b"/healthz", b"/api/hosts/", b"//[", b"/%ff%00"),
        *(b" HTTP/1.1\r\n", b"\r\n", b"Host: 127.0.0.1\r\n", b"Host: [\r\n", b"Origin: null\r\n"),
        *(b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Sec-WebSocket-Version: 13\r\n"),
        *(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b"Content-Length: 9\r\n", b"\x00\xff\x81\x05"),
    ]
)
_garbage = st.one_of(
    st.binary(min_size=1, max_size=300), st.lists(_pieces, min_size=1, max_size=20).map(b"".join)
)


def _frame(first: int, data: bytes) -> bytes:
    """Return a masked frame; its mask is zero, so that the data stands in it as it is."""
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
    return bytes([first]) + length + bytes(4) + data


async def _throw(bridge: Bridge, garbage: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    try:
        writer.write(garbage)
        writer.write_eof()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[module.HttpConnection]:
    """Give the bridge's side of each connection that became a WebSocket, in their order."""
    connections: list[module.HttpConnection] = []
    greet = viewer_module.Viewers.serve

    async def noted(self: viewer_module.Viewers, connection: module.HttpConnection) -> None:
        connections.append(connection)
        await greet(self, connection)

    monkeypatch.setattr(viewer_module.Viewers, "serve", noted)
    return connections


@pytest.fixture(autouse=True)
def no_tracebacks(caplog: pytest.LogCaptureFixture) -> Any:
    """Fail where anything was logged as an error, as an exception in a callback of the loop is."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, 405),
        (b"PUT /api/hosts HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 405),
        (b"OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabc", 413),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: [\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n", 400),
        (b"GET //[ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\na: " + b"b" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\na: " + b"b" * 9_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"b" * 9_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
        (b"GET /" + b"b" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\nmore", 200),
        (b"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03\n", 400),
    ],
    ids=lambda value: repr(value)[:50] if isinstance(value, bytes) else None,
)
async def test_every_request_is_answered_once(
    mosquitto: Mosquitto, prefix: str, request_bytes: bytes, status: int
) -> None:
    """Bodies, second requests, other methods and other protocols get one status and an end."""
    async with running_bridge(mosquitto, prefix) as bridge:
        answer = await bridge.raw(request_bytes)
        assert answer.split(b" ", 2)[:2] == [b"HTTP/1.1", str(status).encode()]
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_garbage_is_answered_or_dropped_and_nothing_else(mosquitto: Mosquitto, prefix: str) -> None:
    """Whatever comes first on a connection, it ends in time, and the bridge serves on without a word."""
    async with running_bridge(mosquitto, prefix) as bridge:
        loop = asyncio.get_running_loop()

        @settings(max_examples=150, suppress_health_check=list(HealthCheck))
        @given(_garbage)
        def throw(garbage: bytes) -> None:
            answer = asyncio.run_coroutine_threadsafe(_throw(bridge, garbage), loop).result()
            assert answer == b"" or answer.startswith(b"HTTP/1.1 ")

        await asyncio.to_thread(throw)
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")


async def test_who_says_nothing_is_cut_off(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a request is waited for only so long, and a viewer without a hello is told why."""
    monkeypatch.setattr("fleetglass.bridge.http.connections.HELLO_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(viewer_module, "HELLO_TIMEOUT_SECONDS", 0.3)
    async with running_bridge(mosquitto, prefix) as bridge:
        assert await bridge.raw(b"GET / HTTP/1.1\r\nHost:") == b""
        async with bridge.connect() as connection:
            assert json.loads(await connection.recv())["code"] == "hello_expected"
            with pytest.raises(ConnectionClosed) as caught:
                await connection.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
        assert (await bridge.health())["refused"]["hello_expected"] == 1


async def test_a_flood_of_connections_starves_nobody(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that only wait make room for those that speak, and viewers inside notice nothing."""
    monkeypatch.setattr(module, "MAX_WAITING", 20)
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer() as inside:
        await inside.next("welcome")
        flood = [await asyncio.open_connection("127.0.0.1", bridge.port) for _ in range(100)]
        async with bridge.viewer() as late:
            await late.next("welcome")
            await inside.send(type="ping", id=1)
            await inside.next("pong", id=1)
        assert (await bridge.health())["refused"]["waited_too_long"] >= 80
        for _, writer in flood:
            writer.close()


async def test_one_address_may_open_only_so_many_connections(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one is refused in words and counted; another address, and a closed one's place, are free."""
    monkeypatch.setattr(module, "MAX_PER_ADDRESS", 2)
    one, other = ({"X_Forwarded_For": address} for address in ("203.0.113.5", "203.0.113.6"))
    async with running_bridge(mosquitto, prefix, trusted_proxy=True, auth=False) as bridge:
        async with bridge.viewer(headers=one) as first:
            await first.next("welcome")
            async with bridge.viewer(headers=one) as second:
                await second.next("welcome")
                with pytest.raises(InvalidStatus) as caught:
                    async with bridge.connect(**one):
                        pass
                assert caught.value.response.status_code == 429
                async with bridge.viewer(headers=other) as third:
                    await third.next("welcome")
            assert (await bridge.health())["refused"] == {"too_many_connections": 1}
        await bridge.until_health(lambda health: health["viewers"] == 0, "all left")
        async with bridge.viewer(headers=one) as again:
            await again.next("welcome")


def test_addresses_are_counted_and_forgotten() -> None:
    """Nothing stays of a connection that is gone, and this machine may open as many as it likes."""
    connections = module.Connections()
    far = [_fake("192.0.2.1") for _ in range(module.MAX_PER_ADDRESS + 1)]
    assert [connections.open(each) for each in far] == [True] * module.MAX_PER_ADDRESS + [False]
    near = [_fake("127.0.0.1") for _ in range(module.MAX_PER_ADDRESS + 1)]
    assert all(connections.open(each) for each in near)
    assert sum(cast(_Transport, each.transport).aborted for each in far) == 2
    for each in far + near:
        connections.close(each)
    assert not connections._per_address
    assert not connections._waiting


@pytest.mark.every_loop
async def test_a_viewer_that_floods_is_closed(mosquitto: Mosquitto, prefix: str) -> None:
    """More messages than anybody needs end in 1008, counted, while others go on."""
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer() as other, bridge.viewer() as bad:
        with suppress(ConnectionClosed):
            for number in range(10_000):
                await bad.send(type="ping", id=number)
        await bad.connection.wait_closed()
        assert (bad.connection.close_code, bad.connection.close_reason) == (1008, "too_many_messages")
        await other.send(type="ping", id=1)
        await other.next("pong")
        assert (await bridge.health())["refused"] == {"too_many_messages": 1}


@pytest.mark.every_loop
@pytest.mark.parametrize("hello", [False, True], ids=["before hello", "after hello"])
@pytest.mark.parametrize(
    ("frame", "reasons"),
    [
        (_frame(0x89, b"x" * 125), {"too_many_messages"}),
        (_frame(0x8A, b"x" * 125), {"too_many_messages"}),
        (_frame(0x81, b""), {"too_many_messages"}),
        (_frame(0x00, b""), {"too_many_messages"}),
        (_frame(0x82, b"x" * 65_000), {"hello_expected", "too_many_bad_messages"}),
    ],
    ids=["pings", "pongs", "messages", "fragments", "large messages"],
)
async def test_a_peer_that_sends_without_end_and_reads_nothing_is_cut_off(
    mosquitto: Mosquitto,
    prefix: str,
    served: list[module.HttpConnection],
    frame: bytes,
    reasons: set[str],
    *,
    hello: bool,
) -> None:
    """What waits for it in the bridge stays small, whatever it floods with, and its connection ends."""
    async with running_bridge(mosquitto, prefix) as bridge:
        with _silent_peer(bridge) as peer:
            await _upgrade(peer, hello=hello)
            connection = served[-1]
            start = _frame(0x01, b"{") if frame == _frame(0x00, b"") else b""
            flood = asyncio.create_task(_flood(peer, start, frame), name="flood")
            most_unsent = 0
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not connection.connection_lost_waiter.done():
                    most_unsent = max(most_unsent, connection.unsent_bytes)
                    await asyncio.sleep(0)
            with suppress(ConnectionError):
                await flood
        assert most_unsent < 64 * 1024
        ((reason, count),) = (await bridge.health())["refused"].items()
        assert (reason in reasons, count) == (True, 1)


@pytest.mark.every_loop
async def test_a_viewer_that_reads_nothing_ends_by_its_time_outs(
    mosquitto: Mosquitto, prefix: str, served: list[module.HttpConnection]
) -> None:
    """What waits for it does not keep the bridge from pinging it and giving it up."""
    async with running_bridge(mosquitto, prefix, ping_interval=1.0, ping_timeout=1.0) as bridge:
        with _silent_peer(bridge) as peer:
            await _upgrade(peer, hello=True)
            SharedFrames().send(served[-1], b"x" * 8_000_000)
            await bridge.until_health(lambda health: health["viewers"] == 0, "it was given up", 10)


@pytest.mark.every_loop
async def test_nobody_holds_up_the_end_of_the_bridge(
    mosquitto: Mosquitto, prefix: str, served: list[module.HttpConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends although one viewer reads nothing and another connection has not asked for anything."""
    monkeypatch.setattr("fleetglass.bridge.http.connections.HELLO_TIMEOUT_SECONDS", 3600)
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(
            running_bridge(mosquitto, prefix, ping_interval=3600.0, ping_timeout=3600.0)
        )
        with _silent_peer(bridge) as viewer, _silent_peer(bridge):
            await _upgrade(viewer, hello=True)
            SharedFrames().send(served[-1], b"x" * 8_000_000)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await stack.aclose()


async def test_a_message_of_a_megabyte_closes_its_sender(mosquitto: Mosquitto, prefix: str) -> None:
    """It is not taken in at all: 1009, counted."""
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer() as viewer:
        await viewer.next("welcome")
        with suppress(ConnectionClosed):
            await viewer.connection.send("x" * 1_000_000)
        await viewer.connection.wait_closed()
        assert viewer.connection.close_code == 1009
        await bridge.until_health(lambda health: health["viewers"] == 0, "it left")
        assert (await bridge.health())["refused"] == {"message_too_big": 1}


async def test_one_viewer_too_many_is_told_to_come_later(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1013, counted, and those inside stay."""
    monkeypatch.setattr(viewer_module, "MAX_VIEWERS", 1)
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer() as first:
        await first.next("welcome")
        async with bridge.viewer() as second:
            assert (await second.next("error"))["code"] == "too_many_viewers"
            await second.connection.wait_closed()
            assert second.connection.close_code == 1013
        assert (await bridge.health())["refused"] == {"too_many_viewers": 1}
        await first.send(type="ping", id=1)
        await first.next("pong")


async def test_a_viewer_that_answers_no_ping_is_gone(mosquitto: Mosquitto, prefix: str) -> None:
    """How often pings are sent, and how long an answer may take, are settings."""
    async with (
        running_bridge(mosquitto, prefix, ping_interval=0.1, ping_timeout=2.0) as bridge,
        bridge.viewer() as viewer,
    ):
        await viewer.next("welcome")
        viewer.connection.transport.pause_reading()
        await bridge.until_health(lambda health: health["viewers"] == 0, "it was given up")
        viewer.connection.transport.abort()


async def test_a_thousand_connections_come_and_go(mosquitto: Mosquitto, prefix: str) -> None:
    """Opened and dropped at any point, they leave nothing behind."""
    async with running_bridge(mosquitto, prefix) as bridge:
        for number in range(1000):
            _, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
            if number % 3:
                writer.write(
                    b"GET /ws HTTP/1.1\r\n" if number % 2 else b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                )
            writer.transport.abort()
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")


class _Transport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def _fake(address: str) -> module.HttpConnection:
    """Return as much of a connection as is counted."""
    connection = object.__new__(module.HttpConnection)
    connection.peer = connection.address = address
    connection.transport = connection.carrier = cast(asyncio.Transport, _Transport())
    return connection


@contextmanager
def _silent_peer(bridge: Bridge) -> Iterator[socket.socket]:
    """Open a connection with little room for what is not read."""
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        peer.connect_ex(("127.0.0.1", bridge.port))
        yield peer


async def _upgrade(peer: socket.socket, *, hello: bool) -> None:
    """Make a WebSocket of a connection, and a viewer when it says hello; read nothing from then on."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(peer, UPGRADE)
    assert (await loop.sock_recv(peer, 12)).endswith(b"101")
    if hello:
        await loop.sock_sendall(peer, _frame(0x81, b'{"type":"hello","protocol":1}'))


async def _flood(peer: socket.socket, start: bytes, frame: bytes) -> None:
    """Send `start`, then the same frame without end."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(peer, start)
    frames = frame * (128 * 1024 // len(frame) + 1)
    while True:
        await loop.sock_sendall(peer, frames)


async def test_a_connection_without_a_hello_leaves_no_garbage(mosquitto: Mosquitto, prefix: str) -> None:
    """Its memory is free at once; a thousand that wait for the garbage collector are 9 MiB."""

    def connections() -> int:
        return sum(type(one) is module.HttpConnection for one in gc.get_objects())

    async with running_bridge(mosquitto, prefix) as bridge:
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                assert (await bridge.get("/healthz"))[0] == 200
                async with bridge.connect() as connection:
                    pass
                async with bridge.connect() as connection:
                    connection.transport.abort()
            await wait_until(lambda: connections() == 0, "no connection is left")
        finally:
            gc.enable()
