import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.tls import TlsFiles, tls_context
from fleetglass.wire import CertificateError
from support.certificates import Authority, Certificate

URL = BrokerURL("broker.example", 8883, tls=True)


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    """The error is one line with the key, the file and what was expected."""
    file = tmp_path / "ca.pem"
    with pytest.raises(
        CertificateError, match=r"^ca_file: got .*ca\.pem: No such file or directory, expected .* PEM$"
    ):
        tls_context(BrokerAccess(url=URL, ca_file=str(file)))


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    """A file of something else is refused like a missing one."""
    file = tmp_path / "ca.pem"
    file.write_text("hello")
    with pytest.raises(CertificateError, match=r"^ca_file: got .*ca\.pem: .*, expected"):
        tls_context(BrokerAccess(url=URL, ca_file=str(file)))


def test_a_missing_client_certificate_is_named() -> None:
    """Both files of a client certificate are in the message."""
    with pytest.raises(CertificateError, match=r"^certificate_file and key_file: got c\.pem and k\.pem: "):
        tls_context(BrokerAccess(url=URL, certificate_file="c.pem", key_file="k.pem"))


def test_the_name_of_the_broker_is_checked() -> None:
    """A connection by TLS verifies certificate and host name."""
    assert tls_context(BrokerAccess(url=URL)).check_hostname


def test_a_text_that_is_no_certificate_is_named() -> None:
    """A text in place of a file is refused in the same way, and never repeated."""
    with pytest.raises(CertificateError, match=r"^ca: not certificates in PEM$"):
        tls_context(BrokerAccess(url=URL, ca="-----BEGIN X-----"))
    with pytest.raises(CertificateError, match=r"^certificate and private_key: not a certificate"):
        tls_context(BrokerAccess(url=URL, certificate="x", private_key="geheim"))


@pytest.mark.parametrize("has_memfd", [True, False])
def test_texts_do_what_files_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_memfd: bool) -> None:
    """Authority, certificate and key as texts make both sides known, and leave no file behind."""
    authority = Authority(tmp_path)
    own = authority.issue("web-1")
    if not has_memfd:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    context = tls_context(
        BrokerAccess(
            url=URL,
            ca=authority.own.certificate.read_text(),
            certificate=own.certificate.read_text(),
            private_key=own.key.read_text(),
        )
    )
    assert name_seen_by(authority, authority.issue("server"), context) == "web-1"
    assert not list((tmp_path / "temporary").iterdir())


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    """Another modification counts until a connection is made with it; a file that is missing does not."""
    file = Authority(tmp_path).own.certificate
    files = TlsFiles(BrokerAccess(url=URL, ca_file=str(file)))
    assert not files.were_replaced()
    content = file.read_bytes()
    file.unlink()
    assert not files.were_replaced()
    file.write_bytes(content)
    os.utime(file, (1, 1))
    assert files.were_replaced()
    assert files.were_replaced()
    files.remember()
    assert not files.were_replaced()


def test_files_that_cannot_be_used_are_told_at_once(tmp_path: Path) -> None:
    """Nobody begins to connect with a file that is missing."""
    with pytest.raises(CertificateError, match="ca_file"):
        TlsFiles(BrokerAccess(url=URL, ca_file=str(tmp_path / "ca.pem")))


def test_a_plain_connection_has_no_files() -> None:
    """Without TLS nothing is looked at."""
    plain = BrokerURL("broker.example", 1883)
    assert not TlsFiles(BrokerAccess(url=plain, ca_file="/nowhere")).were_replaced()


def name_seen_by(authority: Authority, server: Certificate, client: ssl.SSLContext) -> object:
    """Return the name in the certificate that a server asks of a client."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.own.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(server.certificate, server.key)
    seen: list[object] = []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            certificate: Any = secured.getpeercert()
            seen.append(dict(pair for part in certificate["subject"] for pair in part)["commonName"])
            secured.sendall(b"x")

    near, far = socket.socketpair()
    thread = threading.Thread(target=serve, args=(far,))
    thread.start()
    with client.wrap_socket(near, server_hostname="127.0.0.1") as secured:
        secured.recv(1)
    thread.join()
    return seen[0]
