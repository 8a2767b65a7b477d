"""Where and how the bridge listens: a port, a port shared with other bridges, or a Unix socket."""

import logging
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from websockets.asyncio.server import serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from fleetglass.bridge.http.certificate import Certificate
from fleetglass.bridge.http.connections import Connections, HttpConnection
from fleetglass.bridge.http.tls_handshake import TlsHandshake
from fleetglass.bridge.http.websocket_adapter import check_version
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.shared_frames import DEFLATE
from fleetglass.wire.errors import BridgeError
from fleetglass.wire.protocol import HELLO_TIMEOUT_SECONDS, MAX_VIEWER_MESSAGE_BYTES, SUBPROTOCOL

SHUTDOWN_SECONDS = 1.5
MAX_OPEN_FILES = 4096

Handler = Callable[[HttpConnection], Awaitable[None]]
ProcessRequest = Callable[[HttpConnection, Request], Awaitable[Response | None]]


@asynccontextmanager
async def listening(
    settings: BridgeSettings,
    connections: Connections,
    certificate: Certificate | None,
    *,
    handler: Handler,
    process_request: ProcessRequest,
) -> AsyncIterator[None]:
    """Serve requests and viewers until the block is left.

    Raises:
        BridgeError: the port or the socket cannot be had, or websockets has another version.
    """
    check_version()
    _allow_open_files()
    with _unix_socket(settings.socket) if settings.socket is not None else nullcontext() as listener:
        where: dict[str, Any] = {"host": settings.host, "port": settings.port}
        if listener is not None:
            where = {"unix": True, "sock": listener}
        try:
            server = await serve(
                handler,  # type: ignore[arg-type]  # each connection is of the type made below
                process_request=process_request,  # type: ignore[arg-type]  # as above
                create_connection=partial(_connection, connections, certificate),  # type: ignore[arg-type]  # as above
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                select_subprotocol=lambda _, offered: SUBPROTOCOL if SUBPROTOCOL in offered else None,  # type: ignore[arg-type, return-value]
                compression=None,  # websockets' own would compress each frame once per viewer
                extensions=[DEFLATE] if settings.compress else None,
                open_timeout=HELLO_TIMEOUT_SECONDS,
                ping_interval=settings.ping_interval,
                ping_timeout=settings.ping_timeout,
                close_timeout=SHUTDOWN_SECONDS,
                max_size=4 * MAX_VIEWER_MESSAGE_BYTES,
                max_queue=4,
                server_header=None,
                logger=_quiet_logger(),
                **where,
            )
        except OSError as error:
            raise BridgeError(
                f"port {settings.port} on {settings.host}: {error.strerror or error}; "
                "expected a free port, choose another with --port"
            ) from error
        async with server:
            try:
                yield
            finally:
                connections.drop_silent()


@contextmanager
def _unix_socket(named: str) -> Iterator[socket.socket]:
    path = Path(named).expanduser()
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise BridgeError(f"socket: expected a system with Unix sockets; got {sys.platform}")
    _check_is_free(path, family)
    # Made under another name and moved there: nobody meets it before it has its mode and listens.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        try:
            with suppress(FileNotFoundError):
                beside.unlink()
            listener.bind(str(beside))
            beside.chmod(0o660)
            listener.listen(1024)
            beside.replace(path)
            own = path.stat().st_ino
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise BridgeError(
                f"socket {path}: {error.strerror or error}; expected a short path that this user may write to"
            ) from error
        listener.setblocking(False)
        try:
            yield listener
        finally:
            with suppress(OSError):
                if path.stat().st_ino == own:  # else another bridge has taken the place
                    path.unlink()


def _check_is_free(path: Path, family: int) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise BridgeError(f"socket {path}: got another file of that name, expected none or an old socket")
    except FileNotFoundError:
        return
    except OSError as error:
        raise BridgeError(f"socket {path}: {error.strerror}; expected a path this user may use") from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return  # left behind by a bridge that was killed
        except OSError as error:
            raise BridgeError(
                f"socket {path}: {error.strerror or error}; expected one that is free"
            ) from error
    raise BridgeError(f"socket {path}: another program serves there, expected a free path")


def _allow_open_files() -> None:
    """Each connection is an open file, and many systems allow a program 1024 unless it asks for more."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _connection(
    connections: Connections, certificate: Certificate | None, *arguments: Any, **options: Any
) -> HttpConnection | TlsHandshake:
    connection = HttpConnection(connections, *arguments, **options)
    if certificate is None:
        return connection
    return TlsHandshake(connection, certificate.context, time_out_seconds=HELLO_TIMEOUT_SECONDS)


def _quiet_logger() -> logging.Logger:
    # Browsers drop connections and scanners send rubbish all the time: that is no news for the user.
    logger = logging.getLogger("fleetglass.bridge.websockets")
    logger.setLevel(logging.ERROR)
    return logger
