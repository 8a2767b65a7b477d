import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.recording import Recording, recording
from fleetglass.agent.publisher import Publisher
from fleetglass.agent.settings import AgentSettings
from fleetglass.wire import BrokerAccess, BrokerURL
from fleetglass.wire.payloads import Info
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

INFO = Info(time=1.0, session="abc", host_name="web", agent_version="1", interval_seconds=1.0, groups={})


def settings(port: int, prefix: str, password: str | None = None) -> AgentSettings:
    access = BrokerAccess(url=BrokerURL("127.0.0.1", port), password=password)
    return AgentSettings(broker=access, host_id="web-1", prefix=prefix)


@contextmanager
def publishing(port: int, prefix: str, session: str = "abc") -> Iterator[Publisher]:
    with Publisher(settings(port, prefix), session=session) as publisher:
        wait_for(lambda: publisher.connected, "connection of the agent")
        yield publisher


def say(witness: Recording, prefix: str, text: str, *, retain: bool = False) -> float:
    """Publish something as the host's status, as somebody else would; return when."""
    now = time.monotonic()
    witness.client.publish(f"{prefix}/web-1/status", text, qos=1, retain=retain).wait_for_publish(5)
    return now


@pytest.mark.broker
def test_a_host_is_online_while_entered(mosquitto: Mosquitto, prefix: str) -> None:
    """On entering the status is online with the session, on leaving it is stopped; both are retained."""
    with publishing(mosquitto.port, prefix), recording(mosquitto.port, prefix) as witness:
        online = witness.wait_status("online")
        assert (online.payload["session"], online.retained) == ("abc", True)
    with recording(mosquitto.port, prefix) as witness:
        stopped = witness.wait_status("stopped")
        assert (stopped.payload["session"], stopped.retained) == ("abc", True)


@pytest.mark.broker
def test_the_inventory_is_retained(mosquitto: Mosquitto, prefix: str) -> None:
    """An inventory that was set before the connection is published with it, and a new one at once."""
    with (
        recording(mosquitto.port, prefix) as witness,
        Publisher(settings(mosquitto.port, prefix), session="abc") as publisher,
    ):
        publisher.set_info(INFO)
        assert witness.wait("info")[0].payload["host_name"] == "web"
        with recording(mosquitto.port, prefix) as later:
            assert later.wait("info")[0].retained


@pytest.mark.broker
def test_messages_of_a_tick_keep_their_order(mosquitto: Mosquitto, prefix: str) -> None:
    """Messages come in the order given, and only the named topics are retained."""
    topics = [f"{prefix}/web-1/{leaf}" for leaf in ("pulse", "live/cpu", "summary", "live/collector")]
    with publishing(mosquitto.port, prefix) as publisher:
        with recording(mosquitto.port, prefix) as witness:
            publisher.publish_tick([(topic, b"{}") for topic in topics], retained={topics[2]})
            witness.wait("live/collector")
            order = [one.topic for one in witness.messages if one.topic not in ("status", "info")]
            assert order == ["pulse", "live/cpu", "summary", "live/collector"]
        with recording(mosquitto.port, prefix) as witness:
            witness.wait("summary")
            assert witness.of("pulse") == []
        assert publisher.dropped_messages == 0


@pytest.mark.broker
@pytest.mark.parametrize(
    "text",
    [
        '{"state":"lost","session":"old","time":1}',
        '{"state":"stopped","session":"abc","time":1}',
        "nonsense",
        "",
    ],
)
def test_a_false_status_is_corrected(mosquitto: Mosquitto, prefix: str, text: str) -> None:
    """Whatever is said about the host while it is connected, it says online again."""
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        witness.wait_status("online")
        when = say(witness, prefix, text, retain=True)
        assert witness.wait_status("online", after=when).payload["session"] == "abc"
        assert publisher.conflict is None


@pytest.mark.broker
def test_the_online_of_a_dead_agent_is_no_conflict(mosquitto: Mosquitto, prefix: str) -> None:
    """A retained status that an older session left behind is overwritten without a warning."""
    with recording(mosquitto.port, prefix) as witness:
        when = say(witness, prefix, '{"state":"online","session":"old","time":1}', retain=True)
        with publishing(mosquitto.port, prefix) as publisher:
            wait_for(
                lambda: [
                    one for one in witness.of("status") if one.at > when and one.payload["session"] == "abc"
                ],
                "own status",
            )
            assert publisher.conflict is None


@pytest.mark.broker
def test_two_agents_of_one_id_see_each_other(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Both know of the conflict and warn once, and do not answer each other without end."""
    with (
        recording(mosquitto.port, prefix) as witness,
        publishing(mosquitto.port, prefix, "first") as first,
        publishing(mosquitto.port, prefix, "second") as second,
    ):

        def both_know() -> bool:
            first.refresh()
            second.refresh()
            return first.conflict == "second" and second.conflict == "first"

        wait_for(both_know, "the conflict", seconds=20)
        # Statuses pass through the broker in order: when this one is heard, all answers before it were.
        say(witness, prefix, '{"state":"online","session":"third","time":1}')
        wait_for(lambda: any(one.payload["session"] == "third" for one in witness.of("status")), "the mark")
        assert len(witness.of("status")) <= 8
    warnings = [record for record in caplog.records if "another agent" in record.message]
    assert len(warnings) == 2


def test_a_rival_that_fell_silent_is_forgotten(prefix: str) -> None:
    """The conflict ends 150 s after the other's last status."""
    now = [1000.0]
    publisher = Publisher(settings(free_port(), prefix), session="abc", clock=lambda: now[0])
    publisher._meet("other")
    now[0] += 149
    assert publisher.conflict == "other"
    now[0] += 2
    assert publisher.conflict is None


@pytest.mark.broker
def test_status_and_info_are_said_again(mosquitto: Mosquitto, prefix: str) -> None:
    """Status comes again within 70 s and info within 10 minutes, for brokers that lose retained messages."""
    now = [1000.0]
    with (
        recording(mosquitto.port, prefix) as witness,
        Publisher(settings(mosquitto.port, prefix), session="abc", clock=lambda: now[0]) as publisher,
    ):
        publisher.set_info(INFO)
        witness.wait("status", 1)
        witness.wait("info", 1)
        heard = len(witness.of("info"))
        publisher.refresh()
        now[0] += 70
        publisher.refresh()
        witness.wait("status", 2)
        now[0] += 600
        publisher.refresh()
        witness.wait("info", heard + 1)
        witness.wait("status", 3)


@pytest.mark.broker
def test_a_restarted_broker_is_found_again(
    own_mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After a crash of the broker the host is online again; the log has one line for each change."""
    caplog.set_level(logging.INFO)
    with publishing(own_mosquitto.port, prefix) as publisher:
        publisher.set_info(INFO)
        own_mosquitto.kill()
        wait_for(lambda: not publisher.connected, "loss of the connection")
        publisher.publish_tick([("x", b"{}"), ("y", b"{}")])
        assert publisher.dropped_messages == 2
        own_mosquitto.start()
        wait_for(lambda: publisher.connected, "the connection again")
        with recording(own_mosquitto.port, prefix) as witness:
            witness.wait_status("online")
            witness.wait("info")
    own = [record.message for record in caplog.records if record.name.startswith("fleetglass")]
    assert len(own) == 3
    assert "connection lost" in own[1]
    assert own[2].endswith(": connected")


def test_a_broker_that_is_not_there_is_named_once(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log names address and reason once, however often the connection is tried."""
    port = free_port()
    with Publisher(settings(port, prefix), session="abc") as publisher:
        publisher._client.reconnect_delay_set(0, 0)
        tried: list[Any] = []
        publisher._client.on_pre_connect = lambda *_: tried.append(True)
        wait_for(lambda: len(tried) >= 3, "three attempts")
    (line,) = [record.message for record in caplog.records if record.name.startswith("fleetglass")]
    assert f"mqtt://127.0.0.1:{port} cannot be reached: " in line
    assert "refused" in line


@pytest.mark.broker
def test_a_broker_that_refuses_is_named(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that does not let the agent in gives one clear line."""
    broker = Mosquitto(tmp_path)
    broker._configuration.write_text(f"listener {broker.port} 127.0.0.1\nallow_anonymous false\n")
    broker.start()
    try:
        with Publisher(settings(broker.port, prefix, password="wrong"), session="abc") as publisher:
            wait_for(lambda: caplog.records, "the refusal")
            assert not publisher.connected
    finally:
        broker.kill()
    (line,) = [record.message for record in caplog.records if record.name.startswith("fleetglass")]
    assert line.endswith("refuses this agent: not authorized")


@pytest.mark.broker
def test_a_broker_that_stops_reading_fills_no_memory(own_mosquitto: Mosquitto, prefix: str) -> None:
    """A frozen broker makes ticks be dropped, and leaving takes less than 3 s all the same."""
    payload = b"x" * 60_000
    with publishing(own_mosquitto.port, prefix) as publisher:
        own_mosquitto.freeze()
        try:
            wait_for(lambda: _fill(publisher, f"{prefix}/web-1/pulse", payload), "a dropped tick")
            assert len(publisher._client._out_packet) <= 5  # of one tick
            leaving = time.monotonic()
            publisher.__exit__(None, None, None)
            assert time.monotonic() - leaving < 3
        finally:
            own_mosquitto.thaw()


@pytest.mark.broker
def test_what_a_callback_raises_does_not_end_the_connection(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in handling a message is logged, and the next message is handled."""
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        witness.wait_status("online")

        def fail(_: str) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(publisher, "_meet", fail)
        say(witness, prefix, '{"state":"online","session":"other","time":1}')
        wait_for(lambda: any("could not be handled" in one.message for one in caplog.records), "the log")
        when = say(witness, prefix, "nonsense")
        assert witness.wait_status("online", after=when).payload["session"] == "abc"


@pytest.mark.broker
def test_a_dead_network_thread_is_replaced(mosquitto: Mosquitto, prefix: str) -> None:
    """When the connection's thread has ended, the next tick starts another."""
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        publisher._client.loop_stop()
        when = time.monotonic()
        publisher.refresh()
        witness.wait_status("online", after=when)


def test_the_user_of_a_host_is_its_id(prefix: str) -> None:
    """A password without a user is that of the user named as the host."""
    publisher = Publisher(settings(free_port(), prefix, password="secret"), session="abc")
    seen = SimpleNamespace(user=publisher._client.username, password=publisher._client.password)
    assert (seen.user, seen.password) == ("web-1", "secret")
    assert json.loads(publisher._status("lost"))["state"] == "lost"


def _fill(publisher: Publisher, topic: str, payload: bytes) -> bool:
    publisher.publish_tick([(topic, payload)] * 5)
    return publisher.dropped_messages > 0
