"""The page: this machine's own bridge, and one that is named with `--url`, perhaps behind a proxy."""

import os
import ssl
import time as clocks
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException
from websockets.sync.client import connect, unix_connect
from websockets.typing import Subprotocol

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.access import needs_token
from fleetglass.bridge.viewers.token import token_path
from fleetglass.cli.configuration.page_address import is_loopback, page_url, unverified_tls
from fleetglass.cli.doctor.certificate_check import check_server
from fleetglass.cli.doctor.clock_check import compare_clock
from fleetglass.cli.doctor.finding import Finding, State
from fleetglass.wire.protocol import PROTOCOL, SUBPROTOCOL, Error, Hello, Welcome, as_json
from fleetglass.wire.version import VERSION

_SECONDS: Final = 2.0
_MAX_ANSWER_BYTES: Final = 65_536
_PROXY: Final = (
    "let the proxy pass on Upgrade and Connection: deploy/nginx/README.md and deploy/caddy/README.md"
)
_LINK: Final = "fleetglass bridge --show-link prints the link with it"
_PROXY_ANSWERS: Final[dict[int, tuple[State, str, str]]] = {
    **dict.fromkeys(
        (301, 302, 303, 307, 401), ("note", "asks for a login: not checked", "open the page in a browser")
    ),
    403: ("wrong", "refused", "fleetglass bridge --allowed-host NAME, with the name in this address"),
    **dict.fromkeys(
        (502, 503, 504),
        ("wrong", "the proxy does not reach the bridge", "start it: fleetglass service start bridge"),
    ),
}
"""HTTP answers in place of a WebSocket: state, text and remedy."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Page:
    """The WebSocket of a page, and what a viewer needs to open it."""

    url: str
    name: str
    """As findings call it."""
    token: str | None = None
    tls: ssl.SSLContext | None = None
    socket: str | None = None
    """Path of the Unix socket that serves it, instead of the address in `url`."""

    def greet(self) -> Welcome | Error:
        """Open the WebSocket and return the bridge's first answer.

        Raises:
            OSError: nothing can be reached there.
            WebSocketException, EOFError, msgspec.MsgspecError: what answers is not a bridge.
        """
        opened: Callable[..., Any] = partial(unix_connect, self.socket) if self.socket else connect
        with opened(
            uri=self.url,
            ssl=self.tls,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            proxy=None,
            open_timeout=_SECONDS,
            close_timeout=_SECONDS,
            max_size=_MAX_ANSWER_BYTES,
        ) as viewer:
            viewer.send(as_json(Hello(protocol=PROTOCOL, token=self.token)))
            answer: Welcome | Error = msgspec.json.decode(viewer.recv(_SECONDS), type=Welcome | Error)
            return answer


def check_own_page(settings: BridgeSettings) -> Iterator[Finding]:
    """Check this machine's bridge, if it runs."""
    tls = unverified_tls() if settings.cert is not None else None
    address = page_url(settings.host, settings.port, tls=tls is not None)
    name = settings.socket or address
    url = "ws://localhost/ws" if settings.socket else f"ws{address.removeprefix('http')}ws"
    token, hidden = _own_token(settings)
    page = _Page(url, name, token, None if settings.socket else tls, settings.socket)
    try:
        answer = page.greet()
    except PermissionError as error:
        yield Finding("page", "note", f"{name}: not checked: {error.strerror}", "sudo fleetglass doctor")
    except (TimeoutError, WebSocketException, msgspec.MsgspecError, EOFError):
        remedy = "choose another port with --port, or stop that program"
        yield Finding("page", "wrong", f"{name}: another program listens there", remedy)
    except OSError:
        yield Finding("page", "note", f"{name}: not running here", "start it: fleetglass up, or bridge")
    else:
        if isinstance(answer, Error) and hidden is not None:
            text = f"{name}: served, but not checked further: {hidden}"
            yield Finding("page", "note", text, "sudo fleetglass doctor")
        else:
            yield from _judged(page, answer)


def check_url(
    url: str, token: str | None, tls: ssl.SSLContext | None, clock: Clock = clocks.time
) -> Iterator[Finding]:
    """Check a bridge as a browser elsewhere reaches it: name, TLS, WebSocket, clock.

    Args:
        url: address of the WebSocket.
        token: the viewer token, where the bridge asks for one.
        tls: trusted authorities, for `wss://`.
        clock: returns the time, UTC in seconds since the epoch.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if tls else 80)
    page = _Page(url, url, token, tls)
    try:
        if tls is not None:
            found = list(check_server(host, port, tls, clock(), _SECONDS))
            yield from found
            if any(one.state == "wrong" for one in found):
                return
        before = clock()
        answer = page.greet()
        between = (before + clock()) / 2
    except (OSError, WebSocketException, msgspec.MsgspecError, EOFError) as error:
        yield _no_page(page, error, f"nc -vz {host} {port}")
        return
    yield from _judged(page, answer)
    if isinstance(answer, Welcome) and not is_loopback(host):
        yield compare_clock(between - answer.time, "the bridge's clock")


def _judged(page: _Page, answer: Welcome | Error) -> Iterator[Finding]:
    if isinstance(answer, Error):
        remedy = "use the same version on both sides"
        if answer.code == "bad_token":
            remedy = f"give the token in FLEETGLASS_TOKEN or --token-file; {_LINK}"
        yield Finding("page", "wrong", f"{page.name}: the bridge refuses: {answer.text}", remedy)
        return
    if answer.broker == "connected":
        yield Finding("page", "ok", f"{page.name}: served, and the bridge is connected to its broker")
    else:
        text = f"{page.name}: served, but the bridge has lost its broker"
        yield Finding("page", "wrong", text, "see why: fleetglass service logs bridge")
    if answer.version != VERSION:
        text = f"the bridge is {answer.version}, this is {VERSION}"
        yield Finding("versions", "note", text, "update the older one, and restart it")


def _no_page(page: _Page, error: Exception, probe: str) -> Finding:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        body = (error.response.body or b"")[:200].decode(errors="replace").strip()
        state, text, remedy = _PROXY_ANSWERS.get(status, ("wrong", "no WebSocket", _PROXY))
        detail = body if status == 403 and body else f"HTTP {status}"
        return Finding("page", state, f"{page.name}: {text} ({detail})", remedy)
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    if isinstance(error, InvalidHandshake | InvalidMessage):
        return Finding("page", "wrong", f"{page.name}: no WebSocket: {reason}", _PROXY)
    reason = (getattr(error, "strerror", None) or reason).lower()
    return Finding("page", "wrong", f"{page.name}: {reason}", f"check name and port: {probe}")


def _own_token(settings: BridgeSettings) -> tuple[str | None, str | None]:
    """Return the viewer token of this machine's bridge, and why it cannot be read where it is needed."""
    if not needs_token(settings):
        return None, None
    path = token_path(settings)
    try:
        return path.read_text("utf-8").strip(), None
    except (OSError, UnicodeError) as error:
        if token := os.environ.get("FLEETGLASS_TOKEN"):
            return token, None
        return None, f"{path}: {getattr(error, 'strerror', None) or 'not text'}"
