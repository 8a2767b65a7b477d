"""Every connection from its first byte to its last, and how many there may be."""

import asyncio
import socket
from collections import Counter
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, cast

from fleetglass.bridge.http.client_identity import Caller, is_local, peer_address
from fleetglass.bridge.http.request_head import Refusal, read_head
from fleetglass.bridge.http.websocket_adapter import AdaptedConnection
from fleetglass.bridge.viewers.rate_limit import RateLimit
from fleetglass.wire.protocol import HELLO_TIMEOUT_SECONDS

MAX_PER_ADDRESS = 256
"""Connections from one address. This machine may open more: behind a proxy everybody comes from here."""
MAX_WAITING = 512
"""Connections that have not said hello. When one more comes, the one that waits the longest is dropped."""
FRAMES_PER_SECOND = 10.0
FRAMES_AT_ONCE = 60
"""What a peer may send over a WebSocket: messages and their fragments, pings and pongs, each as one frame."""
MAX_DISCARDED_BYTES = 2 * 1024 * 1024
"""What a peer may send that nobody reads: a body, and what comes after the end of the conversation."""

SLOW_CLOSE_SECONDS = 10.0
"""How long a peer may take nothing of what waits for it."""
UNSENT_BYTES = 16 * 1024
"""While more than this waits for a peer, nothing is added: nothing newer could replace it. It holds for this
process, and for the kernel beyond what is on its way."""

POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013

_SLICE_BYTES = 4096
"""How much is parsed before the limits are checked again."""


class Connections:
    """Counts connections, and keeps them within their limits."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """How many connections, requests and viewers were turned away, by reason."""
        self._waiting: dict[HttpConnection, None] = {}
        self._per_address: Counter[str] = Counter()

    def open(self, connection: "HttpConnection") -> bool:
        """Take in a new connection; False when its address has enough of them."""
        if len(self._waiting) >= MAX_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self.refused["waited_too_long"] += 1
            oldest.abort()
        self._waiting[connection] = None
        return self._count(connection.peer)

    def identify(self, connection: "HttpConnection", caller: Caller) -> bool:
        """Count it for the address that a trusted proxy names; False when that one has enough of them."""
        if connection not in self._waiting or caller.address == connection.peer:
            return True
        self._uncount(connection.peer)
        connection.address = caller.address
        return self._count(caller.address)

    def wind_down(self) -> None:
        """End those that have not asked for anything at once, and those that are being answered soon."""
        for connection in tuple(self._waiting):
            if connection.is_silent:
                connection.abort()
            else:
                connection.cut_later()

    def enter(self, connection: "HttpConnection") -> None:
        """It is a viewer now."""
        self._waiting.pop(connection, None)

    def close(self, connection: "HttpConnection") -> None:
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


class HttpConnection(AdaptedConnection):
    """One connection. What is no request that websockets reads is answered here."""

    def __init__(self, connections: Connections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.patience_seconds = SLOW_CLOSE_SECONDS
        self.peer = ""
        """The other end."""
        self.address = ""
        """Whose connection it is: the other end, or the client that a trusted proxy names."""
        self.caller = Caller("", ())
        """Who sent the request, as soon as that was read."""
        self._connections = connections
        self._head: bytearray | None = bytearray()
        """What came of the request; None after it."""
        self._frames = RateLimit(FRAMES_PER_SECOND, FRAMES_AT_ONCE, self.loop.time())
        self._discarded = 0
        self._request_due: asyncio.TimerHandle | None = None

    @property
    def is_silent(self) -> bool:
        """Whether its request has not come yet."""
        return self._head is not None

    def arrive(self, transport: asyncio.BaseTransport) -> bool:
        """Count it, before its TLS handshake if it has one; False when there are too many."""
        self.transport = self.carrier = cast(asyncio.Transport, transport)
        _keep_backlog_short(self.socket)
        self.peer = self.address = peer_address(transport.get_extra_info("peername"))
        return self._connections.open(self)

    def depart(self) -> None:
        """Count it no longer."""
        self._connections.close(self)

    def connected(self) -> None:
        """Begin, unless there are too many."""
        self._request_due = self.loop.call_later(HELLO_TIMEOUT_SECONDS, self.abort)
        if not self.peer and not self.arrive(self.transport):
            self._refuse(
                Refusal(HTTPStatus.TOO_MANY_REQUESTS, "expected fewer connections from your address")
            )

    def received(self, data: bytes) -> None:
        """Pass on one request, and what a viewer sends after it was answered."""
        if self._head is None:
            self._receive_frames(data)
            return
        self._head += data
        head = read_head(self._head)
        if isinstance(head, Refusal):
            self._connections.refused["bad_request"] += 1
            self._refuse(head)
        elif head is not None:
            self._head = None
            self._forget_request_due()
            self.read(head)

    def reject(self, reason: str, code: int = POLICY_VIOLATION) -> None:
        """Count a viewer as turned away for a reason, and end the conversation with it."""
        if self.is_open:
            self._connections.refused[reason] += 1
            self.end(code, reason)

    def disconnected(self) -> None:
        """End."""
        self.depart()
        self._forget_request_due()
        if self.sent_close_code == MESSAGE_TOO_BIG:
            self._connections.refused["message_too_big"] += 1

    def _forget_request_due(self) -> None:
        if self._request_due is not None:
            self._request_due.cancel()

    def _receive_frames(self, data: bytes) -> None:
        now = self.loop.time()
        for start in range(0, len(data), _SLICE_BYTES):
            if not self.is_open:
                self._discard(data[start:])
                return
            if not self._frames.take(now, self.read(data[start : start + _SLICE_BYTES])):
                self.reject("too_many_messages")

    def _discard(self, data: bytes) -> None:
        """Drop what comes before a request is answered, after an answer, and after a close frame."""
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED_BYTES:
            self.abort()

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
        self.write("\r\n".join([*lines, "", ""]).encode() + body)
        # Closing at once would reset the connection while a body still comes, and take the answer with it;
        # a peer that does not end by itself is cut off when the time for its request is over.
        self.finish_writing()


def _keep_backlog_short(sock: socket.socket) -> None:
    # By itself the kernel takes in megabytes for a peer that has stopped reading.
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
    elif hasattr(socket, "TCP_NOTSENT_LOWAT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
