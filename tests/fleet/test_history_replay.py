import asyncio
import json
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet.fanout import Selection
from fleetglass.fleet.history_replay import (
    FIRST_FRAME_BYTES,
    FRAME_BYTES,
    MAX_WAITING,
    SLICE_BYTES,
    HistoryReplay,
    past_frames,
)
from fleetglass.fleet.outbox import Outbox
from fleetglass.history.chunk import CHUNK_BYTES, Run
from fleetglass.history.store import HistoryStore
from support.waiting import PATIENCE_SECONDS

SECONDS = 900
GROUPS = {"pulse": 600, "cpu": 900, "memory": 400, "network": 1500, "process": 2600}
NOTHING = b'{"type":"history","host":"a","samples":{}}'


@pytest.fixture(scope="module")
def history() -> HistoryStore:
    """Return 15 minutes of a large host."""
    history = HistoryStore(10**8)
    for second in range(SECONDS):
        for group, size in GROUPS.items():
            payload = {"time": 1000 + second, "tick": second, "x": "x" * (size - 40)}
            history.append("a", group, json.dumps(payload).encode(), now=second)
    return history


def decoded(frames: Iterator[bytes | None]) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames if frame is not None]


def test_the_newest_come_first_and_each_once(history: HistoryStore) -> None:
    """Frames go back in time, samples in each go forward, and together they are all of the past asked for."""
    frames = decoded(past_frames(history, "a", "*", 300, now=SECONDS))
    assert [frame.get("more", False) for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert frames[0]["samples"].keys() == GROUPS.keys()
    for group in GROUPS:
        ticks: list[int] = []
        for frame in frames:
            part = [sample["tick"] for sample in frame["samples"].get(group, [])]
            assert part == sorted(part)
            ticks = part + ticks
        assert ticks == list(range(SECONDS - 300, SECONDS))


@pytest.mark.parametrize(
    ("selection", "groups"),
    [("*", set(GROUPS)), (frozenset({"cpu", "gpu"}), {"pulse", "cpu"}), (frozenset(), {"pulse"})],
)
def test_only_what_is_selected_is_sent(history: HistoryStore, selection: Selection, groups: set[str]) -> None:
    """The pulses always, and of the groups those that the viewer chose."""
    frames = decoded(past_frames(history, "a", selection, 30, now=SECONDS))
    assert {group for frame in frames for group in frame["samples"]} == groups


def test_a_host_without_past_gets_one_empty_frame(history: HistoryStore) -> None:
    """A viewer is never left waiting for what does not exist."""
    assert decoded(past_frames(history, "nobody", "*", 900, now=SECONDS)) == [
        {"type": "history", "host": "nobody", "samples": {}}
    ]


def test_no_slice_is_large(history: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two turns of others a bounded number of bytes is opened, and no frame is larger than agreed."""
    opened = 0
    open_run = Run.joined

    def count(run: Run, since: float) -> bytes:
        nonlocal opened
        joined = open_run(run, since)
        opened += len(joined)
        return joined

    monkeypatch.setattr(Run, "joined", count)
    slices: list[int] = []
    sizes: list[int] = []
    for frame in past_frames(history, "a", "*", SECONDS, now=SECONDS):
        slices.append(opened)
        opened = 0
        if frame is not None:
            sizes.append(len(frame))
    largest_chunk = CHUNK_BYTES + max(GROUPS.values())
    assert sum(slices) > 20 * SLICE_BYTES
    assert max(slices) <= SLICE_BYTES + largest_chunk
    assert sizes[0] <= FIRST_FRAME_BYTES + largest_chunk + 1000
    assert max(sizes) <= FRAME_BYTES + largest_chunk + 1000


@asynccontextmanager
async def sending(past: HistoryReplay, outbox: Outbox, frames: Any, turn: asyncio.Lock) -> Any:
    task = asyncio.create_task(past.send(outbox, frames, turn))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_however_many_open_a_host_one_slice_is_built_in_a_pass_of_the_loop() -> None:
    """Twenty viewers that ask at once share one turn, so that the wait of everybody else stays the same."""
    built = passes = 0

    def frames(*_: object) -> Iterator[bytes | None]:
        nonlocal built
        for _number in range(50):
            built += 1
            yield None
        yield NOTHING

    most = 0

    def tick() -> None:
        nonlocal built, most, passes
        most, built, passes = max(most, built), 0, passes + 1
        loop.call_soon(tick)

    loop = asyncio.get_running_loop()
    turn = asyncio.Lock()
    pasts = [HistoryReplay() for _ in range(20)]
    outboxes = [Outbox() for _ in pasts]
    tasks = [
        asyncio.create_task(past.send(outbox, frames, turn))
        for past, outbox in zip(pasts, outboxes, strict=True)
    ]
    for past in pasts:
        past.want("a", "*", 900)
    loop.call_soon(tick)
    for outbox in outboxes:
        assert await outbox.take() == NOTHING
    assert most == 1
    assert passes >= 20 * 50
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_viewer_that_takes_nothing_gets_no_more_built() -> None:
    """The frames wait for the viewer, not in memory; each that it takes lets one more be built."""
    built = 0

    def frames(*_: object) -> Iterator[bytes | None]:
        nonlocal built
        for number in range(10):
            built += 1
            yield b"%d" % number

    outbox, past = Outbox(), HistoryReplay()
    async with sending(past, outbox, frames, asyncio.Lock()):
        past.want("a", "*", 900)
        for taken in range(10):
            for _ in range(50):
                await asyncio.sleep(0)
            assert built == min(taken + MAX_WAITING, 10)
            assert await outbox.take() == b"%d" % taken


async def test_what_is_no_longer_selected_is_no_longer_built() -> None:
    """A viewer that goes on to another host gets that one's past next, and nothing more of the first."""
    started: list[str] = []
    begun = asyncio.Event()

    def frames(host: str, *_: object) -> Iterator[bytes | None]:
        started.append(host)
        begun.set()
        while host == "long":
            yield None
        yield host.encode()

    outbox, past = Outbox(), HistoryReplay()
    async with sending(past, outbox, frames, asyncio.Lock()):
        past.want("long", "*", 900)
        await begun.wait()
        past.drop("long")
        past.want("short", "*", 900)
        assert await outbox.take() == b"short"
        past.drop("nobody")
        past.want("short", "*", 300)
        assert await outbox.take() == b"short"
        assert started == ["long", "short", "short"]


async def settled() -> None:
    """Let everything run that can run without anybody doing anything more."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["drop"], []),
        (["want"], [60]),
        (["drop", "want"], [60]),
    ],
    ids=["dropped", "replaced", "dropped and wanted again"],
)
async def test_a_wish_that_changes_while_it_waits_for_its_turn_is_served_as_it_is_then(
    changes: list[str], expected: list[float]
) -> None:
    """Dropped, replaced, or both: only the newest wish is served, and the next host follows."""
    served: list[tuple[str, float]] = []

    def frames(host: str, _: Selection, seconds: float) -> Iterator[bytes | None]:
        yield b"%s %d" % (host.encode(), seconds)
        yield None
        served.append((host, seconds))

    outbox, past, turn = Outbox(), HistoryReplay(), asyncio.Lock()
    async with sending(past, outbox, frames, turn):
        past.want("a", frozenset({"cpu"}), 30)
        assert await outbox.take() == b"a 30"
        await turn.acquire()  # now the end of the first wish waits for its turn
        await settled()
        for change in changes:
            if change == "drop":
                past.drop("a")
            else:
                past.want("a", frozenset({"memory"}), 60)
        turn.release()
        await settled()
        past.want("b", "*", 10)
        async with asyncio.timeout(PATIENCE_SECONDS):
            got = [await outbox.take() for _ in range(len(expected) + 1)]
        assert got == [*(b"a %d" % seconds for seconds in expected), b"b 10"]
        await settled()
    assert [one for one in served if one != ("a", 30)] == [
        *(("a", seconds) for seconds in expected),
        ("b", 10),
    ]


async def test_what_is_dropped_while_a_frame_of_it_is_built_is_not_sent() -> None:
    """The frame that is finished then stays behind, and the next host follows."""
    past = HistoryReplay()

    def frames(host: str, *_: object) -> Iterator[bytes | None]:
        if host == "a":
            asyncio.get_running_loop().call_soon(past.drop, "a")
        yield host.encode()

    outbox = Outbox()
    async with sending(past, outbox, frames, asyncio.Lock()):
        past.want("a", "*", 900)
        past.want("b", "*", 900)
        assert await outbox.take() == b"b"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["want", "drop", "run", "take", "others"]),
            st.integers(0, 1),
            st.sampled_from(["a", "b"]),
            st.integers(1, 9),
        ),
        min_size=20,
        max_size=60,
    )
)
def test_however_wishes_come_and_go_each_last_wish_is_served(steps: list[tuple[str, int, str, int]]) -> None:
    """Two viewers that want and drop at any moment get, to its end, all that they want at last."""
    asyncio.run(_come_and_go(steps))


async def _come_and_go(steps: list[tuple[str, int, str, int]]) -> None:
    def frames(host: str, _: Selection, seconds: float) -> Iterator[bytes | None]:
        yield None
        yield f"{host} {seconds}".encode()

    outboxes, pasts, turn = (Outbox(), Outbox()), (HistoryReplay(), HistoryReplay()), asyncio.Lock()
    wanted: tuple[dict[str, int], dict[str, int]] = ({}, {})
    got: tuple[set[bytes], set[bytes]] = (set(), set())
    others: list[asyncio.Task[None]] = []

    async def hold_turn(passes: int) -> None:
        async with turn:
            for _ in range(passes):
                await asyncio.sleep(0)

    async with sending(pasts[0], outboxes[0], frames, turn), sending(pasts[1], outboxes[1], frames, turn):
        # Each wish is for longer than those before, which tells them apart.
        for seconds, (action, viewer, host, passes) in enumerate(steps, 1):
            if action == "want":
                pasts[viewer].want(host, "*", seconds)
                wanted[viewer][host] = seconds
            elif action == "drop":
                pasts[viewer].drop(host)
                wanted[viewer].pop(host, None)
            elif action == "run":
                for _ in range(passes):
                    await asyncio.sleep(0)
            elif action == "others":
                others.append(asyncio.create_task(hold_turn(passes)))
            elif outboxes[viewer]:
                got[viewer].add(await outboxes[viewer].take())
        for viewer in (0, 1):
            expected = {f"{host} {seconds}".encode() for host, seconds in wanted[viewer].items()}
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not expected <= got[viewer]:
                    got[viewer].add(await outboxes[viewer].take())
        await asyncio.gather(*others)
