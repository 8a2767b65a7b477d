import pytest

from fleetglass.fleet import hosts as fleet_module
from fleetglass.fleet.hosts import Fleet
from fleetglass.wire import PayloadError

PULSE = b'{"time":%d,"tick":%d,"session":"a"}'
INFO = b'{"time":1,"session":"a","host_name":"%s","agent_version":"1","interval_seconds":1,"groups":{}}'


@pytest.fixture
def fleet() -> Fleet:
    fleet = Fleet()
    fleet.broker_connected(now=0)
    return fleet


def test_a_pulse_makes_a_host_known_and_live(fleet: Fleet) -> None:
    """No status or info is needed: freshness of data is presence."""
    assert fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1001)
    host = fleet.get("web-1")
    assert host is not None
    assert (host.state, host.since) == ("live", 1001)
    assert fleet.take_changes().states == {"web-1"}


def test_a_pulse_delivered_twice_counts_once(fleet: Fleet) -> None:
    """Some brokers deliver a message twice; the second is no news."""
    assert fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    assert not fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)


def test_an_unchanged_info_is_no_change(fleet: Fleet) -> None:
    """Infos are sent again every ten minutes; viewers hear of them when they differ."""
    fleet.hear_info("web-1", INFO % b"a", now=1, wall=1)
    assert fleet.take_changes().infos == {"web-1"}
    fleet.hear_info("web-1", INFO % b"a", now=2, wall=2)
    assert not fleet.take_changes()
    fleet.hear_info("web-1", INFO % b"b", now=3, wall=3)
    assert fleet.take_changes().infos == {"web-1"}


def test_an_empty_status_removes_the_host(fleet: Fleet) -> None:
    """Clearing the retained status takes a host off the page."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.take_changes()
    fleet.hear_status("web-1", b"", now=2, wall=2)
    assert fleet.get("web-1") is None
    assert fleet.take_changes().removed == {"web-1"}


def test_without_a_broker_no_host_changes(fleet: Fleet) -> None:
    """An hour without the broker says nothing of the hosts, nor do the first 15 s after it."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.take_changes()
    fleet.broker_lost()
    fleet.advance(now=3600, wall=3600)
    assert not fleet.take_changes()
    fleet.broker_connected(now=3600)
    fleet.advance(now=3614, wall=3614)
    assert not fleet.take_changes()
    fleet.advance(now=3650, wall=3650)
    host = fleet.get("web-1")
    assert host is not None
    assert host.state == "lost"


def test_invented_hosts_do_not_fill_the_memory(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit to the number of hosts; what is over it is refused in words."""
    monkeypatch.setattr(fleet_module, "MAX_HOSTS", 2)
    for host in ("a", "b"):
        fleet.hear_pulse(host, PULSE % (1, 1), now=1, wall=1)
    with pytest.raises(PayloadError, match="expected at most 2"):
        fleet.hear_pulse("c", PULSE % (1, 1), now=1, wall=1)
    assert len(fleet) == 2


def test_an_info_that_does_not_come_is_missed(fleet: Fleet) -> None:
    """A host that speaks for 3 s without an info is named; one that has it, or never spoke, is not."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.hear_pulse("web-2", PULSE % (1, 1), now=1, wall=1)
    fleet.hear_info("web-2", INFO % b"b", now=1, wall=1)
    fleet.hear_status("web-3", b'{"state":"stopped","session":"a","time":1}', now=1, wall=1)
    assert fleet.without_info(now=3) == []
    assert fleet.without_info(now=4.1) == ["web-1"]
    fleet.hear_info("web-1", INFO % b"a", now=5, wall=5)
    assert fleet.without_info(now=6) == []


def test_a_site_that_is_cut_off_takes_its_own_hosts_along(fleet: Fleet) -> None:
    """At once, and no others; those to whom it matters are told of each change, and of nothing twice."""
    fleet.hear_site("fleet/paris", b"1", now=0, wall=1000)
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1001, prefix="fleet/paris")
    fleet.hear_pulse("web-2", PULSE % (1, 1), now=1, wall=1001, prefix="fleet/lyon")
    fleet.take_changes()
    fleet.hear_site("fleet/paris", b"0", now=2, wall=1002)
    assert fleet.sites_away == {"fleet/paris": 1002}
    assert [(host.state, fleet.is_cut_off(host)) for host in fleet] == [("late", True), ("live", False)]
    assert fleet.take_changes().states == {"web-1"}
    fleet.hear_site("fleet/paris", b"0", now=3, wall=1003)
    assert not fleet.take_changes()
    fleet.hear_site("fleet/paris", b"1", now=4, wall=1004)
    assert fleet.sites_away == {}
    fleet.hear_pulse("web-1", PULSE % (4, 4), now=4.5, wall=1004.5, prefix="fleet/paris")
    assert [host.state for host in fleet] == ["live", "live"]


def test_a_site_that_says_anything_else_is_refused(fleet: Fleet) -> None:
    """Only `1` and `0` count; an empty message, as who clears a topic sends it, ends the site."""
    with pytest.raises(PayloadError, match="expected 1 or 0"):
        fleet.hear_site("fleet/paris", b"gone", now=1, wall=1)
    fleet.hear_site("fleet/paris", b"0", now=1, wall=1)
    fleet.hear_site("fleet/paris", b"", now=2, wall=2)
    assert (fleet.sites, fleet.sites_away) == ({}, {})
