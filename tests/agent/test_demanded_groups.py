from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.demanded_groups import MAX_HOLDERS, MAX_LEASE_SECONDS, DemandedGroups
from fleetglass.wire import PayloadError, encode
from fleetglass.wire.payloads import Demand

WALL = 1_790_000_000.0


def demand(holder: str = "one", groups: list[str] | None = None, **fields: float) -> bytes:
    return encode(Demand(time=WALL, holder=holder, groups=groups or ["process"], **fields))


def test_a_lease_runs_for_its_time() -> None:
    """It holds until its seconds are over, and no longer."""
    leases = DemandedGroups()
    leases.hear(demand(lease_seconds=30), retained=False, now=100, wall=WALL)
    assert leases.intervals(129.9) == {"process": 0}
    assert leases.intervals(130.1) == {}


def test_an_old_retained_lease_says_nothing() -> None:
    """A lease that the broker kept runs only for what is left of it."""
    leases = DemandedGroups()
    leases.hear(demand(lease_seconds=30), retained=True, now=100, wall=WALL + 20)
    assert leases.intervals(109.9) == {"process": 0}
    assert leases.intervals(110.1) == {}
    leases.hear(demand("two", lease_seconds=30), retained=True, now=200, wall=WALL + 31)
    assert leases.intervals(200) == {}


def test_leases_of_several_bridges_add_up() -> None:
    """Each holder has one lease, and the shortest interval of all is taken."""
    leases = DemandedGroups()
    leases.hear(demand("one", ["process", "gpu"], interval_seconds=2), retained=False, now=0, wall=WALL)
    leases.hear(demand("two", ["process"], interval_seconds=1), retained=False, now=0, wall=WALL)
    assert leases.intervals(1) == {"process": 1, "gpu": 2}
    leases.hear(demand("one", ["process"], interval_seconds=5), retained=False, now=1, wall=WALL)
    assert leases.intervals(2) == {"process": 1}


@pytest.mark.parametrize(
    "field", [{"holder": "x" * 65}, {"groups": ["x" * 65]}, {"groups": ["x"] * 65}, {"interval_seconds": -1}]
)
def test_a_lease_has_a_size(field: dict[str, Any]) -> None:
    """Nobody fills the agent's memory by asking."""
    lease = msgspec.structs.replace(Demand(time=WALL, holder="one", groups=["process"]), **field)
    with pytest.raises(PayloadError):
        DemandedGroups().hear(encode(lease), retained=False, now=0, wall=WALL)


def test_an_empty_payload_ends_nothing() -> None:
    """One bridge that clears the topic does not take away what another asked for."""
    leases = DemandedGroups()
    leases.hear(demand(), retained=False, now=0, wall=WALL)
    leases.hear(b"", retained=False, now=1, wall=WALL)
    assert leases.intervals(1) == {"process": 0}


def test_nobody_can_ask_for_ever_or_without_end() -> None:
    """A lease has a longest time, and only so many holders are heard."""
    leases = DemandedGroups()
    leases.hear(demand(lease_seconds=300), retained=False, now=0, wall=WALL)
    assert leases.intervals(MAX_LEASE_SECONDS + 1) == {}
    for number in range(MAX_HOLDERS + 1):
        leases.hear(demand(f"{number}", [f"g{number}"]), retained=False, now=200, wall=WALL)
    assert len(leases.intervals(200)) == MAX_HOLDERS


@given(st.binary(min_size=1, max_size=200))
def test_nonsense_is_refused(payload: bytes) -> None:
    """Whatever comes, it is a demand or the one documented error."""
    leases = DemandedGroups()
    try:
        leases.hear(payload, retained=False, now=0, wall=WALL)
    except PayloadError:
        assert leases.intervals(0) == {}


def test_a_demand_without_a_holder_is_refused() -> None:
    """An error names what is missing."""
    with pytest.raises(PayloadError, match="holder"):
        DemandedGroups().hear(b'{"time":1,"groups":[]}', retained=False, now=0, wall=WALL)
