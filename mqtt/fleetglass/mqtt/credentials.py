"""The user, password and certificate that a client shows to a broker."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from fleetglass.mqtt.address import MAX_TEXT_BYTES, BrokerURL, fits_connect
from fleetglass.wire.errors import BrokerURLError


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
        if self.password is not None and not fits_connect(self.password):
            raise BrokerURLError(
                f"password: got one that MQTT cannot send, expected UTF-8 of at most {MAX_TEXT_BYTES} bytes"
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
