"""Who may look: the viewer token, and which Host and Origin headers are let in."""

import ipaddress
import logging
import re
import socket
from pathlib import Path
from typing import NamedTuple

from fleetglass.bridge.http.client_identity import Caller, is_same
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.fleet.file_change import FileChange

_AUTHORITY = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}

_log = logging.getLogger(__name__)


class Access:
    """The rules for one bridge. `token` is None where none is asked for.

    With the file in which the token is kept, `refresh` notices a new one.
    """

    def __init__(self, settings: BridgeSettings, token: str | None, token_file: Path | None = None) -> None:
        self.token = token
        own = socket.gethostname()
        # Only the own network can answer for `.local`, and there is a token for it.
        names = {"localhost", settings.host, own, f"{own}.local", *settings.allowed_hosts}
        self._names = {name.lower().rstrip(".") for name in names}
        self._origins = {_origin(origin) for origin in settings.allowed_origins} - {None}
        self._token_file = token_file
        self._change = FileChange(token_file) if token_file else None

    def admits(self, token: str | None, caller: Caller | None = None) -> bool:
        """Whether a viewer may look, by its token or as a user that a proxy names; in constant time."""
        if self.token is None or (caller is not None and caller.user is not None):
            return True
        return is_same(token, self.token)

    def allows_host(self, header: str | None) -> bool:
        """Whether a request for this `Host` may be answered.

        A page of another name that resolves to this machine (DNS rebinding) must not read it; a
        numeric address cannot be rebound.
        """
        authority = _authority(header or "")
        return authority is not None and (authority.name in self._names or _is_address(authority.name))

    def allows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this `Origin` may open the WebSocket; programs that are no browser send none.

        `host` is the name under which the bridge was asked. A page without an origin of its own (`null`:
        a sandboxed frame, a local file) is never let in.
        """
        if origin is None:
            return True
        told = _origin(origin)
        if told is None:
            return False
        if told in self._origins:
            return True
        asked = _authority(host or "")
        return asked is not None and told[1:] == (asked.name, asked.port or _DEFAULT_PORTS[told[0]])

    def refresh(self) -> bool:
        """Read the token again if its file was changed; whether it is another one now."""
        if self._token_file is None or self._change is None or not self._change.happened():
            return False
        try:
            token = self._token_file.read_text("utf-8").strip()
        except (OSError, UnicodeError):
            token = ""
        if not token:
            _log.warning(
                "token file %s: got nothing to read, expected a token; the old one stays", self._token_file
            )
            return False
        if token == self.token:
            return False
        self.token = token
        _log.info("the viewer token was replaced; the old token is no longer valid")
        return True


def needs_token(settings: BridgeSettings) -> bool:
    """Whether viewers must show a token: anything but loopback, unless told otherwise.

    Behind a proxy everybody comes from loopback.
    """
    if not settings.auth:
        return False
    behind_proxy = settings.trusted_proxy or settings.proxy_user_header is not None
    return behind_proxy or not (settings.socket or _is_loopback(settings.host))


class _Authority(NamedTuple):
    name: str
    port: int | None


def _authority(text: str) -> _Authority | None:
    """Read a name or address and perhaps a port, as in `Host`; None for anything else."""
    found = _AUTHORITY.fullmatch(text.lower())
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else None
    if found["address"] is not None:
        return _Authority(found["address"], port) if _is_address(found["address"]) else None
    return _Authority(found["name"].removesuffix("."), port)


def _origin(text: str) -> tuple[str, str, int] | None:
    """Read scheme, name and port of an origin; None for one that has none of these."""
    scheme, separator, rest = text.lower().removesuffix("/").partition("://")
    authority = _authority(rest)
    if not separator or scheme not in _DEFAULT_PORTS or authority is None:
        return None
    return scheme, authority.name, authority.port or _DEFAULT_PORTS[scheme]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)
