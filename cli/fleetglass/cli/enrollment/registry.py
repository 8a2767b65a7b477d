"""Who is enrolled: the one record from which users and rules of the broker are written."""

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from fleetglass.mqtt.address import BrokerURL
from fleetglass.wire import is_host_id

Role = Literal["host", "bridge", "home-assistant", "reader", "remover"]

READER_PREFIX: Final = "reader."
"""Before the user name of whoever reads: with a dot, no host id can be it."""
FIXED_READERS: Final[tuple[Role, ...]] = ("bridge", "home-assistant")
READER_NAME_MAX_LENGTH: Final = 50
"""A user name is the common name of a certificate as well, which has 64 characters at most."""


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user of the broker."""

    role: Role
    since: dt.datetime
    password_hash: str | None = None
    """As mosquitto stores it; without one, the member has a certificate."""
    serial: str | None = None
    """Of its certificate, in hexadecimal."""
    ends: dt.datetime | None = None
    """When its certificate ends."""


class Revocation(msgspec.Struct, frozen=True):
    """A certificate that is not to be trusted any more."""

    serial: str
    time: dt.datetime


class Registry(msgspec.Struct):
    """What a fleet is, by user name."""

    broker: list[str]
    """Addresses under which hosts reach the broker, without a user; all of the same port."""
    prefix: str
    broker_ends: dt.datetime
    """When the broker's certificate ends."""
    authority_ends: dt.datetime
    members: dict[str, Member] = {}
    revocations: list[Revocation] = []
    discovery: bool = True
    """Whether each host may write its own discovery for Home Assistant."""

    @property
    def urls(self) -> tuple[BrokerURL, ...]:
        """The addresses of the broker."""
        return tuple(map(BrokerURL.parse, self.broker))

    @property
    def password_port(self) -> int:
        """Where the broker asks for a password."""
        return self.urls[0].port

    @property
    def certificate_port(self) -> int:
        """Where the broker asks for a certificate: the next one."""
        return self.password_port + 1


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who is to be enrolled."""

    name: str
    role: Role

    @property
    def user(self) -> str:
        """Its user name at the broker."""
        return self.name if self.role == "host" else READER_PREFIX + self.name


def is_reader_name(text: str) -> bool:
    """Whether a reader can be called so."""
    return is_host_id(text) and len(text) <= READER_NAME_MAX_LENGTH and text not in FIXED_READERS


def reader_of(user: str) -> str | None:
    """Return the name of a reader, or None of a host."""
    return user.removeprefix(READER_PREFIX) if user.startswith(READER_PREFIX) else None


def encode_registry(registry: Registry) -> bytes:
    """Return what is kept."""
    return msgspec.json.format(msgspec.json.encode(registry), indent=1) + b"\n"


def decode_registry(data: bytes) -> Registry:
    """Return what was kept.

    Raises:
        ValueError: it is none.
    """
    return msgspec.json.decode(data, type=Registry)


def now() -> dt.datetime:
    """Return the time, in whole seconds."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
