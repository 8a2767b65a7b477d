"""The host id: one MQTT topic level, safe on every broker and as a user name."""

import re

from fleetglass.wire.errors import HostIdError

HOST_ID_MAX_LENGTH = 63
HOST_ID_RULE = "1 to 63 of a-z 0-9 _ -, the first a letter or a digit"
HOST_ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"

_HOST_ID = re.compile(HOST_ID_PATTERN[:-1] + r"\Z")


def is_host_id(text: str) -> bool:
    """Whether `text` is a host id. Group names follow the same rule."""
    return _HOST_ID.match(text) is not None


def check_host_id(text: str) -> str:
    """Return `text` unchanged.

    Raises:
        HostIdError: it is not a host id.
    """
    if not is_host_id(text):
        raise HostIdError(f"host id: got {text[:80]!r}, expected {HOST_ID_RULE}")
    return text


def host_id_from_name(name: str) -> str:
    """Make a host id that fits from any host name: `Web 01.example.org` gives `web-01-example-org`.

    Raises:
        HostIdError: the name has not one letter or digit of a-z 0-9.
    """
    fitted = re.sub(r"[^a-z0-9_]+", "-", name.lower())[:HOST_ID_MAX_LENGTH].strip("-_")
    if not fitted:
        raise HostIdError(f"host name: got {name[:80]!r}, expected at least one of a-z 0-9")
    return fitted
