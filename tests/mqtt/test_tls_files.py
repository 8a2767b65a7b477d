import os
from pathlib import Path

from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.mqtt.tls_files import TlsFiles

URL = BrokerURL("broker.example", 8883, tls=True)


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
