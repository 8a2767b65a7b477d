"""The address of an MQTT broker: `mqtt://[user@]host[:1883]` or `mqtts://[user@]host[:8883]`."""

import ipaddress
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

from fleetglass.wire.errors import BrokerURLError

BROKER_URL_RULE = "mqtt://[user@]host[:1883] or mqtts://[user@]host[:8883]"

_MAX_LABEL, _MAX_NAME = 63, 253  # RFC 1035, 2.3.4
_MAX_TEXT_BYTES = 65_535
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
        if user is not None and ("\0" in user or not _fits_connect(user)):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccess:
    """The address and credentials of a broker. It holds only the paths of files; `tls_context` reads them.

    Raises:
        BrokerURLError: a password cannot be sent, or would be sent in clear to another machine, or the
            nodes of a cluster have not all the same scheme and user.
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
    server_name: str | None = None
    """What the broker's certificate is for, where that is not the name in the address."""

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
        if self.password is not None and not _fits_connect(self.password):
            raise BrokerURLError(
                f"password: got one that MQTT cannot send, expected UTF-8 of at most {_MAX_TEXT_BYTES} bytes"
            )
        clear = [url for url in (self.url, *self.others) if not (url.tls or url.is_loopback)]
        if self.password is not None and clear and not self.insecure:
            raise BrokerURLError(
                f"broker: got a password for {clear[0]}, where it would be sent in clear; "
                "expected mqtts://, a broker on loopback, or --insecure"
            )


class Credentials(NamedTuple):
    """What a client shows to be let in; both may be missing."""

    user: str | None
    password: str | None


def credentials(access: BrokerAccess, default_user: str | None = None) -> Credentials:
    """Return what a client shows, which is the same for every part and for every check of it.

    A password without a user is left out: MQTT 3.1.1 forbids it (3.1.2.9), and brokers then close the
    connection without a word.

    Args:
        access: the address may name a user.
        default_user: who it is that a password belongs to when the address names nobody; of an agent, its
            host id.
    """
    user = access.url.user
    if user is None and access.password is not None:
        user = default_user
    return Credentials(user, access.password if user is not None else None)


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


def _fits_connect(text: str) -> bool:
    try:
        return len(text.encode()) <= _MAX_TEXT_BYTES
    except UnicodeEncodeError:
        return False


def _refusal(text: str) -> BrokerURLError:
    return BrokerURLError(f"broker: got {text[:120]!r}, expected {BROKER_URL_RULE}")
