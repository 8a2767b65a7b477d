"""Ends another thread's waiting for a socket."""

import contextlib
import socket


class Waker:
    """Something to wait for beside a socket: readable from `wake` until `rest`."""

    def __init__(self) -> None:
        self._far, self._near = socket.socketpair()
        self._far.setblocking(False)
        self._near.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor to wait for, as `selectors` asks for it."""
        return self._near.fileno()

    def wake(self) -> None:
        """End the waiting, from any thread; nothing happens once closed."""
        with contextlib.suppress(OSError):  # closed; or it was woken so often that no more is taken
            self._far.send(b"\0")

    def rest(self) -> None:
        """Take note; to be called by the thread that waits."""
        with contextlib.suppress(BlockingIOError):
            self._near.recv(4096)

    def close(self) -> None:
        """Close; to be called by the thread that waits, when it will no more."""
        self._far.close()
        self._near.close()
