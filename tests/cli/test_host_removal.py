import getpass
import json
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.recording import Heard, Recording, agent_process, recording
from fleetglass.cli.host_removal import ClearedTopics, HostRemoval, Patience, remove_hosts
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import CommandError
from support.mosquitto import Mosquitto
from support.waiting import wait_for

pytestmark = pytest.mark.broker

BRIEF = Patience(first=1.0, quiet=0.3, pulse=0.2, protest=0.2)


def removal(
    port: int, prefix: str, patience: Patience = BRIEF, user: str | None = None, **more: Any
) -> HostRemoval:
    access = BrokerAccess(url=BrokerURL("127.0.0.1", port, user=user))
    return HostRemoval(
        access, user, prefix=prefix, home_assistant_prefix=f"{prefix}/ha", patience=patience, **more
    )


def retained_topics(prefix: str, host: str) -> list[str]:
    leaves = [f"{prefix}/{host}/{leaf}" for leaf in ("status", "info", "summary", "demand")]
    return [f"{prefix}/ha/device/{host}/config", *leaves]


def leave_behind(witness: Recording, prefix: str, host: str, state: str, more: Iterable[str] = ()) -> None:
    """Publish what an agent leaves on the broker."""
    status = json.dumps({"state": state, "session": "old", "time": 1})
    sent = [
        witness.client.publish(topic, status if topic.endswith("/status") else "{}", qos=1, retain=True)
        for topic in [*retained_topics(prefix, host), *more]
    ]
    for one in sent:
        one.wait_for_publish(5)


def left(port: int, prefix: str) -> list[str]:
    """Return the topics under a prefix that have a retained message."""
    with recording(port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        return [one.topic for one in witness.messages if one.retained]


@pytest.mark.parametrize("state", ["lost", "suspended", "stopped", "online"])
def test_a_host_that_is_gone_is_forgotten(mosquitto: Mosquitto, prefix: str, state: str) -> None:
    """Every retained message of it is cleared, also on topics that no agent uses; other hosts keep theirs."""
    odd = [f"{prefix}/web-1/live/left-by-a-thief", f"{prefix}/web-1/a/b/c"]
    with recording(mosquitto.port, prefix) as witness:
        leave_behind(witness, prefix, "web-1", state, odd)
        leave_behind(witness, prefix, "web-10", state)
        with removal(mosquitto.port, prefix) as removing:
            cleared, running, doubtful = remove_hosts(removing, ["web-1"])
    expected = {*retained_topics(prefix, "web-1"), *odd}
    assert set(cleared["web-1"].first) == expected
    assert cleared["web-1"].count == len(expected)
    assert cleared["web-1"].first[0].endswith("/config")
    assert not running
    assert not doubtful
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
        assert remove_hosts(removing, ["web-1"]) == ({"web-1": ClearedTopics()}, {}, [])


def test_a_host_whose_agent_runs_is_not_forgotten(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """The agent is named by its session, and nothing is cleared."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log"),
    ):
        session = witness.wait_status("online").payload["session"]
        with removal(mosquitto.port, prefix, BRIEF._replace(pulse=20)) as removing:
            assert remove_hosts(removing, ["web-1"]) == ({}, {"web-1": session}, [])
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
            assert remove_hosts(removing, ["web-1"]).running.keys() == {"web-1"}


def test_an_agent_whose_status_is_missing_is_not_forgotten(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """An agent that has just published its status waits seconds until it does so again: so long is waited."""
    with (
        recording(mosquitto.port, prefix) as witness,
        agent_process(mosquitto.url, prefix, tmp_path / "log", interval=5),
    ):
        witness.wait_status("online")
        witness.wait("info")
        for count in (2, 3):  # it answers the first time at once
            witness.client.publish(f"{prefix}/web-1/status", b"", qos=1, retain=True).wait_for_publish(5)
            if count == 2:
                wait_for(lambda: len(online(witness)) == 2, "the status again")
        with removal(mosquitto.port, prefix, BRIEF._replace(protest=20)) as removing:
            assert remove_hosts(removing, ["web-1"]).running.keys() == {"web-1"}


def online(witness: Recording) -> list[Heard]:
    return [one for one in witness.of("status") if one.payload.get("state") == "online"]


def test_what_a_thief_retained_is_gone_too(tmp_path: Path, prefix: str) -> None:
    """Many topics, of which a broker sends few at once, and large messages: nothing stays."""
    broker = Mosquitto(tmp_path, "max_queued_messages 100", "max_inflight_messages 10").start()
    try:
        with recording(broker.port, prefix) as witness:
            odd = [f"{prefix}/web-1/a/{number}" for number in range(400)]
            leave_behind(witness, prefix, "web-1", "lost", odd)
            large = f"{prefix}/web-1/large"
            witness.client.publish(large, bytes(250_000), qos=1, retain=True).wait_for_publish(5)
        # Not even the topics themselves fit into the memory that is granted.
        with removal(broker.port, prefix, max_bytes=20_000) as removing:
            cleared = remove_hosts(removing, ["web-1"]).cleared["web-1"]
        # Discovery is cleared first, perhaps before the broker sent it.
        assert cleared.count in (405, 406)
        assert len(cleared.first) == 8
        assert left(broker.port, prefix) == []
    finally:
        broker.kill()


def test_more_topics_than_one_run_clears(
    tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that goes on retaining messages keeps no run busy for ever: it ends, and names the remedy."""
    monkeypatch.setattr("fleetglass.cli.host_removal.MAX_CLEARED_TOPICS", 60)
    broker = Mosquitto(tmp_path, "max_queued_messages 20", "max_inflight_messages 10").start()
    try:
        with recording(broker.port, prefix) as witness:
            leave_behind(witness, prefix, "web-1", "lost", [f"{prefix}/web-1/a/{one}" for one in range(100)])
        with (
            removal(broker.port, prefix) as removing,
            pytest.raises(CommandError, match=r"cleared \d\d retained topics, and there are more"),
        ):
            remove_hosts(removing, ["web-1"])
        with removal(broker.port, prefix) as removing:
            remove_hosts(removing, ["web-1"])
        assert left(broker.port, prefix) == []
    finally:
        broker.kill()


@pytest.mark.parametrize("may_read", [True, False])
def test_a_user_who_may_not_clear_gets_an_error(
    guarded: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch, *, may_read: bool
) -> None:
    """Brokers acknowledge what their rules forbid, but the messages are still there."""
    monkeypatch.setattr("fleetglass.mqtt.paho_connection._RULES_SECONDS", -1.0)
    permit(guarded, f"topic read {prefix if may_read else 'other'}/#")
    with (
        removal(guarded.port, prefix, user="guest") as removing,
        pytest.raises(CommandError, match="expected a user who may clear"),
    ):
        remove_hosts(removing, ["web-1"])
    assert len(left(guarded.port, prefix)) == 5


def test_discovery_that_this_user_may_not_clear(guarded: Mosquitto, prefix: str) -> None:
    """All else is cleared. What nobody can know, as the user may not read it either, is said."""
    permit(guarded, f"topic readwrite {prefix}/web-1/#")
    with removal(guarded.port, prefix, user="guest") as removing:
        cleared, _, doubtful = remove_hosts(removing, ["web-1"])
    discovery = f"{prefix}/ha/device/web-1/config"
    assert (cleared["web-1"].count, doubtful) == (4, [discovery])
    assert left(guarded.port, prefix) == [discovery]


@pytest.fixture
def guarded(tmp_path: Path, prefix: str) -> Iterator[Mosquitto]:
    """Give a broker with rules, on which a host has left something."""
    broker = Mosquitto(tmp_path, f"user {getpass.getuser()}", f"acl_file {tmp_path / 'acl'}")
    (tmp_path / "acl").write_text("topic readwrite #\n")
    try:
        broker.start()
        with recording(broker.port, prefix) as witness:
            leave_behind(witness, prefix, "web-1", "lost")
        yield broker
    finally:
        broker.kill()


def permit(broker: Mosquitto, rule: str) -> None:
    """Give the user `guest` one right."""
    (broker.folder / "acl").write_text(f"topic readwrite #\n\nuser guest\n{rule}\n")
    os.kill(broker.pid, signal.SIGHUP)


def test_a_connection_that_is_lost(own_mosquitto: Mosquitto, prefix: str) -> None:
    """Nothing is said to be gone that could not be looked for."""
    with removal(own_mosquitto.port, prefix) as removing:
        own_mosquitto.kill()
        with pytest.raises(CommandError, match="the connection was lost; run the command again"):
            remove_hosts(removing, ["web-1"])


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
