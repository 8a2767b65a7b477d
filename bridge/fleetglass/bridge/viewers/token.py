"""The viewer token: a file that only its owner may read, and the link that carries it to a browser."""

import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path

from fleetglass.bridge.settings import BridgeSettings
from fleetglass.wire.errors import BridgeError


def read_or_make_token(settings: BridgeSettings) -> tuple[str, bool]:
    """Return the viewer token, and whether it was made just now. Kept in a file of mode 0600.

    Raises:
        BridgeError: the file cannot be read or written, or is empty.
    """
    path = token_path(settings)
    try:
        try:
            return _read(path), False
        except FileNotFoundError:
            return _write(path, replace=False)
    except (OSError, UnicodeError) as error:
        raise _unusable(path, error) from error


def replace_token(settings: BridgeSettings) -> str:
    """Put a new token in the place of the old one, which is not valid any more, and return it.

    Raises:
        BridgeError: the file cannot be written.
    """
    path = token_path(settings)
    try:
        return _write(path, replace=True)[0]
    except OSError as error:
        raise _unusable(path, error) from error


def read_token(settings: BridgeSettings) -> str | None:
    """Return the viewer token, or None when there is no file with one.

    Raises:
        BridgeError: the file cannot be read, or is empty.
    """
    path = token_path(settings)
    try:
        return _read(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise _unusable(path, error) from error


def token_path(settings: BridgeSettings) -> Path:
    """Return where the token of a bridge is kept."""
    if settings.token_file:
        return Path(settings.token_file).expanduser()
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "fleetglass" / "viewer-token"


def page_address(settings: BridgeSettings) -> str:
    """Return the address of the page for a browser on another machine, as far as the bridge can know it."""
    if settings.socket:
        return f"unix:{settings.socket}"
    name = settings.host
    if name in {"", "0.0.0.0", "::"}:
        name = settings.allowed_hosts[0] if settings.allowed_hosts else _own_address()
    name = f"[{name}]" if ":" in name else name
    return f"{'https' if settings.cert else 'http'}://{name}:{settings.port}/"


def viewer_link(settings: BridgeSettings, token: str) -> str:
    """Return the link to open in a browser; the part behind `#` is sent to no server.

    Behind a socket or a proxy the bridge cannot know the address: there the link begins with `…/`.
    """
    return f"{_link_address(settings)}#token={token}"


def note_address(settings: BridgeSettings) -> None:
    """Keep the address of a running bridge beside its token, so that `--show-link` can print it.

    Raises:
        OSError: it cannot be written.
    """
    path = _address_path(settings)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(_link_address(settings) + "\n", "utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def running_link(settings: BridgeSettings, token: str) -> str:
    """Return the link at the address that `note_address` kept last; where it kept none, the `viewer_link`."""
    try:
        address = _address_path(settings).read_text("utf-8").strip()
    except (OSError, UnicodeError):
        address = ""
    if not (address.isprintable() and address.endswith("/")):
        return viewer_link(settings, token)
    return f"{address}#token={token}"


def _address_path(settings: BridgeSettings) -> Path:
    path = token_path(settings)
    return path.with_name(f"{path.name}.address")


def _link_address(settings: BridgeSettings) -> str:
    behind_proxy = settings.socket or settings.trusted_proxy or settings.proxy_user_header
    return "…/" if behind_proxy else page_address(settings)


def _read(path: Path) -> str:
    token = path.read_text("utf-8").strip()
    if not token:
        raise BridgeError(
            f"token file {path}: got an empty file, expected a token; delete it to get a new one"
        )
    return token


def _write(path: Path, *, replace: bool) -> tuple[str, bool]:
    """Write a token beside the file and move it there, so that nobody ever reads a part of it."""
    token = secrets.token_urlsafe(24)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)  # left behind by a process that was killed
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")
    try:
        if not replace:
            try:
                # Unlike a rename it fails where another bridge, started at the same moment, was first.
                os.link(beside, path)
            except FileExistsError:
                return _read(path), False
            except OSError:  # a filesystem without hard links
                pass
            else:
                return token, True
        elif sys.platform != "win32" and os.geteuid() == 0 and path.exists():
            # The bridge may run as another user than root, who replaces its token.
            before = path.stat()
            os.chown(beside, before.st_uid, before.st_gid)
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return token, True


def _unusable(path: Path, error: Exception) -> BridgeError:
    reason = getattr(error, "strerror", None) or error
    return BridgeError(f"token file {path}: {reason}; expected a file this user can write")


def _own_address() -> str:
    # Connecting a datagram socket sends nothing: it only asks which address would be used.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
