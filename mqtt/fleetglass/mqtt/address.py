"""The address of an MQTT broker: `mqtt://[user@]host[:1883]` or `mqtts://[user@]host[:8883]`."""

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from fleetglass.wire.errors import BrokerURLError

MAX_TEXT_BYTES = 65_535
"""The longest text that MQTT carries."""
BROKER_URL_RULE = "mqtt://[user@]host[:1883] or mqtts://[user@]host[:8883]"

_MAX_LABEL, _MAX_NAME = 63, 253  # RFC 1035, 2.3.4
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerURL:
    """Where a broker listens. The password is never part of it: it comes from a file or the environment."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises:
            BrokerURLError: it is not of the form, or carries a password.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
            host = parts.hostname
        except ValueError as error:
            raise _refusal(text) from error
        if parts.password is not None:
            raise BrokerURLError(
                "broker: got a password inside the address, "
                "expected it in FLEETGLASS_PASSWORD or in the file named by password_file"
            )
        extra = parts.path not in ("", "/") or parts.query or parts.fragment
        user = unquote(parts.username) if parts.username else None
        if parts.scheme not in _DEFAULT_PORTS or not host or port == 0 or extra or not _is_host(host):
            raise _refusal(text)
        if user is not None and ("\0" in user or not fits_connect(user)):
            raise _refusal(text)
        return cls(
            host=host,
            port=port or _DEFAULT_PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            user=user,
        )

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host == "localhost":
            return True
        return _is_ip_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{user}{host}:{self.port}"


def fits_connect(text: str) -> bool:
    """Return whether CONNECT can carry a text: UTF-8 of at most 65,535 bytes (MQTT 3.1.1, 1.5.3)."""
    try:
        return len(text.encode()) <= MAX_TEXT_BYTES
    except UnicodeEncodeError:
        return False


def _is_host(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or any(one in text for one in " <>\"'\\"):
        return False
    if ":" in text:
        return _is_ip_address(text)
    # Name servers know no others, and Python refuses to ask for them.
    name = text.removesuffix(".")
    return len(name) <= _MAX_NAME and all(0 < len(label) <= _MAX_LABEL for label in name.split("."))


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _refusal(text: str) -> BrokerURLError:
    return BrokerURLError(f"broker: got {text[:120]!r}, expected {BROKER_URL_RULE}")
