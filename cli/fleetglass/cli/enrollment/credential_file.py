"""The one file that a host or a reader is given: configuration with the credential inside."""

import re
from collections.abc import Iterator
from textwrap import indent
from typing import Final

from fleetglass.cli.enrollment.authority import Issued
from fleetglass.cli.enrollment.registry import Newcomer, Registry, now

_HEADER: Final = re.compile(r"# \S+, enrolled \d{4}-\d\d-\d\d\. Holds a secret: keep it private\.\n")


def credential_text(newcomer: Newcomer, registry: Registry, authority: str, credential: str | Issued) -> str:
    """Return the file: with a password, or with a certificate and its key."""
    return "\n".join(_lines(newcomer, registry, authority, credential)) + "\n"


def is_credential(text: str) -> bool:
    """Return whether a text is a credential file, for any user."""
    return _HEADER.match(text) is not None


def _lines(newcomer: Newcomer, registry: Registry, authority: str, credential: str | Issued) -> Iterator[str]:
    user, day = newcomer.user, now().date()
    yield f"# {user}, enrolled {day}. Holds a secret: keep it private."
    addresses = ",".join(_addresses(user, registry, by_password=isinstance(credential, str)))
    yield f"broker: {addresses}"
    yield f'prefix: "{registry.prefix}"'
    if isinstance(credential, str):
        yield f'password: "{credential}"'
    yield from _block("ca", authority)
    if not isinstance(credential, str):
        yield from _block("certificate", credential.certificate)
        yield from _block("private_key", credential.key)
    if newcomer.role == "host":
        yield from ("agent:", f'  host_id: "{newcomer.name}"')
        if not registry.discovery:
            yield "  home_assistant: false"
    if newcomer.role == "reader":
        yield from ("watch:", f"  broker: {addresses}")


def _addresses(user: str, registry: Registry, *, by_password: bool) -> Iterator[str]:
    for url in registry.urls:
        host = f"[{url.host}]" if ":" in url.host else url.host
        if by_password:
            yield f"mqtts://{user}@{host}:{registry.password_port}"
        else:
            yield f"mqtts://{host}:{registry.certificate_port}"


def _block(name: str, pem: str) -> Iterator[str]:
    yield f"{name}: |"
    yield indent(pem.rstrip("\n"), "  ")
