"""TLS: who signed a certificate, for which names, and how long it lasts."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fleetglass.cli.configuration.page_address import unverified_tls
from fleetglass.cli.doctor.certificate_facts import CertificateFacts, certificate_facts
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.address import BrokerAccess
from fleetglass.mqtt.tls import tls_context

SOON_DAYS: Final = 30
_DAY_SECONDS: Final = 86_400
_RENEW: Final = "on the machine of the broker: fleetglass enroll --renew (docs/security.md)"
_SET_CLOCK: Final = "or, if the clock of this machine is wrong: timedatectl set-ntp true"


def check_certificates(access: BrokerAccess, now: float, timeout: float) -> Iterator[Finding]:
    """Look at the certificate of a broker at `mqtts://`, and at those that this machine has for it.

    Raises:
        CertificateError: what TLS needs cannot be used.
        OSError: the broker cannot be reached, or speaks no TLS.
    """
    yield from check_server(access.url.host, access.url.port, tls_context(access), now, timeout)
    if (pem := _own_certificate(access)) is not None:
        facts = certificate_facts(ssl.PEM_cert_to_DER_cert(pem))
        renew = "on the machine of the broker: fleetglass enroll HOST --certificate (docs/security.md)"
        yield _lifetime("certificate", "of this client", facts, now, renew)


def check_server(
    host: str,
    port: int,
    context: ssl.SSLContext,
    now: float,
    timeout: float,
    *,
    what: str = "certificate",
    authority_option: str = "--ca-file ca.crt",
) -> Iterator[Finding]:
    """Look at the certificate that a server shows, and whether this machine takes it.

    Raises:
        OSError: the server cannot be reached, or speaks no TLS.
    """
    try:
        facts = certificate_facts(_handshake(host, port, context, timeout))
    except ssl.SSLCertVerificationError as error:
        facts = certificate_facts(_handshake(host, port, unverified_tls(), timeout))
        yield _refused(what, host, error, facts, now=now, authority_option=authority_option)
    else:
        yield _lifetime(what, f"of {host}", facts, now, _RENEW)


def _refused(
    what: str,
    host: str,
    error: ssl.SSLCertVerificationError,
    facts: CertificateFacts,
    *,
    now: float,
    authority_option: str,
) -> Finding:
    if (outside := _outside(what, f"of {host}", facts, now, _RENEW)) is not None:
        return outside
    text = f"of {host} is not trusted: {error.verify_message}"
    match error.verify_code:  # of X509_verify_cert_error_string(3)
        case 9 | 10:  # one of the chain is not valid yet, or not any more
            return Finding(what, "wrong", text, f"{_RENEW}; {_SET_CLOCK}")
        case 62 | 64:  # another name, another address
            text = f"is for {', '.join(facts.names) or 'no name at all'}, not for {host}"
            remedy = f"have one made for {host}"
            if facts.names:
                remedy = f"reach it under its name (--broker mqtts://{facts.names[0]}), or {remedy}"
            return Finding(what, "wrong", text, remedy)
    return Finding(what, "wrong", text, f"name the certificate of who signed it: {authority_option}")


def _lifetime(what: str, whose: str, facts: CertificateFacts, now: float, renew: str) -> Finding:
    if (outside := _outside(what, whose, facts, now, renew)) is not None:
        return outside
    days = int((facts.not_after - now) // _DAY_SECONDS)
    left = f"{days} days left, until {_day(facts.not_after)}"
    if days < SOON_DAYS:
        return Finding(what, "note", f"{whose}: {left}", renew)
    return Finding(what, "ok", f"{whose}: {left}")


def _outside(what: str, whose: str, facts: CertificateFacts, now: float, renew: str) -> Finding | None:
    today = f"the clock of this machine says {_day(now)}"
    if now > facts.not_after:
        text = f"{whose}: over since {_day(facts.not_after)}; {today}"
        return Finding(what, "wrong", text, f"{renew}; {_SET_CLOCK}")
    if now < facts.not_before:
        text = f"{whose}: valid only from {_day(facts.not_before)}; {today}"
        return Finding(what, "wrong", text, f"timedatectl set-ntp true; or {renew}")
    return None


def _handshake(host: str, port: int, context: ssl.SSLContext, timeout: float) -> bytes:
    with (
        socket.create_connection((host, port), timeout) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        return connection.getpeercert(binary_form=True) or b""


def _own_certificate(access: BrokerAccess) -> str | None:
    """Return the first certificate of this client's, in PEM."""
    text = access.certificate
    if access.certificate_file is not None:
        text = Path(access.certificate_file).read_text("ascii")
    if text is None:
        return None
    start, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER)
    return text[start : end + len(ssl.PEM_FOOTER)]


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
