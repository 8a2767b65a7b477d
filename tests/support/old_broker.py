"""A broker that speaks no MQTT 5, and does with large messages what old brokers do."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

_CONNECT, _PUBLISH = 0x10, 0x30
_UNSUPPORTED_VERSION = b"\x20\x02\x00\x01"

Habit = Literal["close", "drop"]


class OldBroker:
    """Passes on to a broker what speaks MQTT 3.1.1, but no packet above a limit.

    `close` ends the connection on a larger one; `drop` drops it without a word, and acknowledges it where
    that is asked for.
    """

    def __init__(self, target_port: int, most_bytes: int, habit: Habit) -> None:
        self.most_bytes = most_bytes
        self.refused = 0
        """Packets that were too large."""
        self._target_port = target_port
        self._habit = habit
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """The address as `--broker` takes it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection, as a network may."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target_port)) as server:
            self._open |= {client, server}
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            with client.makefile("rb") as stream:
                while len(head := stream.read(1)) == 1:
                    packet, body = _packet(head, stream.read)
                    kind = head[0] & 0xF0
                    if kind == _CONNECT and body[6] != 4:
                        client.sendall(_UNSUPPORTED_VERSION)
                        break
                    if kind == _PUBLISH and len(packet) > self.most_bytes:
                        self.refused += 1
                        if self._habit == "close":
                            break
                        if head[0] & 0x06:
                            client.sendall(b"\x40\x02" + body[2 + int.from_bytes(body[:2]) :][:2])
                        continue
                    server.sendall(packet)
            client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_RDWR)
            self._open -= {client, server}

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while chunk := server.recv(65_536):
                client.sendall(chunk)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _packet(head: bytes, read: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    length, shift, packet = 0, 0, head
    while True:
        more = read(1)
        packet += more
        length |= (more[0] & 0x7F) << shift
        if not more[0] & 0x80:
            break
        shift += 7
    body = read(length)
    return packet + body, body
