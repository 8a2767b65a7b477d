"""The few facts of a certificate that say why it is not accepted (X.509, RFC 5280).

Python's `ssl` tells nothing of a certificate that it refuses.
"""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_EXTENSIONS, _VERSION = 0xA3, 0xA0
_UTC_TIME = 0x17
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_SUBJECT_ALTERNATIVE_NAME = b"\x55\x1d\x11"


class CertificateFacts(NamedTuple):
    """Both times are UTC, in seconds since the epoch."""

    not_before: float
    not_after: float
    names: tuple[str, ...]


def certificate_facts(der: bytes) -> CertificateFacts:
    """Read a certificate.

    Raises:
        ValueError: it is none.
    """
    try:
        [(_, certificate)] = _parts(der)
        (_, to_be_signed), *_ = _parts(certificate)
        fields = [part for part in _parts(to_be_signed) if part[0] != _VERSION]
        not_before, not_after = (_time(*part) for part in _parts(fields[3][1]))
        extensions = [value for tag, value in fields if tag == _EXTENSIONS]
        return CertificateFacts(not_before, not_after, tuple(_names(extensions[0]) if extensions else ()))
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError("no certificate") from error


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and value of each part of a value."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:
            digits = length - 0x80
            length, at = int.from_bytes(data[at : at + digits]), at + digits
        if at + length > len(data):
            raise ValueError("cut off")
        yield tag, data[at : at + length]
        at += length


def _time(tag: int, value: bytes) -> float:
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # RFC 5280 4.1.2.5.1: up to 2049
        text = ("20" if int(text[:2]) < 50 else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _names(extensions: bytes) -> Iterator[str]:
    [(_, entries)] = _parts(extensions)
    for _, entry in _parts(entries):
        (_, identifier), *_, (_, value) = _parts(entry)
        if identifier != _SUBJECT_ALTERNATIVE_NAME:
            continue
        [(_, names)] = _parts(value)
        for tag, name in _parts(names):
            if tag == _DNS_NAME:
                yield name.decode("ascii")
            elif tag == _IP_ADDRESS:
                yield str(ipaddress.ip_address(name))
