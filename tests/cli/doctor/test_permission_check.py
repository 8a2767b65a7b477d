from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from agent.recording import agent_process, recording
from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.permission_check import check_agent, check_bridge
from fleetglass.mqtt import version_fallback
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from support.mosquitto import Mosquitto

pytestmark = pytest.mark.broker

STATUS = b'{"state":"stopped","session":"a","time":1}'


def settings(broker: Mosquitto, user: str | None, host: str, prefix: str = "fleet") -> AgentSettings:
    url = BrokerURL("127.0.0.1", broker.port, user=user)
    access = BrokerAccess(url=url, password="secret" if user else None)
    return AgentSettings(broker=access, host_id=host, prefix=prefix)


def check(told: AgentSettings) -> Finding:
    [finding] = check_agent(told.broker, told)
    return finding


@contextmanager
def one_host(broker: Mosquitto, prefix: str) -> Iterator[None]:
    """Keep the status of one host on the broker."""
    with recording(broker.port, prefix) as witness:
        witness.client.publish(f"{prefix}/web-1/status", STATUS, qos=1, retain=True)
        witness.wait("status")
        yield
        witness.client.publish(f"{prefix}/web-1/status", b"", qos=1, retain=True).wait_for_publish(5)


def test_a_host_that_may_write_and_read_its_topics(ruled_mosquitto: Mosquitto) -> None:
    """Its message comes back."""
    finding = check(settings(ruled_mosquitto, "web-1", "web-1"))
    assert (finding.what, finding.state, finding.remedy) == ("rules", "ok", "")
    assert finding.text == "a message on fleet/web-1/doctor came back"


def test_a_host_that_may_not_write(ruled_mosquitto: Mosquitto) -> None:
    """By MQTT 5 the broker gives its reason, and the remedy names the rights that are needed."""
    finding = check(settings(ruled_mosquitto, "blind", "blind"))
    assert finding.state == "wrong"
    assert finding.text == "the broker refuses the message on fleet/blind/doctor: not authorized"
    assert "let user blind write fleet/blind/# and read fleet/blind/doctor" in finding.remedy


def test_a_refusal_that_the_broker_hides(ruled_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """By MQTT 3.1.1 the broker acknowledges what it drops; that nothing comes back shows it."""
    monkeypatch.setattr(version_fallback, "FIRST_VERSION", MQTTProtocolVersion.MQTTv311)
    finding = check(settings(ruled_mosquitto, "blind", "blind"))
    assert finding.state == "wrong"
    assert finding.text == "a message on fleet/blind/doctor does not come back"


def test_a_user_of_another_name(ruled_mosquitto: Mosquitto) -> None:
    """Rules know a host by its user: the remedy names the host id that fits."""
    finding = check(settings(ruled_mosquitto, "web-1", "web-2"))
    assert finding.state == "wrong"
    assert finding.remedy.startswith("rules know a host by its user: --host-id web-1; or ")


def test_a_connection_that_does_not_last(ruled_mosquitto: Mosquitto) -> None:
    """A broker that lets nobody in now is wrong, whatever it did before."""
    finding = check(settings(ruled_mosquitto, "nobody", "web-1"))
    assert finding.state == "wrong"
    assert finding.text.endswith("the connection does not last")


def test_nothing_is_disturbed(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A running agent keeps its connection, and the only message is one on the topic `doctor`."""
    log = tmp_path / "log"
    with recording(mosquitto.port, prefix) as witness:
        with agent_process(mosquitto.url, prefix, log):
            witness.wait_status("online")
            assert check(settings(mosquitto, None, "web-1", prefix)).state == "ok"
            witness.wait("pulse", len(witness.of("pulse")) + 2)
        assert len([one for one in witness.messages if one.topic.endswith("doctor")]) == 1
        assert [one.payload["state"] for one in witness.of("status")].count("online") == 1
        assert log.read_text().count("\n") == 1, "it says only once that it is connected"


def test_a_bridge_that_may_read(ruled_mosquitto: Mosquitto, mosquitto: Mosquitto, prefix: str) -> None:
    """One message of one host under each prefix proves it."""
    access = settings(mosquitto, None, "web-1").broker
    with one_host(mosquitto, prefix):
        ok, note = check_bridge(access, None, (prefix, f"{prefix}/none"))
    assert (ok.state, ok.text) == ("ok", f"the bridge may read {prefix}/")
    assert note.state == "note"
    blind = settings(ruled_mosquitto, "blind", "blind").broker
    [unread] = check_bridge(blind, "blind", ("fleet",))
    assert unread.state == "note"
    assert "there is no host, or the bridge may not read them" in unread.text
