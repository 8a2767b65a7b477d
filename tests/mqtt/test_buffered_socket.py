import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import aiomqtt
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.buffered_socket import READ_BYTES, BufferedSocket, SocketContext
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import CertificateError
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.waiting import wait_for, wait_until

PINNED = {"settimeout", "do_handshake", "setblocking", "fileno", "recv", "send", "pending", "close"}


class Watched:
    """Stands before an object, and keeps the names of what is asked of it."""

    def __init__(self, watched: object, asked: set[str]) -> None:
        self._watched = watched
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        self._asked.add(name)
        return getattr(self._watched, name)


class Asked:
    """What paho asks of a context, and of the sockets that this makes."""

    def __init__(self, access: BrokerAccess) -> None:
        self.of_context: set[str] = set()
        self.of_socket: set[str] = set()
        context = SocketContext(access, lambda connected: self._watch(BufferedSocket(connected)))
        self.context = cast("ssl.SSLContext", Watched(context, self.of_context))

    def _watch(self, connected: BufferedSocket) -> BufferedSocket:
        return cast("BufferedSocket", Watched(connected, self.of_socket))


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    bulk = BufferedSocket(near)
    with far:
        yield bulk, far
        bulk.close()


def test_one_read_serves_many(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """What was read once is given out in any pieces, and the rest is pending."""
    bulk, far = pair
    with pytest.raises(BlockingIOError):
        bulk.recv(1)
    far.sendall(b"abcdef")
    assert bulk.recv(1) == b"a"
    far.sendall(b"gh")
    assert bulk.pending() == 5
    assert bulk.recv(100) == b"bcdef"
    assert bulk.pending() == 0
    assert bulk.recv(2) == b"gh"
    with pytest.raises(BlockingIOError):
        bulk.recv(1)
    assert bulk.failure is None


def test_the_end_is_told(pair: tuple[BufferedSocket, socket.socket]) -> None:
    """The end of the stream is given as any socket gives it, and kept as the reason."""
    bulk, far = pair
    far.close()
    assert bulk.recv(1) == b""
    assert str(bulk.failure) == "closed by the other side"


def test_a_goodbye_arrives_though_much_is_unread() -> None:
    """Closing with unread data resets a connection of TCP; lingering lets the other side read first."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        bulk = BufferedSocket(socket.create_connection(server.getsockname()))
        far, _ = server.accept()
        read: list[bytes] = []

        def flood_and_read() -> None:
            with far, contextlib.suppress(OSError):
                far.sendall(bytes(4 * READ_BYTES))
                while data := far.recv(100):
                    read.append(data)
                far.sendall(bytes(READ_BYTES))

        thread = threading.Thread(target=flood_and_read)
        thread.start()
        bulk.recv(1)
        bulk.send(b"goodbye")
        bulk.linger_seconds = 10
        bulk.close()
        thread.join(10)
    assert read == [b"goodbye"]


@pytest.mark.broker
@pytest.mark.parametrize("is_secured", [False, True])
def test_what_paho_asks_of_it(tmp_path: Path, prefix: str, *, is_secured: bool) -> None:
    """Another version of paho that asks for more fails here, and not at a user's."""
    with serving(tmp_path, is_secured=is_secured) as access:
        asked = Asked(access)
        client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.tls_set_context(asked.context)
        got: list[bytes] = []
        client.on_message = lambda *arguments: got.append(arguments[2].payload)
        client.connect(access.url.host, access.url.port)
        client.loop_start()
        wait_for(client.is_connected, "the connection")
        client.subscribe(prefix)
        client.publish(prefix, bytes(300_000), qos=1)
        wait_for(lambda: got, "the message")
        client.disconnect()
        client.loop_stop()
    assert got == [bytes(300_000)]
    assert asked.of_context == {"check_hostname", "wrap_socket"}
    assert asked.of_socket == PINNED


@pytest.mark.broker
async def test_what_aiomqtt_asks_of_it(tmp_path: Path, prefix: str) -> None:
    """Another version of aiomqtt that asks for more fails here, and not at a user's."""
    with serving(tmp_path, is_secured=False) as access:
        asked = Asked(access)
        async with aiomqtt.Client(access.url.host, access.url.port, tls_context=asked.context) as client:
            await client.subscribe(prefix)
            await client.publish(prefix, b"x", qos=1)
            await anext(client.messages)
        await wait_until(lambda: "close" in asked.of_socket, "the end")
    assert asked.of_context == {"check_hostname", "wrap_socket"}
    assert asked.of_socket == PINNED


def test_a_file_that_cannot_be_used_is_told_by_its_name(tmp_path: Path) -> None:
    """Files are read for each connection, and the socket of one that fails for them is closed."""
    url = BrokerURL("127.0.0.1", 1, tls=True)
    context = SocketContext(BrokerAccess(url=url, ca_file=str(tmp_path / "ca.pem")))
    near, far = socket.socketpair()
    with far, pytest.raises(CertificateError, match=r"ca_file: got .*ca\.pem"):
        context.wrap_socket(near, do_handshake_on_connect=False)
    assert near.fileno() == -1


@contextlib.contextmanager
def serving(folder: Path, *, is_secured: bool) -> Iterator[BrokerAccess]:
    """Run a broker, and give access to it."""
    broker = Mosquitto(folder)
    url = BrokerURL("127.0.0.1", broker.port, tls=is_secured)
    access = BrokerAccess(url=url)
    if is_secured:
        authority = Authority(folder)
        broker.use_tls(authority)
        access = BrokerAccess(url=url, ca_file=str(authority.own.certificate))
    broker.start()
    try:
        yield access
    finally:
        broker.kill()
