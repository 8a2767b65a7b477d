"""Asks Docker or Podman, read-only, over their unix socket (docs.docker.com/reference/api/engine)."""

import http.client
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from fleetglass.wire.errors import CollectionError

T = TypeVar("T")

ANSWER_SECONDS = 5.0  # a busy Docker takes more than 1 s to list its containers
MAX_ANSWER_BYTES = 4 * 1024 * 1024


class Engine:
    """One connection to the first of several sockets that answers.

    Every request is a GET, which the engine answers without changing anything.
    """

    def __init__(
        self,
        sockets: Sequence[Path],
        *,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect.

        Raises:
            CollectionError: no socket is there, or none lets us in.
        """
        self._answer_seconds = answer_seconds
        self._clock = clock
        self._connection = _connected(sockets, answer_seconds)
        self.path = Path(self._connection.host)

    def get(self, path: str, answer_type: type[T]) -> T:
        """Return what the engine answers.

        Raises:
            CollectionError: there is no answer in time, or none that can be read. The next request is
                made on a new connection.
            LookupError: the engine knows no such container (any more).
        """
        try:
            status, body = self._ask(path)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            late = isinstance(error, TimeoutError)
            got = f"no answer within {self._answer_seconds:g} s" if late else f"no answer: {error!r}"
            raise self._error(path, got) from error
        if status == http.client.NOT_FOUND:
            raise LookupError(path)
        if status != http.client.OK:
            raise self._error(path, f"status {status}, expected 200")
        try:
            return msgspec.json.decode(body, type=answer_type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._error(path, "an answer that cannot be read") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(self, path: str) -> tuple[int, bytes]:
        deadline = self._clock() + self._answer_seconds
        self._connection.request("GET", path, headers={"Host": "localhost"})
        response = self._connection.getresponse()
        body = bytearray()
        while chunk := response.read1(65536):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise ValueError(f"more than {MAX_ANSWER_BYTES} bytes")
            if self._clock() > deadline:
                raise TimeoutError
        response.close()  # without which the connection would wait for more of a body of known length
        return response.status, bytes(body)

    def _error(self, path: str, got: str) -> CollectionError:
        return CollectionError(f"{self.path}: got {got} (GET {path.partition('?')[0][:100]})")


class _Connection(http.client.HTTPConnection):
    """A connection whose host is the path of a unix socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def _connected(sockets: Sequence[Path], answer_seconds: float) -> _Connection:
    if not hasattr(socket, "AF_UNIX"):
        raise CollectionError("this system has no unix sockets")
    reasons = []
    for path in sockets:
        connection = _Connection(str(path), timeout=answer_seconds)
        try:
            connection.connect()
        except FileNotFoundError:
            connection.close()
        except PermissionError:
            connection.close()
            reasons.append(
                f"{path}: got permission denied, expected a socket that the agent's user may use"
                " (a member of its group; for Docker this amounts to root)"
            )
        except OSError:
            connection.close()
            reasons.append(f"{path}: nobody answers")
        else:
            return connection
    expected = ", ".join(map(str, sockets))
    raise CollectionError(
        reasons[0] if reasons else f"no socket of Docker or Podman found (looked for {expected})"
    )
