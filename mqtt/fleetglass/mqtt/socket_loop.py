"""Reads and writes for paho, on the thread that calls; it would take a thread of its own otherwise."""

import contextlib
import selectors
import socket
from collections.abc import Callable
from typing import Self

from fleetglass.mqtt.lazy_paho import Client

_LOOK_SECONDS = 2.0
_MAX_PACKETS = 500
"""At once: a broker waits some seconds for a ping, and others wait for what we have to say."""


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


def serve(client: Client, waker: Waker, patience_seconds: Callable[[], float]) -> None:
    """Read and write until the connection is gone, or has no patience left; `waker` makes it look again."""
    sock = client.socket()
    if sock is None:
        return
    # Not select(2): it takes no descriptor above 1023, and every process listed may have one open.
    with selectors.DefaultSelector() as selector:
        selector.register(waker, selectors.EVENT_READ)
        selector.register(sock, selectors.EVENT_READ)
        while client.socket() is not None and (left := patience_seconds()) > 0:
            writing = selectors.EVENT_WRITE if client.want_write() else 0
            selector.modify(sock, selectors.EVENT_READ | writing)
            wait = 0.0 if _has_unread(sock) else min(left, _LOOK_SECONDS)
            ready = {key.fileobj: events for key, events in selector.select(wait)}
            if waker in ready:
                waker.rest()
            if ready.get(sock, 0) & selectors.EVENT_READ or _has_unread(sock):
                read(client)
            if ready.get(sock, 0) & selectors.EVENT_WRITE or client.want_write():
                client.loop_write()
            client.loop_misc()


def read(client: Client) -> bool:
    """Read what has come; return whether more waits, which the system does not see.

    To be called when the socket is readable. Even while more comes than is read, it returns soon.
    """
    for _ in range(_MAX_PACKETS):
        client.loop_read()
        if not _has_unread(client.socket()):
            return False
    return True


def _has_unread(sock: object) -> bool:
    """Whether a socket holds what it has read or decrypted already, which the system does not see."""
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0
