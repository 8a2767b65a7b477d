import pytest

from fleetglass.fleet import address_cache
from fleetglass.fleet.address_cache import MAX_PER_HOST, AddressCache
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.wire import Address, Topics

FLEET, PARIS = Topics("fleet"), Topics("fleet/paris")


def test_a_topic_of_a_known_host_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time its address comes out of the memory, with the prefix it is under."""
    cache = AddressCache((FLEET, PARIS), lambda host: host == "web-1")
    for topic, found in (
        ("fleet/web-1/pulse", (Address("web-1", "pulse"), FLEET)),
        ("fleet/paris/web-1/live/cpu", (Address("web-1", "live", "cpu"), PARIS)),
    ):
        assert cache[topic] == found
    monkeypatch.setattr(Topics, "parse", None)
    assert cache["fleet/web-1/pulse"] == (Address("web-1", "pulse"), FLEET)
    assert len(cache) == 2


def test_strangers_take_no_room() -> None:
    """A host that is not known, and a topic that is none of ours, are looked at anew each time."""
    cache = AddressCache((FLEET,), lambda host: host == "web-1")
    assert cache["fleet/web-2/pulse"] == (Address("web-2", "pulse"), FLEET)
    assert cache["fleet/web-1/pulse/more"] is None
    assert cache["else/web-1/pulse"] is None
    assert len(cache) == 0


def test_a_host_that_invents_groups_takes_no_more_than_its_share() -> None:
    """Its further topics are understood as well, and those of others stay."""
    cache = AddressCache((FLEET,), lambda _: True)
    assert cache["fleet/web-1/pulse"] is not None
    for number in range(1000):
        assert cache[f"fleet/bad/live/g{number}"] == (Address("bad", "live", f"g{number}"), FLEET)
    assert len(cache) == MAX_PER_HOST + 1
    assert "fleet/web-1/pulse" in cache


def test_all_hosts_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came first is kept; a host that is forgotten makes room for others."""
    monkeypatch.setattr(address_cache, "MAX_ADDRESSES", 10)
    cache = AddressCache((FLEET,), lambda _: True)
    for number in range(20):
        assert cache[f"fleet/h{number}/pulse"] is not None
    assert list(cache) == [f"fleet/h{number}/pulse" for number in range(10)]
    cache.forget("h3")
    cache.forget("unheard-of")
    assert cache["fleet/h19/pulse"] is not None
    assert len(cache) == 10
    assert "fleet/h19/pulse" in cache


def test_a_removed_host_leaves_nothing_behind() -> None:
    """The bridge forgets the topics of hosts that it forgets, however many come and go."""
    relay = Relay((FLEET,), history=HistoryStore(1_000_000), history_all_hosts=0)
    relay.on_connected(True)
    for number in range(100):
        host = f"container-{number}"
        for _ in range(3):
            relay.on_message(f"fleet/{host}/status", b'{"state":"online","session":"a","time":1}')
            relay.on_message(f"fleet/{host}/pulse", b'{"time":1,"tick":1,"session":"a"}')
        assert f"fleet/{host}/pulse" in relay.addresses
        relay.on_message(f"fleet/{host}/status", b"")
        relay.advance()
    assert len(relay.addresses) == 0
