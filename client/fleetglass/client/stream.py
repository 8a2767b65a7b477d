"""The messages of a bridge, as an endless stream that finds its way back after every break."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from fleetglass.client.errors import Refused, Unreachable
from fleetglass.wire.backoff import backoff_seconds
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import PayloadError
from fleetglass.wire.protocol import PROTOCOL, SUBPROTOCOL, BridgeMessage, Error, Hello, Watch, as_json

DEFAULT_URL: Final = "ws://127.0.0.1:8765/ws"
URL_RULE: Final = "ws://host[:port]/ws or wss://host[:port]/ws"
OPEN_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 10.0
"""A connection that held this long was a good one: the next pause starts small again."""
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024

_HOPELESS: Final = {"bad_protocol", "bad_token", "bad_message"}


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The stream broke and is tried again after `delay` seconds."""

    reason: str
    delay: float


async def messages(
    url: str = DEFAULT_URL, watch: Watch | None = None, token: str | None = None
) -> AsyncIterator[BridgeMessage]:
    """Yield what the bridge sends over one connection, until it breaks.

    Args:
        url: the address of the bridge's WebSocket.
        watch: the selection; without one, the pulses of the whole fleet.
        token: the viewer token, where the bridge asks for one.

    Raises:
        Unreachable: no bridge answers, or the connection broke or was closed.
        Refused: the address is wrong, or the bridge does not accept what we say.
    """
    connection = await _open(url)
    try:
        await connection.send(as_json(Hello(protocol=PROTOCOL, token=token)))
        await connection.send(as_json(watch or Watch(fleet=True)))
        async for frame in connection:
            try:
                message: BridgeMessage = decode_text(frame, BridgeMessage)  # type: ignore[arg-type] # a union is no type to mypy
            except PayloadError:
                continue  # A newer bridge may say more than this version knows.
            if isinstance(message, Error) and message.code in _HOPELESS:
                raise Refused(f"bridge: {message.text} ({url})")
            yield message
    except ConnectionClosed as error:
        raise Unreachable(f"bridge: connection lost: {_close_reason(error)} ({url})") from error
    finally:
        await connection.close()
    raise Unreachable(f"bridge: it closed the connection: {connection.close_reason or 'going away'} ({url})")


async def stream(
    url: str = DEFAULT_URL, watch: Watch | None = None, token: str | None = None
) -> AsyncIterator[BridgeMessage | Interrupted]:
    """Yield what `messages` yields, for ever: after each break, one `Interrupted` and another try.

    Raises:
        Refused: as `messages`.
    """
    loop = asyncio.get_running_loop()
    attempt = 0
    while True:
        started_at = loop.time()
        try:
            async for message in messages(url, watch, token):
                yield message
        except Unreachable as error:
            if loop.time() - started_at > STEADY_SECONDS:
                attempt = 0
            delay = backoff_seconds(attempt, random.random())
            attempt += 1
            yield Interrupted(str(error), delay)
            await asyncio.sleep(delay)


async def _open(url: str) -> ClientConnection:
    try:
        return await connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            max_size=MAX_FRAME_BYTES,
            compression=None,
        )
    except InvalidURI as error:
        raise Refused(f"url: got {url[:120]!r}, expected {URL_RULE}") from error
    except InvalidStatus as error:
        status = error.response.status_code
        text = f"bridge: got HTTP status {status}, expected a WebSocket ({url})"
        if status >= 500:
            raise Unreachable(text) from error
        raise Refused(text) from error
    except (OSError, EOFError, InvalidHandshake) as error:
        raise Unreachable(f"bridge: nothing answers: {_reason(error)} ({url})") from error


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
