"""Who may look: the viewer token, and which Host and Origin headers are let in."""

import hmac
import ipaddress
import os
import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

from fleetglass.bridge.errors import BridgeError
from fleetglass.bridge.settings import BridgeSettings


class Access:
    """The rules for one bridge. `token` is None where none is asked for."""

    def __init__(self, settings: BridgeSettings, token: str | None) -> None:
        self.token = token
        self._hosts = {"localhost", settings.host.lower(), socket.gethostname().lower()}
        self._hosts.update(host.lower() for host in settings.allowed_hosts)
        self._origins = {origin.lower().rstrip("/") for origin in settings.allowed_origins}

    def admits(self, token: str | None) -> bool:
        """Whether a viewer with this token may look; compared in constant time."""
        if self.token is None:
            return True
        return hmac.compare_digest(self.token.encode(), (token or "").encode())

    def allows_host(self, header: str | None) -> bool:
        """Whether a request for this `Host` may be answered.

        A page of another name that resolves to this machine (DNS rebinding) must not read it; a
        numeric address cannot be rebound.
        """
        name = urlsplit(f"//{header or ''}").hostname or ""
        return name in self._hosts or _is_address(name)

    def allows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this `Origin` may open the WebSocket; programs that are no browser send none."""
        if origin is None:
            return True
        origin = origin.lower().rstrip("/")
        return origin in self._origins or urlsplit(origin).netloc == (host or "").lower()


def needs_token(settings: BridgeSettings) -> bool:
    """Whether viewers must show a token: anything but loopback, unless told otherwise."""
    return settings.auth and not (settings.host == "localhost" or _is_loopback(settings.host))


def read_or_make_token(settings: BridgeSettings) -> tuple[str, bool]:
    """Return the viewer token, and whether it was made just now. Kept in a file of mode 0600.

    Raises:
        BridgeError: the file cannot be read or written, or is empty.
    """
    path = Path(settings.token_file) if settings.token_file else _default_token_file()
    try:
        try:
            token = path.read_text().strip()
        except FileNotFoundError:
            token = secrets.token_urlsafe(24)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(token + "\n")
            return token, True
    except OSError as error:
        raise BridgeError(
            f"token file {path}: {error.strerror}; expected a file this user can write"
        ) from error
    if not token:
        raise BridgeError(
            f"token file {path}: got an empty file, expected a token; delete it to get a new one"
        )
    return token, False


def _default_token_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "fleetglass" / "viewer-token"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ipaddress.ip_address(name).is_loopback
