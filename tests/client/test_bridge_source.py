import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from fleetglass.client import BridgeSource, Interrupted, Refused, Unreachable
from fleetglass.wire.errors import NotConnected
from fleetglass.wire.protocol import SUBPROTOCOL, Error, Fleet, Watch, Welcome
from support.bridge import running_bridge
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.scripted_bridge import WELCOME

SAID_WELCOME = json.dumps(WELCOME)


@asynccontextmanager
async def fake_bridge(handle: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    async with serve(handle, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ws"


async def collect(source: BridgeSource, count: int) -> list[Any]:
    found: list[Any] = []
    messages = source.messages()
    async for message in messages:
        found.append(message)
        if len(found) == count:
            break
    await messages.aclose()  # type: ignore[attr-defined] # it is a generator
    return found


async def test_says_hello_and_what_it_watches() -> None:
    """The first two messages are hello with the token and the selection."""
    heard: list[Any] = []

    async def handle(connection: ServerConnection) -> None:
        heard.extend([json.loads(await connection.recv()), json.loads(await connection.recv())])
        await connection.send(SAID_WELCOME)
        await connection.wait_closed()

    async with fake_bridge(handle) as url:
        found = await collect(BridgeSource(url, Watch(fleet=True, history=60), token="secret"), 1)
    assert isinstance(found[0], Welcome)
    assert heard[0] == {"type": "hello", "protocol": 1, "token": "secret"}
    assert heard[1] == {"type": "watch", "fleet": True, "hosts": {}, "history": 60, "summaries": False}


async def test_the_token_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a program logs: the library below would log what is sent."""
    caplog.set_level("DEBUG")

    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(SAID_WELCOME)
        await connection.wait_closed()

    async with fake_bridge(handle) as url:
        await collect(BridgeSource(url, token="geheim"), 1)
    said = [record.getMessage() for record in caplog.records if record.name != "websockets.server"]
    assert not any("geheim" in line for line in said)


async def test_clean_close_does_not_spin() -> None:
    """A bridge that closes each connection at once is tried again after growing pauses."""
    tries: list[float] = []

    async def handle(connection: ServerConnection) -> None:
        tries.append(time.monotonic())
        await connection.close()

    async with fake_bridge(handle) as url:
        found = await collect(BridgeSource(url), 3)
    assert all(isinstance(message, Interrupted) for message in found)
    assert len(tries) == 3
    assert tries[1] - tries[0] >= found[0].delay >= 0.25
    assert found[2].delay >= 1


async def test_comes_back() -> None:
    """After a break the stream goes on with the next connection, and says hello again."""

    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.recv()
        await connection.send(SAID_WELCOME)
        connection.transport.abort()

    async with fake_bridge(handle) as url:
        found = await collect(BridgeSource(url), 4)
    assert [type(message) for message in found] == [Welcome, Interrupted, Welcome, Interrupted]


async def test_refusal_is_final() -> None:
    """A wrong token is not tried again."""

    async def handle(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "error", "code": "bad_token", "text": "wrong token"}))
        await connection.wait_closed()

    async with fake_bridge(handle) as url:
        with pytest.raises(Refused, match=r"bridge: wrong token \(ws://"):
            await collect(BridgeSource(url), 1)


async def test_message_of_a_newer_bridge() -> None:
    """A message of an unknown type, or one that is none at all, is passed over."""

    async def handle(connection: ServerConnection) -> None:
        await connection.send('{"type":"weather"}')
        await connection.send(b"\xff")
        await connection.send(SAID_WELCOME)
        await connection.wait_closed()

    async with fake_bridge(handle) as url:
        found = await collect(BridgeSource(url, reconnect=False), 1)
    assert isinstance(found[0], Welcome)


async def test_nothing_there() -> None:
    """Without a bridge the single connection says why, in one line."""
    with pytest.raises(Unreachable, match=r"nothing answers: connection refused"):
        await collect(BridgeSource(f"ws://127.0.0.1:{free_port()}/ws", reconnect=False), 1)


async def test_something_else_there() -> None:
    """A server that is no WebSocket is not tried for ever."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(Refused, match="got HTTP status 404, expected a WebSocket"):
            await collect(BridgeSource(f"ws://127.0.0.1:{port}/ws"), 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1/ws", "ws://", "nonsense"])
async def test_wrong_address(url: str) -> None:
    """An address of another kind is refused at once."""
    with pytest.raises(Refused, match=r"url: got .*, expected ws://"):
        await collect(BridgeSource(url), 1)


@pytest.mark.broker
async def test_real_bridge(mosquitto: Mosquitto, prefix: str) -> None:
    """The real bridge answers with welcome, its fleet, and a frame of pulses."""
    async with running_bridge(mosquitto, prefix) as running:
        found = await collect(BridgeSource(f"ws://127.0.0.1:{running.port}/ws"), 2)
    assert [type(message) for message in found] == [Welcome, Fleet]


async def test_a_new_selection_is_said_at_once_and_after_a_break() -> None:
    """The bridge hears of a selection when it is made, and in the next connection only of that one."""
    heard: list[Any] = []

    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        heard.append(json.loads(await connection.recv())["hosts"])
        await connection.send(SAID_WELCOME)
        heard.append(json.loads(await connection.recv())["hosts"])
        connection.transport.abort()

    async with fake_bridge(handle) as url:
        source = BridgeSource(url)
        async for message in source.messages():
            if isinstance(message, Welcome) and len(heard) < 3:
                await source.select(Watch(hosts={"web-1": "*"}))
            elif isinstance(message, Welcome):
                break
    assert heard == [{}, {"web-1": "*"}, {"web-1": "*"}]


async def test_gives_up_after_so_many_tries() -> None:
    """With a limit on tries the stream ends after the last; pauses start at the interval."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    messages = BridgeSource(url, reconnect_interval=0.02, max_reconnects=2).messages()
    found: list[Any] = [await anext(messages), await anext(messages)]
    with pytest.raises(Unreachable, match="connection refused"):
        await anext(messages)
    assert 0.01 <= found[0].delay <= 0.02 <= found[1].delay <= 0.04


async def test_a_silent_bridge_is_left() -> None:
    """A connection whose ping is not answered in time is given up and tried again."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(accepted(request))
        while await reader.read(4096):
            pass  # the answer to a ping among it never comes
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        source = BridgeSource(f"ws://127.0.0.1:{port}/ws", ping_interval=0.05, ping_timeout=0.05)
        [interrupted] = await collect(source, 1)
    assert "connection lost" in interrupted.reason


def accepted(request: bytes) -> bytes:
    key = next(
        line.split(b": ")[1]
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key")
    )
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key.decode())}",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        "\r\n",
    ]
    return "\r\n".join(lines).encode()


async def test_what_is_sent_is_sent_as_it_is() -> None:
    """A message of the program reaches the bridge; what is refused of it ends nothing."""
    heard: list[str | bytes] = []

    async def handle(connection: ServerConnection) -> None:
        heard.extend([await connection.recv(), await connection.recv()])
        await connection.send(SAID_WELCOME)
        heard.append(await connection.recv())
        await connection.send(json.dumps({"type": "error", "code": "bad_message", "text": "no"}))
        await connection.send(SAID_WELCOME)
        await connection.wait_closed()

    async with fake_bridge(handle) as url:
        source = BridgeSource(url)
        with pytest.raises(NotConnected, match="expected a connection first"):
            await source.send("early")
        messages = source.messages()
        await anext(messages)
        await source.send('{"é":1}')
        assert [type(await anext(messages)) for _ in range(2)] == [Error, Welcome]
        await messages.aclose()  # type: ignore[attr-defined] # it is a generator
    assert heard[2] == '{"é":1}'
    traffic = source.traffic
    assert (traffic.messages_sent, traffic.messages_received) == (3, 3)
    assert traffic.bytes_sent == sum(len(str(text).encode()) for text in heard)


async def test_connects_anew_when_asked() -> None:
    """Asked to reconnect, a source does so at once, even one that would not after a break."""

    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.recv()
        await connection.send(SAID_WELCOME)
        await connection.wait_closed()

    async with fake_bridge(handle) as url:
        source = BridgeSource(url, reconnect=False)
        found: list[Any] = []
        async for message in source.messages():
            found.append(message)
            if len(found) == 1:
                await source.reconnect()
            if len(found) == 3:
                break
    assert [type(message) for message in found] == [Welcome, Interrupted, Welcome]
    assert found[1].delay == 0


async def test_a_pause_ends_when_asked() -> None:
    """Asked to reconnect during a pause, a source does not wait for its end."""
    source = BridgeSource(f"ws://127.0.0.1:{free_port()}/ws", reconnect_interval=1000)
    messages = source.messages()
    first = await anext(messages)
    assert isinstance(first, Interrupted)
    assert first.delay >= 500
    second = asyncio.ensure_future(anext(messages))
    await asyncio.sleep(0)
    await source.reconnect()
    assert isinstance(await second, Interrupted)
