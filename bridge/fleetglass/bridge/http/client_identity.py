"""Who sends a request: the other end of the connection, or whom a trusted proxy names."""

import ipaddress
from dataclasses import dataclass
from typing import Protocol

LOCAL_SOCKET = "local socket"
"""Stands for an address where the connection came over a Unix socket."""


class HeaderFields(Protocol):
    """The headers of a request. `get` raises LookupError where one stands several times."""

    def get(self, key: str, /) -> str | None:
        """Return the one value of a header."""

    def get_all(self, key: str, /) -> list[str]:
        """Return all values of a header."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request."""

    address: str
    hosts: tuple[str | None, ...]
    """The names under which the bridge was asked: `Host`, then `X-Forwarded-Host` of a trusted proxy."""
    user: str | None = None
    """Whom a trusted proxy has let in."""
    secure: bool = False
    """Whether the browser speaks TLS, with the bridge or with a trusted proxy."""


def identify(peer: str, headers: HeaderFields, *, trusted_proxy: bool, tls: bool = False) -> Caller:
    """Return who calls. Forwarded headers count only from this machine, and only where told to.

    Raises:
        LookupError: a header stands several times that may stand once.
    """
    host = headers.get("Host")
    if not trusted_proxy or not is_local(peer):
        return Caller(peer, (host,), secure=tls)
    # Of a list, all but the last entry were claimed by somebody the proxy does not know either.
    forwarded_for = ",".join(headers.get_all("X-Forwarded-For")).rpartition(",")[2].strip()
    forwarded_host = headers.get("X-Forwarded-Host")
    return Caller(
        address=forwarded_for if _is_address(forwarded_for) else peer,
        hosts=(host, forwarded_host) if forwarded_host else (host,),
        user=_user((headers.get("X-Forwarded-User") or "").strip()),
        secure=tls or (headers.get("X-Forwarded-Proto") or "").lower() == "https",
    )


def peer_address(peername: object) -> str:
    """Return the address of what a socket calls its peer."""
    if not isinstance(peername, tuple):
        return LOCAL_SOCKET
    address = str(peername[0])
    # A socket for both families names its IPv4 peers so.
    return address.removeprefix("::ffff:") if "." in address else address


def is_local(address: str) -> bool:
    """Whether it is on this machine."""
    if address == LOCAL_SOCKET:
        return True
    return _is_address(address) and ipaddress.ip_address(address).is_loopback


def _user(name: str) -> str | None:
    # Caddy sends a placeholder as it stands, such as `{http.auth.user.id}`, where nobody has filled it.
    return name if name and not name.startswith("{") else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
