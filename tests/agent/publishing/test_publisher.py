import contextlib
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from agent.recording import Recording, recording
from fleetglass.agent.publishing.publisher import UNACKNOWLEDGED_TICKS, Publisher, Tick
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt import version_fallback
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import Message
from fleetglass.wire import encode
from fleetglass.wire.payloads import Demand, Info, Pulse
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

INFO = encode(
    Info(time=1.0, session="abc", host_name="web", agent_version="1", interval_seconds=1.0, groups={})
)


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
def test_a_connection_that_comes_while_the_agent_ends_says_nothing(mosquitto: Mosquitto, prefix: str) -> None:
    """No agent that has ended is online: not even when the broker let it in only then."""
    publisher = Publisher(settings(mosquitto.port, prefix), session="abc")
    publisher._stopping = True
    with recording(mosquitto.port, prefix) as witness:
        with publisher:
            wait_for(lambda: publisher._connection.connected, "connection")
        with publishing(mosquitto.port, prefix, "def"):
            assert witness.wait_status("online").payload["session"] == "def"
        said = {(one.payload["session"], one.payload["state"]) for one in witness.of("status")}
        assert ("abc", "online") not in said


@pytest.mark.broker
def test_a_connection_that_comes_while_held_is_made_anew(mosquitto: Mosquitto, prefix: str) -> None:
    """When the reason to stay away ends before the connection was left, everything is said all the same."""
    publisher = Publisher(settings(mosquitto.port, prefix), session="abc")
    publisher._held = "waiting for interface wlan0"
    with recording(mosquitto.port, prefix) as witness, publisher:
        wait_for(lambda: publisher._connection.connected, "connection")
        publisher.hold(None)
        witness.wait_status("online")
        wait_for(lambda: publisher.connected, "connection of the agent")
        lied = say(witness, prefix, '{"state":"lost","session":"abc","time":1}')
        witness.wait_status("online", after=lied)


@pytest.mark.broker
def test_the_inventory_is_retained(mosquitto: Mosquitto, prefix: str) -> None:
    """An inventory that was set before the connection is published with it, and a new one at once."""
    with (
        recording(mosquitto.port, prefix) as witness,
        Publisher(settings(mosquitto.port, prefix), session="abc") as publisher,
    ):
        publisher.announce(f"{prefix}/web-1/info", INFO)
        assert witness.wait("info")[0].payload["host_name"] == "web"
        with recording(mosquitto.port, prefix) as later:
            assert later.wait("info")[0].retained


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

        wait_for(both_know, "the conflict")
        # Statuses pass through the broker in order: when this one is heard, all answers before it were.
        say(witness, prefix, '{"state":"online","session":"third","time":1}')
        wait_for(lambda: any(one.payload["session"] == "third" for one in witness.of("status")), "the mark")
        assert len(witness.of("status")) <= 8
    warnings = [record for record in caplog.records if "another agent" in record.message]
    assert len(warnings) == 2


@pytest.mark.broker
def test_status_and_info_are_said_again(mosquitto: Mosquitto, prefix: str) -> None:
    """Status comes again within 70 s and info within 10 minutes, for brokers that lose retained messages."""
    now = [1000.0]
    with (
        recording(mosquitto.port, prefix) as witness,
        Publisher(settings(mosquitto.port, prefix), session="abc", clock=lambda: now[0]) as publisher,
    ):
        publisher.announce(f"{prefix}/web-1/info", INFO)
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


def tick(prefix: str, number: int, *topics: str) -> Tick:
    pulse = encode(Pulse(time=1000.0 + number, tick=number, session="abc", cpu_percent=float(number % 100)))
    others = [Message(f"{prefix}/web-1/{topic}", b"{}", retain=topic == "summary") for topic in topics]
    return Tick(1000.0 + number, number, pulse, others)


def delivered(witness: Recording) -> list[int]:
    """Return the ticks of all pulses in the order in which they came, on either topic."""
    ticks = []
    for one in list(witness.messages):
        pulses = [one.payload] if one.topic == "pulse" else one.payload.get("pulses", [])
        ticks += [pulse["tick"] for pulse in pulses]
    return ticks


@pytest.mark.broker
def test_messages_of_a_tick_keep_their_order(mosquitto: Mosquitto, prefix: str) -> None:
    """The pulse comes first, the others in the order given, and only what says so is retained."""
    with publishing(mosquitto.port, prefix) as publisher:
        with recording(mosquitto.port, prefix) as witness:
            publisher.publish_tick(tick(prefix, 1, "live/cpu", "summary", "live/collector"))
            witness.wait("live/collector")
            order = [one.topic for one in witness.messages if one.topic not in ("status", "info")]
            assert order == ["pulse", "live/cpu", "summary", "live/collector"]
        with recording(mosquitto.port, prefix) as witness:
            witness.wait("summary")
            assert witness.of("pulse") == []
        assert publisher.dropped_messages == 0


def test_what_cannot_be_sent_is_kept_or_counted(prefix: str) -> None:
    """Without a broker pulses wait, 15 minutes of them at most; all else is dropped and counted."""
    with Publisher(settings(free_port(), prefix), session="abc") as publisher:
        for number in range(1, 911):
            publisher.publish_tick(tick(prefix, number, "live/cpu"))
        assert len(publisher._backlog) == 900
        assert publisher.dropped_messages == 910 + 10


@pytest.mark.broker
def test_no_pulse_is_lost_while_the_broker_is_away(
    own_mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed and back, the broker gets every pulse of the gap once and in order, before the next one."""
    caplog.set_level(logging.INFO)
    with publishing(own_mosquitto.port, prefix) as publisher:
        publisher.announce(f"{prefix}/web-1/info", INFO)
        with recording(own_mosquitto.port, prefix) as witness:
            publisher.publish_tick(tick(prefix, 1))
            witness.wait("pulse")
            wait_for(lambda: _is_settled(publisher), "acknowledgement")
        own_mosquitto.kill()
        wait_for(lambda: not publisher.connected, "loss of the connection")
        for number in range(2, 401):
            publisher.publish_tick(tick(prefix, number, "live/cpu"))
        own_mosquitto.start()
        # Nobody shall hear the pulses before the recording does.
        with recording(own_mosquitto.port, prefix) as witness:
            wait_for(lambda: publisher.connected, "the connection again")
            witness.wait_status("online")
            witness.wait("info")
            last = _tick_until_heard(publisher, witness, prefix, 401)
            assert delivered(witness) == list(range(2, last + 1))
    own = [record.message for record in caplog.records if record.name.startswith("fleetglass")]
    assert len(own) == 3
    assert "connection lost" in own[1]
    assert own[2].endswith(": connected")


@pytest.mark.broker
def test_a_frozen_broker_costs_no_pulse_and_no_memory(own_mosquitto: Mosquitto, prefix: str) -> None:
    """While acknowledgements are missing nothing more is sent, and when they come all that was kept."""
    with (
        publishing(own_mosquitto.port, prefix) as publisher,
        recording(own_mosquitto.port, prefix) as witness,
    ):
        own_mosquitto.freeze()
        try:
            for number in range(1, 51):
                publisher.publish_tick(tick(prefix, number, "live/cpu"))
            assert len(publisher._backlog) >= 50 - UNACKNOWLEDGED_TICKS
            assert publisher.dropped_messages == len(publisher._backlog)
        finally:
            own_mosquitto.thaw()
        wait_for(lambda: _is_settled(publisher), "acknowledgements")
        last = _tick_until(publisher, prefix, 51, lambda: len(publisher._backlog) == 0)
        wait_for(lambda: delivered(witness)[-1:] == [last], "the last pulse")
        assert delivered(witness) == list(range(1, last + 1))


def test_a_broker_that_acknowledges_nothing_is_left(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """When acknowledgements stay away for two minutes, the agent connects anew, and keeps every pulse."""
    now = [1000.0]
    with (
        forgetful_broker() as (port, connections),
        Publisher(settings(port, prefix), session="abc", clock=lambda: now[0]) as publisher,
    ):
        wait_for(lambda: publisher.connected, "connection of the agent")
        for number in range(1, 120):
            now[0] += 1
            publisher.publish_tick(tick(prefix, number))
        assert len(connections) == 1
        for number in range(120, 123):
            now[0] += 1
            publisher.publish_tick(tick(prefix, number))
        wait_for(lambda: len(connections) == 2 and publisher.connected, "another connection")
        publisher._settle()
        assert len(publisher._backlog) == 122
    (line,) = [record.message for record in caplog.records if record.name.endswith("publisher")]
    assert line == f"broker mqtt://127.0.0.1:{port}: nothing acknowledged for 120 s; reconnecting"


@contextmanager
def forgetful_broker() -> Iterator[tuple[int, list[socket.socket]]]:
    """Let in whoever comes, and acknowledge nothing."""
    connections: list[socket.socket] = []

    def serve(peer: socket.socket) -> None:
        with peer:
            peer.recv(1000)
            peer.sendall(b"\x20\x03\x00\x00\x00")
            while peer.recv(65536):
                pass

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connections.append(server.accept()[0])
                threading.Thread(target=serve, args=(connections[-1],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], connections
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.broker
def test_a_pulse_without_acknowledgement_is_sent_again(own_mosquitto: Mosquitto, prefix: str) -> None:
    """What was on its way when a frozen broker was killed is not taken for delivered."""
    with publishing(own_mosquitto.port, prefix) as publisher:
        own_mosquitto.freeze()
        for number in range(1, 4):
            publisher.publish_tick(tick(prefix, number))
        own_mosquitto.kill()
        own_mosquitto.start()
        with recording(own_mosquitto.port, prefix) as witness:
            witness.wait_status("online")
            wait_for(lambda: publisher.connected, "the connection again")
            last = _tick_until_heard(publisher, witness, prefix, 4)
            assert delivered(witness) == list(range(1, last + 1))


@pytest.mark.broker
def test_a_frozen_broker_is_left_in_time(own_mosquitto: Mosquitto, prefix: str) -> None:
    """A goodbye that nobody acknowledges is not waited for without end."""
    publisher = Publisher(settings(own_mosquitto.port, prefix), session="abc")
    with publisher:
        wait_for(lambda: publisher.connected, "connection of the agent")
        own_mosquitto.freeze()
        leaving = time.monotonic()
    try:
        assert time.monotonic() - leaving < 10  # 3 on a quiet machine
    finally:
        own_mosquitto.thaw()


@pytest.mark.broker
def test_an_announcement_stays(mosquitto: Mosquitto, prefix: str) -> None:
    """What is announced is retained, and what it is replaced by as well."""
    topic = f"{prefix}/web-1/note"
    with publishing(mosquitto.port, prefix) as publisher, recording(mosquitto.port, prefix) as witness:
        for number in (1, 2):
            publisher.announce(topic, encode(Demand(time=number, holder="x", groups=[])))
            witness.wait("note", number)
            with recording(mosquitto.port, prefix) as later:
                [note] = later.wait("note")
                assert (note.payload["time"], note.retained) == (number, True)


@pytest.mark.broker
def test_an_announcement_is_repeated_when_asked(mosquitto: Mosquitto, prefix: str) -> None:
    """It comes once more after the time that was asked for, and not before; an unknown one never."""
    now = [1000.0]
    topic = f"{prefix}/web-1/note"
    with (
        recording(mosquitto.port, prefix) as witness,
        Publisher(settings(mosquitto.port, prefix), session="abc", clock=lambda: now[0]) as publisher,
    ):
        publisher.announce_again(topic, after_seconds=1)
        wait_for(lambda: publisher.connected, "connection of the agent")
        publisher.announce(topic, b"{}")
        publisher.announce_again(topic, after_seconds=20)
        now[0] += 19
        publisher.refresh()
        publisher.announce(f"{prefix}/web-1/mark", b"{}")  # what was said before it has come before it
        witness.wait("mark")
        assert len(witness.of("note")) == 1
        now[0] += 2
        publisher.refresh()
        witness.wait("note", 2)


@pytest.mark.broker
def test_what_was_withdrawn_is_gone(mosquitto: Mosquitto, prefix: str) -> None:
    """The retained message that an earlier run left is cleared."""
    topic = f"{prefix}/web-1/note"
    with recording(mosquitto.port, prefix) as witness:
        witness.client.publish(topic, b"{}", qos=1, retain=True).wait_for_publish(5)
        publisher = Publisher(settings(mosquitto.port, prefix), session="abc")
        publisher.withdraw(topic)
        with publisher:
            witness.wait("note", 2)
    with recording(mosquitto.port, prefix) as witness:
        witness.wait_status("stopped")
        assert witness.of("note") == []


@pytest.mark.broker
def test_only_what_is_listened_to_is_heard(mosquitto: Mosquitto, prefix: str) -> None:
    """A topic that was named before entering is subscribed, others are not."""
    heard: list[bytes] = []
    publisher = Publisher(settings(mosquitto.port, prefix), session="abc")
    publisher.listen(f"{prefix}/web-1/demand", lambda payload, _: heard.append(payload))
    with recording(mosquitto.port, prefix) as witness, publisher:
        witness.wait_status("online")

        def say_until_heard() -> bool:
            witness.client.publish(f"{prefix}/web-1/pulse", b"no")
            witness.client.publish(f"{prefix}/web-1/demand", b"yes")
            return bool(heard)

        wait_for(say_until_heard, "what was listened for")
    assert set(heard) == {b"yes"}


def _tick_until_heard(publisher: Publisher, witness: Recording, prefix: str, number: int) -> int:
    """Publish ticks until one comes as a pulse of its own, and all before it have come; return the last."""
    last = _tick_until(
        publisher, prefix, number, lambda: bool(witness.of("pulse")) and len(publisher._backlog) == 0
    )
    wait_for(lambda: delivered(witness)[-1:] == [last], "the last pulse")
    return last


def _tick_until(publisher: Publisher, prefix: str, number: int, done: Callable[[], bool]) -> int:
    """Publish ticks from a number on until something is so; return the last."""
    numbers = itertools.count(number)
    sent: list[int] = []

    def is_done() -> bool:
        sent.append(next(numbers))
        publisher.publish_tick(tick(prefix, sent[-1]))
        return done()

    wait_for(is_done, "it")
    return sent[-1]


def _is_settled(publisher: Publisher) -> bool:
    publisher._settle()
    return not publisher._unacknowledged


@pytest.mark.broker
def test_replaced_certificates_are_taken_up(tmp_path: Path, prefix: str) -> None:
    """When a file of the connection has changed, the agent leaves and comes back with the new one."""
    authority = Authority(tmp_path)
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority)
    access = BrokerAccess(
        url=BrokerURL("127.0.0.1", broker.port, tls=True), ca_file=str(authority.own.certificate)
    )
    now = [1000.0]
    broker.start()
    try:
        with Publisher(
            AgentSettings(broker=access, host_id="web-1", prefix=prefix),
            session="abc",
            clock=lambda: now[0],
        ) as publisher:
            wait_for(lambda: publisher.connected, "connection of the agent")
            publisher.refresh()
            first = publisher._connection.number
            authority.own.certificate.touch()
            now[0] += 60
            publisher.refresh()
            wait_for(
                lambda: publisher.connected and publisher._connection.number > first, "another connection"
            )
    finally:
        broker.kill()


@pytest.mark.broker
def test_a_publisher_that_is_held_back(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It says stopped, leaves, keeps its pulses, and comes back with them; what it waits for is one line."""
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        witness.wait_status("online")
        with caplog.at_level(logging.INFO):
            publisher.hold("waiting for interface wlan0")
            assert publisher.doing == "waiting for interface wlan0"
            publisher.publish_tick(tick(prefix, 1))
            left = witness.wait_status("stopped").at
            wait_for(lambda: is_away(publisher), "end of the connection")
        assert caplog.messages == ["waiting for interface wlan0"]
        assert len(publisher._backlog) == 1
        publisher.hold(None)
        witness.wait_status("online", after=left)
        wait_for(lambda: publisher.connected, "connection of the agent")
        numbers = itertools.count(2)

        def ticks_until_a_pulse_came() -> bool:
            publisher.publish_tick(tick(prefix, next(numbers)))
            return bool(witness.of("pulse"))

        wait_for(ticks_until_a_pulse_came, "a pulse after the return")
        heard = delivered(witness)
        assert heard == list(range(1, len(heard) + 1))
        assert {one.payload["state"] for one in witness.of("status")} == {"online", "stopped"}


@pytest.mark.broker
def test_a_publisher_that_is_held_back_for_a_moment(mosquitto: Mosquitto, prefix: str) -> None:
    """When the reason is gone before the connection is, the goodbye is taken back."""
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        witness.wait_status("online")
        publisher.hold("waiting for interface wlan0")
        left = witness.wait_status("stopped").at
        publisher.hold(None)
        publisher.refresh()
        witness.wait_status("online", after=left)


@pytest.mark.broker
def test_a_publisher_held_back_from_the_start(mosquitto: Mosquitto, prefix: str) -> None:
    """It connects only when it may."""
    publisher = Publisher(settings(mosquitto.port, prefix), session="abc")
    publisher.hold("waiting for interface wlan0")
    with recording(mosquitto.port, prefix) as witness, publisher:
        assert is_away(publisher)
        publisher.hold(None)
        witness.wait_status("online")


def is_away(publisher: Publisher) -> bool:
    """Hold it back once more, as every tick does, and return whether there is no connection at all."""
    publisher.hold("waiting for interface wlan0")
    return publisher._connection._connection is None


SLEEP_SECONDS = 2.0
"""The most that a host may be kept from its sleep, and that it may take to come back."""


@pytest.mark.broker
def test_a_host_that_sleeps_says_so_and_leaves(mosquitto: Mosquitto, prefix: str) -> None:
    """Before `suspend` returns the broker has it, retained, and the end of the connection without a will."""
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        for _ in range(2):  # some login managers say it twice
            publisher.suspend()
        assert publisher._connection._connection is None
        with recording(mosquitto.port, prefix) as later:
            asleep = later.wait_status("suspended")
            assert (asleep.payload["session"], asleep.retained) == ("abc", True)
        publisher.publish_tick(tick(prefix, 1))
        woken = time.monotonic()
        for _ in range(2):
            publisher.resume()
        back = witness.wait_status("online", after=woken)
        assert back.at - woken < SLEEP_SECONDS
        wait_for(lambda: publisher.connected, "connection of the agent")
        publisher.publish_tick(tick(prefix, 2))  # those who read are there: it waits for nobody
        wait_for(lambda: delivered(witness) == [1, 2], "what was kept")
        assert [one.payload["state"] for one in witness.of("status")] == ["online", "suspended", "online"]


@pytest.mark.broker
def test_a_sleep_waits_for_no_broker_that_says_nothing(own_mosquitto: Mosquitto, prefix: str) -> None:
    """A broker that stands still, or is not there, keeps no host awake, and is tried at once on waking."""
    with publishing(own_mosquitto.port, prefix) as publisher:
        for away, back in (
            (own_mosquitto.freeze, own_mosquitto.thaw),
            (own_mosquitto.kill, own_mosquitto.start),
        ):
            away()
            began = time.monotonic()
            publisher.suspend()
            assert time.monotonic() - began < SLEEP_SECONDS + 0.5
            wait_for(
                lambda: publisher._connection._connection is None, "end of the connection", SLEEP_SECONDS
            )
            back()
            publisher.resume()
            wait_for(lambda: publisher.connected, "connection of the agent", SLEEP_SECONDS)


@pytest.mark.broker
def test_a_sleep_that_ends_while_the_interface_is_away(mosquitto: Mosquitto, prefix: str) -> None:
    """Whoever waits for two things connects when both are there, whichever came first."""
    reason = "waiting for interface wlan0"
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        publisher.suspend()
        publisher.hold(reason)
        publisher.resume()
        assert is_away(publisher)
        publisher.suspend()
        publisher.hold(None)
        assert (publisher.connected, publisher.doing) == (False, "waiting for this host to sleep and wake")
        woken = time.monotonic()
        publisher.resume()
        witness.wait_status("online", after=woken)
        assert {one.payload["state"] for one in witness.of("status")} == {"online", "suspended"}


@pytest.mark.broker
def test_nothing_is_said_over_a_sleep(mosquitto: Mosquitto, prefix: str) -> None:
    """A host that is about to sleep neither repeats that it is online nor answers who says otherwise."""
    topic = f"{prefix}/web-1/status"
    with recording(mosquitto.port, prefix) as witness, publishing(mosquitto.port, prefix) as publisher:
        witness.wait_status("online")
        publisher._suspended = True  # as in the moment before the connection is left
        publisher._status_due = 0.0
        publisher.refresh()
        assert not publisher._say_online()  # as by a tick that was on its way
        publisher._hear(topic, b'{"state":"lost","session":"abc","time":1}', retained=False)
        publisher._suspended = False
        publisher.announce(f"{prefix}/web-1/info", INFO)
        witness.wait("info")
        assert len(witness.of("status")) == 1
        publisher.refresh()
        wait_for(lambda: len(witness.of("status")) == 2, "what was due")


@pytest.mark.broker
def test_a_sleep_is_told_of_until_it_is_over(mosquitto: Mosquitto, prefix: str) -> None:
    """Ticks before, in and after it know that the connection is a new one already."""
    with publishing(mosquitto.port, prefix) as publisher:
        assert not publisher.was_suspended()
        publisher.suspend()
        assert [publisher.was_suspended() for _ in range(2)] == [True, True]
        publisher.resume()
        assert [publisher.was_suspended() for _ in range(2)] == [True, False]


@pytest.mark.broker
def test_a_user_who_may_not_write_is_told(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By MQTT 3.1.1 a broker drops what it forbids without a word; the log says that nothing comes back."""
    monkeypatch.setattr(version_fallback, "FIRST_VERSION", MQTTProtocolVersion.MQTTv311)
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    rules.chmod(0o600)
    broker = Mosquitto(tmp_path, "user root", f"acl_file {rules}").start()
    now = [1000.0]
    try:
        with Publisher(settings(broker.port, prefix), session="abc", clock=lambda: now[0]) as publisher:
            wait_for(lambda: publisher.connected, "connection of the agent")
            for _ in range(3):
                now[0] += 20
                publisher.refresh()
    finally:
        broker.kill()
    [line] = [record.message for record in caplog.records if "does not come back" in record.message]
    assert f"{prefix}/web-1/status" in line
