import json
from typing import Any

import msgspec

from fleetglass.client.compat.followed_hosts import FollowedHosts
from fleetglass.wire.protocol import ExpectedFacts, Fleet, Host, HostEntry, LiveFrame, PulseFrame


def raw(**payload: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(payload).encode())


def pulse(percent: float = 1.5) -> msgspec.Raw:
    return raw(time=5.0, tick=1, session="a", cpu_percent=percent)


def test_a_snapshot_for_each_pulse() -> None:
    """Of every host that is followed each pulse becomes one message."""
    hosts = FollowedHosts()
    events = list(hosts.take(PulseFrame(6.0, {"a": pulse(1.5), "b": pulse(2.5)})))
    assert [name for name, _ in events] == ["monitoring_data", "monitoring_data"]
    assert events[1][1] == {
        "timestamp": "1970-01-01T00:00:05.000+00:00",
        "type": "monitoring_data",
        "host": "b",
        "data": {"processor": {"usage_percent": 2.5}, "system": {"hostname": "b"}},
    }
    assert len(list(FollowedHosts(["b"]).take(PulseFrame(6.0, {"a": pulse(), "b": pulse()})))) == 1


def test_live_groups_go_into_the_snapshots() -> None:
    """What a group told last is in the snapshots from then on."""
    hosts = FollowedHosts(["a"])
    groups = {"cpu": raw(time=5.0, tick=1, frequency_hertz=2_000_000_000), "gpu": raw(time=5.0, tick=1)}
    assert list(hosts.take(LiveFrame("a", groups))) == []
    [(_, message)] = hosts.take(PulseFrame(6.0, {"a": pulse()}))
    assert message["data"]["processor"] == {"usage_percent": 1.5, "frequency_mhz": 2000}


def test_what_is_no_number_is_passed_over() -> None:
    """A payload of another kind, which any program may publish, stops nothing and is not told."""
    hosts = FollowedHosts()
    bad = raw(time=5.0, tick=1, session="a", cpu_percent="much")
    assert [m["host"] for _, m in hosts.take(PulseFrame(6.0, {"a": bad, "b": pulse()}))] == ["b"]
    info = raw(host_name=["a"])
    list(hosts.take(Fleet(time=6.0, hosts=[HostEntry(id="a", state="live", since=1.0, info=info)])))
    [(_, message)] = hosts.take(PulseFrame(6.0, {"a": pulse()}))
    assert message["data"]["system"] == {"hostname": "a"}


def test_states() -> None:
    """Changes of state are told once, a host that was removed or is gone after a break has none any more."""
    hosts = FollowedHosts()
    entries = [HostEntry(id=name, state="live", since=1.0) for name in ("a", "b")]
    assert len(list(hosts.take(Fleet(time=2.0, hosts=entries)))) == 2
    assert list(hosts.take(Fleet(time=2.0, hosts=entries))) == []
    assert list(hosts.take(Host(id="a", state="lost", since=3.0))) == [
        ("host_state", {"host": "a", "old_state": "live", "new_state": "lost", "since": 3.0})
    ]
    assert hosts.states == {"a": {"state": "lost", "since": 3.0}, "b": {"state": "live", "since": 1.0}}
    list(hosts.take(Host(id="a", removed=True)))
    assert list(hosts.take(Fleet(time=2.0, hosts=[]))) == [
        ("host_state", {"host": "b", "old_state": "live", "new_state": None, "since": None})
    ]
    assert hosts.states == {}


def test_expected_hosts() -> None:
    """One that waits is told of; events have the name on the list while it has one."""
    hosts = FollowedHosts()
    listed = ExpectedFacts(name="Orders", tags=["db"], notes="Rack 3.")
    entry = HostEntry(id="a", state="waiting", since=1.0, expected=listed)
    [(_, told)] = hosts.take(Fleet(time=2.0, hosts=[entry]))
    assert told == {"host": "a", "old_state": None, "new_state": "waiting", "since": 1.0, "name": "Orders"}
    assert hosts.states == {"a": {"state": "waiting", "since": 1.0}}
    [(_, told)] = hosts.take(Host(id="a", state="live", since=3.0, expected=listed))
    assert (told["new_state"], told["name"]) == ("live", "Orders")
    [(_, told)] = hosts.take(PulseFrame(6.0, {"a": pulse()}))
    assert (told["host"], told["name"]) == ("a", "Orders")
    assert list(hosts.take(Host(id="a", state="live", since=3.0))) == []
    [(_, told)] = hosts.take(PulseFrame(7.0, {"a": pulse()}))
    assert "name" not in told


def test_named_hosts() -> None:
    """A named host that nobody has heard of waits, and others are not told of."""
    hosts = FollowedHosts(["a"])
    assert list(hosts.take(Host(id="b", state="live", since=1.0))) == []
    assert hosts.states == {"a": {"state": "waiting", "since": None}}
    assert hosts.watch.hosts == {"a": ["cpu", "memory", "filesystem", "gpu"]}
    assert hosts.watch.fleet
    assert FollowedHosts([f"h-{number}" for number in range(65)]).watch.hosts == {}


def test_a_named_host_that_comes_later_is_selected_again() -> None:
    """Of hosts that a bridge first hears of after it was told whom to watch, it is told once more."""
    hosts = FollowedHosts(["a", "b"])
    list(hosts.take(Fleet(time=2.0, hosts=[HostEntry(id="a", state="live", since=1.0)])))
    list(hosts.take(Host(id="a", state="late", since=2.0)))
    assert hosts.watch_again() is None
    list(hosts.take(Host(id="b", state="live", since=2.0)))
    assert hosts.watch_again() == hosts.watch
    assert hosts.watch_again() is None
    fleet = FollowedHosts()
    list(fleet.take(Host(id="b", state="live", since=2.0)))
    assert fleet.watch_again() is None
