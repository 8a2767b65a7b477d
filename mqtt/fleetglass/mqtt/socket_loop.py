"""Reads and writes for paho, on the thread that calls; it would take a thread of its own otherwise."""

import selectors
from collections.abc import Callable

from fleetglass.mqtt.lazy_paho import Client
from fleetglass.mqtt.waker import Waker

_LOOK_SECONDS = 2.0


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
            ready = {key.fileobj: events for key, events in selector.select(min(left, _LOOK_SECONDS))}
            if waker in ready:
                waker.rest()
            if ready.get(sock, 0) & selectors.EVENT_READ:
                read(client)
            if ready.get(sock, 0) & selectors.EVENT_WRITE or client.want_write():
                client.loop_write()
            client.loop_misc()


def read(client: Client) -> None:
    """Read all that has come; to be called when the socket is readable."""
    client.loop_read()
    while _has_unread(client.socket()):
        client.loop_read()


def _has_unread(sock: object) -> bool:
    """Whether a socket holds what it has read or decrypted already, which the system does not see."""
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0
