"""Leases by which bridges ask for more detail while somebody watches. They can ask for nothing else."""

from collections.abc import Mapping

from fleetglass.wire import decode
from fleetglass.wire.payloads import Demand

MAX_HOLDERS = 64
MAX_LEASE_SECONDS = 120.0


class DemandedGroups:
    """Who asks for what, until when. `now` is the monotonic clock, `wall` the time of day, in seconds."""

    def __init__(self) -> None:
        self._leases: Mapping[str, tuple[float, Demand]] = {}

    def hear(self, payload: bytes, *, retained: bool, now: float, wall: float) -> None:
        """Take in what came on `demand`. An empty payload says nothing: leases end by themselves.

        The lease of a message that comes fresh runs from now; that of a retained one may have run out long
        ago, which the time in it tells as well as two clocks agree.

        Raises:
            PayloadError: the payload is not a demand.
        """
        if not payload:
            return
        demand = decode(payload, Demand)
        length = min(demand.lease_seconds, MAX_LEASE_SECONDS)
        left = min(max(demand.time + length - wall, 0.0), length) if retained else length
        leases = {holder: lease for holder, lease in self._leases.items() if lease[0] > now}
        leases.pop(demand.holder, None)
        if left > 0 and demand.groups and len(leases) < MAX_HOLDERS:
            leases[demand.holder] = (now + left, demand)
        self._leases = leases  # replaced as a whole: read on another thread

    def intervals(self, now: float) -> dict[str, float]:
        """Return the shortest interval that anybody asks for, by group."""
        wanted: dict[str, float] = {}
        for until, demand in self._leases.values():
            if until > now:
                for group in demand.groups:
                    wanted[group] = min(wanted.get(group, demand.interval_seconds), demand.interval_seconds)
        return wanted
