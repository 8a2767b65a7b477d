import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet import fanout as fanout_module
from fleetglass.fleet.fanout import END_OF_TICK, Fanout, Selection, Subscriber
from fleetglass.fleet.outbox import Outbox
from fleetglass.wire.protocol import BrokerChange, Host
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


async def test_an_error_in_writing_to_one_viewer_costs_that_viewer() -> None:
    """The others get every frame of every kind, and the one is told of its error."""
    fanout = Fanout()
    got: list[list[bytes]] = [[], [], []]
    viewers = [_writing(fanout, frames.append) for frames in got]
    faulty = _writing(fanout, _fail)
    for number in range(1000):
        fanout.host_changed(Host(id="b", since=number))
        fanout.pulse("a", PAYLOAD)
        fanout.send_pulses(wall=number)
        fanout.live("a", END_OF_TICK, number, PAYLOAD)
        await _until_spread(fanout)
    assert [len(frames) for frames in got] == 3 * [3000]
    assert sorted(got[0]) == sorted(got[1]) == sorted(got[2])
    with pytest.raises(RuntimeError, match="the socket is odd"):
        await faulty.outbox.until_filled()
    assert all(len(viewer.outbox) == 0 for viewer in viewers)


@pytest.mark.parametrize(
    "send",
    [
        lambda fanout: fanout.host_changed(Host(id="b", since=1)),
        lambda fanout: fanout.broker_changed(BrokerChange(state="connected", since=1)),
        lambda fanout: (fanout.pulse("a", PAYLOAD), fanout.send_pulses(wall=1)),
        lambda fanout: fanout.live("a", END_OF_TICK, 1, PAYLOAD),
        lambda fanout: fanout.backfill("a", [PAYLOAD]),
        lambda fanout: fanout.delivery(Host(id="a", since=1)),
    ],
    ids=["state", "broker", "pulses", "live", "backfill", "delivery"],
)
async def test_whatever_frame_cannot_be_written_the_viewer_is_told(send: Callable[[Fanout], object]) -> None:
    """It would miss that frame without a word otherwise."""
    fanout = Fanout()
    faulty = _writing(fanout, _fail)
    send(fanout)
    await _until_spread(fanout)
    with pytest.raises(RuntimeError, match="the socket is odd"):
        await asyncio.wait_for(faulty.outbox.take(), PATIENCE_SECONDS)


async def test_what_waits_for_all_is_bounded_by_the_newest_of_each_kind_and_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However much changes while nothing can be sent, each viewer gets how all stands, the last word last."""
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", -1)
    fanout = Fanout()
    viewers = [_watcher(fanout, h0="*") for _ in range(3)]
    for viewer in viewers:
        fanout.select(viewer, fleet=True, hosts=viewer.hosts)
    for number in range(1000):
        fanout.host_changed(Host(id=f"h{number % 5}", since=number))
        fanout.broker_changed(BrokerChange("connected", number))
        fanout.pulse("h0", b"%d" % number)
        fanout.send_pulses(number)
        assert fanout.waiting <= 5 + 1 + 1 + 1  # and the one that is being sent
    late = _watcher(fanout)
    fanout.host_changed(Host(id="h0", since=1000))
    await _until_spread(fanout)
    assert fanout.replaced >= 998 * 3
    for viewer in viewers:
        frames = [await _frame(viewer) for _ in range(len(viewer.outbox))]
        told = {frame["id"]: frame["since"] for frame in frames if frame["type"] == "host"}
        assert told == {"h0": 1000, **{f"h{number % 5}": number for number in range(996, 1000)}}
        assert [frame["since"] for frame in frames if frame["type"] == "broker"][-1] == 999
        assert [frame["hosts"] for frame in frames if frame["type"] == "pulse"][-1] == {"h0": 999}
        assert frames[-1]["id"] == "h0"
    assert [(await _frame(late))["since"]] == [1000]  # nothing of before it came
    assert len(late.outbox) == 0


async def test_the_detail_of_a_host_stays_with_those_who_watch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """While both wait, the short word for all and the long one for some do not replace each other."""
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", -1)
    fanout = Fanout()
    watcher, other = _watcher(fanout, a="*"), _watcher(fanout)
    fanout.broker_changed(BrokerChange("connected", 1))
    for number in range(3):
        fanout.host_changed(Host(id="a", since=number), Host(id="a", since=100 + number))
    await _until_spread(fanout)
    for viewer, since in ((watcher, 102), (other, 2)):
        frames = [await _frame(viewer) for _ in range(len(viewer.outbox))]
        assert [frame["since"] for frame in frames] == [1, since]


steps = st.sampled_from(["state", "info", "pulse", "live", "backfill", "delivery", "broker", "leave", "run"])


@given(st.lists(st.tuples(steps, st.integers(0, 3)), max_size=40), st.lists(st.integers(0, 20), max_size=4))
async def test_whatever_viewers_raise_the_others_get_the_same(
    actions: list[tuple[str, int]], failing: list[int]
) -> None:
    """Each write of each viewer may fail at any time; a viewer without a fault misses nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fanout_module, "SLICE_SECONDS", -1)
        patch.setattr(fanout_module, "LIVE_WAIT_SECONDS", 100)
        beside_healthy = await _frames_of_one(actions, [1_000_000] * len(failing))
        assert await _frames_of_one(actions, failing) == beside_healthy


async def _frames_of_one(
    actions: list[tuple[str, int]], failing: list[int]
) -> tuple[list[bytes], list[bytes]]:
    """Return what a viewer gets, for all and of a host, beside some whose write of that number fails."""
    fanout = Fanout()
    got: list[bytes] = []
    _writing(fanout, got.append)
    others = [_writing(fanout, _failing_at(number)) for number in failing]
    leaving = _writing(fanout, lambda _: None)
    for number, (action, host) in enumerate(actions):
        name = "ab"[host % 2]
        match action:
            case "state":
                fanout.host_changed(Host(id=name, since=number))
            case "info":
                fanout.host_changed(Host(id=name, since=number), Host(id=name, since=1000 + number))
            case "pulse":
                fanout.pulse(name, b"%d" % number)
                fanout.send_pulses(number)
            case "live":
                fanout.live(name, (END_OF_TICK, "cpu")[host // 2], number, PAYLOAD)
            case "backfill":
                fanout.backfill(name, [PAYLOAD])
            case "delivery":
                fanout.delivery(Host(id=name, since=0.5 + number))
            case "broker":
                fanout.broker_changed(BrokerChange("connected", number))
            case "leave":
                fanout.remove(others.pop() if others else leaving)
            case "run":
                await asyncio.sleep(0)
    await _until_spread(fanout)
    for other in others:
        assert len(other.outbox) == 0
    of_hosts = [frame for frame in got if b'"live"' in frame or b'"history"' in frame or b".5" in frame]
    return [frame for frame in got if frame not in of_hosts], of_hosts


async def _until_spread(fanout: Fanout) -> None:
    for _ in range(10_000):
        if not fanout.waiting:
            return
        await asyncio.sleep(0)
    raise AssertionError("frames wait for ever")


def _writing(fanout: Fanout, write: Callable[[bytes], None]) -> Subscriber:
    def taken(frame: bytes) -> bool:
        write(frame)
        return True

    subscriber = Subscriber(Outbox(taken))
    fanout.add(subscriber)
    fanout.select(subscriber, fleet=True, hosts={"a": "*", "b": frozenset({"cpu"})})
    return subscriber


def _fail(_: bytes) -> None:
    raise RuntimeError("the socket is odd")


def _failing_at(number: int) -> Callable[[bytes], None]:
    left = iter(range(number))
    return lambda frame: _fail(frame) if next(left, None) is None else None
