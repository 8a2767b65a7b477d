"""The messages of a bridge, over a WebSocket that finds its way back after every break."""

import asyncio
import logging
import math
import random
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)
from websockets.typing import Subprotocol

from fleetglass.client.source import Interrupted
from fleetglass.client.statistics import Traffic
from fleetglass.mqtt.backoff import CAP_SECONDS, FIRST_SECONDS, backoff_seconds
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import NotConnected, PayloadError, Refused, Unreachable
from fleetglass.wire.protocol import PROTOCOL, SUBPROTOCOL, BridgeMessage, Error, Hello, Watch, as_json

DEFAULT_URL: Final = "ws://127.0.0.1:8765/ws"
URL_RULE: Final = "ws://host[:port]/ws or wss://host[:port]/ws"
OPEN_SECONDS: Final = 5.0
PING_INTERVAL: Final = 30.0
PING_TIMEOUT: Final = 10.0
STEADY_SECONDS: Final = 10.0
"""A connection that held this long was a good one: the next pause starts small again."""
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024

_HOPELESS: Final = {"bad_protocol", "bad_token", "bad_message"}


class BridgeSource:
    """What a bridge sends, over one connection after the other.

    Args:
        url: the address of the bridge's WebSocket.
        watch: the selection at first; without one, the pulses of the whole fleet.
        token: the viewer token, where the bridge asks for one.
        headers: HTTP headers of the handshake, as a proxy may want them.
        tls: what to trust of a `wss` address; without it, what the system trusts.
        reconnect: whether a broken connection is tried again.
        reconnect_interval: seconds before the second try; they double with each, up to 15 s or this if it is
            more, and half of them is left to chance.
        max_reconnects: after how many tries in vain to give up; without it, never.
        ping_interval: seconds between two pings of a silent connection.
        ping_timeout: seconds after which a ping without an answer means that the connection is lost.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        watch: Watch | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        reconnect: bool = True,
        reconnect_interval: float = FIRST_SECONDS,
        max_reconnects: int | None = None,
        ping_interval: float = PING_INTERVAL,
        ping_timeout: float = PING_TIMEOUT,
    ) -> None:
        self.traffic = Traffic()
        self._url = url
        self._watch = watch or Watch(fleet=True)
        self._token = token
        self._headers = dict(headers or {})
        self._most_tries = (math.inf if max_reconnects is None else max_reconnects) if reconnect else 0
        self._reconnect_interval = reconnect_interval
        self._ping_interval = ping_interval
        self._ping_timeout = ping_timeout
        self._tls = tls
        self._connection: ClientConnection | None = None
        self._hurry = asyncio.Event()  # somebody asked to connect anew
        self._spoken_for = False  # somebody said more than we do

    async def select(self, watch: Watch) -> None:
        """Replace the selection, now and for every connection to come."""
        self._watch = watch
        if self._connection is not None:
            with suppress(ConnectionClosed):  # whoever iterates learns of it
                await self._say(self._connection, as_json(watch))

    async def send(self, text: str) -> None:
        """Send one frame as it is; what the bridge does not accept of it comes as an `Error`.

        Raises:
            NotConnected: there is no connection now.
        """
        connection = self._connection
        if connection is None:
            raise NotConnected(f"bridge: got a message to send, expected a connection first ({self._url})")
        self._spoken_for = True
        try:
            await self._say(connection, text)
        except ConnectionClosed as error:
            raise NotConnected(f"bridge: connection lost: {_close_reason(error)} ({self._url})") from error

    async def reconnect(self) -> None:
        """Leave the connection, or the pause before the next try, and connect anew at once."""
        self._hurry.set()
        if self._connection is not None:
            await self._connection.close()

    async def messages(self) -> AsyncIterator[BridgeMessage | Interrupted]:
        """Yield what comes; after each break, one `Interrupted` and another try.

        Raises:
            Refused: the address is wrong, or the bridge does not accept what we say.
            Unreachable: no bridge answers, or the connection broke, and it is not to be tried again.
        """
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            started_at = loop.time()
            try:
                async with aclosing(self._once()) as messages:  # type: ignore[type-var] # it is a generator
                    async for message in messages:
                        yield message
            except Unreachable as error:
                hurried = self._hurry.is_set()
                if hurried or loop.time() - started_at > STEADY_SECONDS:
                    attempt = 0
                if attempt >= self._most_tries and not hurried:
                    raise
                delay = 0.0 if hurried else self._delay(attempt)
                attempt += 1
                yield Interrupted(str(error), delay)
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._hurry.wait()

    async def _once(self) -> AsyncIterator[BridgeMessage]:
        url = self._url
        self._hurry.clear()
        connection = await self._open()
        try:
            await self._say(connection, as_json(Hello(protocol=PROTOCOL, token=self._token)))
            await self._say(connection, as_json(self._watch))
            self._connection = connection
            while True:
                frame = await connection.recv(decode=False)
                self.traffic.received(len(frame))
                try:
                    message: BridgeMessage = decode_text(frame, BridgeMessage)  # type: ignore[arg-type] # a union is no type to mypy
                except PayloadError:
                    continue  # A newer bridge may say more than this version knows.
                if isinstance(message, Error) and self._is_final(message):
                    raise Refused(f"bridge: {message.text} ({url})")
                yield message
        except ConnectionClosedOK as error:
            reason = connection.close_reason or "going away"
            raise Unreachable(f"bridge: it closed the connection: {reason} ({url})") from error
        except ConnectionClosed as error:
            raise Unreachable(f"bridge: connection lost: {_close_reason(error)} ({url})") from error
        finally:
            self._connection = None
            await connection.close()

    async def _say(self, connection: ClientConnection, text: str) -> None:
        await connection.send(text)
        self.traffic.sent(len(text.encode()))

    def _is_final(self, error: Error) -> bool:
        return error.code in _HOPELESS and not (error.code == "bad_message" and self._spoken_for)

    def _delay(self, attempt: int) -> float:
        cap = max(CAP_SECONDS, self._reconnect_interval)
        return backoff_seconds(attempt, random.random(), cap, self._reconnect_interval)

    async def _open(self) -> ClientConnection:
        url = self._url
        try:
            return await connect(
                url,
                ssl=(self._tls or ssl.create_default_context()) if url.startswith("wss:") else None,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers=self._headers,
                open_timeout=OPEN_SECONDS,
                ping_interval=self._ping_interval,
                ping_timeout=self._ping_timeout,
                close_timeout=1,
                max_size=MAX_FRAME_BYTES,
                compression=None,
                logger=_quiet_logger(),
            )
        except InvalidURI as error:
            raise Refused(f"url: got {url[:120]!r}, expected {URL_RULE}") from error
        except InvalidStatus as error:
            status = error.response.status_code
            text = f"bridge: got HTTP status {status}, expected a WebSocket ({url})"
            if status >= 500:
                raise Unreachable(text) from error
            raise Refused(text) from error
        except ssl.SSLCertVerificationError as error:
            text = f"bridge: got a certificate that is not trusted: {error.verify_message} ({url})"
            raise Refused(text) from error
        except (OSError, EOFError, InvalidHandshake) as error:
            raise Unreachable(f"bridge: nothing answers: {_reason(error)} ({url})") from error


def _quiet_logger() -> logging.Logger:
    # At the level debug, websockets logs what is sent: the viewer token.
    logger = logging.getLogger("fleetglass.client.websockets")
    logger.setLevel(logging.WARNING)
    return logger


def _close_reason(error: ConnectionClosed) -> str:
    closing = error.rcvd
    if closing is None:
        return "no goodbye"
    return closing.reason or f"code {closing.code}"


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
