"""Many viewers in a process of their own, which count what comes and look no deeper than they must.

The same protocol class speaks to the bridge and, with MQTT inside, to mosquitto's WebSocket listener.
"""

import asyncio
import contextlib
import json
import multiprocessing
import socket
import struct
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from traffic import connect_packet, subscribe_packet

RECEIVE_BUFFER_BYTES = 64 * 1024
"""Of frozen viewers, as on a slow link: what the kernel takes in for them does not hide that they froze."""
_STAMP = b'{"time":'
_TEXT, _BINARY, _PING, _PONG = 0x1, 0x2, 0x9, 0xA


@dataclass(frozen=True, slots=True)
class Audience:
    """Viewers that all want the same kind of thing."""

    port: int
    viewers: tuple[dict[str, Any] | list[str], ...]
    """Of each, its `watch` message, or the filters that it subscribes to."""
    compressed: bool = False
    timed: bool = False
    """Whether the age of each live frame is noted."""


@dataclass(slots=True)
class Received:
    """What came since the last question."""

    viewers: int = 0
    closed: int = 0
    frames: int = 0
    data_bytes: int = 0
    live_ages: "array[float]" = field(default_factory=lambda: array("d"))
    """Seconds from each sample's time to the frame that brought it."""


class Watching:
    """The process that holds an audience."""

    def __init__(self, control: Connection) -> None:
        self._control = control

    def ask(self) -> Received:
        """Return what came since the last question."""
        self._control.send("ask")
        received: Received = self._control.recv()
        return received

    def freeze(self, every: int) -> None:
        """Let each so-manieth viewer stop reading; what it got so far still counts."""
        self._control.send(every)
        self._control.recv()


@contextlib.contextmanager
def audience(wanted: Audience) -> Iterator[Watching]:
    """Connect all viewers and let them watch, until the block is left."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_watch, args=(wanted, there), daemon=True)
    process.start()
    try:
        here.recv()
        yield Watching(here)
    finally:
        here.close()
        process.join(5)
        process.kill()


def _watch(wanted: Audience, control: Connection) -> None:
    import uvloop  # noqa: PLC0415 - only this process needs it

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(wanted, control))


async def _serve(wanted: Audience, control: Connection) -> None:
    loop = asyncio.get_running_loop()
    received = Received()
    connections: list[_WebSocket] = []
    for watch in wanted.viewers:
        sock = socket.create_connection(("127.0.0.1", wanted.port))
        _, viewer = await loop.create_connection(lambda w=watch: _WebSocket(wanted, w, received), sock=sock)  # type: ignore[misc]
        connections.append(viewer)
        await viewer.open
    control.send("ready")
    while True:
        try:
            question = await asyncio.to_thread(control.recv)
        except EOFError:
            return
        if isinstance(question, int):
            for viewer in connections[::question]:
                viewer.freeze()
        received.viewers = sum(not viewer.closed for viewer in connections)
        control.send(received)
        received.frames = received.data_bytes = received.closed = 0
        received.live_ages = array("d")


class _WebSocket(asyncio.Protocol):
    """A WebSocket client that answers pings, counts frames and reads the stamp of live frames."""

    def __init__(self, wanted: Audience, watch: dict[str, Any] | list[str], received: Received) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False
        self._wanted = wanted
        self._watch = watch
        self._received = received
        self._counts = True
        self._rest = bytearray()
        self._transport: Any = None

    def freeze(self) -> None:
        """Read nothing more."""
        self._counts = False
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._transport.pause_reading()

    def connection_made(self, transport: Any) -> None:
        """Ask for the WebSocket."""
        self._transport = transport
        subprotocol = "mqtt" if isinstance(self._watch, list) else "fleetglass.v1"
        path = "/mqtt" if isinstance(self._watch, list) else "/ws"
        extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self._wanted.compressed else ""
        transport.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._wanted.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{extension}Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Count, frame by frame."""
        now = time.time()
        if self._counts:
            self._received.data_bytes += len(data)
        self._rest += data
        if not self.open.done():
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return
            assert b" 101 " in head, head  # noqa: S101 - a real server
            assert self._wanted.compressed == (b"permessage-deflate" in head), head  # noqa: S101 - as above
            self._rest = rest
            self._begin()
            self.open.set_result(None)
        rest, at = self._rest, 0
        while len(rest) - at >= 2:
            length, start = rest[at + 1], at + 2
            if length >= 126:
                size = 2 if length == 126 else 8
                if len(rest) < start + size:
                    break
                length, start = int.from_bytes(rest[start : start + size], "big"), start + size
            if len(rest) < start + length:
                break
            self._take(rest[at] & 0x0F, start, length, now)
            at = start + length
        del rest[:at]

    def connection_lost(self, _error: Exception | None) -> None:
        """Count who was closed."""
        self.closed = True
        self._received.closed += 1
        if not self.open.done():
            self.open.set_exception(ConnectionError("closed before it was open"))

    def _begin(self) -> None:
        if isinstance(self._watch, list):
            self._send(_BINARY, connect_packet())
            self._send(_BINARY, subscribe_packet(self._watch))
        else:
            self._send(_TEXT, b'{"type":"hello","protocol":1}')
            self._send(_TEXT, json.dumps({"type": "watch"} | self._watch).encode())

    def _take(self, opcode: int, start: int, length: int, now: float) -> None:
        rest = self._rest
        if opcode == _PING:
            self._send(_PONG, bytes(rest[start : start + length]))
            return
        if not self._counts:
            return
        self._received.frames += 1
        if self._wanted.timed and rest.startswith(b'{"type":"live"', start):
            at = rest.index(_STAMP, start) + len(_STAMP)
            self._received.live_ages.append(now - float(rest[at : rest.index(b",", at)]))

    def _send(self, opcode: int, data: bytes) -> None:
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
        # A mask of zeros is a mask.
        self._transport.write(bytes([0x80 | opcode]) + length + bytes(4) + data)
