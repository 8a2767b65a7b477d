"""Peers that take little of what the bridge sends, over real sockets that hold little themselves."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetglass.bridge.http import connections as module
from support.bridge import Bridge, publisher, pulse, running_bridge
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.every_loop]

FRAME_BYTES = 4000
FRAMES_PER_ROUND = 10
ROUNDS = 50
MOST_BACKLOG_BYTES = 80 * 1024
"""With TLS, 16 KiB and a frame in each of kernel, transport and TLS; the test's own side holds the rest."""
LARGE = "/src/main.js"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A


@pytest.fixture(params=["plain", "TLS", "Unix socket"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Give what a bridge is told of how it is reached, and what its clients trust."""
    if request.param == "plain":
        return {}
    if request.param == "Unix socket":
        return {"socket": str(tmp_path / "bridge")}
    made = Authority(tmp_path).issue("page")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    return {"tls": trusted, "cert": str(made.certificate), "key": str(made.key)}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> module.Connections:
    """Give the bridge's count of its connections."""
    connections = module.Connections()
    monkeypatch.setattr("fleetglass.bridge.bridge.Connections", lambda: connections)
    return connections


async def test_a_viewer_on_a_narrow_link_reads_what_is_new(
    mosquitto: Mosquitto, prefix: str, way: dict[str, Any]
) -> None:
    """It takes one frame of ten: what it reads stays as old as a short backlog, and pings are answered."""
    async with running_bridge(mosquitto, prefix, **way) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with bridge.viewer(hosts={"web-1": "*"}) as fast, _link(bridge, way) as narrow:
            await asyncio.to_thread(narrow.watch, "web-1")
            await bridge.until_health(lambda health: health["viewers"] == 2, "both watch")
            tick = read = 0
            for start in range(0, ROUNDS * FRAMES_PER_ROUND, FRAMES_PER_ROUND):
                for tick in range(start, start + FRAMES_PER_ROUND):
                    sample = {"time": tick, "tick": tick, "filler": "x" * FRAME_BYTES}
                    await agent.publish(f"{prefix}/web-1/live/collector", json.dumps(sample))
                while (await fast.next("live"))["samples"]["collector"]["tick"] != tick:
                    pass
                read = await asyncio.to_thread(narrow.next_tick)
            assert (tick - read) / FRAMES_PER_ROUND * FRAME_BYTES < MOST_BACKLOG_BYTES
            await asyncio.to_thread(narrow.send, PING, b"still there?")
            assert await asyncio.to_thread(narrow.until, PONG) == b"still there?"


async def test_a_viewer_that_stops_reading_finds_the_reason_when_it_goes_on(
    mosquitto: Mosquitto, prefix: str, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets all of what had left for it before the close frame."""
    monkeypatch.setattr(module, "SLOW_CLOSE_SECONDS", 0.3)
    monkeypatch.setattr("fleetglass.bridge.http.listener.SHUTDOWN_SECONDS", 30)
    async with running_bridge(mosquitto, prefix, **way) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with _link(bridge, way) as stopped:
            await asyncio.to_thread(stopped.watch, "web-1")
            tick = 0
            while (await bridge.health())["viewers_closed_slow"] == 0:
                tick += 1
                sample = {"time": tick, "tick": tick, "filler": "x" * FRAME_BYTES}
                await agent.publish(f"{prefix}/web-1/live/collector", json.dumps(sample))
            assert await asyncio.to_thread(stopped.until, CLOSE) == (1013).to_bytes(2) + b"too slow"


async def test_an_answer_on_a_narrow_link_arrives_whole(
    mosquitto: Mosquitto, prefix: str, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes in all, as long as its reader goes on."""
    _shorten(monkeypatch, patience=1.0)
    async with running_bridge(mosquitto, prefix, **way) as bridge:
        _, body, _ = await bridge.get(LARGE)
        async with _link(bridge, way) as narrow:
            begun = time.monotonic()
            answer = await asyncio.to_thread(narrow.get, LARGE, pause_seconds=2.5 / (len(body) / 4096))
            assert time.monotonic() - begun > 2
        assert answer.partition(b"\r\n\r\n")[2] == body


async def test_an_answer_that_nobody_takes_is_cut_off(
    mosquitto: Mosquitto,
    prefix: str,
    way: dict[str, Any],
    counted: module.Connections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader that stops has only so long, the bridge holds little for it, and then nothing is left."""
    _shorten(monkeypatch, patience=0.3)
    async with running_bridge(mosquitto, prefix, **way) as bridge:
        async with _link(bridge, way) as stopped:
            await asyncio.to_thread(stopped.ask, LARGE)
            most_unsent = 0

            def is_gone() -> bool:
                nonlocal most_unsent
                most_unsent = max(most_unsent, *(one.unsent_bytes for one in counted._waiting), 0)
                return not (counted._waiting or counted._per_address)

            await wait_until(is_gone, "it is forgotten", 10)
            answer = await asyncio.to_thread(stopped.rest)
        assert len(answer) < len((await bridge.get(LARGE))[1])
        assert 0 < most_unsent < 64 * 1024


async def test_a_client_that_has_its_answer_is_gone_as_soon_as_it_ends(
    mosquitto: Mosquitto,
    prefix: str,
    way: dict[str, Any],
    counted: module.Connections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No time-out has to end its connection."""
    monkeypatch.setattr("fleetglass.bridge.http.listener.SHUTDOWN_SECONDS", 3600)
    async with running_bridge(mosquitto, prefix, **way) as bridge:
        for path in ("/healthz", LARGE):
            assert (await bridge.get(path))[0] == 200
        await wait_until(lambda: not (counted._waiting or counted._per_address), "it is forgotten")


async def test_a_client_that_says_nothing_more_gets_the_whole_answer(
    mosquitto: Mosquitto, prefix: str, counted: module.Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has ended its side after the request, as `nc -N` does; when it has all, its connection ends."""
    monkeypatch.setattr("fleetglass.bridge.http.listener.SHUTDOWN_SECONDS", 3600)
    async with running_bridge(mosquitto, prefix) as bridge:
        _, body, _ = await bridge.get(LARGE)
        async with _link(bridge, {}) as narrow:
            await asyncio.to_thread(narrow.ask, LARGE)
            answer = await asyncio.to_thread(narrow.begun)
            narrow.end()
            answer += await asyncio.to_thread(narrow.rest)
            assert answer.partition(b"\r\n\r\n")[2] == body
            await wait_until(lambda: not counted._waiting, "it is forgotten")


async def test_an_answer_that_is_not_taken_yet_does_not_hold_up_the_end(
    mosquitto: Mosquitto, prefix: str, way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bridge ends in its time, although a reader has more of it."""
    monkeypatch.setattr(module, "SLOW_CLOSE_SECONDS", 3600)
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(running_bridge(mosquitto, prefix, **way))
        async with _link(bridge, way) as narrow:
            await asyncio.to_thread(narrow.ask, LARGE)
            assert await asyncio.to_thread(narrow.begun)
            async with asyncio.timeout(20):
                await stack.aclose()


def _shorten(monkeypatch: pytest.MonkeyPatch, *, patience: float) -> None:
    """Let the time for an answer be the only one that is not over at once."""
    monkeypatch.setattr(module, "SLOW_CLOSE_SECONDS", patience)
    monkeypatch.setattr(module, "HELLO_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr("fleetglass.bridge.http.listener.SHUTDOWN_SECONDS", 0.2)


@asynccontextmanager
async def _link(bridge: Bridge, way: dict[str, Any]) -> AsyncIterator["_NarrowLink"]:
    with socket.socket(socket.AF_UNIX if "socket" in way else socket.AF_INET) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(30)
        await asyncio.to_thread(plain.connect, way.get("socket", ("127.0.0.1", bridge.port)))
        if "tls" in way:
            with await asyncio.to_thread(way["tls"].wrap_socket, plain, server_hostname="127.0.0.1") as sock:
                yield _NarrowLink(sock)
        else:
            yield _NarrowLink(plain)


class _NarrowLink:
    """A client in a thread of its own, which takes no more than it is told to."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def ask(self, path: str) -> None:
        self._sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def end(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def get(self, path: str, *, pause_seconds: float) -> bytes:
        self.ask(path)
        return self.rest(pause_seconds)

    def begun(self) -> bytes:
        """Read the beginning of an answer."""
        return self._sock.recv(9)

    def rest(self, pause_seconds: float = 0) -> bytes:
        """Read until the bridge ends the connection."""
        got = bytearray()
        try:
            while data := self._sock.recv(4096):
                got += data
                time.sleep(pause_seconds)
        except (ConnectionError, ssl.SSLError):
            pass
        return bytes(got)

    def watch(self, host: str) -> None:
        self._sock.sendall(UPGRADE)
        while self._read(1) != b"\r" or self._read(3) != b"\n\r\n":
            pass
        self.send(TEXT, b'{"type":"hello","protocol":1}')
        self.send(TEXT, json.dumps({"type": "watch", "hosts": {host: "*"}}).encode())

    def next_tick(self) -> int:
        while True:
            message = json.loads(self.until(TEXT))
            if message["type"] == "live":
                tick: int = message["samples"]["collector"]["tick"]
                return tick

    def send(self, first: int, data: bytes) -> None:
        # A mask of zeros is a mask.
        self._sock.sendall(bytes([first, 0x80 | len(data)]) + bytes(4) + data)

    def until(self, first: int) -> bytes:
        """Read up to the next frame of a kind, and return what is in it."""
        while True:
            kind, length = self._read(2)
            if length >= 126:
                length = int.from_bytes(self._read(2 if length == 126 else 8))
            data = self._read(length)
            if kind == first:
                return data

    def _read(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            got += (data := self._sock.recv(size - len(got)))
            assert data, "the bridge ended the connection"
        return got
