import os
from pathlib import Path

import pytest

from fleetglass.agent.errors import AgentError
from fleetglass.agent.tls import TlsFiles, tls_context
from fleetglass.wire import BrokerAccess, BrokerURL

URL = BrokerURL("broker.example", 8883, tls=True)


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    """The error is one line with the key, the file and what was expected."""
    file = tmp_path / "ca.pem"
    with pytest.raises(
        AgentError, match=r"^ca_file: got .*ca\.pem: No such file or directory, expected .* PEM$"
    ):
        tls_context(BrokerAccess(url=URL, ca_file=str(file)))


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    """A file of something else is refused like a missing one."""
    file = tmp_path / "ca.pem"
    file.write_text("hello")
    with pytest.raises(AgentError, match=r"^ca_file: got .*ca\.pem: .*, expected"):
        tls_context(BrokerAccess(url=URL, ca_file=str(file)))


def test_a_missing_client_certificate_is_named() -> None:
    """Both files of a client certificate are in the message."""
    with pytest.raises(AgentError, match=r"^certificate_file and key_file: got c\.pem and k\.pem: "):
        tls_context(BrokerAccess(url=URL, certificate_file="c.pem", key_file="k.pem"))


def test_a_replaced_file_is_noticed_once(tmp_path: Path) -> None:
    """Another modification is a change; a file that is missing is none, but what comes in its place is."""
    file = tmp_path / "ca.pem"
    file.write_text("one")
    files = TlsFiles(BrokerAccess(url=URL, ca_file=str(file)))
    assert not files.have_changed()
    file.unlink()
    assert not files.have_changed()
    file.write_text("two")
    os.utime(file, (1, 1))
    assert files.have_changed()
    assert not files.have_changed()


def test_a_plain_connection_has_no_files() -> None:
    """Without TLS nothing is looked at."""
    assert not TlsFiles(BrokerAccess(url=BrokerURL("broker.example", 1883))).have_changed()


def test_the_name_of_the_broker_is_checked() -> None:
    """A connection by TLS verifies certificate and host name."""
    assert tls_context(BrokerAccess(url=URL)).check_hostname
