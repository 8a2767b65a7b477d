"""Every connection from its first byte to its last, and how many there may be."""

import asyncio
from collections import Counter
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection

from fleetglass.bridge.http.client_identity import Caller, is_local, peer_address
from fleetglass.bridge.http.request_head import Refusal, read_head

MAX_PER_ADDRESS = 256
"""Connections from one address. This machine may open more: behind a proxy everybody comes from here."""
MAX_WAITING = 512
"""Connections that have not said hello. When one more comes, the one that waits the longest is dropped."""

_MESSAGE_TOO_BIG = 1009


class Connections:
    """Counts connections, and keeps them within their limits."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """How many connections, requests and viewers were turned away, by reason."""
        self._waiting: dict[Connection, None] = {}
        self._per_address: Counter[str] = Counter()

    def open(self, connection: "Connection") -> bool:
        """Take in a new connection; False when its address has enough of them."""
        if len(self._waiting) >= MAX_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self.refused["waited_too_long"] += 1
            oldest.transport.abort()
        self._waiting[connection] = None
        return self._count(connection.peer)

    def identify(self, connection: "Connection", caller: Caller) -> bool:
        """Count it for the address that a trusted proxy names; False when that one has enough of them."""
        if connection not in self._waiting or caller.address == connection.peer:
            return True
        self._uncount(connection.peer)
        connection.address = caller.address
        return self._count(caller.address)

    def enter(self, connection: "Connection") -> None:
        """It is a viewer now."""
        self._waiting.pop(connection, None)

    def close(self, connection: "Connection") -> None:
        """It is gone."""
        self._waiting.pop(connection, None)
        self._uncount(connection.address)

    def _count(self, address: str) -> bool:
        self._per_address[address] += 1
        if is_local(address) or self._per_address[address] <= MAX_PER_ADDRESS:
            return True
        self.refused["too_many_connections"] += 1
        return False

    def _uncount(self, address: str) -> None:
        self._per_address[address] -= 1
        if not self._per_address[address]:
            del self._per_address[address]


class Connection(ServerConnection):
    """One connection. What is no request that websockets reads is answered here."""

    def __init__(self, connections: Connections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.peer = ""
        """The other end."""
        self.address = ""
        """Whose connection it is: the other end, or whom a trusted proxy names."""
        self.caller = Caller("", ())
        """Who sent the request, as soon as that was read."""
        self._connections = connections
        self._head: bytearray | None = bytearray()
        """What came of the request; None after it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many."""
        self.peer = self.address = peer_address(transport.get_extra_info("peername"))
        super().connection_made(transport)
        if not self._connections.open(self):
            self._refuse(
                Refusal(HTTPStatus.TOO_MANY_REQUESTS, "expected fewer connections from your address")
            )

    def data_received(self, data: bytes) -> None:
        """Pass on one request, and what a viewer sends after it was answered."""
        if self._head is None:
            if self.response is not None:
                super().data_received(data)
            return  # what comes before the answer has no reader
        self._head += data
        read = read_head(self._head)
        if isinstance(read, Refusal):
            self._connections.refused["bad_request"] += 1
            self._refuse(read)
        elif read is not None:
            self._head = None
            super().data_received(read)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._connections.close(self)
        sent = self.protocol.close_exc.sent
        if sent is not None and sent.code == _MESSAGE_TOO_BIG:
            self._connections.refused["message_too_big"] += 1

    def _refuse(self, refusal: Refusal) -> None:
        self._head = None
        body = refusal.text.encode() + b"\n"
        lines = [
            f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}",
            f"Date: {formatdate(usegmt=True)}",
            "Connection: close",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(body)}",
            *(["Allow: GET, HEAD"] if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED else []),
        ]
        transport = self.transport
        transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        # Closing at once would reset the connection while a body still comes, and take the answer with it;
        # whoever does not go by himself is cut off by the time-out of the handshake.
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()
