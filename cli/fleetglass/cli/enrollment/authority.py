"""The fleet's own certificate authority. The only user of the package `cryptography`."""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleetglass.cli.enrollment.registry import Revocation, now

AUTHORITY_DAYS: Final = 20 * 365
BROKER_DAYS: Final = 5 * 365
CLIENT_DAYS: Final = 10 * 365
"""Revocation, not its end, is what takes a certificate from a host."""

_SLOW_CLOCK: Final = dt.timedelta(days=1)
"""A host that starts without the time must not take a new certificate for one of the future."""
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str
    serial: str
    """In hexadecimal."""
    ends: dt.datetime


class Authority:
    """Signs certificates of the broker and of its clients, and tells which are revoked.

    Raises:
        ValueError: a text is not what it should be.
    """

    def __init__(self, certificate: str, key: str) -> None:
        self._certificate = x509.load_pem_x509_certificate(certificate.encode())
        loaded = serialization.load_pem_private_key(key.encode(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError("a key of another kind")  # noqa: TRY004 - callers ask for one error
        self._key = loaded

    def issue_for_broker(self, names: Iterable[str]) -> Issued:
        """Return a certificate for a server under these names and addresses, and on its own machine."""
        alternatives: list[x509.GeneralName] = []
        for name in dict.fromkeys([*names, *_LOCAL_NAMES]):
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alternatives.append(x509.DNSName(name))
        builder = _builder("Fleetglass broker", min(BROKER_DAYS, self._days_left)).add_extension(
            x509.SubjectAlternativeName(alternatives), critical=False
        )
        return self._issue(builder, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_for_client(self, user: str) -> Issued:
        """Return a certificate by which the broker knows a user; it cannot be a server's."""
        return self._issue(_builder(user, min(CLIENT_DAYS, self._days_left)), ExtendedKeyUsageOID.CLIENT_AUTH)

    def revocation_list(self, revocations: Iterable[Revocation]) -> str:
        """Return the list of what is revoked; it holds as long as the authority, or all would be refused."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(now() - _SLOW_CLOCK)
            .next_update(self._certificate.not_valid_after_utc)
            .add_extension(self._identifier(), critical=False)
            .add_extension(x509.CRLNumber(int(now().timestamp())), critical=False)
        )
        for one in revocations:
            entry = x509.RevokedCertificateBuilder(int(one.serial, 16), one.time)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    @property
    def _days_left(self) -> int:
        return (self._certificate.not_valid_after_utc - now()).days

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())

    def _issue(self, builder: x509.CertificateBuilder, purpose: x509.ObjectIdentifier) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            builder.issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(self._identifier(), critical=False)
        )
        return _issued(builder.sign(self._key, hashes.SHA256()), key)


def new_authority(name: str) -> Issued:
    """Return an authority of its own key."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(f"Fleetglass authority of {name}"[:64], AUTHORITY_DAYS)
        .issuer_name(_name(f"Fleetglass authority of {name}"[:64]))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _issued(builder.sign(key, hashes.SHA256()), key)


def _builder(subject: str, days: int) -> x509.CertificateBuilder:
    start = now()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _SLOW_CLOCK)
        .not_valid_after(start + dt.timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return Issued(
        certificate=certificate.public_bytes(pem).decode(),
        key=key.private_bytes(pem, form, serialization.NoEncryption()).decode(),
        serial=f"{certificate.serial_number:x}",
        ends=certificate.not_valid_after_utc,
    )
