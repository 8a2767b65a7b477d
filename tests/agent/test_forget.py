import getpass
from pathlib import Path

import pytest

from agent.recording import Recording, agent_process, recording
from fleetglass.agent.forget import Patience, forget, retained_topics
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.wire.errors import AgentError
from support.mosquitto import Mosquitto

pytestmark = pytest.mark.broker

BRIEF = Patience(pulse=0.2, protest=0.2)


def settings(port: int, prefix: str, user: str | None = None) -> AgentSettings:
    return AgentSettings(
        broker=BrokerAccess(url=BrokerURL("127.0.0.1", port, user=user)),
        host_id="web-1",
        prefix=prefix,
        home_assistant_prefix=f"{prefix}/ha",
    )


def leave_behind(witness: Recording, told: AgentSettings, state: str) -> None:
    """Publish what an agent leaves on the broker, and something of another host."""
    status = f'{{"state":"{state}","session":"old","time":1}}'
    for topic in [*retained_topics(told), f"{told.prefix}/web-10/status"]:
        text = status if topic.endswith("/status") else "{}"
        witness.client.publish(topic, text, qos=1, retain=True).wait_for_publish(5)


def left(port: int, prefix: str) -> list[str]:
    """Return what is retained under a prefix."""
    with recording(port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        return [one.topic for one in witness.messages if one.retained]


@pytest.mark.parametrize("state", ["lost", "stopped", "online"])
def test_a_host_that_is_gone_is_forgotten(mosquitto: Mosquitto, prefix: str, state: str) -> None:
    """Nothing of it is left on the broker, whatever its last status was; other hosts keep theirs."""
    told = settings(mosquitto.port, prefix)
    with recording(mosquitto.port, prefix) as witness:
        leave_behind(witness, told, state)
        assert forget(told, BRIEF) == retained_topics(told)
    assert left(mosquitto.port, prefix) == [f"{prefix}/web-10/status"]


def test_a_host_that_never_was_is_no_error(mosquitto: Mosquitto, prefix: str) -> None:
    """There is nothing to clear, and that is said."""
    assert forget(settings(mosquitto.port, prefix), BRIEF) == []


def test_a_host_whose_agent_runs_is_not_forgotten(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """The agent is named by its session, and nothing is cleared."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log"),
    ):
        session = witness.wait_status("online").payload["session"]
        with pytest.raises(AgentError, match=rf"publishes as web-1 now \(session {session}\); stop it first"):
            forget(settings(mosquitto.port, prefix), Patience(pulse=10, protest=0))
        witness.wait("info")
        assert {"status", "info"} <= set(left(mosquitto.port, prefix))


def test_a_slow_agent_protests(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """An agent whose pulses are not seen is known by its defending its status."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log"),
    ):
        witness.wait_status("online")
        with pytest.raises(AgentError, match="stop it first"):
            forget(settings(mosquitto.port, prefix), Patience(pulse=0, protest=10))


@pytest.mark.parametrize("may_read", [True, False])
def test_a_user_who_may_not_is_told(tmp_path: Path, prefix: str, *, may_read: bool) -> None:
    """Brokers confirm what their rules forbid, but what stayed is still there."""
    broker = Mosquitto(tmp_path)
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite #\n\nuser guest\ntopic read {prefix if may_read else 'other'}/#\n")
    with broker._configuration.open("a") as configuration:
        configuration.write(f"user {getpass.getuser()}\nacl_file {rules}\n")
    try:
        broker.start()
        told = settings(broker.port, prefix, user="guest")
        with recording(broker.port, prefix) as witness:
            leave_behind(witness, told, "lost")
        with pytest.raises(AgentError, match="expected a user who may clear"):
            forget(told, BRIEF)
        assert len(left(broker.port, prefix)) == 6
    finally:
        broker.kill()


def test_a_broker_that_does_not_answer_is_named(
    own_mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen broker is given up, with its address."""
    monkeypatch.setattr("fleetglass.agent.forget._ANSWER_SECONDS", 0.5)
    own_mosquitto.freeze()
    try:
        with pytest.raises(AgentError, match=f"broker {own_mosquitto.url}: no answer within"):
            forget(settings(own_mosquitto.port, prefix), BRIEF)
    finally:
        own_mosquitto.thaw()
