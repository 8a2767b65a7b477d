"""TLS: whether a certificate is accepted, and how long it lasts."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.tls import tls_context

SOON_DAYS: Final = 30
_DAY_SECONDS: Final = 86_400
_RENEW: Final = "on the broker's machine: fleetglass enroll --renew (docs/security.md)"
_RENEW_OWN: Final = "on the broker's machine: fleetglass enroll HOST --certificate (docs/security.md)"
_SET_CLOCK: Final = "or, if this machine's clock is wrong: timedatectl set-ntp true"
_OUTSIDE_LIFETIME: Final = {9, 10}
_OTHER_NAME: Final = {62, 64}
"""Codes of X509_verify_cert_error_string(3)."""


def check_certificates(access: BrokerAccess, now: float, timeout: float) -> Iterator[Finding]:
    """Check the certificate of a broker at `mqtts://`, and the client certificate of this machine.

    Args:
        access: the broker, and the certificates to connect with.
        now: the time, UTC in seconds since the epoch.
        timeout: in seconds, for each step of the connection.

    Raises:
        CertificateError: a certificate file cannot be used.
        OSError: the broker cannot be reached, or does not speak TLS.
    """
    yield from check_server(access.url.host, access.url.port, tls_context(access), now, timeout)
    if (ends := _own_end(access)) is not None:
        yield _lifetime("of this client", ends, now, _RENEW_OWN)


def check_server(
    host: str,
    port: int,
    context: ssl.SSLContext,
    now: float,
    timeout: float,
    *,
    authority_option: str = "--ca-file ca.crt",
) -> Iterator[Finding]:
    """Check the certificate of a server; see `check_certificates`.

    Raises:
        OSError: the server cannot be reached, or does not speak TLS.
    """
    try:
        with (
            socket.create_connection((host, port), timeout) as raw,
            context.wrap_socket(raw, server_hostname=host) as connection,
        ):
            certificate = connection.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        yield _refused(host, error, now, authority_option)
    else:
        yield _lifetime(f"of {host}", ssl.cert_time_to_seconds(str(certificate["notAfter"])), now, _RENEW)


def _refused(host: str, error: ssl.SSLCertVerificationError, now: float, authority_option: str) -> Finding:
    text = f"of {host} is not accepted: {error.verify_message}"
    remedy = f"name the certificate of the authority that signed it: {authority_option}"
    if error.verify_code in _OUTSIDE_LIFETIME:
        text += f"; this machine's clock says {_day(now)}"
        remedy = f"{_RENEW}; {_SET_CLOCK}"
    elif error.verify_code in _OTHER_NAME:
        remedy = f"connect to a name in the certificate, or have one issued for {host}"
    return Finding("certificate", "wrong", text, remedy)


def _lifetime(whose: str, ends: float, now: float, renew: str) -> Finding:
    if now > ends:
        text = f"{whose} expired on {_day(ends)}; this machine's clock says {_day(now)}"
        return Finding("certificate", "wrong", text, f"{renew}; {_SET_CLOCK}")
    days = int((ends - now) // _DAY_SECONDS)
    text = f"{whose}: {days} days left, until {_day(ends)}"
    if days < SOON_DAYS:
        return Finding("certificate", "note", text, renew)
    return Finding("certificate", "ok", text)


def _own_end(access: BrokerAccess) -> float | None:
    """Return when the client certificate expires; None without one, or without the extra `enroll`."""
    pem = access.certificate
    if access.certificate_file is not None:
        pem = Path(access.certificate_file).read_text("ascii")
    if pem is None:
        return None
    try:
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
