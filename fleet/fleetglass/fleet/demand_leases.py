"""Leases that the bridge holds with agents that take them: more detail while somebody watches."""

import secrets
from collections.abc import Iterable, Mapping

from fleetglass.wire import encode
from fleetglass.wire.payloads import Demand

COSTLY_GROUPS = ("process", "container", "gpu")
"""What agents sample less often than the rest when nobody looks."""
LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0


class DemandLeases:
    """What to say to whom. `now` is the monotonic clock, `wall` is UTC; both in seconds."""

    def __init__(self, holder: str | None = None) -> None:
        self._holder = holder or f"bridge-{secrets.token_hex(4)}"
        self._renew_at: dict[str, float] = {}

    def due(
        self, watched: Mapping[str, Iterable[str]], *, now: float, wall: float
    ) -> list[tuple[str, bytes]]:
        """Return host and payload of every lease to make, renew or end.

        `watched` has the watched hosts that take leases, each with the groups that it publishes. An empty
        payload clears what the broker kept.
        """
        messages = []
        for host, groups in watched.items():
            if now < self._renew_at.get(host, 0.0):
                continue
            wanted = [group for group in COSTLY_GROUPS if group in groups]
            if wanted:
                self._renew_at[host] = now + RENEW_SECONDS
                lease = Demand(
                    time=round(wall, 3), holder=self._holder, groups=wanted, lease_seconds=LEASE_SECONDS
                )
                messages.append((host, encode(lease)))
        for host in [host for host in self._renew_at if host not in watched]:
            del self._renew_at[host]
            messages.append((host, b""))
        return messages

    def forget(self) -> None:
        """Make every lease anew: the broker was away."""
        self._renew_at.clear()
