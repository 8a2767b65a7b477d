import getpass
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from agent.recording import Recording, agent_process, recording
from fleetglass.cli.host_removal import HostRemoval, Patience, remove_hosts
from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.wire.errors import CommandError
from support.mosquitto import Mosquitto

pytestmark = pytest.mark.broker

BRIEF = Patience(first=1.0, quiet=0.3, pulse=0.2, protest=0.2)


def removal(port: int, prefix: str, patience: Patience = BRIEF, user: str | None = None) -> HostRemoval:
    access = BrokerAccess(url=BrokerURL("127.0.0.1", port, user=user))
    return HostRemoval(access, user, prefix=prefix, home_assistant_prefix=f"{prefix}/ha", patience=patience)


def retained_topics(prefix: str, host: str) -> list[str]:
    leaves = [f"{prefix}/{host}/{leaf}" for leaf in ("status", "info", "summary", "demand")]
    return [f"{prefix}/ha/device/{host}/config", *leaves]


def leave_behind(witness: Recording, prefix: str, host: str, state: str, more: Iterable[str] = ()) -> None:
    """Publish what an agent leaves on the broker."""
    for topic in [*retained_topics(prefix, host), *more]:
        text = (
            json.dumps({"state": state, "session": "old", "time": 1}) if topic.endswith("/status") else "{}"
        )
        witness.client.publish(topic, text, qos=1, retain=True).wait_for_publish(5)


def left(port: int, prefix: str) -> list[str]:
    """Return the topics under a prefix that have a retained message."""
    with recording(port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        return [one.topic for one in witness.messages if one.retained]


@pytest.mark.parametrize("state", ["lost", "stopped", "online"])
def test_a_host_that_is_gone_is_forgotten(mosquitto: Mosquitto, prefix: str, state: str) -> None:
    """Every retained message of it is cleared, also on topics that no agent uses; other hosts keep theirs."""
    odd = [f"{prefix}/web-1/live/left-by-a-thief", f"{prefix}/web-1/a/b/c"]
    with recording(mosquitto.port, prefix) as witness:
        leave_behind(witness, prefix, "web-1", state, odd)
        leave_behind(witness, prefix, "web-10", state)
        with removal(mosquitto.port, prefix) as removing:
            cleared, running = remove_hosts(removing, ["web-1"])
    expected = {*retained_topics(prefix, "web-1"), *odd}
    if state == "online":  # its status is cleared first, as a challenge to an agent that may run
        expected -= {f"{prefix}/web-1/status"}
    assert set(cleared["web-1"]) >= expected
    assert cleared["web-1"][0].endswith("/config")
    assert not running
    assert set(left(mosquitto.port, prefix)) == set(retained_topics(prefix, "web-10"))


def test_every_host_is_found(mosquitto: Mosquitto, prefix: str) -> None:
    """Hosts are listed by id with the state of their status."""
    with recording(mosquitto.port, prefix) as witness:
        for host, state in {"b": "stopped", "a": "lost", "c": "stopped"}.items():
            leave_behind(witness, prefix, host, state)
        with removal(mosquitto.port, prefix) as removing:
            found = [(host.id, host.state) for host in removing.known_hosts()]
    assert found == [("a", "lost"), ("b", "stopped"), ("c", "stopped")]


def test_a_host_that_never_was_is_no_error(mosquitto: Mosquitto, prefix: str) -> None:
    """There is nothing to clear, and the answer says so."""
    with removal(mosquitto.port, prefix) as removing:
        assert remove_hosts(removing, ["web-1"]) == ({"web-1": []}, {})


def test_a_host_whose_agent_runs_is_not_forgotten(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """The agent is named by its session, and nothing is cleared."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log"),
    ):
        session = witness.wait_status("online").payload["session"]
        with removal(mosquitto.port, prefix, BRIEF._replace(pulse=20)) as removing:
            assert remove_hosts(removing, ["web-1"]) == ({}, {"web-1": session})
        witness.wait("info")
        assert {"status", "info"} <= set(left(mosquitto.port, prefix))


def test_a_slow_agent_protests(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """An agent that publishes rarely is known by publishing its status again."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log", interval=5),
    ):
        witness.wait_status("online")
        witness.wait("pulse")
        with removal(mosquitto.port, prefix, BRIEF._replace(protest=20)) as removing:
            _, running = remove_hosts(removing, ["web-1"])
            assert running.keys() == {"web-1"}


@pytest.mark.parametrize("may_read", [True, False])
def test_a_user_who_may_not_clear_gets_an_error(tmp_path: Path, prefix: str, *, may_read: bool) -> None:
    """Brokers acknowledge what their rules forbid, but the messages are still there."""
    broker = Mosquitto(tmp_path)
    rules = tmp_path / "acl"
    rules.write_text(f"topic readwrite #\n\nuser guest\ntopic read {prefix if may_read else 'other'}/#\n")
    with broker._configuration.open("a") as configuration:
        configuration.write(f"user {getpass.getuser()}\nacl_file {rules}\n")
    try:
        broker.start()
        with recording(broker.port, prefix) as witness:
            leave_behind(witness, prefix, "web-1", "lost")
        with (
            removal(broker.port, prefix, user="guest") as removing,
            pytest.raises(CommandError, match="expected a user who may clear"),
        ):
            remove_hosts(removing, ["web-1"])
        assert len(left(broker.port, prefix)) == 5
    finally:
        broker.kill()


def test_a_broker_that_does_not_answer_is_named(
    own_mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen broker is given up, with its address."""
    monkeypatch.setattr("fleetglass.cli.host_removal._ANSWER_SECONDS", 0.5)
    own_mosquitto.freeze()
    try:
        with (
            pytest.raises(CommandError, match=f"broker {own_mosquitto.url}: no answer within"),
            removal(own_mosquitto.port, prefix),
        ):
            pass
    finally:
        own_mosquitto.thaw()
