"""Everything that the bridge uses of websockets beyond its documented interface, for websockets 17.

Each use rests on an assumption about the inside of that library; a test in
`tests/bridge/http/test_websocket_adapter.py` names it and fails where it no longer holds.
"""

import asyncio
import socket
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.protocol import Event, State
from websockets.version import version

from fleetglass.wire.errors import BridgeError

MAJOR_VERSION = "17"


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
        self._events = 0
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
    def unsent_bytes(self) -> int:
        """How much waits in this process to be sent, beside the buffers of the kernel."""
        return self.transport.get_write_buffer_size()

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

    def write(self, data: bytes) -> None:
        """Send bytes as they are, without waiting for room."""
        self.transport.write(data)

    def read(self, data: bytes) -> int:
        """Have websockets read bytes; return how many requests and frames are complete with them."""
        before = self._events
        super().data_received(data)
        if self.protocol.state is State.CLOSING:  # by the peer, or since it broke the protocol
            self._cut_later()
        return self._events - before

    def finish_writing(self) -> None:
        """End this side's half of the connection after what waits to be sent; with TLS, all of it."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

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
        self._cut_later()

    def abort(self) -> None:
        """End at once, whatever waits to be sent."""
        self.transport.abort()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket as `end` does, and wait for the end."""
        self.end(code, reason)
        await self.wait_closed()

    async def drain(self) -> None:
        """Wait for room, but only for the answer to a request.

        What a viewer gets is bounded by its outbox. To wait here would keep pings and the end of a
        connection from their time-outs for as long as a viewer reads nothing.
        """
        if self.protocol.state is State.CONNECTING:
            await super().drain()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        super().connection_made(transport)
        self.connected()

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self.received(data)

    def process_event(self, event: Event) -> None:
        """As websockets calls it, for each request and frame."""
        self._events += 1
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        super().connection_lost(exc)
        if self._cut is not None:
            self._cut.cancel()
        self.disconnected()

    def _cut_later(self) -> None:
        if self._cut is None and self.close_timeout is not None:
            self._cut = self.loop.call_later(self.close_timeout, self.transport.abort)
