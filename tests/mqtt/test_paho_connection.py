import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import Message
from fleetglass.mqtt.paho_connection import MAX_PACKET_BYTES, PahoConnection
from fleetglass.mqtt.socket_loop import Waker, serve
from fleetglass.mqtt.version_fallback import VersionFallback

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def versions_at(version: MQTTProtocolVersion) -> VersionFallback:
    versions = VersionFallback()
    versions.version = version
    return versions


@contextmanager
def meeting(
    server: socket.socket, version: MQTTProtocolVersion = V5, answer: bytes = b"", **more: Any
) -> Iterator[tuple[PahoConnection, socket.socket, bytes]]:
    """Let a connection meet a broker that answers so; give it, the broker's end, and its CONNECT."""
    url = BrokerURL("127.0.0.1", server.getsockname()[1], user=more.pop("user", None))
    access = BrokerAccess(url=url, password=more.pop("password", None))
    connection = PahoConnection(access, client_id="test", versions=versions_at(version), **more)
    assert connection.connect()
    try:
        connection.client.loop_write()
        peer, _ = server.accept()
        with peer:
            packet = peer.recv(1000)
            peer.sendall(answer)
            with Waker() as waker:
                serve(connection.client, waker, lambda: 5 if connection.end == "unanswered" and answer else 0)
            yield connection, peer, packet
    finally:
        connection.close()


def sent_by(connection: PahoConnection, peer: socket.socket) -> bytes:
    """Let a connection write all that it may, and leave; return what came of it."""
    while connection.client.want_write():
        connection.client.loop_write()
    connection.close()
    return b"".join(iter(lambda: peer.recv(1000), b""))


@pytest.mark.parametrize("version", [V5, V311])
@pytest.mark.parametrize(
    ("access", "flags", "tail"),
    [
        ({}, 0x02, b"\x00\x04test"),
        ({"password": "p"}, 0x02, b"\x00\x04test"),
        ({"user": "u"}, 0x82, b"\x00\x01u"),
        ({"user": "u", "password": "p", "default_user": "d"}, 0xC2, b"\x00\x01u\x00\x01p"),
        ({"password": "p", "default_user": "d"}, 0xC2, b"\x00\x01d\x00\x01p"),
    ],
)
def test_a_client_shows_its_credentials(
    server: socket.socket, version: MQTTProtocolVersion, access: dict[str, str], flags: int, tail: bytes
) -> None:
    """By either version: user and password, the user alone, or nothing; never a password alone."""
    with meeting(server, version, b"", **access) as (_, _, packet):
        pass
    assert (packet[8], packet[9]) == (version.value, flags)
    assert packet.endswith(tail)


def test_a_broker_with_mqtt_5_is_told_the_largest_packet(server: socket.socket) -> None:
    """Whoever writes where we read cannot fill this machine's memory; MQTT 3.1.1 has no word for that."""
    told = b"\x27" + MAX_PACKET_BYTES.to_bytes(4, "big")
    with meeting(server) as (_, _, packet):
        assert told in packet
    with meeting(server, V311) as (_, _, packet):
        assert told not in packet


def test_what_a_broker_takes_is_known(server: socket.socket) -> None:
    """It says how large a packet may be, and of how many messages it will not acknowledge the first yet."""
    answer = b"\x20\x0b\x00\x00\x08\x27\x00\x00\x10\x00\x21\x00\x03"
    with meeting(server, answer=answer) as (connection, peer, _):
        assert connection.connected
        assert connection.max_packet_bytes == 4096
        for number in range(10):
            connection.publish(Message("t", b"%d" % number, qos=1))
        assert sent_by(connection, peer).count(b"\x00\x01t") == 3


@pytest.mark.parametrize(("version", "has_expiry"), [(V5, True), (V311, False)])
def test_what_is_retained_expires(
    server: socket.socket, version: MQTTProtocolVersion, *, has_expiry: bool
) -> None:
    """By MQTT 5 a broker forgets what a host that never came back left behind, its will included."""
    will = Message("will", b"lost", qos=1, retain=True)
    answer = b"\x20\x03\x00\x00\x00" if version is V5 else b"\x20\x02\x00\x00"
    week = b"\x02" + (7 * 86_400).to_bytes(4, "big")
    with meeting(server, version, answer, will=will) as (connection, peer, packet):
        assert (week in packet) is has_expiry
        connection.publish(Message("t", b"x", retain=True))
        connection.publish(Message("u", b"y"))
        assert sent_by(connection, peer).count(week) == has_expiry
