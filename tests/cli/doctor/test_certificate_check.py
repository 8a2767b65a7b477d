import getpass
import ssl
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from fleetglass.cli.doctor.broker_check import BrokerNodes
from fleetglass.cli.doctor.certificate_check import check_server
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
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
    nodes = BrokerNodes(
        BrokerAccess(url=BrokerURL(host, port, tls=True), ca_file=ca_file), user=None, named=True
    )
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
    assert "is not accepted: " in finding.text
    assert finding.remedy.endswith("--ca-file ca.crt")


def test_another_name(rig: Rig) -> None:
    """The name that does not fit is in the text, and the remedy offers another name or certificate."""
    [finding] = check(rig, rig.good, "localhost")
    assert "not valid for 'localhost'" in finding.text
    assert finding.remedy.endswith("or have one issued for localhost")


def test_a_certificate_that_is_over(rig: Rig) -> None:
    """The finding names this machine's clock too, since that may be wrong instead."""
    [finding] = check(rig, rig.over)
    assert finding.state == "wrong"
    assert "certificate has expired" in finding.text
    assert "this machine's clock says 20" in finding.text
    assert "timedatectl set-ntp true" in finding.remedy


@pytest.mark.parametrize(
    ("days", "state", "text"),
    [(0, "note", "1 days left"), (5, "wrong", "expired on")],
)
def test_the_days_that_are_left(rig: Rig, days: int, state: str, text: str) -> None:
    """They are counted from the time given; a certificate that ends before it is wrong."""
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
        _, finding, lets_in = BrokerNodes(access, user=None, named=True).check()
        assert (finding.what, finding.state) == ("certificate", "note")
        assert finding.text.startswith("of this client: 1 days left")
        assert lets_in.text.endswith("lets us in by our certificate")


def test_the_own_certificate_without_the_extra(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package cryptography nothing is said about its days, and the rest goes on."""
    own = rig.authority.issue("client-2")
    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    access = BrokerAccess(
        url=BrokerURL("127.0.0.1", rig.good, tls=True),
        ca_file=str(rig.authority.own.certificate),
        certificate_file=str(own.certificate),
        key_file=str(own.key),
    )
    server, lets_in = BrokerNodes(access, user=None, named=True).check()
    assert server.text.startswith("of 127.0.0.1: ")
    assert lets_in.state == "ok"


def test_a_broker_that_does_not_take_our_certificate(rig: Rig) -> None:
    """What it says is told in words, and that another certificate may help."""
    own = rig.authority.issue("client")
    access = BrokerAccess(
        url=BrokerURL("127.0.0.1", rig.strict, tls=True),
        ca_file=str(rig.authority.own.certificate),
        certificate_file=str(own.certificate),
        key_file=str(own.key),
    )
    finding = list(BrokerNodes(access, user=None, named=True).check())[-1]
    assert finding.state == "wrong"
    assert "[" not in finding.text
    assert "fleetglass enroll HOST --certificate" in finding.remedy
