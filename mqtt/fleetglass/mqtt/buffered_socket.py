"""The socket that paho reads from, with a buffer: one system call takes in many packets.

paho asks the system for one byte, another byte, and then the rest of each packet. It has no buffer of its
own, but it takes an SSL context, and lets that wrap each socket that it has connected. `SocketContext` stands
in for one, with TLS or without.
"""

import contextlib
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.tls import tls_context

if TYPE_CHECKING:
    import ssl

READ_BYTES = 64 * 1024
"""A larger read has the C library map and unmap memory every time, which costs more than the read."""


class BufferedSocket:
    """A connected socket with a buffer for what was read; it has the methods that paho and aiomqtt call.

    Args:
        connected: the socket, which this one owns: a plain one, or one of TLS.
    """

    def __init__(self, connected: "socket.socket | ssl.SSLSocket") -> None:
        self.failure: OSError | None = None
        """What ended the connection, when it was not this side."""
        self.linger_seconds = 0.0
        """How long to wait, when closing, until the other side has closed, too."""
        self._socket = connected
        self._unread = b""
        self._at = 0
        self._later: tuple[type[OSError], ...] = (BlockingIOError,)
        self._decrypted: Callable[[], int] = _nothing
        if hasattr(connected, "pending"):
            import ssl  # noqa: PLC0415 - 4 MiB that a plain connection does not need

            self._later = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
            self._decrypted = connected.pending

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes; none when the other side has closed the connection.

        Raises:
            BlockingIOError: nothing has come yet.
            OSError: the connection broke.
        """
        if self._at == len(self._unread):
            self._unread, self._at = self._read(), 0
        at = self._at
        data = self._unread[at : at + size]
        self._at = at + len(data)
        return data

    def send(self, data: bytes | bytearray) -> int:
        """Send what the system takes, and return how much that was.

        Raises:
            BlockingIOError: the system takes nothing now.
            OSError: the connection broke.
        """
        try:
            return self._socket.send(data)
        except self._later:
            raise BlockingIOError from None
        except OSError as error:
            self.failure = self.failure or error
            raise

    def pending(self) -> int:
        """Return how many bytes can be read without asking the system."""
        return len(self._unread) - self._at + self._decrypted()

    def do_handshake(self) -> None:
        """Greet the other side, where it speaks TLS."""
        if self._decrypted is _nothing:
            return
        try:
            self._socket.do_handshake()  # type: ignore[union-attr] # one of TLS
        except BaseException:
            self._socket.close()  # paho would leave it to the garbage collector
            raise

    def settimeout(self, seconds: float | None) -> None:
        """Wait for the other side for at most so long."""
        self._socket.settimeout(seconds)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 -- as paho calls it
        """Wait for the other side, or never."""
        self._socket.setblocking(flag)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def break_off(self) -> None:
        """End the connection without another word; may be called on any thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # that of TLS is for the thread that reads

    def close(self) -> None:
        """Close the socket.

        While something is unread that would reset the connection, and the other side might not read what it
        was sent last. Lingering throws away what comes until the other side has read it and closes.
        """
        with contextlib.suppress(OSError):
            if self.linger_seconds:
                self._socket.shutdown(socket.SHUT_WR)
                until = time.monotonic() + self.linger_seconds
                while (left := until - time.monotonic()) > 0:
                    self._socket.settimeout(left)
                    if not self._socket.recv(READ_BYTES):
                        break
        self._socket.close()

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(READ_BYTES)
        except self._later:
            raise BlockingIOError from None
        except OSError as error:
            self.failure = self.failure or error
            raise
        if not data:
            self.failure = self.failure or ConnectionError("closed by the other side")
        return data


class SocketContext:
    """Wraps the sockets that paho connects; paho and aiomqtt take it for an `ssl.SSLContext`.

    The files for TLS are read for each connection, so that those that were replaced are used.

    Args:
        access: says whether to use TLS, and with which files.
        wrap: makes the socket that paho reads from.
    """

    check_hostname = True
    """paho need not check the broker's name: the context of TLS does."""

    def __init__(
        self,
        access: BrokerAccess,
        wrap: Callable[["socket.socket | ssl.SSLSocket"], BufferedSocket] = BufferedSocket,
    ) -> None:
        self._access = access
        self._wrap = wrap

    def wrap_socket(
        self, sock: socket.socket, *, server_hostname: str | None = None, do_handshake_on_connect: bool
    ) -> BufferedSocket:
        """Return what paho reads from, over a connected socket.

        Raises:
            CertificateError: a file for TLS cannot be used.
        """
        if not self._access.url.tls:
            return self._wrap(sock)
        try:
            context = tls_context(self._access)
            secured = context.wrap_socket(
                sock,
                server_hostname=self._access.server_name or server_hostname,
                do_handshake_on_connect=do_handshake_on_connect,
            )
        except BaseException:
            sock.close()
            raise
        return self._wrap(secured)


def _nothing() -> int:
    return 0
