import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.recording import Recording, recording
from fleetglass.cli.simulator.connection import SimulatorConnection
from fleetglass.cli.simulator.host_publisher import SyntheticPublisher
from fleetglass.cli.simulator.synthetic_host import make_host
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.connection_log import ConnectionLog
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import Topics
from support.mosquitto import Mosquitto
from support.replaceable_tls import ReplaceableTls


class Driven:
    """A connection, and the selector that it is driven by."""

    def __init__(self, access: BrokerAccess, prefix: str) -> None:
        self.selector = selectors.DefaultSelector()
        host = make_host(1, cores=1, now=time.time(), seed=0)
        publisher = SyntheticPublisher(host, 0, Topics(prefix), 1.0, "0")
        self.connection = SimulatorConnection([publisher], access, self.selector, ConnectionLog())

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Let it work until that is so."""
        deadline = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < deadline, f"not within 40 s: {what}"
            self.connection.look_after(time.monotonic())
            self.connection.want()
            for key, events in self.selector.select(0.05):
                key.data.turn(events)


@pytest.mark.broker
def test_simulated_hosts_send_what_fits(tmp_path: Path, prefix: str) -> None:
    """A broker that takes small packets only gets all kinds of messages on one connection."""
    broker = Mosquitto(tmp_path, "max_packet_size 700").start()
    driven = Driven(BrokerAccess(url=BrokerURL("127.0.0.1", broker.port)), prefix)
    try:
        with recording(broker.port, f"{prefix}/sim-0001") as witness:
            driven.until(lambda: driven.connection.connected, "connection")
            host = driven.connection._publishers[0]
            ticks = itertools.count(1)
            driven.until(lambda: driven.connection.publish(host, next(ticks)) and heard(witness), "messages")
            driven.until(
                lambda: any(one.topic.endswith("/info") for one in witness.messages), "the inventory"
            )
            assert driven.connection.connected
    finally:
        broker.kill()


def heard(witness: Recording) -> bool:
    """Return whether groups, also those with many entries, have come."""
    return {"cpu", "process", "disk"} <= {one.topic.rpartition("/")[2] for one in witness.messages}


@contextmanager
def answering(answer: bytes | None) -> Iterator[tuple[BrokerURL, list[bytes]]]:
    """Answer every CONNECT so, and close; None is to say nothing. Gives what came."""
    connects: list[bytes] = []
    peers: list[socket.socket] = []

    def answer_all() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            connects.append(peer.recv(1000))
            peers.append(peer)
            if answer is not None:
                peer.sendall(answer)
                peer.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_all, name="broker")
        thread.start()
        yield BrokerURL("127.0.0.1", server.getsockname()[1]), connects
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for peer in peers:
        peer.close()


@pytest.mark.parametrize("answer", [b"", None, b"\x20\x03\x00\x84\x00", b"\x20\x02\x00\x01"])
def test_a_broker_without_mqtt_5_is_asked_by_3(prefix: str, answer: bytes | None) -> None:
    """Closed without a word, silent, or refused in either form: the next CONNECT is of version 3.1.1."""
    with answering(answer) as (url, connects):
        driven = Driven(BrokerAccess(url=url), prefix)
        driven.until(lambda: len(connects) >= 2, "a second attempt")
        driven.connection.close()
    assert [connect[connect.index(b"MQTT") + 4] for connect in connects[:2]] == [5, 4]


def test_a_broker_that_refuses_is_told_once_and_tried_less_and_less(
    prefix: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of every other part; and a broker that keeps refusing is left alone for longer."""
    monkeypatch.setattr("random.random", lambda: 0.0)
    times: list[float] = []
    with answering(b"\x20\x03\x00\x86\x00") as (url, connects):
        driven = Driven(BrokerAccess(url=url), prefix)
        for number in range(1, 4):
            driven.until(lambda number=number: len(connects) == number, "the next attempt")  # type: ignore[misc]
            times.append(time.monotonic())
    assert times[2] - times[1] > 1.5 * (times[1] - times[0])
    assert caplog.messages == [f"broker {url} refuses this client: wrong user name or password; trying again"]


@pytest.mark.broker
def test_a_wrong_authority_can_be_put_right(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was wrong at the start, or cannot be read for a while, is named, and the right one is used."""
    tls = ReplaceableTls(tmp_path)
    tls.use(0)
    tls.trust(1)
    tls.broker.start()
    try:
        driven = Driven(tls.access, prefix)
        driven.until(lambda: "certificate verify failed" in caplog.text, "the refusal")
        tls.ca_file.write_text("half of a file")
        driven.until(lambda: "expected certificates in PEM" in caplog.text, "the file that cannot be used")
        tls.trust(0)
        driven.until(lambda: driven.connection.connected, "the connection")
    finally:
        tls.broker.kill()


@pytest.mark.broker
def test_a_replaced_file_leads_to_a_new_connection(
    tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of an old certificate does not stay after it was replaced."""
    monkeypatch.setattr("fleetglass.mqtt.tls.REPLACED_SECONDS", 0.1)
    tls = ReplaceableTls(tmp_path)
    tls.use(0)
    tls.trust(0)
    tls.broker.start()
    try:
        driven = Driven(tls.access, prefix)
        driven.until(lambda: driven.connection.connected, "the connection")
        first = driven.connection._connection
        (tls.ca_file.parent / "again").write_bytes(tls.ca_file.read_bytes())
        (tls.ca_file.parent / "again").rename(tls.ca_file)
        driven.until(
            lambda: driven.connection.connected and driven.connection._connection is not first, "another one"
        )
        driven.connection.close()
    finally:
        tls.broker.kill()
