import contextlib
import selectors
import socket
import threading

import pytest

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.paho_connection import PahoConnection
from fleetglass.mqtt.socket_loop import Waker, serve
from fleetglass.mqtt.version_fallback import VersionFallback


def test_another_thread_ends_the_waiting() -> None:
    """Who waits is woken from elsewhere, once for any number of calls."""
    with Waker() as waker, selectors.DefaultSelector() as selector:
        selector.register(waker, selectors.EVENT_READ)
        assert not selector.select(0)
        for _ in range(3):
            thread = threading.Thread(target=waker.wake)
            thread.start()
            thread.join()
        assert selector.select(10)
        waker.rest()
        assert not selector.select(0)


def test_waking_never_blocks_and_never_fails() -> None:
    """Nobody who wakes waits for a thread that does not rest, or minds one that is not there."""
    waker = Waker()
    waker.wake()
    with waker:
        for _ in range(10_000):
            waker.wake()
    waker.wake()


@pytest.mark.parametrize("size", [20, 1000])
def test_writing_goes_on_while_more_comes_than_is_read(size: int) -> None:
    """However fast a broker sends, what waits to be written leaves, and whoever looks after it may look."""
    content = b"\x00\x01t\x00".ljust(size, b"x")
    message = bytes([0x30, size % 128 | 0x80, size // 128]) + content
    looks = 0
    got = b""

    def patience() -> float:
        nonlocal looks, got
        looks += 1
        with contextlib.suppress(BlockingIOError):
            got += peer.recv(1000, socket.MSG_DONTWAIT)
        return 0.0 if looks > 5 and b"hello" in got else 1.0

    def flood() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer.sendall(message * 1000)

    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = PahoConnection(
            BrokerAccess(url=BrokerURL("127.0.0.1", server.getsockname()[1])),
            client_id="test",
            versions=VersionFallback(),
            on_connected=lambda: connection.client.publish("t", b"hello"),
        )
        assert connection.connect()
        peer, _ = server.accept()
    peer.sendall(b"\x20\x03\x00\x00\x00")
    with peer, Waker() as waker:
        thread = threading.Thread(target=flood, name="flood")
        thread.start()
        serve(connection.client, waker, patience)
        peer.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert connection.end == "lost"
    connection.close()
