from contextlib import suppress
from typing import Any

import pytest

from fleetglass.fleet import hosts as hosts_module
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.hosts import GONE_SECONDS, SUMMARY_SECONDS, KnownFleet
from fleetglass.fleet.known_host import KnownHost
from fleetglass.fleet.listening import GRACE_SECONDS
from fleetglass.wire import PayloadError
from fleetglass.wire.errors import HostLimitError

PULSE = b'{"time":%d,"tick":%d,"session":"a"}'
STATUS = b'{"state":"%s","session":"a","time":%d}'
SUMMARY = b'{"time":%d,"tick":7}'
T0 = 1_796_000_000.0
INFO = b'{"time":1,"session":"a","host_name":"%s","agent_version":"1","interval_seconds":1,"groups":{}}'


@pytest.fixture
def fleet() -> KnownFleet:
    fleet = KnownFleet()
    fleet.broker_connected(now=0)
    return fleet


def pass_time(fleet: KnownFleet, since: float, until: float, wall: float = 0.0) -> None:
    """Let time pass as in a bridge, four times a second; `wall` is UTC when the monotonic clock shows 0."""
    for quarter in range(int((until - since) * 4) + 1):
        now = since + quarter / 4
        fleet.advance(now, wall + now)
    fleet.advance(until, wall + until)


def pulse_until(fleet: KnownFleet, hosts: tuple[str, ...], since: float, until: float) -> None:
    """Let time pass while these hosts live."""
    for now in range(int(since), int(until)):
        for host in hosts:
            fleet.hear_pulse(host, PULSE % (now, now), now, now)
        pass_time(fleet, now, now + 1)


def names(hosts: list[KnownHost]) -> list[str]:
    return [host.id for host in hosts]


def states(fleet: KnownFleet) -> dict[str, str]:
    return {host.id: host.state for host in fleet}


def state_since(fleet: KnownFleet) -> tuple[str, Any]:
    (host,) = fleet
    return host.state, host.since


def test_a_pulse_makes_a_host_known_and_live(fleet: KnownFleet) -> None:
    """No status or info is needed: freshness of data is presence."""
    assert fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1001)
    host = fleet.get("web-1")
    assert host is not None
    assert (host.state, host.since) == ("live", 1001)
    assert fleet.take_changes().states == {"web-1"}


def test_a_pulse_delivered_twice_counts_once(fleet: KnownFleet) -> None:
    """Some brokers deliver a message twice; the second is no news."""
    assert fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    assert not fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)


def test_an_unchanged_info_is_no_change(fleet: KnownFleet) -> None:
    """Infos are sent again every ten minutes; viewers hear of them when they differ."""
    fleet.hear_info("web-1", INFO % b"a", now=1, wall=1)
    assert fleet.take_changes().infos == {"web-1"}
    fleet.hear_info("web-1", INFO % b"a", now=2, wall=2)
    assert not fleet.take_changes()
    fleet.hear_info("web-1", INFO % b"b", now=3, wall=3)
    assert fleet.take_changes().infos == {"web-1"}


def test_an_empty_status_removes_the_host(fleet: KnownFleet) -> None:
    """Clearing the retained status takes a host off the page."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.take_changes()
    fleet.hear_status("web-1", b"", now=2, wall=2)
    assert fleet.get("web-1") is None
    assert fleet.take_changes().removed == {"web-1"}


def test_without_a_broker_no_host_changes(fleet: KnownFleet) -> None:
    """An hour without the broker says nothing of the hosts, nor do the first 15 s after it."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.take_changes()
    fleet.broker_lost(now=2)
    fleet.advance(now=3600, wall=3600)
    assert not fleet.take_changes()
    fleet.broker_connected(now=3600)
    pass_time(fleet, 3600, 3614)
    assert not fleet.take_changes()
    pass_time(fleet, 3614, 3650)
    assert states(fleet) == {"web-1": "lost"}


def test_hosts_that_were_gone_before_an_outage_stay_gone_until_they_speak(fleet: KnownFleet) -> None:
    """Neither an outage nor what the broker repeats changes state or `since`; a late host stays late."""
    now = 1000.0
    fleet.broker_lost(now)
    fleet.broker_connected(now)
    pass_time(fleet, now, now := now + 20)
    for host in ("live", "late", "silent", "willed", "stopped"):
        fleet.hear_status(host, STATUS % (b"online", now), now, now)
        fleet.hear_pulse(host, PULSE % (now, 1), now, now)
    fleet.hear_status("willed", STATUS % (b"lost", 900), now, now)
    fleet.hear_status("stopped", STATUS % (b"stopped", now), now, now)
    pulse_until(fleet, ("live", "late"), now, now := now + 40)
    pulse_until(fleet, ("live",), now, now := now + 5)
    before = {host.id: (host.state, host.since) for host in fleet}
    assert states(fleet) == {
        "live": "live", "late": "late", "silent": "lost", "willed": "lost", "stopped": "stopped"
    }  # fmt: skip
    for _ in range(3):
        fleet.take_changes()
        fleet.broker_lost(now)
        fleet.broker_connected(now := now + 600)
        for host in ("silent", "live"):
            fleet.hear_status(host, STATUS % (b"online", 1020), now, now)
        fleet.hear_status("willed", STATUS % (b"lost", 900), now, now)
        fleet.hear_status("stopped", STATUS % (b"stopped", 1020), now, now)
        pass_time(fleet, now, now := now + GRACE_SECONDS)
        assert {host.id: (host.state, host.since) for host in fleet} == before
        assert not fleet.take_changes()
    for host in before:
        fleet.hear_pulse(host, PULSE % (now, 99), now, now)
    assert set(states(fleet).values()) == {"live"}


def test_a_host_that_died_during_an_outage_is_lost_after_the_grace(fleet: KnownFleet) -> None:
    """Its `since` is its last sign of life: the last pulse, or what the broker retained of it since."""
    for host in ("web-1", "web-2"):
        fleet.hear_pulse(host, PULSE % (T0, 1), now=0, wall=T0)
    fleet.broker_lost(now=1)
    fleet.broker_connected(now=3600)
    for host in ("web-1", "web-2"):
        fleet.hear_status(host, STATUS % (b"lost", T0 - 60), now=3600, wall=T0 + 3600)
    assert names(fleet.without_last_sign(now=3600)) == ["web-1", "web-2"]
    fleet.hear_summary("web-2", SUMMARY % (T0 + 2000), wall=T0 + 3600)
    assert names(fleet.without_last_sign(now=3600)) == ["web-1"]
    assert set(states(fleet).values()) == {"live"}
    pass_time(fleet, 3600, 3600 + GRACE_SECONDS + 1, wall=T0)
    assert {host.id: (host.state, host.since) for host in fleet} == {
        "web-1": ("lost", T0), "web-2": ("lost", T0 + 2000)
    }  # fmt: skip


def test_a_will_that_comes_while_we_listen_says_when_the_host_was_lost(fleet: KnownFleet) -> None:
    """Its own time is that of the connection, and its arrival is right to the second."""
    fleet.hear_pulse("web-1", PULSE % (T0, 1), now=1, wall=T0)
    pass_time(fleet, 1, 2, wall=T0 - 1)
    fleet.hear_status("web-1", STATUS % (b"lost", T0 - 86_400), now=2, wall=T0 + 1)
    assert names(fleet.without_last_sign(now=2)) == []
    pass_time(fleet, 2, 3, wall=T0 - 1)
    assert state_since(fleet) == ("lost", pytest.approx(T0 + 1.5, abs=0.3))


@pytest.mark.parametrize("summary_first", [True, False])
def test_a_bridge_that_starts_later_says_when_a_host_was_lost(
    fleet: KnownFleet, *, summary_first: bool
) -> None:
    """The retained summary tells it to 15 s; viewers are told when it comes after the verdict."""
    now, wall = 1.0, T0 + 3600
    fleet.hear_status("web-1", STATUS % (b"lost", T0 - 86_400), now, wall)
    assert names(fleet.without_last_sign(now)) == ["web-1"]
    if not summary_first:
        pass_time(fleet, now, 3, wall=T0 + 3599)
        assert state_since(fleet) == ("lost", T0 - 86_400)
        fleet.take_changes()
    fleet.hear_summary("web-1", SUMMARY % T0, wall)
    assert names(fleet.without_last_sign(now)) == []
    if summary_first:
        pass_time(fleet, now, 3, wall=T0 + 3599)
    assert state_since(fleet) == ("lost", T0)
    assert fleet.take_changes().states == {"web-1"}
    fleet.hear_info("web-1", INFO % b"a", now=4, wall=wall)  # of long ago
    assert state_since(fleet) == ("lost", T0)


def test_a_summary_that_does_not_come_is_not_asked_for_for_ever(fleet: KnownFleet) -> None:
    """Some brokers retain none: then what is known stands."""
    fleet.hear_status("web-1", STATUS % (b"lost", T0), now=1, wall=T0 + 60)
    fleet.hear_status("web-2", STATUS % (b"lost", T0), now=1, wall=T0 + 60)
    fleet.hear_status("web-2", b"", now=2, wall=T0 + 60)
    assert names(fleet.without_last_sign(now=2)) == ["web-1"]
    assert names(fleet.without_last_sign(now=1 + SUMMARY_SECONDS)) == []
    fleet.hear_summary("nobody", SUMMARY % T0, wall=T0)
    assert fleet.get("nobody") is None


@pytest.mark.parametrize("state", ["stopped", "suspended"])
def test_a_goodbye_says_itself_when_it_was(fleet: KnownFleet, state: str) -> None:
    """A bridge that starts an hour later says that the host stopped an hour ago, and tells nothing twice."""
    fleet.hear_status("web-1", STATUS % (state.encode(), T0), now=1, wall=T0 + 3600)
    assert state_since(fleet) == (state, T0)
    fleet.take_changes()
    fleet.hear_status("web-1", STATUS % (state.encode(), T0), now=9, wall=T0 + 3608)
    assert not fleet.take_changes()


@pytest.mark.parametrize("ahead", [-3 * 3600.0, -T0, 3600.0, 10 * 365 * 86_400.0])
def test_a_wrong_clock_of_a_host_that_was_heard_moves_nothing(fleet: KnownFleet, ahead: float) -> None:
    """Its pulses show how far its clock is off, by seconds or by decades."""
    fleet.hear_pulse("web-1", PULSE % (T0 + ahead, 1), now=1, wall=T0 + 0.2)
    fleet.broker_lost(now=2)
    fleet.broker_connected(now=602)
    fleet.hear_status("web-1", STATUS % (b"stopped", T0 + 300 + ahead), now=602, wall=T0 + 601)
    assert state_since(fleet) == ("stopped", pytest.approx(T0 + 300.2, abs=0.01))


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_was_set_before_the_goodbye_leaves_it_within_what_is_possible(
    fleet: KnownFleet, jump: float
) -> None:
    """The goodbye came after the last pulse, and not later than now."""
    fleet.hear_pulse("web-1", PULSE % (T0, 1), now=1, wall=T0)
    fleet.hear_status("web-1", STATUS % (b"stopped", T0 + 1 + jump), now=2, wall=T0 + 1)
    assert state_since(fleet) == ("stopped", T0 if jump < 0 else T0 + 1)


@pytest.mark.parametrize("time", [0, 86_400, T0 + 10_000])
def test_a_clock_that_cannot_be_right_is_not_believed(fleet: KnownFleet, time: float) -> None:
    """Never set, or ahead: the bridge knows no better than when it heard, and does not change that later."""
    for now in (1, 100):
        fleet.hear_status("web-1", STATUS % (b"lost", time), now, T0 + now)
        pass_time(fleet, now, now + 1, wall=T0)
        assert state_since(fleet) == ("lost", pytest.approx(T0 + 1, abs=1))


def test_a_bridge_that_stood_still_calls_nobody_late_before_it_has_caught_up(fleet: KnownFleet) -> None:
    """Stopped for 40 s, the first to run may be a message or the clock; who is dead is late 15 s later."""
    for first in ("clock", "will", "online"):
        fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
        fleet.hear_pulse("web-2", PULSE % (1, 1), now=1, wall=1)
        pass_time(fleet, 1, 2)
        fleet.take_changes()
        if first == "will":
            fleet.hear_status("web-1", STATUS % (b"lost", 0), now=42, wall=42)
        elif first == "online":
            fleet.hear_status("web-1", STATUS % (b"online", 30), now=42, wall=42)
        fleet.advance(now=42, wall=42)
        assert not fleet.take_changes()
        fleet.hear_pulse("web-1", PULSE % (40, 2), now=42.1, wall=42)
        pass_time(fleet, 42.1, 42 + GRACE_SECONDS)
        assert not fleet.take_changes()
        pass_time(fleet, 42 + GRACE_SECONDS, 60)
        assert states(fleet) == {"web-1": "late", "web-2": "late"}
        pass_time(fleet, 60, 100)
        assert states(fleet) == {"web-1": "lost", "web-2": "lost"}
        fleet.broker_lost(now=100)
        fleet = KnownFleet()
        fleet.broker_connected(now=0)


def test_a_machine_that_slept_is_noticed_by_the_time_of_day(fleet: KnownFleet) -> None:
    """The monotonic clock stands still meanwhile; a clock that was set back, or by a second, is no sleep."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    pass_time(fleet, 1, 2)
    fleet.advance(now=2.25, wall=3602)
    pass_time(fleet, 2.25, 2 + GRACE_SECONDS, wall=3600)
    assert states(fleet) == {"web-1": "live"}
    fleet.hear_pulse("web-1", PULSE % (3617, 2), now=17, wall=3617)
    pass_time(fleet, 17, 18, wall=3601)
    pass_time(fleet, 18, 20, wall=0)
    assert states(fleet) == {"web-1": "late"}


def test_a_busy_bridge_still_finds_out_who_died(fleet: KnownFleet) -> None:
    """A pause excuses silence for as long as it lasted: one every few seconds hides nobody for ever."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.hear_status("web-1", STATUS % (b"lost", 0), now=1, wall=1)
    now = 1.0
    for _ in range(3):
        fleet.advance(now := now + 1.5, now)
        pass_time(fleet, now, now := now + 2.5)
    assert states(fleet) == {"web-1": "lost"}


def test_a_pause_during_the_grace_does_not_end_it(fleet: KnownFleet) -> None:
    """A bridge that is busy with all that the broker retains gives the agents their 15 s."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.broker_lost(now=2)
    fleet.broker_connected(now=100)
    pass_time(fleet, 100, 102)
    pass_time(fleet, 104, 100 + GRACE_SECONDS)
    assert states(fleet) == {"web-1": "live"}


def test_invented_hosts_do_not_fill_the_memory(fleet: KnownFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit to the number of hosts; a host beyond it is refused in words, and counted."""
    monkeypatch.setattr(hosts_module, "MAX_HOSTS", 2)
    for host in ("a", "b"):
        fleet.hear_pulse(host, PULSE % (1, 1), now=1, wall=1)
    with pytest.raises(HostLimitError, match=r"at most 2; .*fleetglass forget"):
        fleet.hear_pulse("c", PULSE % (1, 1), now=1, wall=1)
    assert (len(fleet), fleet.refused) == (2, 1)


def test_a_host_that_is_gone_longest_makes_room_for_a_new_one(
    fleet: KnownFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that lives, or went less than an hour ago, does not; viewers are told of the one that went."""
    monkeypatch.setattr(hosts_module, "MAX_HOSTS", 4)
    now = GONE_SECONDS + 10
    fleet.advance(now, wall=T0)
    for host, ago in (("old", 2), ("older", 3), ("recent", 0.9)):
        fleet.hear_status(host, STATUS % (b"stopped", T0 - ago * GONE_SECONDS), now, wall=T0)
    fleet.hear_pulse("living", PULSE % (T0, 1), now, wall=T0)
    fleet.take_changes()
    for host in ("new-1", "new-2"):
        fleet.hear_pulse(host, PULSE % (T0, 1), now, wall=T0)
    with pytest.raises(HostLimitError):
        fleet.hear_pulse("new-3", PULSE % (T0, 1), now, wall=T0)
    assert list(states(fleet)) == ["recent", "living", "new-1", "new-2"]
    assert fleet.take_changes().removed == {"old", "older"}


def test_a_host_that_came_back_does_not_make_room(fleet: KnownFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is gone is looked for now and then only, and what was found then may be wrong since."""
    monkeypatch.setattr(hosts_module, "MAX_HOSTS", 3)
    for host in ("a", "b", "c"):
        fleet.hear_status(host, STATUS % (b"stopped", T0 - 2 * GONE_SECONDS), now=1, wall=T0)
    fleet.hear_pulse("d", PULSE % (T0, 1), now=1, wall=T0)
    for host in ("a", "b", "c"):
        with suppress(HostLimitError):
            fleet.hear_pulse(host, PULSE % (T0, 1), now=1, wall=T0)
    assert set(states(fleet).values()) == {"live"}
    with pytest.raises(HostLimitError):
        fleet.hear_pulse("e", PULSE % (T0, 1), now=1, wall=T0)


def test_an_info_that_does_not_come_is_missed(fleet: KnownFleet) -> None:
    """A host that speaks for 3 s without an info is named; one that has it, or never spoke, is not."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.hear_pulse("web-2", PULSE % (1, 1), now=1, wall=1)
    fleet.hear_info("web-2", INFO % b"b", now=1, wall=1)
    fleet.hear_status("web-3", b'{"state":"stopped","session":"a","time":1}', now=1, wall=1)
    assert names(fleet.without_info(now=3)) == []
    assert names(fleet.without_info(now=4.1)) == ["web-1"]
    fleet.hear_info("web-1", INFO % b"a", now=5, wall=5)
    assert names(fleet.without_info(now=6)) == []


def test_a_site_that_is_cut_off_takes_its_own_hosts_along(fleet: KnownFleet) -> None:
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


def test_a_site_that_says_anything_else_is_refused(fleet: KnownFleet) -> None:
    """Only `1` and `0` count; an empty message, as who clears a topic sends it, ends the site."""
    with pytest.raises(PayloadError, match="expected 1 or 0"):
        fleet.hear_site("fleet/paris", b"gone", now=1, wall=1)
    fleet.hear_site("fleet/paris", b"0", now=1, wall=1)
    fleet.hear_site("fleet/paris", b"", now=2, wall=2)
    assert (fleet.sites, fleet.sites_away) == ({}, {})


def test_a_site_that_is_taken_back_leaves_its_hosts_as_they_are(fleet: KnownFleet) -> None:
    """How long it was cut off before counts neither for nor against them."""
    for host in ("living", "silent", "willed"):
        fleet.hear_pulse(host, PULSE % (1, 1), now=1, wall=1)
    fleet.hear_site("fleet", b"0", now=2, wall=2)
    pass_time(fleet, 2, 100)
    fleet.hear_site("fleet", b"1", now=100, wall=100)
    pulse_until(fleet, ("living",), 100, 120)
    fleet.hear_status("willed", STATUS % (b"lost", 0), now=120, wall=120)
    fleet.hear_site("fleet", b"", now=120, wall=120)
    assert states(fleet) == {"living": "live", "silent": "late", "willed": "late"}
    pulse_until(fleet, ("living",), 120, 122)
    assert states(fleet) == {"living": "live", "silent": "late", "willed": "lost"}
    pulse_until(fleet, ("living",), 122, 150)
    assert states(fleet) == {"living": "live", "silent": "lost", "willed": "lost"}


def expect(fleet: KnownFleet, *hosts: str, wall: float = 0.0) -> None:
    fleet.expect(map(ExpectedHost, hosts), wall)


def test_an_expected_host_waits_until_it_is_heard(fleet: KnownFleet) -> None:
    """It is there since it was expected, and is then a host like any other, with what the list says of it."""
    fleet.expect([ExpectedHost("web-1", name="Shop")], wall=100)
    assert state_since(fleet) == ("waiting", 100)
    assert fleet.take_changes().states == {"web-1"}
    pass_time(fleet, 0, 120)
    assert state_since(fleet) == ("waiting", 100)
    assert not fleet.take_changes()
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=120, wall=220)
    assert state_since(fleet) == ("live", 220)
    assert fleet.take_changes().states == {"web-1"}
    (host,) = fleet
    assert (host.expected, len(fleet), list(fleet.heard)) == (
        ExpectedHost("web-1", name="Shop"),
        1,
        ["web-1"],
    )


def test_an_expected_host_that_is_announced_and_not_yet_heard(fleet: KnownFleet) -> None:
    """Its info alone leaves it waiting, since it was expected."""
    expect(fleet, "web-1", wall=100)
    fleet.hear_info("web-1", INFO % b"a", now=5, wall=105)
    assert state_since(fleet) == ("waiting", 100)
    assert (len(fleet), list(fleet.heard)) == (1, ["web-1"])


def test_an_expected_host_that_was_lost_before_is_lost(fleet: KnownFleet) -> None:
    """What the broker retained of it says more than the list does."""
    expect(fleet, "web-1", wall=T0)
    fleet.hear_status("web-1", STATUS % (b"lost", T0 - 600), now=1, wall=T0 + 1)
    pass_time(fleet, 1, 3, wall=T0)
    assert state_since(fleet) == ("lost", T0 - 600)


def test_a_host_that_is_taken_off_the_list(fleet: KnownFleet) -> None:
    """While it waits it goes; one that was heard stays, and the list says nothing of it any more."""
    expect(fleet, "web-1", "web-2")
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.take_changes()
    expect(fleet)
    changes = fleet.take_changes()
    assert (changes.states, changes.removed) == ({"web-1"}, {"web-2"})
    (host,) = fleet
    assert (host.id, host.state, host.expected) == ("web-1", "live", None)


def test_a_list_that_changes_tells_of_what_changed_alone(fleet: KnownFleet) -> None:
    """A host that is heard and then expected keeps its state; one that is in both lists is no news."""
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    expect(fleet, "web-2", "web-3", wall=5)
    fleet.take_changes()
    fleet.expect(
        [
            ExpectedHost("web-1"),
            ExpectedHost("web-2"),
            ExpectedHost("web-3", notes="New."),
            ExpectedHost("web-4"),
        ],
        wall=9,
    )
    assert fleet.take_changes().states == {"web-1", "web-3", "web-4"}
    assert {host.id: (host.state, host.since) for host in fleet} == {
        "web-1": ("live", 1),
        "web-2": ("waiting", 5),
        "web-3": ("waiting", 5),
        "web-4": ("waiting", 9),
    }


def test_an_expected_host_that_is_forgotten_waits_again(fleet: KnownFleet) -> None:
    """Of what it was nothing is left; one that waits already is no news."""
    expect(fleet, "web-1")
    fleet.hear_info("web-1", INFO % b"a", now=1, wall=1)
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    fleet.take_changes()
    fleet.hear_status("web-1", b"", now=7, wall=7)
    assert state_since(fleet) == ("waiting", 7)
    (host,) = fleet
    assert (host.info, host.pulse, dict(fleet.heard)) == (None, None, {})
    changes = fleet.take_changes()
    assert (changes.states, changes.infos, changes.removed) == ({"web-1"}, set(), {"web-1"})
    fleet.hear_status("web-1", b"", now=9, wall=9)
    assert not fleet.take_changes()
    assert state_since(fleet) == ("waiting", 7)


def test_expected_hosts_have_places_of_their_own(fleet: KnownFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not refused in a full fleet, take no place of another host, and make no room for any."""
    monkeypatch.setattr(hosts_module, "MAX_HOSTS", 1)
    expect(fleet, "db-1", "db-2")
    fleet.hear_status("db-1", STATUS % (b"stopped", 1), now=1, wall=1)
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    with pytest.raises(HostLimitError):
        fleet.hear_pulse("web-2", PULSE % (1, 1), now=9000, wall=1 + GONE_SECONDS)
    fleet.hear_pulse("db-2", PULSE % (1, 1), now=9000, wall=9000)
    assert {host.id for host in fleet} == {"db-1", "db-2", "web-1"}


def test_a_host_is_heard_in_the_moment_in_which_it_is_taken_off(fleet: KnownFleet) -> None:
    """It is not removed after all."""
    expect(fleet, "web-1")
    fleet.take_changes()
    expect(fleet)
    fleet.hear_pulse("web-1", PULSE % (1, 1), now=1, wall=1)
    changes = fleet.take_changes()
    assert (changes.states, changes.removed) == ({"web-1"}, set())
