import socket
from collections.abc import Iterator

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.mqtt.bulk_socket import BulkSocket
from fleetglass.mqtt.paho_client import paho_client

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def connect_packet(server: socket.socket, version: MQTTProtocolVersion, **access: str) -> bytes:
    """Return what a client that connects sends at first."""
    port = server.getsockname()[1]
    user = access.pop("user", None)
    client = paho_client(
        BrokerAccess(url=BrokerURL("127.0.0.1", port, user=user), password=access.get("password")),
        client_id="test",
        version=version,
        default_user=access.get("default_user"),
    )
    client.connect("127.0.0.1", port)
    client.loop_write()
    connection, _ = server.accept()
    with connection:
        packet = connection.recv(1000)
        sock = client.socket()
        assert isinstance(sock, BulkSocket)
        sock.close()
    return packet


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
    packet = connect_packet(server, version, **access)
    assert (packet[8], packet[9]) == (version.value, flags)
    assert packet.endswith(tail)
