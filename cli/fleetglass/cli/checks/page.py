"""The page: this machine's own bridge, and any that is named with `--url`, perhaps behind a proxy."""

import http.client
import os
import socket
import ssl
import time as clocks
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from fleetglass.bridge.access import needs_token
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewer_token import token_path
from fleetglass.cli.checks.certificate import check_server
from fleetglass.cli.checks.clock import compared
from fleetglass.cli.checks.finding import Finding
from fleetglass.cli.page import is_loopback, local_address, page_url, unverified_tls
from fleetglass.wire.protocol import PROTOCOL, SUBPROTOCOL, Error, Hello, Welcome, as_json
from fleetglass.wire.version import VERSION

_SECONDS: Final = 2.0
_LONGEST_ANSWER: Final = 65_536
_RECIPES: Final = "deploy/nginx/README.md and deploy/caddy/README.md"
_LINK: Final = "fleetglass bridge --show-link prints the link with it"

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Server:
    """Where a page is served: at an address, or at a Unix socket."""

    host: str
    port: int
    path: str = "/"
    """What comes before `ws` and `healthz`."""
    unix: str | None = None
    tls: ssl.SSLContext | None = None
    token: str | None = None

    def connected(self) -> socket.socket:
        if self.unix is None:
            raw = socket.create_connection((self.host, self.port), _SECONDS)
        else:
            raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            raw.settimeout(_SECONDS)
            raw.connect(self.unix)
        return self.tls.wrap_socket(raw, server_hostname=self.host) if self.tls else raw

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def check_own_page(settings: BridgeSettings) -> Iterator[Finding]:
    """Look at the bridge of this machine, if it runs."""
    tls = unverified_tls() if settings.cert is not None else None
    where = settings.socket or page_url(settings.host, settings.port, tls=tls is not None)
    token, hidden = _own_token(settings)
    server = _Server(local_address(settings.host), settings.port, unix=settings.socket, tls=tls, token=token)
    if settings.socket is not None:
        server = _Server("localhost", 80, unix=settings.socket, token=token)
    try:
        server.connected().close()
    except OSError as error:
        if isinstance(error, PermissionError):
            yield Finding("page", "note", f"{where}: not checked: {error.strerror}", "sudo fleetglass doctor")
            return
        text = f"{where}: not running here"
        yield Finding("page", "note", text, "fleetglass up, or fleetglass bridge, serves it")
        return
    health = _get(server, "healthz")
    if health is None or not isinstance(health.get("status"), str):
        other = "choose another port with --port, or end what listens there"
        yield Finding("page", "wrong", f"{where}: another program listens there", other)
        return
    yield from _healthy(where, health)
    if hidden is not None:
        text = f"what needs the viewer token was not checked: {hidden}"
        yield Finding("websocket", "note", text, "sudo fleetglass doctor")
        return
    yield from _websocket(server, where, clocks.time, own=True)


def check_url(
    url: str, token: str | None, tls: ssl.SSLContext | None, clock: Clock = clocks.time
) -> Iterator[Finding]:
    """Look at a bridge as a browser elsewhere does: name, TLS, `/healthz`, and the WebSocket."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if tls else 80)
    server = _Server(host, port, parts.path.removesuffix("ws") or "/", None, tls, token)
    try:
        if tls is not None:
            found = list(check_server(host, port, tls, clock(), _SECONDS))
            yield from found
            if any(one.state == "wrong" for one in found):
                return
        server.connected().close()
    except OSError as error:
        reason = (
            "no answer in time" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        )
        yield Finding("page", "wrong", f"{url}: {reason}", f"check name and port: nc -vz {host} {port}")
        return
    health = _get(server, "healthz")
    if health is not None and isinstance(health.get("status"), str):
        yield from _healthy(url, health)
    yield from _websocket(server, url, clock, own=is_loopback(host))


def _healthy(where: str, health: dict[str, Any]) -> Iterator[Finding]:
    version = health.get("version")
    if health["status"] == "ok":
        hosts = health.get("hosts")
        known = f"; hosts: {sum(hosts.values())}" if isinstance(hosts, dict) else ""
        yield Finding("page", "ok", f"{where}: served, and the bridge has its broker{known}")
    else:
        text = f"{where}: served, but the bridge has no broker"
        yield Finding("page", "wrong", text, "fleetglass service logs bridge, or its output, says why")
    if isinstance(version, str) and version != VERSION:
        text = f"the bridge is {version}, this is {VERSION}"
        yield Finding("versions", "note", text, "fleetglass service restart bridge")


def _websocket(server: _Server, where: str, clock: Clock, *, own: bool) -> Iterator[Finding]:
    scheme = "wss" if server.tls else "ws"
    try:
        with connect(
            f"{scheme}://{server.name}{server.path}ws",
            sock=server.connected() if server.tls is None else None,
            ssl=server.tls,
            server_hostname=server.host if server.tls else None,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=_SECONDS,
            close_timeout=_SECONDS,
            proxy=None,
            max_size=_LONGEST_ANSWER,
        ) as socket_:
            before = clock()
            socket_.send(as_json(Hello(protocol=PROTOCOL, token=server.token)))
            answer = msgspec.json.decode(socket_.recv(_SECONDS), type=Welcome | Error)
            between = (before + clock()) / 2
    except (OSError, WebSocketException, msgspec.MsgspecError, EOFError) as error:
        yield _no_websocket(where, error)
        return
    if isinstance(answer, Error):
        remedy = {"bad_token": f"give the token in FLEETGLASS_TOKEN or --token-file; {_LINK}"}
        text = f"{where}: the bridge refuses: {answer.text}"
        yield Finding(
            "websocket", "wrong", text, remedy.get(answer.code, "use the same version on both sides")
        )
        return
    yield Finding("websocket", "ok", f"{where}: open, and the bridge answers")
    if answer.version != VERSION:
        text = f"the bridge is {answer.version}, this is {VERSION}"
        yield Finding("versions", "note", text, "use the same version on both sides")
    if not own:
        yield compared(between - answer.time, "the bridge", trusted=False)


def _no_websocket(where: str, error: Exception) -> Finding:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        body = (error.response.body or b"")[:200].decode(errors="replace").strip()
        if status in {401, 302, 303, 307}:
            text = f"{where}: a login is asked for ({status}), behind which nothing was checked"
            return Finding("websocket", "note", text, "open the page in a browser")
        if status in {502, 503, 504}:
            text = f"{where}: the proxy does not reach the bridge ({status})"
            return Finding("websocket", "wrong", text, "start it: fleetglass service start bridge")
        if status == 403:
            remedy = "fleetglass bridge --allowed-host NAME, with the name in this address"
            return Finding("websocket", "wrong", f"{where}: refused: {body or status}", remedy)
        text = f"{where}: no WebSocket, but HTTP {status}"
        return Finding(
            "websocket", "wrong", text, f"have the proxy pass Upgrade and Connection on: {_RECIPES}"
        )
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    if isinstance(error, InvalidHandshake | InvalidMessage):
        remedy = f"have the proxy pass Upgrade and Connection on: {_RECIPES}"
        return Finding("websocket", "wrong", f"{where}: no WebSocket: {reason}", remedy)
    return Finding(
        "websocket", "wrong", f"{where}: no bridge answers: {reason}", "check that this is its address"
    )


def _get(server: _Server, name: str) -> dict[str, Any] | None:
    """Return the JSON object of an answer, or None when it is none."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=_SECONDS)
    headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
    try:
        connection.sock = server.connected()
        connection.request("GET", server.path + name, headers=headers)
        value = msgspec.json.decode(connection.getresponse().read(_LONGEST_ANSWER))
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        return None
    finally:
        connection.close()
    return value if isinstance(value, dict) else None


def _own_token(settings: BridgeSettings) -> tuple[str | None, str | None]:
    """Return the viewer token of this machine's bridge, and why it cannot be read where it is needed."""
    if not needs_token(settings):
        return None, None
    path: Path = token_path(settings)
    try:
        return path.read_text("utf-8").strip(), None
    except (OSError, UnicodeError) as error:
        if token := os.environ.get("FLEETGLASS_TOKEN"):
            return token, None
        return None, f"{path}: {getattr(error, 'strerror', None) or 'not text'}"
