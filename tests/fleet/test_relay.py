import json
import logging
from typing import Any

import pytest

from fleetglass.fleet import hosts as hosts_module
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.fanout import Subscriber
from fleetglass.fleet.hosts import GONE_SEARCH_SECONDS
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.wire import Topics
from fleetglass.wire.protocol import Watch

T0 = 1_796_000_000.0
PULSE = b'{"time":%d,"tick":%d,"session":"a"}'
STOPPED = b'{"state":"stopped","session":"a","time":%d}'
LOST = b'{"state":"lost","session":"a","time":%d}'


class Clock:
    """A monotonic clock that stands where the test puts it."""

    now = 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def relay(clock: Clock) -> Relay:
    relay = Relay(
        (Topics("fleet"), Topics("fleet/paris")),
        history=HistoryStore(1_000_000),
        history_all_hosts=0,
        monotonic=lambda: clock.now,
        wall=lambda: T0 + clock.now,
    )
    relay.on_connected(True)
    return relay


def wanted(relay: Relay) -> set[str]:
    """Return what the relay wants to be subscribed beside the filters of the fleet."""
    relay.advance()
    return set(relay.wanted_filters())


def test_new_hosts_that_are_refused_are_one_line_in_the_log(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many they are: it says what to do, all are counted, and the known hosts go on."""
    monkeypatch.setattr(hosts_module, "MAX_HOSTS", 1)
    relay.on_message("fleet/web-1/pulse", PULSE % (T0, 1))
    with caplog.at_level(logging.WARNING):
        for number in range(2000):
            relay.on_message(f"fleet/invented-{number}/pulse", PULSE % (T0, 1))
        relay.on_message("fleet/web-1/pulse", PULSE % (T0, 2))
    (line,) = [record.getMessage() for record in caplog.records]
    assert "expected at most 1" in line
    assert "fleetglass forget" in line
    assert (relay.rejections.total, relay.fleet.refused) == (2000, 2000)
    assert [host.id for host in relay.fleet] == ["web-1"]
    assert len(relay.history.since("web-1", "pulse", 900, now=0)) == 2


def test_a_host_that_made_room_may_come_back_under_another_prefix(
    relay: Relay, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is left that would hold it at the old one, which until then is the only one."""
    monkeypatch.setattr(hosts_module, "MAX_HOSTS", 1)
    relay.on_message("fleet/web-1/status", STOPPED % (T0 - 7200))
    relay.on_message("fleet/paris/web-1/pulse", PULSE % (T0, 1))
    assert relay.rejections.total == 1
    relay.on_message("fleet/web-2/status", STOPPED % (T0 - 7200))
    clock.now = GONE_SEARCH_SECONDS
    relay.on_message("fleet/paris/web-1/pulse", PULSE % (T0, 1))
    assert relay.rejections.total == 1
    assert [(host.id, host.prefix) for host in relay.fleet] == [("web-1", "fleet/paris")]


def test_the_summary_of_a_lost_host_is_subscribed_until_it_comes(relay: Relay, clock: Clock) -> None:
    """Under the prefix of the host, and of no host that is heard."""
    relay.on_message("fleet/paris/web-1/status", LOST % (T0 - 86_400))
    relay.on_message("fleet/web-2/pulse", PULSE % (T0, 1))
    assert wanted(relay) == {"fleet/paris/web-1/summary"}
    relay.on_message("fleet/paris/web-1/summary", b'{"time":%d,"tick":7}' % (T0 - 600))
    assert wanted(relay) == set()
    clock.now = 0.5
    relay.advance()
    assert (relay.entry("web-1").state, relay.entry("web-1").since) == ("lost", T0 - 600)


def test_the_detail_of_a_host_is_subscribed_while_a_viewer_selects_a_group_of_it(relay: Relay) -> None:
    """A viewer of its pulses alone needs no detail; what the last viewer leaves lingers for a while."""
    for host in ("web-1", "web-2"):
        relay.on_message(f"fleet/{host}/pulse", PULSE % (T0, 1))
    viewers = [Subscriber(), Subscriber()]
    for viewer in viewers:
        relay.join(viewer)
    relay.watch(viewers[0], Watch(hosts={"web-1": ["cpu"], "web-2": []}))
    relay.watch(viewers[1], Watch(hosts={"web-1": "*"}))
    assert wanted(relay) == {"fleet/web-1/live/#"}
    assert relay.fanout.watched_in_detail == {"web-1"}
    relay.leave(viewers[0])
    assert relay.fanout.watched_in_detail == {"web-1"}
    relay.leave(viewers[1])
    assert relay.fanout.watched_in_detail == set()
    assert wanted(relay) == {"fleet/web-1/live/#"}


def told(viewer: Subscriber) -> list[dict[str, Any]]:
    """Return what a viewer was told since the last time."""
    return [json.loads(viewer.outbox.pop()) for _ in range(len(viewer.outbox))]


def test_viewers_are_told_of_expected_hosts(relay: Relay, clock: Clock) -> None:
    """With what the list says, in the fleet and with each state; of one that is forgotten twice."""
    relay.expect([ExpectedHost("db-2", "Orders", ("db",)), ExpectedHost("nas")])
    viewer = Subscriber()
    relay.join(viewer)
    assert told(viewer)[0]["hosts"] == [
        {"id": "db-2", "state": "waiting", "since": T0, "expected": {"name": "Orders", "tags": ["db"]}},
        {"id": "nas", "state": "waiting", "since": T0, "expected": {}},
    ]
    relay.advance()
    told(viewer)
    clock.now = 2.0
    relay.on_message("fleet/nas/pulse", PULSE % (T0, 1))
    relay.advance()
    assert told(viewer) == [{"type": "host", "id": "nas", "state": "live", "since": T0 + 2, "expected": {}}]
    clock.now = 3.0
    relay.on_message("fleet/nas/status", b"")
    relay.advance()
    assert told(viewer) == [
        {"type": "host", "id": "nas", "removed": True},
        {"type": "host", "id": "nas", "state": "waiting", "since": T0 + 3, "expected": {}},
    ]
    relay.expect([])
    relay.advance()
    gone = sorted(told(viewer), key=lambda message: message["id"])
    assert gone == [{"type": "host", "id": name, "removed": True} for name in ("db-2", "nas")]


def test_an_expected_host_is_not_asked_for_before_it_is_heard(relay: Relay) -> None:
    """Nobody knows its prefix: what a viewer selects of it is subscribed once it is known."""
    relay.expect([ExpectedHost("nas")])
    viewer = Subscriber()
    relay.join(viewer)
    relay.watch(viewer, Watch(hosts={"nas": "*"}, history=60))
    assert wanted(relay) == set()
    relay.on_message("fleet/paris/nas/pulse", PULSE % (T0, 1))
    assert wanted(relay) == {"fleet/paris/nas/live/#"}
    assert relay.rejections.total == 0


def test_detail_of_an_expected_host_is_refused_before_it_is_heard(relay: Relay) -> None:
    """As of any host that has said nothing else."""
    relay.expect([ExpectedHost("nas")])
    relay.on_message("fleet/nas/live/cpu", b'{"time":1,"tick":1}')
    relay.on_message("fleet/nas/backfill", b'{"time":1,"pulses":[]}')
    assert relay.rejections.total == 2
    assert relay.entry("nas").state == "waiting"


def summaries_of(subscriber: Subscriber) -> list[tuple[str, int]]:
    """Return host and tick of the summaries that wait for a viewer, and take all that waits."""
    found = []
    while len(subscriber.outbox):
        message = json.loads(subscriber.outbox.pop())
        if message["type"] == "summary":
            found.append((message["host"], message["summary"]["tick"]))
    return found


async def test_summaries_are_subscribed_while_somebody_asks_for_them(relay: Relay) -> None:
    """A later viewer gets what came meanwhile; the first one after a pause gets only what is new."""
    for host in ("web-1", "paris/web-2"):
        relay.on_message(f"fleet/{host}/pulse", PULSE % (T0, 1))
    first, second, other = Subscriber(), Subscriber(), Subscriber()
    for one in (first, second, other):
        relay.join(one)
    assert wanted(relay) == set()
    relay.watch(first, Watch(summaries=True))
    assert wanted(relay) == {"fleet/+/summary", "fleet/paris/+/summary"}
    relay.on_message("fleet/web-1/summary", b'{"time":1,"tick":7}')
    relay.on_message("fleet/paris/web-2/summary", b'{"time":1,"tick":8}')
    relay.on_message("fleet/unknown/summary", b'{"time":1,"tick":9}')
    relay.on_message("fleet/web-1/summary", b"")
    relay.watch(second, Watch(summaries=True))
    both = [("web-1", 7), ("web-2", 8)]
    assert (summaries_of(first), summaries_of(second), summaries_of(other)) == (both, both, [])
    relay.watch(first, Watch())
    relay.leave(second)
    assert wanted(relay) == set()
    relay.watch(other, Watch(summaries=True))
    assert summaries_of(other) == []
    relay.on_message("fleet/web-1/summary", b'{"time":1,"tick":10}')
    assert (summaries_of(first), summaries_of(other)) == ([], [("web-1", 10)])


def test_filters_of_summaries_do_not_overlap(relay: Relay) -> None:
    """A host whose own summary is wanted has no filter of its own beside that of all."""
    relay.on_message("fleet/web-1/status", LOST % T0)
    assert wanted(relay) == {"fleet/web-1/summary"}
    viewer = Subscriber()
    relay.join(viewer)
    relay.watch(viewer, Watch(summaries=True))
    assert wanted(relay) == {"fleet/+/summary", "fleet/paris/+/summary"}
