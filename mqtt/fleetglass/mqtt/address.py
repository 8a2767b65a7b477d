"""The address of an MQTT broker: `mqtt://[user@]host[:1883]` or `mqtts://[user@]host[:8883]`."""

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import unquote, urlsplit

from fleetglass.wire.errors import BrokerURLError

BROKER_URL_RULE = "mqtt://[user@]host[:1883] or mqtts://[user@]host[:8883]"

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
        if parts.scheme not in _DEFAULT_PORTS or not host or port == 0 or extra or not _is_host(host):
            raise _refusal(text)
        return cls(
            host=host,
            port=port or _DEFAULT_PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            user=unquote(parts.username) if parts.username else None,
        )

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{user}{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccess:
    """The address and credentials of a broker. It holds only the paths of files; `tls_context` reads them.

    Raises:
        BrokerURLError: a password would be sent in clear to another machine, or the nodes of a cluster
            have not all the same scheme and user.
    """

    url: BrokerURL
    others: tuple[BrokerURL, ...] = ()
    """More nodes of the same broker, where it is a cluster; tried in turn."""
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    ca: str | None = None
    """In PEM, instead of a file; so are the next two."""
    certificate_file: str | None = None
    certificate: str | None = None
    key_file: str | None = None
    private_key: str | None = field(default=None, repr=False)
    insecure: bool = False

    @property
    def has_certificate(self) -> bool:
        """Whether this client has a certificate, in a file or as text."""
        return self.certificate_file is not None or self.certificate is not None

    @property
    def following(self) -> Self:
        """The same access with the next node in front, to be tried after `url` failed."""
        if not self.others:
            return self
        return replace(self, url=self.others[0], others=(*self.others[1:], self.url))

    @property
    def nodes(self) -> tuple[Self, ...]:
        """Each node alone."""
        return tuple(replace(self, url=url, others=()) for url in (self.url, *self.others))

    def __post_init__(self) -> None:
        for other in self.others:
            if (other.tls, other.user) != (self.url.tls, self.url.user):
                raise BrokerURLError(
                    f"broker: got {self.url} and {other}, expected the same scheme and user in all"
                )
        clear = [url for url in (self.url, *self.others) if not (url.tls or url.is_loopback)]
        if self.password is not None and clear and not self.insecure:
            raise BrokerURLError(
                f"broker: got a password for {clear[0]}, where it would be sent in clear; "
                "expected mqtts://, a broker on loopback, or --insecure"
            )


def _is_host(text: str) -> bool:
    return text.isascii() and text.isprintable() and not any(character in text for character in " <>\"'\\")


def _refusal(text: str) -> BrokerURLError:
    return BrokerURLError(f"broker: got {text[:120]!r}, expected {BROKER_URL_RULE}")
