"""What mosquitto reads of who may do what: its password file, its rules, and its own configuration."""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Final

from fleetglass.cli.enrollment.registry import Registry, Role
from fleetglass.wire import Topics

_HEADER: Final = "# Written by `fleetglass enroll`, which overwrites it."
_ITERATIONS: Final = 101
"""As mosquitto_passwd has it; with secrets this long, more would only cost time at each connection."""
_SALT_BYTES: Final = 12
_SECRET_BYTES: Final = 24

HOME_ASSISTANT_PREFIX: Final = "homeassistant"


def new_password() -> str:
    """Return a secret of 192 random bits, in characters that no shell or file takes for anything else."""
    return secrets.token_hex(_SECRET_BYTES)


def password_hash(password: str, salt: bytes | None = None) -> str:
    """Return what mosquitto keeps of a password: PBKDF2 with SHA-512."""
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def users_text(registry: Registry) -> str:
    """Return the password file."""
    lines = [
        f"{user}:{member.password_hash}"
        for user, member in registry.members.items()
        if member.password_hash is not None
    ]
    return "".join(f"{line}\n" for line in lines)


def rules_text(registry: Registry) -> str:
    """Return the rules: what is not allowed here is forbidden.

    Each user has rules of its own instead of patterns for all, so that whoever is revoked has none at once,
    whatever connection is still open.
    """
    lines = [_HEADER, "# What is not allowed here is forbidden."]
    for user, member in registry.members.items():
        lines += ["", f"user {user}"]
        lines += [f"topic {right} {topic}" for right, topic in _rules(user, member.role, registry)]
    return "\n".join(lines) + "\n"


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a configuration with the words between @ filled in."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def _rules(user: str, role: Role, registry: Registry) -> Iterator[tuple[str, str]]:
    prefix, topics = registry.prefix, Topics(registry.prefix)
    if role == "host":
        # Without the + it would be `fleet/site` as well, which is no host's, for a host of that name.
        yield "write", f"{prefix}/{user}/+/#"
        for leaf in ("status", "doctor", "demand"):
            yield "read", f"{prefix}/{user}/{leaf}"
        if registry.discovery:
            yield "write", f"{HOME_ASSISTANT_PREFIX}/device/{user}/config"
            yield "read", f"{HOME_ASSISTANT_PREFIX}/status"
    elif role == "home-assistant":
        for leaf in ("status", "info", "summary"):
            yield "read", topics.fleet_filter(leaf)  # type: ignore[arg-type] # mypy does not see literals in a loop
        yield "readwrite", f"{HOME_ASSISTANT_PREFIX}/#"
    elif role == "remover":
        yield "readwrite", f"{prefix}/#"
        yield "readwrite", f"{HOME_ASSISTANT_PREFIX}/device/+/config"
    else:
        yield "read", f"{prefix}/#"
        if role == "bridge":
            yield "write", topics.fleet_filter("demand")
