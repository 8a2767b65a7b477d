import getpass
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from fleetglass.cli.doctor.broker_check import Nodes
from fleetglass.cli.doctor.certificate_check import check_server
from fleetglass.cli.doctor.certificate_facts import certificate_facts
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.ports import free_port

pytestmark = pytest.mark.broker

DAY = 86_400


class Rig(NamedTuple):
    """A broker with a port each: with a good certificate, with one that is over, and one that takes none."""

    authority: Authority
    good: int
    over: int
    strict: int


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    lines = [f"user {getpass.getuser()}"]
    ports = []
    for certificate in (authority.issue("server"), authority.issue_over("over")):
        ports.append(free_port())
        lines += [f"listener {ports[-1]} 127.0.0.1", "allow_anonymous true"]
        lines += [f"certfile {certificate.certificate}", f"keyfile {certificate.key}"]
    other = folder / "other"
    other.mkdir()
    ports.append(free_port())
    lines += [f"listener {ports[-1]} 127.0.0.1", "require_certificate true"]
    lines += [f"certfile {folder / 'server.pem'}", f"keyfile {folder / 'server.key'}"]
    lines += [f"cafile {Authority(other).own.certificate}"]
    broker = Mosquitto(folder, *lines).start()
    yield Rig(authority, *ports)
    broker.kill()


def check(rig: Rig, port: int, host: str = "127.0.0.1", *, known: bool = True) -> list[Finding]:
    ca_file = str(rig.authority.own.certificate) if known else None
    nodes = Nodes(BrokerAccess(url=BrokerURL(host, port, tls=True), ca_file=ca_file), user=None, named=True)
    return list(nodes.check())


def test_a_certificate_that_ends_soon(rig: Rig) -> None:
    """It is taken, and the days that are left are told."""
    note, lets_in = check(rig, rig.good)
    assert (note.what, note.state) == ("certificate", "note")
    assert note.text.startswith("of 127.0.0.1: 1 days left, until 20")
    assert lets_in.state == "ok"


def test_an_authority_that_is_not_known(rig: Rig) -> None:
    """The option that names it is the remedy."""
    [finding] = check(rig, rig.good, known=False)
    assert (finding.what, finding.state) == ("certificate", "wrong")
    assert "is not trusted: " in finding.text
    assert finding.remedy.endswith("--ca-file ca.crt")


def test_another_name(rig: Rig) -> None:
    """The names that the certificate is for are told."""
    [finding] = check(rig, rig.good, "localhost")
    assert finding.text == "is for 127.0.0.1, not for localhost"
    assert "--broker mqtts://127.0.0.1" in finding.remedy


def test_a_certificate_that_is_over(rig: Rig) -> None:
    """Until when it was valid is told, and what the own clock says: that may be what is wrong."""
    [finding] = check(rig, rig.over)
    assert finding.state == "wrong"
    assert "over since 20" in finding.text
    assert "the clock of this machine says 20" in finding.text
    assert "timedatectl set-ntp true" in finding.remedy


@pytest.mark.parametrize(
    ("days", "state", "text"),
    [(-5, "wrong", "valid only from"), (0, "note", "1 days left"), (5, "wrong", "over since")],
)
def test_a_clock_that_is_off(rig: Rig, days: int, state: str, text: str) -> None:
    """A time outside the certificate's own is wrong, on either side."""
    context = ssl.create_default_context(cafile=str(rig.authority.own.certificate))
    [finding] = check_server("127.0.0.1", rig.good, context, time.time() + days * DAY, 2)
    assert finding.state == state
    assert text in finding.text


def test_the_own_certificate(rig: Rig) -> None:
    """Its days are told as well, whether it is a file or in the configuration."""
    own = rig.authority.issue("client")
    url = BrokerURL("127.0.0.1", rig.good, tls=True)
    ca = rig.authority.own.certificate.read_text()
    by_file = BrokerAccess(url=url, ca=ca, certificate_file=str(own.certificate), key_file=str(own.key))
    by_text = BrokerAccess(
        url=url, ca=ca, certificate=own.certificate.read_text(), private_key=own.key.read_text()
    )
    for access in (by_file, by_text):
        _, finding, lets_in = Nodes(access, user=None, named=True).check()
        assert (finding.what, finding.state) == ("certificate", "note")
        assert finding.text.startswith("of this client: 1 days left")
        assert lets_in.text.endswith("lets us in by our certificate")


def test_a_broker_that_does_not_take_our_certificate(rig: Rig) -> None:
    """What it says is told in words, and that another certificate may help."""
    own = rig.authority.issue("client")
    access = BrokerAccess(
        url=BrokerURL("127.0.0.1", rig.strict, tls=True),
        ca_file=str(rig.authority.own.certificate),
        certificate_file=str(own.certificate),
        key_file=str(own.key),
    )
    finding = list(Nodes(access, user=None, named=True).check())[-1]
    assert finding.state == "wrong"
    assert "[" not in finding.text
    assert "fleetglass enroll HOST --certificate" in finding.remedy


def test_facts_of_a_certificate(tmp_path: Path) -> None:
    """Times and names are read as openssl wrote them; anything else is refused."""
    made = Authority(tmp_path).issue("db", days=100)
    facts = certificate_facts(ssl.PEM_cert_to_DER_cert(made.certificate.read_text()))
    assert facts.not_before == pytest.approx(time.time(), abs=60)
    assert facts.not_after == pytest.approx(time.time() + 100 * DAY, abs=60)
    assert facts.names == ("127.0.0.1",)
    for rubbish in (b"", b"\x30", b"\x30\x03\x02\x01\x05", b"x" * 99):
        with pytest.raises(ValueError, match=r"."):
            certificate_facts(rubbish)
