import contextlib
import logging
import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.backoff import Backoff
from fleetglass.mqtt.buffered_socket import BufferedSocket
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import Message, has_left
from fleetglass.mqtt.socket_loop import serve
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire.errors import CertificateError
from support.certificates import Authority, Certificate
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for


class Calls:
    """What a connection told its owner."""

    def __init__(self) -> None:
        self.connected = 0
        self.messages: list[tuple[str, bytes, bool]] = []

    def note_message(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 -- as it comes
        """Keep, and fail on one kind."""
        if payload == b"fail":
            raise ZeroDivisionError
        self.messages.append((topic, payload, retained))


def make_connection(calls: Calls, port: int, prefix: str, password: str | None = None) -> ThreadedConnection:
    def note_connected() -> None:
        calls.connected += 1
        connection.subscribe([f"{prefix}/in"])

    connection = ThreadedConnection(
        BrokerAccess(url=BrokerURL("127.0.0.1", port), password=password),
        client_id=f"test-{prefix}",
        default_user="web-1",
        will=lambda: Message(f"{prefix}/will", b"lost", qos=1, retain=True),
        on_connected=note_connected,
        on_message=calls.note_message,
    )
    return connection


def own_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name.startswith("fleetglass")]


@contextmanager
def listener(answer: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """Accept connections as a broker that answers every CONNECT so and closes; None is to do nothing."""
    connects: list[bytes] = []
    silent: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                if answer is None:
                    connects.append(peer.recv(1000))
                    silent.append(peer)
                    continue
                with peer, contextlib.suppress(OSError):
                    connects.append(peer.recv(1000))
                    peer.sendall(answer)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(1000):  # to close while something is unread would be a reset
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], connects
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for peer in silent:
        peer.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closes"),
        pytest.param(None, id="says-nothing"),
        pytest.param(b"\x20\x03\x00\x84\x00", id="refuses-as-5"),
        pytest.param(b"\x20\x02\x00\x01", id="refuses-as-3"),
    ],
)
def test_a_broker_without_mqtt_5_is_asked_by_3(prefix: str, answer: bytes | None) -> None:
    """Silent, closed without a word or refused in either form: the next CONNECT is of version 3.1.1."""
    with listener(answer) as (port, connects), make_connection(Calls(), port, prefix):
        wait_for(lambda: len(connects) >= 2, "a second attempt")
    versions = [connect[connect.index(b"MQTT") + 4] for connect in connects]
    assert versions[:2] == [5, 4]


@pytest.mark.broker
def test_mqtt_5_is_used_where_offered(mosquitto: Mosquitto, prefix: str) -> None:
    """Where a broker speaks it, it is what is spoken, and messages come back as sent."""
    calls = Calls()
    with make_connection(calls, mosquitto.port, prefix) as connection:
        wait_for(lambda: connection.connected, "connection")
        connection.send([Message(f"{prefix}/in", b"hello", qos=1, retain=True)])
        wait_for(lambda: calls.messages, "the message")
        assert calls.messages[0][:2] == (f"{prefix}/in", b"hello")
        assert connection.version is MQTTProtocolVersion.MQTTv5
        assert connection.number == calls.connected == 1


@pytest.mark.broker
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not number its sockets")
def test_the_number_of_open_files_does_not_matter(mosquitto: Mosquitto, prefix: str) -> None:
    """On a host of thousands of processes the socket has a descriptor that select(2) could not take."""
    import resource  # Windows has none

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2048:
        pytest.skip("needs 2048 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, 2048), most))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (allowed, most))
        while stack.enter_context(open(os.devnull, "rb")).fileno() < 1024:  # noqa: PTH123 - a thousand times
            pass
        connection = stack.enter_context(make_connection(Calls(), mosquitto.port, prefix))
        wait_for(lambda: connection.connected, "connection")
        connection.send([Message(f"{prefix}/x", b"x", qos=1)])[0].wait_for_publish(PATIENCE_SECONDS)


def test_a_broker_that_is_not_there_is_named_once(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log names address and reason once, however often the connection is tried."""
    caplog.set_level(logging.INFO)
    port = free_port()
    with make_connection(Calls(), port, prefix) as connection:
        tried: list[bool] = []
        make = connection._make_connection
        connection._make_connection = lambda: (tried.append(True), make())[1]  # type: ignore[method-assign, func-returns-value]
        wait_for(lambda: len(tried) >= 3, "three attempts")
    (line,) = own_lines(caplog)
    assert f"mqtt://127.0.0.1:{port} cannot be reached: " in line
    assert "refused" in line


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["closes", "no-broker"])
def test_what_is_no_broker_is_named_once(
    prefix: str, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A port at which no broker of this kind answers, as one that wants TLS, gives one clear line."""
    caplog.set_level(logging.INFO)
    with listener(answer) as (port, connects), make_connection(Calls(), port, prefix):
        wait_for(lambda: len(connects) >= 5, "five attempts")
    (line,) = own_lines(caplog)
    assert line.startswith(f"broker mqtt://127.0.0.1:{port}: no answer such as a broker gives; trying again")


def test_a_connection_that_never_lasts_is_named_once(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """A broker that lets the agent in and ends the connection at once does not fill the log."""
    caplog.set_level(logging.INFO)
    with listener(b"\x20\x03\x00\x00\x00") as (port, connects), make_connection(Calls(), port, prefix):
        wait_for(lambda: len(connects) >= 4, "four attempts")
    *_, last = lines = own_lines(caplog)
    assert len(lines) == 4
    assert last.endswith("connection lost again at once (closed by the other side); see the broker's log")


@pytest.mark.broker
def test_a_message_that_is_too_large_is_not_taken(mosquitto: Mosquitto, prefix: str) -> None:
    """Who may write where the agent reads cannot fill its memory: the broker keeps large messages from it."""
    calls = Calls()
    with make_connection(calls, mosquitto.port, prefix) as connection:
        wait_for(lambda: connection.connected, "connection")
        for payload in (b"x" * 200_000, b"small"):
            connection.send([Message(f"{prefix}/in", payload, qos=1)])
        wait_for(lambda: calls.messages, "the small message")
    assert [payload for _, payload, _ in calls.messages] == [b"small"]


@pytest.mark.broker
def test_the_next_node_of_a_cluster_is_tried(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A node that is away is named, and the next one serves."""
    caplog.set_level(logging.INFO)
    away = free_port()
    connection = make_connection(Calls(), away, prefix)
    connection._broker = BrokerAccess(
        url=BrokerURL("127.0.0.1", away), others=(BrokerURL("127.0.0.1", mosquitto.port),)
    )
    with connection:
        wait_for(lambda: connection.connected, "connection")
        assert connection.url.port == mosquitto.port
    first, second = own_lines(caplog)
    assert f"mqtt://127.0.0.1:{away} cannot be reached: " in first
    assert second == f"broker mqtt://127.0.0.1:{mosquitto.port}: connected"


@pytest.mark.broker
def test_a_broker_that_refuses_is_named(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that does not let the agent in gives one clear line."""
    broker = Mosquitto(tmp_path)
    broker._configuration.write_text(f"listener {broker.port} 127.0.0.1\nallow_anonymous false\n")
    broker.start()
    try:
        with make_connection(Calls(), broker.port, prefix, password="wrong") as connection:
            wait_for(lambda: caplog.records, "the refusal")
            assert not connection.connected
    finally:
        broker.kill()
    (line,) = own_lines(caplog)
    assert "refuses this client: not authorized" in line


@pytest.mark.broker
def test_a_topic_that_is_forbidden_is_named(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By MQTT 5 a broker says what its rules forbid; that gives one clear line."""
    broker = Mosquitto(tmp_path)
    rules = tmp_path / "acl"
    rules.write_text("topic write allowed/#\n")
    rules.chmod(0o600)
    broker._configuration.write_text(
        f"user root\nlistener {broker.port} 127.0.0.1\nallow_anonymous true\nacl_file {rules}\n"
    )
    broker.start()
    try:
        with make_connection(Calls(), broker.port, prefix) as connection:
            wait_for(lambda: connection.connected, "connection")
            for _ in range(3):
                connection.send([Message(f"{prefix}/out", b"x", qos=1)])
            wait_for(lambda: caplog.records, "the refusal")
            connection.send([Message("allowed/x", b"x", qos=1)])[0].wait_for_publish(PATIENCE_SECONDS)
    finally:
        broker.kill()
    (line,) = [line for line in own_lines(caplog) if "what is published" in line]
    assert "refuses what is published: not authorized" in line
    assert line.endswith("(are host id and user the same? fleetglass doctor says more)")


@pytest.mark.broker
def test_what_a_callback_raises_does_not_end_the_connection(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect in handling messages is logged once with its traceback, and the next message is handled."""
    calls = Calls()
    with make_connection(calls, mosquitto.port, prefix) as connection:
        wait_for(lambda: connection.connected, "connection")
        connection.send([Message(f"{prefix}/in", payload, qos=1) for payload in (b"fail", b"fail", b"good")])
        wait_for(lambda: calls.messages, "the next message")
    assert [payload for _, payload, _ in calls.messages] == [b"good"]
    lines = own_lines(caplog)
    assert sum("unexpected error while taking a message from the broker" in line for line in lines) == 1
    assert sum("Traceback" in line for line in lines) == 1


@pytest.mark.broker
def test_a_defect_in_the_thread_is_survived(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When serving a connection fails for whatever reason, another one is made."""
    connection = make_connection(Calls(), mosquitto.port, prefix)
    failures = iter([ZeroDivisionError()])

    def fail_once(*arguments: Any) -> None:
        for failure in failures:
            raise failure
        serve(*arguments)

    monkeypatch.setattr("fleetglass.mqtt.threaded_connection.serve", fail_once)
    with connection:
        wait_for(lambda: connection.connected, "connection")
    assert any("the connection failed" in line for line in own_lines(caplog))


@pytest.mark.broker
def test_it_can_be_renewed(mosquitto: Mosquitto, prefix: str) -> None:
    """On demand the connection is left cleanly and made anew."""
    calls = Calls()
    with make_connection(calls, mosquitto.port, prefix) as connection:
        wait_for(lambda: connection.connected, "connection")
        connection.renew()
        wait_for(lambda: connection.connected and connection.number == 2, "another connection")


@pytest.mark.broker
def test_it_can_be_left_and_comes_back_at_once(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When `leave` returns there is no connection, and no will; `resume` ends a wait between two attempts."""
    monkeypatch.setattr("fleetglass.mqtt.threaded_connection.Backoff", lambda _: Backoff(600, 1200))
    calls = Calls()
    with make_connection(calls, mosquitto.port, prefix) as connection:
        wait_for(lambda: connection.connected, "connection")
        connection.leave(PATIENCE_SECONDS)
        assert connection._connection is None
        connection.resume()
        wait_for(lambda: connection.connected and connection.number == 2, "another connection")
    with listener(b"") as (port, connects), make_connection(calls, port, prefix) as connection:
        wait_for(lambda: len(connects) == 2 and connection._left.is_set(), "an attempt by either version")
        connection.resume()
        wait_for(lambda: len(connects) > 2, "another attempt")


def test_a_file_that_is_missing_is_named() -> None:
    """An agent whose certificates cannot be read says so at once."""
    access = BrokerAccess(url=BrokerURL("127.0.0.1", 8883, tls=True), ca_file="/nowhere/ca.pem")
    with pytest.raises(CertificateError, match=r"/nowhere/ca\.pem"):
        ThreadedConnection(
            access,
            client_id="x",
            on_connected=lambda: None,
            on_message=lambda *_: None,
        )


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.broker
def test_certificates_are_checked_both_ways(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By TLS broker and agent know each other by their authority; a stranger's broker is named once."""
    authority = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")
    client = authority.issue("web-1")
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority, "require_certificate true")
    broker.start()
    try:
        with secured(broker.port, prefix, stranger.own.certificate, client) as connection:
            wait_for(lambda: caplog.records, "the refusal")
            assert not connection.connected
        [line] = own_lines(caplog)
        assert "certificate verify failed" in line
        with secured(broker.port, prefix, authority.own.certificate, client) as connection:
            wait_for(lambda: connection.connected, "connection")
            connection.send([Message(f"{prefix}/x", b"x", qos=1)])[0].wait_for_publish(PATIENCE_SECONDS)
    finally:
        broker.kill()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.broker
def test_a_wrong_authority_can_be_put_right(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was wrong from the start is named once, and the right one is used without a restart."""
    (tmp_path / "other").mkdir()
    authority, stranger = Authority(tmp_path), Authority(tmp_path / "other")
    client = authority.issue("web-1")
    ca_file = tmp_path / "trusted.crt"
    shutil.copy(stranger.own.certificate, ca_file)
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority)
    broker.start()
    try:
        with secured(broker.port, prefix, ca_file, client) as connection:
            wait_for(lambda: caplog.records, "the refusal")
            shutil.copy(authority.own.certificate, ca_file)
            wait_for(lambda: connection.connected, "connection")
    finally:
        broker.kill()
    assert len([line for line in own_lines(caplog) if "trying again" in line]) == 1


@pytest.mark.broker
def test_a_replaced_file_leads_to_a_new_connection(
    tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of an old certificate does not stay after it was replaced."""
    monkeypatch.setattr("fleetglass.mqtt.tls.REPLACED_SECONDS", 0.1)
    authority = Authority(tmp_path)
    client = authority.issue("web-1")
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority)
    broker.start()
    try:
        with secured(broker.port, prefix, authority.own.certificate, client) as connection:
            wait_for(lambda: connection.connected, "connection")
            os.utime(client.certificate, (99, 99))
            wait_for(lambda: connection.connected and connection.number == 2, "another connection")
    finally:
        broker.kill()


@pytest.mark.broker
def test_one_thread_alone_writes(mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending and subscribing leave the socket to the connection's thread: two would mix packets."""
    writers: set[str] = set()
    send = BufferedSocket.send

    def note(socket: BufferedSocket, data: bytes) -> int:
        writers.add(threading.current_thread().name)
        return send(socket, data)

    monkeypatch.setattr(BufferedSocket, "send", note)
    calls = Calls()
    with make_connection(calls, mosquitto.port, prefix) as connection:
        wait_for(lambda: connection.connected, "connection")
        connection.subscribe([f"{prefix}/more"])
        connection.send([Message(f"{prefix}/in", b"x", qos=1)])
        wait_for(lambda: calls.messages, "the message")
    assert writers == {"fleetglass-broker"}


@pytest.mark.broker
@pytest.mark.parametrize("qos", [0, 1])
def test_a_flood_on_one_topic_is_left(
    mosquitto: Mosquitto,
    prefix: str,
    caplog: pytest.LogCaptureFixture,
    qos: int,
) -> None:
    """The connection says goodbye, comes back without that topic, and asks for it again later."""
    caplog.set_level(logging.INFO)
    now = [1000.0]
    got: list[str] = []
    wills: list[bytes] = []

    def introduce() -> None:
        connection.subscribe([f"{prefix}/flooded", f"{prefix}/calm"])

    connection = ThreadedConnection(
        BrokerAccess(url=BrokerURL("127.0.0.1", mosquitto.port)),
        client_id=f"test-{prefix}",
        will=lambda: Message(f"{prefix}/will", b"lost", qos=1),
        on_connected=introduce,
        on_message=lambda topic, *_: got.append(topic),
        max_messages_per_second=100,
        clock=lambda: now[0],
    )
    attacker = ThreadedConnection(
        BrokerAccess(url=BrokerURL("127.0.0.1", mosquitto.port)),
        client_id=f"attacker-{prefix}",
        on_connected=lambda: attacker.subscribe([f"{prefix}/will"]),
        on_message=lambda _topic, payload, _retained: wills.append(payload),
    )
    with connection, attacker:
        wait_for(lambda: connection.connected and attacker.connected, "the connections")
        *_, last = attacker.send([Message(f"{prefix}/flooded", b"x" * 20, qos=qos)] * 5000)
        wait_for(lambda: connection.connected and connection.number == 2, "another connection")
        attacker.send([Message(f"{prefix}/calm", b"x", qos=1)])
        wait_for(lambda: f"{prefix}/calm" in got, "a message on the other topic")
        assert got.count(f"{prefix}/flooded") == 100
        connection.send([Message(f"{prefix}/pulse", b"x", qos=1)])[0].wait_for_publish(PATIENCE_SECONDS)

        connection.tell_of_silence(f"{prefix}/flooded")  # which is no wonder
        assert "does not come back" not in caplog.text
        wait_for(lambda: has_left(last), "the end of the flood")
        now[0] += 60

        def asked_again() -> bool:
            attacker.send([Message(f"{prefix}/flooded", b"x")])
            return got.count(f"{prefix}/flooded") > 100

        wait_for(asked_again, "a message after the pause")
        assert connection.number == 2
    assert wills == []
    [line] = [line for line in own_lines(caplog) if "flood" in line]
    assert line.endswith(
        f"a flood of messages on {prefix}/flooded; leaving it out for 60 s, or longer while it goes on"
    )


@pytest.mark.broker
def test_what_comes_while_away_can_be_kept(mosquitto: Mosquitto, prefix: str) -> None:
    """The broker keeps a session under the client's name, and gives what came meanwhile."""
    calls = Calls()

    def keeping(taken: Calls) -> ThreadedConnection:
        connection = ThreadedConnection(
            BrokerAccess(url=BrokerURL("127.0.0.1", mosquitto.port)),
            client_id=f"keeping-{prefix}",
            on_connected=lambda: connection.subscribe([f"{prefix}/in"]),
            on_message=taken.note_message,
            keeps_session=True,
        )
        return connection

    with make_connection(Calls(), mosquitto.port, prefix) as other:
        wait_for(lambda: other.connected, "connection")
        with keeping(Calls()) as first:
            wait_for(lambda: first.connected, "connection")
            other.send([Message(f"{prefix}/x", b"", qos=1)])[0].wait_for_publish(PATIENCE_SECONDS)
        other.send([Message(f"{prefix}/in", b"meanwhile", qos=1)])[0].wait_for_publish(PATIENCE_SECONDS)
        with keeping(calls):
            wait_for(lambda: calls.messages, "what came meanwhile")
    assert [payload for _, payload, _ in calls.messages] == [b"meanwhile"]


@pytest.mark.broker
def test_what_is_too_large_for_the_broker_is_left_out(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that takes small packets only is not left: what fits arrives, and the rest is named once."""
    broker = Mosquitto(tmp_path, "max_packet_size 3000").start()
    calls = Calls()
    try:
        with make_connection(calls, broker.port, prefix) as connection:
            wait_for(lambda: connection.connected, "connection")
            most = connection.max_payload_bytes(f"{prefix}/in")
            for size in (most, most + 1, 3000, 1):
                [sent] = connection.send([Message(f"{prefix}/in", bytes(size), qos=1, retain=True)])
                sent.wait_for_publish(PATIENCE_SECONDS)
                assert has_left(sent)
            wait_for(lambda: len(calls.messages) == 2, "what fits")
            assert connection.number == 1
    finally:
        broker.kill()
    assert [len(payload) for _, payload, _ in calls.messages] == [most, 1]
    assert 2900 < most < 3000
    [line] = [line for line in own_lines(caplog) if "leaving out larger messages" in line]
    assert f"accepts no packet above 3000 bytes: leaving out larger messages on {prefix}/in" in line


def secured(port: int, prefix: str, ca_file: Path, client: Certificate) -> ThreadedConnection:
    return ThreadedConnection(
        BrokerAccess(
            url=BrokerURL("127.0.0.1", port, tls=True),
            ca_file=str(ca_file),
            certificate_file=str(client.certificate),
            key_file=str(client.key),
        ),
        client_id=f"test-{prefix}",
        will=lambda: Message(f"{prefix}/will", b"lost"),
        on_connected=lambda: None,
        on_message=lambda *_: None,
    )
