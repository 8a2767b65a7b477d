"""Whose a host id is: this agent's, unless another one of the same id speaks as well."""

import logging

from fleetglass.wire import PayloadError, decode
from fleetglass.wire.payloads import Session, Status

_log = logging.getLogger(__name__)

_CONFLICT_SECONDS = 150.0  # two of the other's statuses may get lost
_SHORTEST_SILENCE_SECONDS = 3.0
_ECHO_SECONDS = 10.0


class Claim:
    """Reads the host's own status. `now` is the monotonic clock, in seconds; `chance` is in 0..1."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rival: tuple[str, float] | None = None
        self._silent_until = float("-inf")
        self._said_at: float | None = None

    def answer(self, payload: bytes, *, retained: bool, now: float, chance: float) -> float | None:
        """Return when to say `online` again because of this status: now, a little later, or never.

        Two agents of one host id would otherwise answer each other as fast as the broker allows.
        """
        try:
            status = decode(payload, Status)
        except PayloadError:
            status = None
        if status is not None and status.state == "online":
            if status.session == self._session:
                self._said_at = None
                return None
            if not retained:  # a retained one may be of an agent that is long dead
                self._meet(status.session, now)
        if now < self._silent_until:
            return self._silent_until
        self._silent_until = now + _SHORTEST_SILENCE_SECONDS * (1 + chance)
        return now

    def said(self, now: float) -> None:
        """Take in that the first status of a connection was sent; it comes back to whoever sent it."""
        self._said_at = now

    def is_unheard(self, now: float) -> bool:
        """Return once whether what was said has not come back in time."""
        unheard = self._said_at is not None and now - self._said_at > _ECHO_SECONDS
        if unheard:
            self._said_at = None
        return unheard

    def rival(self, now: float) -> str | None:
        """Return the session of another agent that publishes under this host id."""
        if self._rival is None or now - self._rival[1] > _CONFLICT_SECONDS:
            return None
        return self._rival[0]

    def _meet(self, session: str, now: float) -> None:
        if self.rival(now) is None:
            _log.warning(
                "another agent (session %s) publishes under this host id; give one of the two another id",
                session,
            )
        self._rival = (session, now)
