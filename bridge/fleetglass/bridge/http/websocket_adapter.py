"""Everything that the bridge uses of websockets beyond its documented interface, for websockets 17.

Each use rests on an assumption about the inside of that library; a test in
`tests/bridge/http/test_websocket_adapter.py` names it and fails where it no longer holds.
"""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.version import version

from fleetglass.wire.errors import BridgeError

MAJOR_VERSION = "17"

_PIECE_BYTES = 16 * 1024


def check_version() -> None:
    """Check that this is the websockets that the adapter was written for.

    Raises:
        BridgeError: another package in this environment has brought another version.
    """
    if version.split(".")[0] != MAJOR_VERSION:
        raise BridgeError(
            f"websockets: got version {version}, expected {MAJOR_VERSION}; "
            "install Fleetglass into an environment of its own"
        )


class AdaptedConnection(ServerConnection):
    """A connection whose subclass sees every byte first, and which ends in time whatever the peer does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.carrier: asyncio.Transport | None = None
        """With TLS, the transport below it; otherwise, once there is one, the transport itself."""
        self.patience_seconds = 10.0
        """How long a peer may take nothing of what waits for it."""
        self._events = 0
        self._answering = False
        self._peer_ended = False
        """Whether the peer has ended its side while it is being answered."""
        self._room = asyncio.Event()
        self._room.set()
        self._cut: asyncio.TimerHandle | None = None

    def connected(self) -> None:
        """Begin; there is a transport from now on."""

    def received(self, data: bytes) -> None:
        """Take what the peer sent. What websockets may read of it goes to `read`."""
        self.read(data)

    def disconnected(self) -> None:
        """End; nothing is sent or received any more."""

    @property
    def is_open(self) -> bool:
        """Whether it is a WebSocket on which both sides may talk."""
        return self.protocol.state is State.OPEN

    @property
    def compresses(self) -> bool:
        """Whether its frames may be compressed."""
        return bool(self.protocol.extensions)

    @property
    def has_room(self) -> bool:
        """Whether more may be sent. Once too much waits, all of it has to leave this process first."""
        return self._room.is_set()

    @property
    def unsent_bytes(self) -> int:
        """How much waits in this process to be sent, beside the buffers of the kernel."""
        unsent = self.transport.get_write_buffer_size()
        if self.carrier is not None and self.carrier is not self.transport:
            unsent += self.carrier.get_write_buffer_size()
        return unsent

    @property
    def socket(self) -> socket.socket:
        """The socket, to set its options."""
        found: socket.socket = self.transport.get_extra_info("socket")
        return found

    @property
    def sent_close_code(self) -> int | None:
        """The code with which this side closed the WebSocket; None where it did not, or not yet."""
        close = self.protocol.close_sent
        return close.code if close is not None else None

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes as they are, without waiting for room."""
        self.transport.write(data)

    def read(self, data: bytes) -> int:
        """Have websockets read bytes; return how many requests and frames are complete with them."""
        before = self._events
        super().data_received(data)
        if self.protocol.state is State.CLOSING:  # by the peer, or since it broke the protocol
            self.cut_later()
        return self._events - before

    def finish_writing(self) -> None:
        """End this side's half of the connection after what waits to be sent; with TLS, all of it."""
        self.protocol.fail(CloseCode.ABNORMAL_CLOSURE)  # so that websockets knows, and ends it once
        self.send_data()

    def end(self, code: int, reason: str) -> None:
        """Send a close frame, drop all that the peer sends from now on, and end when the peer has ended.

        Reading goes on, since the kernel resets a connection that is closed with unread data, and the close
        frame is lost with it. A peer that does not end is cut off after `close_timeout`.
        """
        if self.is_open:
            self.protocol.fail(code, reason)
            self.send_data()
            if not self.transport.is_closing():
                self.transport.resume_reading()  # a full queue of messages has paused it
        self.cut_later()

    def abort(self) -> None:
        """End at once, whatever waits to be sent."""
        (self.carrier or self.transport).abort()

    def cut_later(self) -> None:
        """End after `close_timeout`, unless the peer does so before."""
        is_lost = self.connection_lost_waiter.done()  # a timer would hold what is over
        if self._cut is None and self.close_timeout is not None and not is_lost:
            self._cut = self.loop.call_later(self.close_timeout, self.abort)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket as `end` does, and wait for the end."""
        self.end(code, reason)
        await self.wait_closed()

    async def until_room(self) -> None:
        """Wait until more may be sent, or the connection is lost.

        Raises:
            TimeoutError: the peer has taken nothing for `patience_seconds`.
        """
        while not self.has_room:
            left = self.unsent_bytes
            try:
                async with asyncio.timeout(self.patience_seconds):
                    await self._room.wait()
            except TimeoutError:
                if self.unsent_bytes >= left:
                    raise

    async def answer(self, response: Response) -> None:
        """Answer the request, a piece at a time, and wait for the end of the connection.

        A peer that takes nothing for `patience_seconds` is cut off; so is one that has all and does not end.
        """
        self._answering = True
        try:
            for piece in _pieces(response):
                await self.until_room()
                if self.transport.is_closing():
                    break
                self.write(piece)
            else:
                self.finish_writing()
            self._answering = False
            if self._peer_ended:
                self.transport.close()
            await self._until_lost()
        except TimeoutError:
            self.abort()
            await self.wait_closed()

    async def drain(self) -> None:
        """Wait for nothing.

        What a viewer gets is bounded by its outbox. To wait here would keep pings and the end of a
        connection from their time-outs for as long as a viewer reads nothing.
        """

    def pause_writing(self) -> None:
        """As asyncio calls it, when too much waits to be sent."""
        super().pause_writing()
        self._room.clear()

    def resume_writing(self) -> None:
        """As asyncio calls it, when that has left the transport."""
        super().resume_writing()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        super().connection_made(transport)
        if self.carrier is None:
            self.carrier = self.transport
        self.connected()

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self.received(data)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio asks for it
        """As asyncio calls it; return whether this side goes on."""
        if self._answering and self.carrier is self.transport:  # TLS has no ends of one side
            self._peer_ended = True
            return True
        super().eof_received()
        return False

    def process_event(self, event: Event) -> None:
        """As websockets calls it, for each request and frame."""
        self._events += 1
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        super().connection_lost(exc)
        if self._cut is not None:
            self._cut.cancel()
        self._room.set()
        self.disconnected()
        # It refers back to this connection, whose memory would wait for the garbage collector.
        vars(self.protocol).pop("select_subprotocol", None)

    async def _until_lost(self) -> None:
        while not self.connection_lost_waiter.done():
            left = self.unsent_bytes
            patience = self.patience_seconds if left else self.close_timeout
            await asyncio.wait([self.connection_lost_waiter], timeout=patience)
            if self.unsent_bytes >= left:
                self.abort()


def _pieces(response: Response) -> Iterator[bytes | memoryview]:
    yield Response(response.status_code, response.reason_phrase, response.headers).serialize()
    body = memoryview(response.body)  # not copied: many may ask for the same file and take it slowly
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]
