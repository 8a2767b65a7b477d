import contextlib
import getpass
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.recording import agent_process, recording
from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.doctor import permission_check as rules
from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.mqtt_session import V311, Session
from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.wire import encode
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Pulse
from support.mosquitto import Mosquitto

pytestmark = pytest.mark.broker


def settings(
    broker: Mosquitto, *, user: str | None = None, host: str = "web-1", prefix: str = "fleet"
) -> AgentSettings:
    url = BrokerURL("127.0.0.1", broker.port, user=user)
    access = BrokerAccess(url=url, password="secret" if user else None)
    return AgentSettings(broker=access, host_id=host, prefix=prefix)


def found(told: AgentSettings, clock: Callable[[], float] = time.time) -> dict[str, Finding]:
    return {one.what: one for one in rules.check_agent(told.broker, told, clock)}


def left(broker: Mosquitto, prefix: str = "fleet") -> list[str]:
    """Return the topics of doctor on which something is retained."""
    with recording(broker.port, prefix) as witness:
        witness.client.publish(f"{prefix}/web-1/mark", b"{}", qos=1)
        witness.wait("mark")
        return [one.topic for one in witness.messages if one.retained and one.topic.endswith("doctor")]


def test_a_host_with_rules_of_its_own(ruled_mosquitto: Mosquitto) -> None:
    """Where rules let it write its own topics and read the two it must, all is well, and nothing to note."""
    findings = found(settings(ruled_mosquitto, user="web-1"))
    assert {one.state for one in findings.values()} == {"ok"}
    assert list(findings) == ["mqtt", "rules", "retained", "will", "host id", "packet"]
    assert findings["mqtt"].text == "MQTT 5"


def test_a_host_that_may_not_write(ruled_mosquitto: Mosquitto) -> None:
    """By MQTT 5 the broker says so; what was not proved is not told of."""
    findings = found(settings(ruled_mosquitto, user="blind", host="blind"))
    assert findings["rules"].state == "wrong"
    assert "refuses what is written on fleet/blind/doctor: not authorized" in findings["rules"].text
    assert "write fleet/blind/# and read fleet/blind/doctor" in findings["rules"].remedy
    assert not {"retained", "will", "packet"} & set(findings)


def test_a_refusal_that_the_broker_confirms(ruled_mosquitto: Mosquitto) -> None:
    """By MQTT 3.1.1 the broker confirms what it throws away, and that is found all the same."""
    told = settings(ruled_mosquitto, user="blind", host="blind")
    own = "fleet/blind/doctor"
    with Session(told.broker, "blind", version=V311) as session:
        session.subscribe(own)
        assert session.publish(own, b"x") is None
        finding = rules._check_writing(session, own, told)
    assert finding.state == "wrong"
    assert "does not come back, though the broker confirms it" in finding.text


def test_a_user_of_another_name(ruled_mosquitto: Mosquitto) -> None:
    """Rules know a host by its user: the remedy names the id that would do."""
    finding = found(settings(ruled_mosquitto, user="web-1", host="web-2"))["rules"]
    assert finding.state == "wrong"
    assert finding.remedy.startswith("rules know a host by its user: --host-id web-1; or ")


def test_what_the_own_user_says_is_no_neighbour(ruled_mosquitto: Mosquitto) -> None:
    """The status of the host whose user this is may be read, whatever this host is called."""
    access = settings(ruled_mosquitto, user="web-1").broker
    status = "fleet/web-1/status"
    with Session(access, "web-1") as host:
        host.publish(status, b'{"state":"stopped","session":"a","time":1}', retain=True)
        assert "neighbours" not in found(settings(ruled_mosquitto, user="web-1", host="web-2"))
        host.publish(status, b"", retain=True)


def test_open_rules_are_noted(mosquitto: Mosquitto, prefix: str) -> None:
    """Whoever may write and read everything is told so, with the command that closes it."""
    finding = found(settings(mosquitto, prefix=prefix))["neighbours"]
    assert finding.state == "note"
    assert "write and read other hosts' topics as well" in finding.text
    assert finding.remedy.startswith("fleetglass enroll web-1; ")


def test_nothing_is_disturbed(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A running agent keeps its connection, nobody's status is written, and nothing stays on the broker."""
    log = tmp_path / "log"
    with recording(mosquitto.port, prefix) as witness:
        with agent_process(mosquitto.url, prefix, log):
            witness.wait_status("online")
            witness.wait("info")
            before = len(witness.of("status"))
            findings = found(settings(mosquitto, prefix=prefix))
            witness.wait("pulse", len(witness.of("pulse")) + 2)
        assert findings["host id"].text.startswith("web-1: held by the agent of this machine (session ")
        assert {one.state for what, one in findings.items() if what != "neighbours"} == {"ok"}
        written = [one for one in witness.messages if one.topic.endswith("doctor")]
        assert written
        assert len([one for one in witness.of("status") if one.payload["state"] == "online"]) == before
        assert log.read_text().count("\n") == 1, "it says only once that it is connected"
    assert not left(mosquitto, prefix)


def test_retained_is_proved_and_taken_away(own_mosquitto: Mosquitto) -> None:
    """With no status to read, a message is kept for a moment; killed meanwhile, the broker clears it."""
    told = settings(own_mosquitto)
    own = "fleet/web-1/doctor"
    assert found(told)["retained"].state == "ok"
    assert not left(own_mosquitto)
    with recording(own_mosquitto.port, "fleet") as witness:
        session, _ = rules._session(told.broker, None, own, time.time)
        with session:
            session.publish(own, b"{}", retain=True)
            witness.wait("doctor")
            session.drop()
        witness.wait("doctor", 2)
    assert not left(own_mosquitto)


@pytest.fixture(scope="module")
def poor_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Give a broker that takes small packets only, and keeps nothing."""
    lines = (f"user {getpass.getuser()}", "max_packet_size 20000", "retain_available false")
    broker = Mosquitto(tmp_path_factory.mktemp("poor"), *lines).start()
    yield broker
    broker.kill()


def test_a_broker_with_too_small_packets(poor_mosquitto: Mosquitto) -> None:
    """By MQTT 5 its limit is named, without trying it."""
    findings = found(settings(poor_mosquitto))
    assert findings["rules"].state == "ok"
    assert findings["packet"].state == "wrong"
    assert "the broker takes packets of 20000 bytes at most; an agent may send 65" in findings["packet"].text
    assert "max_packet_size 262144" in findings["packet"].remedy
    assert findings["retained"].state == "wrong"
    assert "retain_available true" in findings["retained"].remedy


def test_a_packet_that_ends_the_connection(poor_mosquitto: Mosquitto) -> None:
    """By MQTT 3.1.1 a broker names no limit: a message of an agent's largest size is tried."""
    own = "fleet/web-1/doctor"
    with Session(settings(poor_mosquitto).broker, None, version=V311) as session:
        session.subscribe(own)
        assert session.packet_limit is None
        finding = rules._check_packet(session, own)
    assert finding.state == "wrong"
    assert finding.text == f"the broker ends the connection on a message of {MAX_PAYLOAD_BYTES // 1024} KiB"


@contextlib.contextmanager
def pulses(broker: Mosquitto, prefix: str, *hosts: str) -> Iterator[None]:
    """Have hosts with a right clock say their pulse ten times per second."""
    ended = threading.Event()

    def publish() -> None:
        with recording(broker.port, f"{prefix}/none") as witness:
            while not ended.wait(0.1):
                for host in hosts:
                    payload = encode(Pulse(time=time.time(), tick=1, session="a"))
                    witness.client.publish(f"{prefix}/{host}/pulse", payload)

    thread = threading.Thread(target=publish)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_a_clock_that_is_off(mosquitto: Mosquitto, prefix: str) -> None:
    """Three other hosts that agree prove this machine's clock wrong; one alone does not."""
    told = settings(mosquitto, prefix=prefix)
    with pulses(mosquitto, prefix, "db-1"):
        one = found(told, lambda: time.time() + 300)["clock"]
    assert (one.state, one.text) == ("note", "300 s ahead of that of host db-1")
    with pulses(mosquitto, prefix, "db-1", "db-2", "db-3"):
        three = found(told, lambda: time.time() - 300)["clock"]
        right = found(told)["clock"]
    assert (three.state, three.text) == ("wrong", "300 s behind that of 3 other hosts")
    assert three.remedy == "timedatectl set-ntp true"
    assert (right.state, right.text) == ("ok", "the same as that of 3 other hosts, within 2 s")


def test_a_bridge_reads(ruled_mosquitto: Mosquitto) -> None:
    """Its user sees the hosts, and is told when it may write, which it need not."""
    access = settings(ruled_mosquitto, user="web-1").broker
    with Session(access, "web-1") as host:
        host.publish("fleet/web-1/status", b'{"state":"stopped","session":"a","time":1}', retain=True)
        for user, states in (("bridge", ["ok", "ok"]), ("anybody", ["ok", "ok", "note"])):
            reader = settings(ruled_mosquitto, user=user).broker
            findings = list(rules.check_bridge(reader, user, ("fleet",)))
            assert [one.state for one in findings] == states
            assert findings[1].text == "the bridge may read fleet/: hosts: 1"
        host.publish("fleet/web-1/status", b"", retain=True)


def test_a_bridge_that_sees_nobody(ruled_mosquitto: Mosquitto) -> None:
    """Whether there is nobody or it may not read cannot be known, and both are said."""
    access = settings(ruled_mosquitto, user="blind").broker
    finding = list(rules.check_bridge(access, "blind", ("fleet",)))[-1]
    assert finding.state == "note"
    assert "no host is there, or the bridge may not read them" in finding.text
