"""One viewer: the conversation over one WebSocket."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed

from fleetglass.bridge.http.connections import (
    INTERNAL_ERROR,
    POLICY_VIOLATION,
    TRY_AGAIN_LATER,
    Connections,
    HttpConnection,
)
from fleetglass.bridge.viewers.access import Access
from fleetglass.bridge.viewers.rate_limit import RateLimit
from fleetglass.bridge.viewers.shared_frames import SharedFrames
from fleetglass.bridge.viewers.wrong_tokens import WrongTokens
from fleetglass.fleet.fanout import Subscriber
from fleetglass.fleet.outbox import Outbox
from fleetglass.fleet.relay import Relay
from fleetglass.wire import PayloadError
from fleetglass.wire.codec import decode_viewer_message
from fleetglass.wire.protocol import (
    HELLO_TIMEOUT_SECONDS,
    MAX_VIEWERS,
    PROTOCOL,
    Error,
    Hello,
    Notice,
    Ping,
    Pong,
    Watch,
    as_json,
)

NOTICE_EVERY_SECONDS = 10.0
MAX_BAD_MESSAGES = 5
LOG_LINES_PER_SECOND = 1.0
LOG_LINES_AT_ONCE = 60
"""What the log says of viewers that come and go, which each may do without end."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ViewerCounts:
    """What happened to viewers since the bridge started."""

    connected: int = 0
    refused: int = 0
    slow_closed: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    """Connections, requests and viewers that were turned away, by reason."""


class Viewers:
    """Holds the conversations of all viewers; `serve` is one of them, from hello to the end."""

    def __init__(
        self,
        relay: Relay,
        access: Access,
        connections: Connections,
        wrong_tokens: WrongTokens,
        version: str,
    ) -> None:
        self.counts = ViewerCounts(refusals=connections.refused)
        self._frames = SharedFrames()
        self._relay = relay
        self._access = access
        self._connections = connections
        self._wrong_tokens = wrong_tokens
        self._version = version
        self._by_token: set[HttpConnection] = set()
        self._log_lines = RateLimit(LOG_LINES_PER_SECOND, LOG_LINES_AT_ONCE, time.monotonic())
        self._unlogged = 0

    async def serve(self, connection: HttpConnection) -> None:
        """Talk with one viewer until either side leaves."""
        try:
            if not await self._greet(connection):
                self.counts.refused += 1
                return
            self._connections.enter(connection)
            self.counts.connected += 1
            number = len(self._relay.fanout) + 1
            self._log("viewer %s connected, %d now", _name(connection), number)
            try:
                await self._converse(connection)
            finally:
                self._by_token.discard(connection)
                self._log("viewer %s left, %d now", _name(connection), len(self._relay.fanout))
        except ConnectionClosed:
            pass  # the viewer left, which is its right at any moment
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this viewer alone
            self._relay.errors.count("serving a viewer", error)
            self._connections.refused["internal_error"] += 1
            await connection.close(INTERNAL_ERROR, "internal_error")

    async def expel(self) -> None:
        """Close whoever was let in by a token that is not valid any more."""
        expelled, self._by_token = self._by_token, set()
        async with asyncio.TaskGroup() as tasks:
            for connection in expelled:
                tasks.create_task(
                    connection.close(POLICY_VIOLATION, "the viewer token was replaced"), name="expel"
                )

    async def _greet(self, connection: HttpConnection) -> bool:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_SECONDS):
                hello = decode_viewer_message(await connection.recv())
        except TimeoutError:
            error = Error("hello_expected", f"got nothing for {HELLO_TIMEOUT_SECONDS:.0f} s, expected hello")
            return await self._refuse(connection, error)
        except PayloadError as bad:
            return await self._refuse(connection, Error("hello_expected", str(bad)))
        if not isinstance(hello, Hello):
            return await self._refuse(
                connection, Error("hello_expected", "expected hello as the first message")
            )
        if hello.protocol != PROTOCOL:
            text = f"got protocol {hello.protocol}, expected {PROTOCOL}"
            return await self._refuse(connection, Error("bad_protocol", text))
        if not self._access.admits(hello.token, connection.caller):
            if hello.token:
                await asyncio.sleep(self._wrong_tokens.count(connection.address, time.monotonic()))
            text = "expected the viewer token; fleetglass bridge --show-link prints its link"
            return await self._refuse(connection, Error("bad_token", text))
        # From here on nothing is waited for until it has joined, so that it is counted for the next one.
        if len(self._relay.fanout) >= MAX_VIEWERS:
            error = Error("too_many_viewers", f"at most {MAX_VIEWERS}")
            return await self._refuse(connection, error, TRY_AGAIN_LATER)
        if self._access.token is not None and connection.caller.user is None:
            self._by_token.add(connection)
        return True

    async def _converse(self, connection: HttpConnection) -> None:
        subscriber = Subscriber(Outbox(self._writer(connection)))
        subscriber.outbox.put("welcome", "", as_json(self._relay.welcome(self._version)).encode())
        self._relay.join(subscriber)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(connection, subscriber), name="viewer writer")
                past = tasks.create_task(self._relay.send_past(subscriber), name="viewer past")
                await self._read(connection, subscriber)
                writer.cancel()
                past.cancel()
        except* ConnectionClosed:
            pass  # as in `serve`
        finally:
            self._relay.leave(subscriber)

    async def _read(self, connection: HttpConnection, subscriber: Subscriber) -> None:
        bad_messages = 0
        async for text in connection:
            try:
                message = decode_viewer_message(text)
            except PayloadError as error:
                refusal = str(error)
            else:
                match message:
                    case Watch():
                        self._relay.watch(subscriber, message)
                        continue
                    case Ping(id=number):
                        pong = Pong(id=number, time=time.time())
                        subscriber.outbox.put("pong", "", as_json(pong).encode())
                        continue
                refusal = "message: got a second hello, expected watch or ping"
            bad_messages += 1
            if bad_messages > MAX_BAD_MESSAGES:
                connection.reject("too_many_bad_messages")
                return
            subscriber.outbox.put("error", "", as_json(Error("bad_message", refusal)).encode())

    def _writer(self, connection: HttpConnection) -> Callable[[bytes], bool]:
        # A task that sends costs more than the sending: it only runs for viewers that cannot keep up.
        send = self._frames.send

        def write(frame: bytes) -> bool:
            if not connection.has_room:
                return False
            send(connection, frame)
            return True

        return write

    async def _write(self, connection: HttpConnection, subscriber: Subscriber) -> None:
        outbox = subscriber.outbox
        noticed, noticed_at = 0, 0.0
        while True:
            await outbox.until_filled()
            try:
                await connection.until_room()
            except TimeoutError:
                self.counts.slow_closed += 1
                self._log(
                    "viewer %s read nothing for %.0f s: closed",
                    _name(connection),
                    connection.patience_seconds,
                )
                await connection.close(TRY_AGAIN_LATER, "too slow")
                return
            if outbox.replaced > noticed and time.monotonic() - noticed_at > NOTICE_EVERY_SECONDS:
                text = f"{outbox.replaced - noticed} updates were replaced by newer ones before being sent"
                noticed, noticed_at = outbox.replaced, time.monotonic()
                self._frames.send(connection, as_json(Notice("slow", text)).encode())
            while len(outbox) and connection.has_room:
                self._frames.send(connection, outbox.pop())

    async def _refuse(self, connection: HttpConnection, error: Error, code: int = POLICY_VIOLATION) -> bool:
        await connection.send(as_json(error))
        connection.reject(error.code, code)
        return False

    def _log(self, text: str, *values: object) -> None:
        if not self._log_lines.take(time.monotonic()):
            self._unlogged += 1
            return
        if self._unlogged:
            _log.info("viewers came and went: %d more lines were left out", self._unlogged)
            self._unlogged = 0
        _log.info(text, *values)


def _name(connection: HttpConnection) -> str:
    user = connection.caller.user
    return f"{user!r} at {connection.address}" if user else connection.address
