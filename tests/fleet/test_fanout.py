import asyncio
import json
from typing import Any

import pytest

from fleetglass.fleet import fanout as fanout_module
from fleetglass.fleet.fanout import END_OF_TICK, Fanout, Selection, Subscriber
from fleetglass.wire.protocol import Host
from support.waiting import PATIENCE_SECONDS

PAYLOAD = b'{"time":1,"tick":1}'


def _watcher(fanout: Fanout, **hosts: Selection) -> Subscriber:
    subscriber = Subscriber()
    fanout.add(subscriber)
    fanout.select(subscriber, fleet=False, hosts=hosts)
    return subscriber


async def _frame(subscriber: Subscriber) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await asyncio.wait_for(subscriber.outbox.take(), PATIENCE_SECONDS))
    return frame


async def test_a_tick_is_one_frame_and_its_end_mark_sends_it_at_once() -> None:
    """The groups of a tick travel together, without waiting when the last is there."""
    fanout = Fanout()
    viewer = _watcher(fanout, a="*")
    for group in ("cpu", "memory", "collector"):
        assert len(viewer.outbox) == 0
        fanout.live("a", group, 1, PAYLOAD)
    assert set((await _frame(viewer))["samples"]) == {"cpu", "memory", "collector"}
    assert len(viewer.outbox) == 0


async def test_without_an_end_mark_a_tick_is_sent_after_a_moment() -> None:
    """A host whose last group is missing is not kept waiting."""
    fanout = Fanout()
    viewer = _watcher(fanout, a="*")
    fanout.live("a", "cpu", 1, PAYLOAD)
    assert set((await _frame(viewer))["samples"]) == {"cpu"}


async def test_the_next_tick_sends_the_last() -> None:
    """Two ticks are never mixed into one frame."""
    fanout = Fanout()
    viewer = _watcher(fanout, a="*")
    fanout.live("a", "cpu", 1, PAYLOAD)
    fanout.live("a", "cpu", 2, PAYLOAD)
    assert len(viewer.outbox) == 1


async def test_equal_selections_share_one_encoded_frame() -> None:
    """What is built once is not built again for the next viewer."""
    fanout = Fanout()
    viewers = [_watcher(fanout, a=frozenset({"cpu"})) for _ in range(2)]
    other = _watcher(fanout, a=frozenset({"disk"}))
    fanout.live("a", "cpu", 1, PAYLOAD)
    fanout.live("a", "collector", 1, PAYLOAD)
    first, second = [await viewer.outbox.take() for viewer in viewers]
    assert first is second
    assert len(other.outbox) == 0


async def test_who_left_or_looks_elsewhere_gets_nothing_more() -> None:
    """Replacing a selection ends what it does not name."""
    fanout = Fanout()
    gone, elsewhere = _watcher(fanout, a="*"), _watcher(fanout, a="*")
    fanout.remove(gone)
    fanout.select(elsewhere, fleet=True, hosts={"b": "*"})
    fanout.live("a", "collector", 1, PAYLOAD)
    assert (len(gone.outbox), len(elsewhere.outbox)) == (0, 0)
    fanout.pulse("a", PAYLOAD)
    fanout.send_pulses(wall=5)
    assert (await _frame(elsewhere))["hosts"] == {"a": {"time": 1, "tick": 1}}
    assert len(gone.outbox) == 0


async def test_no_pulses_make_no_frame() -> None:
    """A second in which nothing came sends nothing."""
    fanout = Fanout()
    viewer = Subscriber(fleet=True)
    fanout.add(viewer)
    fanout.send_pulses(wall=5)
    assert len(viewer.outbox) == 0


async def test_what_was_replaced_is_counted_for_viewers_that_left_too() -> None:
    """The count never goes back, whoever leaves."""
    fanout = Fanout()
    slow = _watcher(fanout, a="*")
    for tick in range(3):
        fanout.live("a", END_OF_TICK, tick, b"{}")
    assert fanout.replaced == 2
    fanout.remove(slow)
    assert fanout.replaced == 2


async def test_what_is_for_all_lets_others_run_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand changes for many viewers hold up no live frame, come in order, and miss nobody."""
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", 0)
    fanout = Fanout()
    viewers = [_watcher(fanout, a="*") for _ in range(3)]
    for state in ("late", "lost"):
        fanout.host_changed(Host(id="b", state=state))
    fanout.live("a", "collector", 1, PAYLOAD)
    assert sum(len(viewer.outbox) for viewer in viewers) == len(viewers) + 1
    gone = viewers.pop()
    fanout.remove(gone)
    for _ in range(10):
        await asyncio.sleep(0)
    for viewer in viewers:
        frames = [await _frame(viewer) for _ in range(len(viewer.outbox))]
        assert {frame["type"] for frame in frames} == {"live", "host"}
        assert frames[-1]["state"] == "lost"
