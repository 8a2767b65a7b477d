"""What the adapter assumes about the inside of websockets, one test for each assumption."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import requires, version
from typing import cast

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.protocol import State

from fleetglass.bridge.http.websocket_adapter import AdaptedConnection, check_version
from fleetglass.bridge.viewers.shared_frames import DEFLATE, SharedFrames
from fleetglass.wire.errors import BridgeError
from support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.every_loop

CLOSE_SECONDS = 0.3


class Observed(AdaptedConnection):
    """Counts what it reads."""

    items = 0

    def received(self, data: bytes) -> None:
        """Read everything."""
        self.items += self.read(data)


def test_the_version_is_the_one_that_the_adapter_was_written_for() -> None:
    """Another major version may be different inside, so that pip must not choose one."""
    assert version("websockets").split(".")[0] == "17", "assumed: websockets 17"
    assert "websockets<18,>=17" in (requires("fleetglass") or []), "assumed: pip installs no other"
    check_version()


def test_another_version_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that was installed beside Fleetglass may have brought one: a line says so."""
    monkeypatch.setattr("fleetglass.bridge.http.websocket_adapter.version", "15.0.1")
    with pytest.raises(BridgeError, match=r"websockets: got version 15\.0\.1, expected 17; install"):
        check_version()


@pytest.mark.parametrize("deflated", [False, True])
async def test_frames_of_our_own_may_follow_those_of_websockets(*, deflated: bool) -> None:
    """A text frame needs no state of the connection, so that one made elsewhere may be written between."""
    async with _served(deflated=deflated) as (connection, client):
        frames = SharedFrames()
        assert connection.compresses is deflated, "assumed: protocol.extensions says what was agreed on"
        for number in range(3):
            await connection.send(f"theirs {number} {'x' * 500}")
            frames.send(connection, f"ours {number} {'x' * 500}".encode())
        got = [(await client.recv()) for _ in range(6)]
        assert [str(one).split(" x")[0] for one in got] == [
            *("theirs 0", "ours 0", "theirs 1", "ours 1", "theirs 2", "ours 2")
        ], "assumed: text frames are independent of each other"


async def test_every_request_and_frame_is_counted() -> None:
    """Control frames and fragments are, too, so that none is free."""
    async with _served() as (connection, client):
        before = connection.items
        assert before == 1, "assumed: the request is an event"
        await client.send("message")
        await client.send(["frag", "ments", "!"])
        await client.ping()
        await client.pong()
        await wait_until(
            lambda: connection.items == before + 7,
            "assumed: process_event is called for each frame: 1 message, 4 fragments, 1 ping, 1 pong",
        )


async def test_what_waits_to_be_sent_is_known() -> None:
    """The transport has it, and nothing else in websockets."""
    async with _served() as (connection, client):
        client.transport.pause_reading()
        SharedFrames().send(connection, b"x" * 20_000_000)
        assert connection.unsent_bytes > 1_000_000, "assumed: transport.get_write_buffer_size() has it"
        assert connection.socket.type == socket.SOCK_STREAM, "assumed: transport knows the socket"
        connection.abort()
        client.transport.abort()  # which would not read that it is over


async def test_the_end_reaches_a_peer_that_goes_on_sending() -> None:
    """It reads code and reason after all it sends, as that is taken from the kernel and dropped meanwhile."""
    async with _served() as (connection, client):
        connection.close_timeout = PATIENCE_SECONDS
        message = b"\x81\xfe\x03\xe8" + bytes(4) + b"x" * 1000
        client.transport.write(message * 100)  # more than the queue takes, so that reading is paused
        await wait_until(lambda: connection.recv_messages.paused, "assumed: a full queue pauses reading")
        client.transport.pause_reading()
        connection.end(1008, "enough")
        connection.end(1008, "twice is once")
        assert not connection.is_open, "assumed: fail() makes the state CLOSING"
        for _ in range(10):
            client.transport.write(message * 1000)
            await wait_until(lambda: client.transport.get_write_buffer_size() == 0, "all is sent")
        client.transport.resume_reading()
        await client.wait_closed()
        told = (client.close_code, client.close_reason, connection.sent_close_code)
        assert told == (1008, "enough", 1008), "assumed: after fail() websockets reads on and drops all"


async def test_a_peer_that_does_not_end_is_cut_off() -> None:
    """Whether the bridge closed the connection or it broke the protocol."""
    for break_protocol in (False, True):
        async with _served() as (connection, client):
            client.transport.pause_reading()
            if break_protocol:
                client.transport.write(b"\xff" * 10)
            else:
                connection.end(1000, "")
            async with asyncio.timeout(PATIENCE_SECONDS):
                await connection.wait_closed()
            client.transport.abort()


async def test_no_timer_holds_what_is_over() -> None:
    """Closing a connection that is lost already plans nothing."""
    async with _served() as (connection, client):
        client.transport.abort()
        await connection.wait_closed()
        await connection.close()
        assert connection._cut is None


async def test_a_full_buffer_keeps_nobody_waiting() -> None:
    """Neither a ping nor a close frame, which have time-outs of their own, waits for room."""
    async with _served() as (connection, client):
        client.transport.pause_reading()
        SharedFrames().send(connection, b"x" * 20_000_000)
        assert not connection.has_room
        assert connection.paused, "assumed: drain() would wait, as websockets has noted"
        async with asyncio.timeout(PATIENCE_SECONDS):
            await connection.ping()
            await connection.send("text")
            await connection.close(1013, "too slow")
        assert connection.sent_close_code == 1013, "assumed: send_context waits for room in drain()"
        client.transport.abort()


async def test_an_answer_is_waited_for_until_its_connection_ends() -> None:
    """A page is longer than the buffers are, and websockets would hold all of it at once."""
    answered = asyncio.Event()

    async def answer(connection: AdaptedConnection, request: Request) -> Response:
        assert request.method == "HEAD", "assumed: websockets passes on HEAD as it does GET"
        response = Response(200, "OK", Headers(), b"x" * 20_000_000)
        await connection.answer(response)
        assert connection.connection_lost_waiter.done(), "assumed: it is done when the connection is lost"
        assert connection.protocol.state is State.CLOSED, "assumed: websockets sends no response then"
        answered.set()
        return response

    async with serve(
        AdaptedConnection.wait_closed,  # never called
        "127.0.0.1",
        0,
        process_request=answer,  # type: ignore[arg-type]  # each connection is of the kind given below
        create_connection=Observed,
        close_timeout=CLOSE_SECONDS,
    ) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert len(await reader.read()) > 20_000_000
        writer.close()
        await writer.wait_closed()
        await wait_until(answered.is_set, "the answer ends with its connection")


async def test_a_server_that_ends_closes_every_connection_by_its_own_method() -> None:
    """So that the end of the bridge is bounded by the same time-out, with code 1001."""
    closed: list[int] = []

    class Closing(Observed):
        async def close(self, code: int = 1000, reason: str = "") -> None:
            closed.append(code)
            await super().close(code, reason)

    async with _served(Closing) as (_, client):
        pass
    assert closed[0] == 1001, "assumed: Server.close() calls close() of each connection"
    assert client.close_code == 1001


async def test_a_wrapper_may_stand_for_a_connection() -> None:
    """Something else may come before a connection, such as TLS: websockets asks it for its protocol alone."""

    class Before(asyncio.Protocol):
        def __init__(self, *arguments: object, **options: object) -> None:
            self.connection = Observed(*arguments, **options)
            self.protocol = self.connection.protocol

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            paused = cast(asyncio.Transport, transport)
            paused.pause_reading()
            self.connection.loop.call_soon(self.pass_on, paused)

        def pass_on(self, transport: asyncio.Transport) -> None:
            transport.set_protocol(self.connection)
            self.connection.connection_made(transport)
            transport.resume_reading()

    async with _served(Before) as (connection, client):  # type: ignore[arg-type]
        assert isinstance(connection, Observed)
        await client.send("x")
        assert await connection.recv() == "x", "assumed: connection_made() begins the handshake"


@asynccontextmanager
async def _served(
    kind: type[AdaptedConnection] = Observed, *, deflated: bool = False
) -> AsyncIterator[tuple[Observed, ClientConnection]]:
    """Give both sides of a WebSocket; the server ends first."""
    accepted: asyncio.Future[Observed] = asyncio.get_running_loop().create_future()

    async def handler(connection: Observed) -> None:
        accepted.set_result(connection)
        await connection.wait_closed()

    serving = serve(
        handler,  # type: ignore[arg-type]  # each connection is of the kind that was asked for
        "127.0.0.1",
        0,
        create_connection=kind,
        select_subprotocol=lambda _, __: None,
        compression=None,
        extensions=[DEFLATE] if deflated else None,
        close_timeout=CLOSE_SECONDS,
        max_queue=4,
    )
    async with serving as server:
        port = server.sockets[0].getsockname()[1]
        client = await connect(
            f"ws://127.0.0.1:{port}", max_size=None, open_timeout=PATIENCE_SECONDS, proxy=None
        )
        yield await accepted, client
    await client.close()
