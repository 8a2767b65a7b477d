import json

from fleetglass.fleet.demand_leases import RENEW_SECONDS, DemandLeases
from fleetglass.wire import decode
from fleetglass.wire.payloads import Demand

GROUPS = frozenset({"cpu", "process", "gpu"})


def test_a_lease_is_held_while_somebody_watches() -> None:
    """It is made at once, renewed in time, and cleared when the last viewer has left."""
    demands = DemandLeases("me")
    [(host, payload)] = demands.due({"web-1": GROUPS}, now=100, wall=1e9)
    lease = decode(payload, Demand)
    assert (host, lease.holder, lease.groups) == ("web-1", "me", ["process", "gpu"])
    assert lease.lease_seconds > RENEW_SECONDS
    assert demands.due({"web-1": GROUPS}, now=109, wall=1e9) == []
    assert len(demands.due({"web-1": GROUPS}, now=110, wall=1e9)) == 1
    assert demands.due({}, now=111, wall=1e9) == [("web-1", b"")]
    assert demands.due({}, now=112, wall=1e9) == []


def test_nothing_is_asked_of_a_host_without_costly_groups() -> None:
    """A host that publishes none of them is left alone, also when its viewer leaves."""
    demands = DemandLeases()
    assert demands.due({"web-1": frozenset({"cpu"})}, now=0, wall=0) == []
    assert demands.due({}, now=1, wall=1) == []


def test_every_lease_is_made_anew_after_the_broker_was_away() -> None:
    """A broker may have come back empty."""
    demands = DemandLeases()
    demands.due({"web-1": GROUPS}, now=0, wall=0)
    demands.forget()
    [(_, payload)] = demands.due({"web-1": GROUPS}, now=1, wall=1)
    assert json.loads(payload)["groups"] == ["process", "gpu"]
