import datetime as dt

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from fleetglass.cli.enrollment.authority import Authority, new_authority
from fleetglass.cli.enrollment.registry import Revocation, now


@pytest.fixture(scope="module")
def authority() -> Authority:
    made = new_authority("broker.example")
    return Authority(made.certificate, made.key)


def test_the_broker_has_all_its_names(authority: Authority) -> None:
    """Its certificate is for each name and address that was given, and for its own machine."""
    issued = authority.issue_for_broker(["broker.example", "192.0.2.1"])
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example", "localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == [
        "192.0.2.1",
        "127.0.0.1",
        "::1",
    ]


def test_certificates_last(authority: Authority) -> None:
    """The broker's lasts for years and a host's for longer; none outlives the authority."""
    ends = {
        "authority": new_authority("b").ends,
        "host": authority.issue_for_client("web-1").ends,
        "broker": authority.issue_for_broker([]).ends,
    }
    assert sorted(ends, key=lambda name: ends[name], reverse=True) == list(ends)
    assert ends["broker"] > now() + dt.timedelta(days=4 * 365)


def test_the_list_of_revocations_lasts_as_long_as_the_authority(authority: Authority) -> None:
    """A list that ended would have mosquitto refuse every certificate."""
    text = authority.revocation_list([Revocation("abc", now())])
    revoked = x509.load_pem_x509_crl(text.encode())
    assert revoked.next_update_utc == authority._certificate.not_valid_after_utc
    assert [entry.serial_number for entry in revoked] == [0xABC]


def test_certificates_pass_strict_checks(authority: Authority) -> None:
    """Each names who signed it and what it is for, which newer versions of Python insist on."""
    issued = authority.issue_for_client("web-1")
    extensions = x509.load_pem_x509_certificate(issued.certificate.encode()).extensions
    for oid in (
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
    ):
        assert extensions.get_extension_for_oid(oid).oid == oid


def test_what_is_no_authority_is_refused() -> None:
    """A text that is no certificate is told as such."""
    with pytest.raises(ValueError, match="PEM"):
        Authority("x", "y")
