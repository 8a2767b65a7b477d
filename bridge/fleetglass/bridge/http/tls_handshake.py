"""A connection before and during its TLS handshake.

The event loop by itself makes a connection known after its handshake only: those that never begin one would
be in no limit.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any, cast

from fleetglass.bridge.http.connections import UNSENT_BYTES, HttpConnection

_SHUTDOWN_SECONDS = 3600.0
"""Connections end in time by themselves. This would cut an answer that a slow peer is still taking."""


class TlsHandshake(asyncio.Protocol):
    """Stands for a connection until both sides speak TLS; then the connection takes over."""

    def __init__(
        self, connection: HttpConnection, context: ssl.SSLContext, *, time_out_seconds: float
    ) -> None:
        self.protocol = connection.protocol
        """What websockets asks for of anything that stands for a connection."""
        self._connection = connection
        self._context = context
        self._time_out_seconds = time_out_seconds
        self._early = b""
        """What the peer sent right after its handshake."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many: nothing can be said before TLS is spoken."""
        plain = cast(asyncio.Transport, transport)
        if not self._connection.arrive(plain):
            plain.abort()
            self._connection.depart()
            return
        plain.set_write_buffer_limits(UNSENT_BYTES, 0)
        handshake = self._connection.loop.start_tls(
            plain,
            self,
            self._context,
            server_side=True,
            ssl_handshake_timeout=self._time_out_seconds,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        # Not by a task, which would begin later: uvloop could read the first bytes before that.
        self._go_on(handshake)

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the connection takes over."""
        self._early += data

    def _go_on(self, handshake: Coroutine[Any, Any, asyncio.Transport | None]) -> None:
        """Run it up to where it waits next, and from there when that is done."""
        transport = None
        try:
            awaited: asyncio.Future[None] = handshake.send(None)
        except StopIteration as end:
            transport = end.value
        except OSError:
            pass  # no TLS, another version, an authority that the client does not know, or too late
        else:
            awaited.add_done_callback(lambda _: self._go_on(handshake))
            return
        if transport is None or self._connection.transport.is_closing():
            self._connection.abort()
            self._connection.depart()
            return
        transport.set_protocol(self._connection)
        self._connection.connection_made(transport)
        if self._early:
            self._connection.data_received(self._early)
