import math

import pytest

from fleetglass.client.source import Interrupted
from fleetglass.client.terminal.top.alerts import alerts_of
from fleetglass.client.terminal.top.model import MAX_GROUPS, FleetModel
from fleetglass.wire.payloads import Cpu
from fleetglass.wire.protocol import (
    BrokerChange,
    ExpectedFacts,
    Fleet,
    History,
    Host,
    HostEntry,
    LiveFrame,
    PulseFrame,
)
from support.samples import MadeUpHost
from support.scripted_source import changed, fleet, live, pulses, raw, welcome

NOW = 1_795_000_000.0
WEB = MadeUpHost("web-1", 1)
DB = MadeUpHost("db-1", 2)


def model() -> FleetModel:
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    seen.take(fleet([WEB, DB], NOW), NOW)
    return seen


def test_the_fleet_is_who_is_listed() -> None:
    """A new list replaces the last one: who is missing from it is gone."""
    seen = model()
    seen.take(fleet([DB], NOW + 1, **{"db-1": "late"}), NOW + 1)
    assert {host.id: host.state for host in seen.hosts.values()} == {"db-1": "late"}
    assert seen.told


def test_host_changes() -> None:
    """State and info of a host change by themselves, and it may be removed."""
    seen = model()
    seen.take(changed("web-1", "lost", NOW + 3), NOW + 3)
    assert (seen.hosts["web-1"].state, seen.hosts["web-1"].since) == ("lost", NOW + 3)
    assert seen.hosts["web-1"].facts.host_name == "web-1"
    seen.take(Host(id="web-1", info=raw(WEB.info(NOW) | {"host_name": "shop"})), NOW + 4)
    assert (seen.hosts["web-1"].state, seen.hosts["web-1"].own_name) == ("lost", "shop")
    seen.take(Host(id="web-1", removed=True), NOW + 5)
    assert list(seen.hosts) == ["db-1"]


def test_pulses_fill_the_minute() -> None:
    """Of each host the pulses of the last minute are kept, and no more."""
    seen = model()
    for second in range(200):
        seen.take(pulses([WEB], NOW + second), NOW + second)
    minute = seen.hosts["web-1"].minute
    assert (minute[0].time, minute[-1].time) == (NOW + 139, NOW + 199)
    assert minute[-1].cpu_percent == WEB.cpu_percent(NOW + 199)
    assert seen.hosts["web-1"].heard == NOW + 199


def test_a_pulse_that_comes_twice_counts_once() -> None:
    """The same tick of a session again, or an older one, changes nothing."""
    seen = model()
    for second in (1, 2, 2, 1):
        seen.take(pulses([WEB], NOW + second), NOW + second)
    assert [sample.time for sample in seen.hosts["web-1"].minute] == [NOW + 1, NOW + 2]


def test_a_clock_that_was_set_back() -> None:
    """An agent that starts again with an earlier clock is believed, and its minute begins anew."""
    seen = model()
    seen.take(pulses([WEB], NOW + 3600), NOW)
    seen.take(PulseFrame(time=NOW + 1, hosts={"web-1": raw(WEB.pulse(NOW) | {"session": "new"})}), NOW + 1)
    assert [sample.time for sample in seen.hosts["web-1"].minute] == [NOW]


def test_the_past_goes_before_the_present() -> None:
    """A history is merged with what came meanwhile, whichever comes first, each time once."""
    seen = model()
    seen.take(pulses([WEB], NOW + 1), NOW + 1)
    past = [raw(pulse) for pulse in WEB.past_pulses(NOW + 1, 90)]
    seen.take(History(host="web-1", samples={"pulse": past[45:]}, more=True), NOW + 2)
    assert not seen.hosts["web-1"].filled
    seen.take(History(host="web-1", samples={"pulse": past[:45]}), NOW + 2)
    times = [sample.time for sample in seen.hosts["web-1"].minute]
    assert times == [NOW + 1 - ago for ago in range(60, -1, -1)]
    assert seen.hosts["web-1"].filled


def test_absent_values_stay_absent() -> None:
    """A value that a host does not give is no number in its minute."""
    seen = model()
    seen.take(PulseFrame(time=NOW, hosts={"web-1": raw({"time": NOW, "tick": 1, "session": "a"})}), NOW)
    assert math.isnan(seen.hosts["web-1"].minute[-1].cpu_percent)


def test_groups_are_typed_or_kept_as_they_are() -> None:
    """A known group is a struct of the wire; one of this version's future is a dict; the newest counts."""
    seen = model()
    seen.take(live(WEB, NOW, **{"custom-ups": {"time": NOW, "tick": 1, "load_watts": 120}}), NOW)
    groups = seen.hosts["web-1"].groups
    assert isinstance(groups["cpu"], Cpu)
    assert groups["custom-ups"]["load_watts"] == 120
    seen.take(History(host="web-1", samples={"cpu": [raw(WEB.live(NOW - 9)["cpu"])]}), NOW)
    assert groups["cpu"].time == NOW


def test_what_is_no_payload_is_left_out() -> None:
    """A pulse, a group or an info of another shape is counted and changes nothing."""
    seen = model()
    seen.take(PulseFrame(time=NOW, hosts={"web-1": raw({"time": "now"})}), NOW)
    seen.take(LiveFrame(host="web-1", samples={"cpu": raw({"time": NOW, "tick": 1, "load_1m": "high"})}), NOW)
    seen.take(Host(id="web-1", info=raw({"host_name": 5})), NOW)
    assert seen.unreadable == 3
    assert seen.hosts["web-1"].pulse is None
    assert seen.hosts["web-1"].groups == {}
    assert seen.hosts["web-1"].own_name == "web-1"


def test_groups_are_bounded() -> None:
    """Whatever a host publishes, so many groups of it are kept and no more."""
    seen = model()
    samples = {f"custom-{number}": raw({"time": NOW, "tick": 1}) for number in range(500)}
    seen.take(LiveFrame(host="web-1", samples=samples), NOW)
    assert len(seen.hosts["web-1"].groups) == MAX_GROUPS


def test_namesakes_are_told_apart() -> None:
    """Two hosts that give themselves one name are shown with their ids, until one of them is gone."""
    seen = model()
    for host in ("web-1", "db-1"):
        seen.take(Host(id=host, info=raw({"host_name": "box"})), NOW)
    assert [seen.name_of(host) for host in seen.hosts.values()] == ["box (web-1)", "box (db-1)"]
    assert seen.find("box") is None
    seen.take(Host(id="db-1", removed=True), NOW)
    assert seen.name_of(seen.hosts["web-1"]) == "box"
    assert seen.find("box") is seen.hosts["web-1"]


def test_names_are_bounded() -> None:
    """A host that gives itself another name again and again leaves nothing behind."""
    seen = model()
    for number in range(50):
        seen.take(Host(id="web-1", info=raw({"host_name": f"box-{number}"})), NOW)
    assert dict(seen._names) == {"box-49": 1, "db-1": 1}


def test_paused() -> None:
    """While time stands still no number changes, but states are told; then the past is wanted again."""
    seen = model()
    seen.take(pulses([WEB], NOW + 1), NOW + 1)
    seen.hosts["web-1"].filled = True
    seen.pause(NOW + 1)
    seen.take(pulses([WEB], NOW + 2), NOW + 2)
    seen.take(live(WEB, NOW + 2), NOW + 2)
    seen.take(changed("web-1", "late", NOW + 2), NOW + 2)
    assert seen.hosts["web-1"].minute[-1].time == NOW + 1
    assert seen.hosts["web-1"].groups == {}
    assert seen.hosts["web-1"].state == "late"
    seen.pause(NOW + 3)
    assert seen.paused_at is None
    assert not seen.hosts["web-1"].filled


def test_what_is_old() -> None:
    """Without a bridge, or while the bridge has no broker, all that is known is old."""
    seen = model()
    assert not seen.is_old
    seen.take(BrokerChange(state="connecting", since=NOW), NOW)
    assert seen.is_old
    seen.take(BrokerChange(state="connected", since=NOW), NOW)
    seen.take(Interrupted("gone", 3), NOW)
    assert seen.is_old
    seen.take(welcome(NOW), NOW)
    assert not seen.is_old
    seen.take(welcome(NOW, broker="connecting"), NOW)
    assert seen.is_old


def test_a_site_that_is_cut_off() -> None:
    """Which one and since when is known; its hosts are late and need no alert of their own."""
    seen = model()
    seen.take(BrokerChange(state="connected", since=NOW, sites_away={"fleet/paris": NOW}), NOW)
    seen.take(Host(id="web-1", state="late", since=NOW, cut_off=True), NOW)
    assert seen.sites_away == {"fleet/paris": NOW}
    assert not seen.is_old
    assert alerts_of(seen.hosts["web-1"], seen) == []
    seen.take(welcome(NOW), NOW)
    assert seen.sites_away == {}
    seen.take(Host(id="web-1", state="late", since=NOW), NOW)
    assert [alert.words for alert in alerts_of(seen.hosts["web-1"], seen)] == ["late"]


def test_a_clock_that_is_ahead() -> None:
    """How far a host's clock is ahead is told by its fastest pulse, and by the newest once it was set."""
    seen = model()
    for second, late in enumerate((0.9, 0.1, 0.7)):
        pulse = WEB.pulse(NOW + second + 5 - late)
        seen.take(PulseFrame(time=NOW + second, hosts={"web-1": raw(pulse | {"tick": second})}), NOW)
    assert seen.hosts["web-1"].ahead_seconds == pytest.approx(4.9)
    seen.take(PulseFrame(time=NOW + 4, hosts={"web-1": raw(WEB.pulse(NOW + 4) | {"tick": 9})}), NOW)
    assert seen.hosts["web-1"].ahead_seconds == 0


def test_a_listed_pulse_is_as_old_as_it_says() -> None:
    """The pulse in the list of a fleet was heard when it was taken, not when the list came."""
    seen = FleetModel()
    entry = HostEntry(id="web-1", state="lost", since=NOW - 60, pulse=raw(WEB.pulse(NOW - 90)))
    seen.take(Fleet(time=NOW, hosts=[entry]), NOW + 1000)
    assert seen.hosts["web-1"].heard == NOW + 910


def test_expected_hosts() -> None:
    """A name on the list goes before the host's own, with the id; both find it, until it is taken off."""
    seen = model()
    listed = ExpectedFacts(name="Shop", tags=["paris", "rack-3"], notes="Ask Jane.")
    seen.take(Host(id="web-1", state="live", since=NOW, expected=listed), NOW)
    host = seen.hosts["web-1"]
    assert (seen.name_of(host), host.notes) == ("Shop (web-1)", "Ask Jane.")
    assert host.tags == ["paris", "rack-3", "web"]
    assert seen.find("Shop") is seen.find("web-1") is host
    seen.take(Host(id="web-1", info=raw(WEB.info(NOW) | {"host_name": "box"})), NOW)
    assert seen.name_of(host) == "Shop (web-1)"
    assert seen.find("box") is host
    seen.take(changed("web-1", "live", NOW), NOW)
    assert (seen.name_of(host), host.expected, host.notes) == ("box", None, "")
    assert "paris" not in host.tags


def test_a_host_is_unheard_until_anything_comes_of_it() -> None:
    """Only one on the list: another that waits was announced, or its message is on its way."""
    seen = model()
    listed = ExpectedFacts()
    entries = [
        HostEntry(id="a", state="waiting", since=NOW, expected=listed),
        HostEntry(id="b", state="waiting", since=NOW),
        HostEntry(id="c", state="waiting", since=NOW, expected=listed, info=raw(WEB.info(NOW))),
        HostEntry(id="d", state="lost", since=NOW, expected=listed),
    ]
    seen.take(Fleet(time=NOW, hosts=entries), NOW)
    assert [host.id for host in seen.hosts.values() if host.is_unheard] == ["a"]
    seen.take(Host(id="a", info=raw(WEB.info(NOW))), NOW)
    assert not seen.hosts["a"].is_unheard
