import pytest

from fleetglass.cli.doctor.broker_check import BrokerNodes
from fleetglass.cli.doctor.finding import Finding
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS


def check(
    access: BrokerAccess, *, user: str | None = None, named: bool = True
) -> tuple[Finding, BrokerNodes]:
    nodes = BrokerNodes(access, user=user, named=named)
    [finding] = nodes.check()
    return finding, nodes


def access(port: int, host: str = "127.0.0.1", *, tls: bool = False) -> BrokerAccess:
    return BrokerAccess(url=BrokerURL(host, port, tls=tls))


@pytest.mark.broker
def test_a_broker_that_lets_us_in(mosquitto: Mosquitto) -> None:
    """It can be used for what follows."""
    finding, nodes = check(access(mosquitto.port))
    assert (finding.state, finding.text) == ("ok", f"{mosquitto.url}: lets us in without a name")
    assert nodes.usable is not None


@pytest.mark.broker
def test_a_cluster(mosquitto: Mosquitto) -> None:
    """Each node is looked at, and the first that lets us in is used."""
    dead = free_port()
    several = BrokerAccess(url=BrokerURL("127.0.0.1", dead), others=(BrokerURL("127.0.0.1", mosquitto.port),))
    nodes = BrokerNodes(several, user=None, named=True)
    assert [one.state for one in nodes.check()] == ["wrong", "ok"]
    assert nodes.usable is not None
    assert nodes.usable.url.port == mosquitto.port


@pytest.mark.broker
@pytest.mark.parametrize("password", ["wrong", "secret"])
def test_a_password(ruled_mosquitto: Mosquitto, password: str) -> None:
    """A wrong one is named as the trouble with its user, and never shown."""
    told = BrokerAccess(url=BrokerURL("127.0.0.1", ruled_mosquitto.port), password=password)
    finding, nodes = check(told, user="web-1")
    assert password not in finding.text + finding.remedy
    assert finding.state == ("ok" if password == "secret" else "wrong")
    if password == "wrong":
        assert finding.text.endswith("(user web-1)")
        assert finding.remedy.startswith("check user and password; if they were revoked, ")
        assert nodes.usable is None


@pytest.mark.parametrize(("named", "state"), [(True, "wrong"), (False, "note")])
def test_nothing_there(*, named: bool, state: str) -> None:
    """A broker that was named and is away is wrong; where none was named none may run yet."""
    finding, _ = check(access(free_port()), named=named)
    assert finding.state == state
    assert finding.remedy.startswith("start it, or name another" if named else "fleetglass up starts one")


def test_a_web_server(http_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers in HTTP is no broker."""
    monkeypatch.setattr("fleetglass.cli.doctor.broker_check._CONNECT_SECONDS", PATIENCE_SECONDS)
    finding, _ = check(access(http_port))
    assert finding.state == "wrong"
    assert "what answers there is no MQTT broker" in finding.text
    assert finding.remedy == "check the port, and whether it should be mqtts://"


def test_a_web_server_by_tls(http_port: int) -> None:
    """What speaks no TLS is told as such."""
    finding, _ = check(access(http_port, tls=True))
    assert finding.state == "wrong"
    assert "no TLS" in finding.text


def test_a_name_without_address() -> None:
    """It is the name that is told, with the command that asks for it."""
    finding, _ = check(access(1883, "broker.invalid"))
    assert finding.state == "wrong"
    assert "the name broker.invalid has no address" in finding.text
    assert "getent hosts broker.invalid" in finding.remedy
