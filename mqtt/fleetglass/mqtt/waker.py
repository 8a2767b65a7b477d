"""Ends another thread's waiting for a socket."""

import contextlib
import socket
from typing import Self


class Waker:
    """Something to wait for beside a socket: readable from `wake` until `rest`.

    Entered by the thread that waits, for as long as it does.
    """

    def __init__(self) -> None:
        self._ends: tuple[socket.socket, socket.socket] | None = None

    def __enter__(self) -> Self:
        self._ends = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)
        return self

    def __exit__(self, *_: object) -> None:
        ends, self._ends = self._ends, None
        for end in ends or ():
            end.close()

    def fileno(self) -> int:
        """Return the descriptor to wait for, as `selectors` asks for it; only while entered."""
        assert self._ends is not None  # noqa: S101 -- as said
        return self._ends[1].fileno()

    def wake(self) -> None:
        """End the waiting, from any thread; nothing happens when nobody waits."""
        if (ends := self._ends) is not None:
            with contextlib.suppress(OSError):  # just closed; or woken so often that no more is taken
                ends[0].send(b"\0")

    def rest(self) -> None:
        """Take note; to be called by the thread that waits."""
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                self._ends[1].recv(4096)
