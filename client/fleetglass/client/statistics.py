"""What a connection did so far: its state, its traffic, and what went wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fleetglass.client.compat.snapshot import timestamp

ERROR_HISTORY_LIMIT: Final = 5


class ConnectionState(StrEnum):
    """Where a connection is; `TRANSITIONS` tells which state follows which."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    ERROR = "error"


TRANSITIONS: Final[dict[ConnectionState, frozenset[ConnectionState]]] = {
    ConnectionState.DISCONNECTED: frozenset({ConnectionState.CONNECTING}),
    ConnectionState.CONNECTING: frozenset(
        {ConnectionState.CONNECTED, ConnectionState.ERROR, ConnectionState.DISCONNECTED}
    ),
    ConnectionState.CONNECTED: frozenset(
        {ConnectionState.RECONNECTING, ConnectionState.ERROR, ConnectionState.DISCONNECTED}
    ),
    ConnectionState.RECONNECTING: frozenset(
        {ConnectionState.CONNECTED, ConnectionState.ERROR, ConnectionState.DISCONNECTED}
    ),
    ConnectionState.ERROR: frozenset({ConnectionState.DISCONNECTED}),
}


@dataclass(slots=True)
class Traffic:
    """Frames and their bytes, before compression and without the frames' heads."""

    messages_received: int = 0
    messages_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0

    def received(self, size_bytes: int) -> None:
        """Count a frame that came."""
        self.messages_received += 1
        self.bytes_received += size_bytes

    def sent(self, size_bytes: int) -> None:
        """Count a frame that went out."""
        self.messages_sent += 1
        self.bytes_sent += size_bytes


class Statistics:
    """Counts since it was made; the errors it keeps are the last five.

    Args:
        traffic: the frames counted elsewhere, by a source.
        clock: UTC in seconds, for what is told as a date.
        monotonic: seconds that nobody sets, for what is told as a length.
    """

    def __init__(
        self,
        traffic: Traffic | None = None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.traffic = traffic or Traffic()
        self.state = ConnectionState.DISCONNECTED
        self._clock = clock
        self._monotonic = monotonic
        self._connection_start: float | None = None
        self._connected_at: float | None = None  # by the monotonic clock
        self._uptime = 0.0  # of the connections that ended
        self._reconnect_attempts = 0
        self._disconnections = 0
        self._error_count = 0
        self._errors: tuple[dict[str, str], ...] = ()  # replaced whole: other threads read it

    def enter(self, state: ConnectionState) -> ConnectionState:
        """Go to a state, and return the one before.

        Raises:
            ValueError: no such way leads from the present state.
        """
        before = self.state
        if state not in TRANSITIONS[before]:
            raise ValueError(f"state: got {state} after {before}, expected {_names(TRANSITIONS[before])}")
        if before is ConnectionState.CONNECTED:
            self._disconnections += 1
            self._uptime, self._connected_at = self._uptime_seconds, None
        if state is ConnectionState.CONNECTED:
            self._connection_start = self._clock()
            self._connected_at = self._monotonic()
        self.state = state
        return before

    def tried_again(self) -> None:
        """Count one more attempt to connect after the first."""
        self._reconnect_attempts += 1

    def failed(self, error: str, kind: str) -> None:
        """Keep an error; `kind` is the name of its class, or of what told it."""
        self._error_count += 1
        entry = {"timestamp": timestamp(self._clock()), "error": error, "type": kind}
        self._errors = (*self._errors, entry)[-ERROR_HISTORY_LIMIT:]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it; `uptime_seconds` adds up every connection, `connection_start` is of the last."""
        start = self._connection_start
        return {
            "messages_received": self.traffic.messages_received,
            "messages_sent": self.traffic.messages_sent,
            "bytes_received": self.traffic.bytes_received,
            "bytes_sent": self.traffic.bytes_sent,
            "connection_start": None if start is None else timestamp(start),
            "uptime_seconds": round(self._uptime_seconds, 3),
            "reconnect_attempts": self._reconnect_attempts,
            "total_disconnections": self._disconnections,
            "current_state": self.state.value,
            "last_error": self._errors[-1]["error"] if self._errors else None,
            "error_count": self._error_count,
            "error_history": [dict(entry) for entry in self._errors],
        }

    @property
    def _uptime_seconds(self) -> float:
        since = self._connected_at
        return self._uptime + (0 if since is None else self._monotonic() - since)


def _names(states: frozenset[ConnectionState]) -> str:
    return " or ".join(sorted(states))
