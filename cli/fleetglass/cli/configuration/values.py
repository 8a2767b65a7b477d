"""The kinds of configuration values: each reads what a file, the environment or an argument gave."""

import math
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from fleetglass.mqtt.address import BROKER_URL_RULE, BrokerURL
from fleetglass.wire import PrefixError, Topics, check_host_id
from fleetglass.wire.hosts import HOST_ID_RULE
from fleetglass.wire.topics import PREFIX_RULE

if TYPE_CHECKING:
    from fleetglass.fleet.expected_hosts import ExpectedHost

T_co = TypeVar("T_co", covariant=True)

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_OTHER_HEADERS = {
    *("authorization", "connection", "cookie", "host", "origin", "upgrade"),
    *("x-fleetglass-proxy-secret", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
}


class Kind(Protocol[T_co]):
    """One kind of value."""

    @property
    def expected(self) -> str:
        """What is accepted, for help and for errors."""

    def read(self, value: object) -> T_co:
        """Return the value in its own type; text is read as well as the type itself.

        Raises:
            ValueError: it is not of this kind. A `ContractError` carries its own message.
        """


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that is not empty."""

    expected: str = "a text"

    def read(self, value: object) -> str:
        """Return the text."""
        if not isinstance(value, str) or not value.strip():
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class Pem:
    """Certificates or a key in PEM."""

    expected: str = "a text in PEM, from -----BEGIN to -----END"

    def read(self, value: object) -> str:
        """Return the text."""
        text = Text().read(value)
        if "-----BEGIN " not in text or "-----END " not in text:
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    choices: tuple[str, ...]

    @property
    def expected(self) -> str:
        """Return the words."""
        return "one of " + ", ".join(self.choices)

    def read(self, value: object) -> str:
        """Return the word."""
        if not isinstance(value, str) or value.lower() not in self.choices:
            raise ValueError
        return value.lower()


@dataclass(frozen=True, slots=True)
class Number:
    """A number within a range."""

    low: float
    high: float

    @property
    def expected(self) -> str:
        """Return the range."""
        return f"a number from {self.low:g} to {self.high:g}"

    def read(self, value: object) -> float:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError  # noqa: TRY004 - callers ask for one error, whatever is wrong
        number = float(value)
        if not (math.isfinite(number) and self.low <= number <= self.high):
            raise ValueError
        return number


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within a range."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        """Return the range."""
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: object) -> int:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError  # noqa: TRY004 - callers ask for one error, whatever is wrong
        number = int(value)
        if not self.low <= number <= self.high:
            raise ValueError
        return number


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    expected: str = "true or false"

    def read(self, value: object) -> bool:
        """Return the truth."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value.lower() not in _TRUE | _FALSE:
            raise ValueError
        return value.lower() in _TRUE


@dataclass(frozen=True, slots=True)
class Texts:
    """Several texts: a list, or one text with commas."""

    expected: str = "a text, or a list of texts"

    def read(self, value: object) -> tuple[str, ...]:
        """Return the texts, each once, in order."""
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
            raise ValueError
        texts = [text.strip() for part in parts for text in part.split(",")]
        if not all(texts):
            raise ValueError
        "".join(texts).encode()  # bytes of an argument that are not UTF-8 could never be sent
        return tuple(dict.fromkeys(texts))


@dataclass(frozen=True, slots=True)
class UserHeader:
    """The name of a header in which a proxy names the user; none that means something else."""

    expected: str = "the name of a header that means nothing else, such as X-Forwarded-User"

    def read(self, value: object) -> str:
        """Return the name."""
        name = Text().read(value)
        if re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) is None or name.lower() in _OTHER_HEADERS:
            raise ValueError
        return name


@dataclass(frozen=True, slots=True)
class Prefixes:
    """One topic prefix or several."""

    expected: str = PREFIX_RULE

    def read(self, value: object) -> tuple[str, ...]:
        """Return the prefixes."""
        prefixes = Texts().read(value)
        for prefix in prefixes:
            Topics(prefix)
        return prefixes


@dataclass(frozen=True, slots=True)
class Prefix:
    """One topic prefix that is not Fleetglass's own."""

    expected: str = PREFIX_RULE

    def read(self, value: object) -> str:
        """Return the prefix."""
        text = Text().read(value)
        try:
            Topics(text)
        except PrefixError as error:  # which speaks of Fleetglass's own prefix
            raise ValueError from error
        return text


@dataclass(frozen=True, slots=True)
class HostId:
    """A host id."""

    expected: str = HOST_ID_RULE

    def read(self, value: object) -> str:
        """Return the host id."""
        return check_host_id(Text().read(value))


@dataclass(frozen=True, slots=True)
class HostList:
    """Hosts with display name, tags and notes: a list, or one text with host ids and commas."""

    expected: str = "a list of hosts, each a host id, or a mapping of id, name, tags and notes"

    def read(self, value: object) -> "tuple[ExpectedHost, ...]":
        """Return the hosts."""
        from fleetglass.fleet.expected_hosts import expected_hosts_of  # an agent never loads it

        items: object = [text.strip() for text in value.split(",")] if isinstance(value, str) else value
        return expected_hosts_of(items, "hosts")


@dataclass(frozen=True, slots=True)
class Interface:
    """The name of a network interface, which need not exist yet."""

    expected: str = "the name of a network interface, such as wlan0"

    def read(self, value: object) -> str:
        """Return the name."""
        name = Text().read(value)
        if sys.platform == "linux" and (  # as dev_valid_name in the kernel; elsewhere names hold spaces
            name in {".", ".."} or len(name.encode()) > 15 or re.search(r"[\s/:]", name)
        ):
            raise ValueError
        if not name.isprintable():
            raise ValueError
        return name


@dataclass(frozen=True, slots=True)
class Broker:
    """The address of a broker, or of several nodes of one."""

    expected: str = BROKER_URL_RULE

    def read(self, value: object) -> tuple[BrokerURL, ...]:
        """Return the addresses."""
        return tuple(BrokerURL.parse(text) for text in Texts().read(value))


@dataclass(frozen=True, slots=True)
class BridgeAddress:
    """The address of a bridge's WebSocket; of a bridge alone, `/ws` is added."""

    expected: str = "ws://host[:port]/ws or wss://host[:port]/ws"

    def read(self, value: object) -> str:
        """Return the address."""
        text = Text().read(value)
        parts = urlsplit(text)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.port == 0:
            raise ValueError
        return parts._replace(path="/ws").geturl() if parts.path in {"", "/"} else text


@dataclass(frozen=True, slots=True)
class Upsd:
    """Host and port of a upsd."""

    expected: str = "a host with or without a port, such as 127.0.0.1:3493"

    def read(self, value: object) -> tuple[str, int]:
        """Return host and port; without one, the port that IANA has for NUT."""
        text = Text().read(value).strip()
        parts = urlsplit(f"//{text}")
        if not parts.hostname or parts.netloc != text or "@" in text or parts.port == 0:
            raise ValueError
        return parts.hostname, parts.port or 3493
