"""Who sends a request: the other end of the connection, or the client that a trusted proxy names."""

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Protocol

from fleetglass.bridge.settings import BridgeSettings

LOCAL_SOCKET = "local socket"
"""Stands for an address where the connection came over a Unix socket."""
SECRET_HEADER = "X-Fleetglass-Proxy-Secret"  # noqa: S105 - the name, not the secret
"""Proves that a request comes from the proxy."""


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
    """The user that a proxy has let in, and has proved to have let in."""
    unproved_user: bool = False
    """Whether the request names a user without that proof; it counts for nothing."""
    wrong_secret: bool = False
    """Whether the request carries a secret of a proxy that is not the one of this bridge."""
    secure: bool = False
    """Whether the browser speaks TLS, with the bridge or with a trusted proxy."""


def identify(peer: str, headers: HeaderFields, settings: BridgeSettings) -> Caller:
    """Return the caller of a request that came over a connection from `peer`.

    Raises:
        LookupError: a header stands several times that may stand once.
    """
    address = peer
    hosts: tuple[str | None, ...] = (headers.get("Host"),)
    secure = settings.cert is not None
    if settings.trusted_proxy and is_local(peer):
        # The proxy adds the last entry of a list. Clients may have invented the entries before it.
        forwarded_for = ",".join(headers.get_all("X-Forwarded-For")).rpartition(",")[2].strip()
        forwarded_host = headers.get("X-Forwarded-Host")
        address = forwarded_for if _is_address(forwarded_for) else peer
        hosts = (*hosts, forwarded_host) if forwarded_host else hosts
        secure = secure or (headers.get("X-Forwarded-Proto") or "").lower() == "https"
    user, secret = None, None
    if settings.proxy_user_header is not None:
        user = _user((headers.get(settings.proxy_user_header) or "").strip())
        secret = headers.get(SECRET_HEADER)
    proved = peer == LOCAL_SOCKET if settings.proxy_secret is None else is_same(secret, settings.proxy_secret)
    return Caller(
        address,
        hosts,
        user=user if proved else None,
        unproved_user=user is not None and not proved,
        wrong_secret=secret is not None and settings.proxy_secret is not None and not proved,
        secure=secure,
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


def is_same(given: str | None, secret: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest((given or "").encode(errors="replace"), secret.encode(errors="replace"))


def _user(name: str) -> str | None:
    # Caddy sends a placeholder as it stands, such as `{http.auth.user.id}`, where nobody has filled it.
    return name if name and not name.startswith("{") else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
