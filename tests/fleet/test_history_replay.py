import asyncio
import json
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fleetglass.fleet.fanout import Selection
from fleetglass.fleet.history_replay import (
    FIRST_FRAME_BYTES,
    FRAME_BYTES,
    MOST_WAITING,
    SLICE_BYTES,
    Past,
    past_frames,
)
from fleetglass.fleet.outbox import Outbox
from fleetglass.history.chunk import CHUNK_BYTES, Run
from fleetglass.history.store import History

SECONDS = 900
GROUPS = {"pulse": 600, "cpu": 900, "memory": 400, "network": 1500, "process": 2600}
NOTHING = b'{"type":"history","host":"a","samples":{}}'


@pytest.fixture(scope="module")
def history() -> History:
    """Return 15 minutes of a large host."""
    history = History(10**8)
    for second in range(SECONDS):
        for group, size in GROUPS.items():
            payload = {"time": 1000 + second, "tick": second, "x": "x" * (size - 40)}
            history.append("a", group, json.dumps(payload).encode(), now=second)
    return history


def decoded(frames: Iterator[bytes | None]) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames if frame is not None]


def test_the_newest_come_first_and_each_once(history: History) -> None:
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
def test_only_what_is_selected_is_sent(history: History, selection: Selection, groups: set[str]) -> None:
    """The pulses always, and of the groups those that the viewer chose."""
    frames = decoded(past_frames(history, "a", selection, 30, now=SECONDS))
    assert {group for frame in frames for group in frame["samples"]} == groups


def test_a_host_without_past_gets_one_empty_frame(history: History) -> None:
    """A viewer is never left waiting for what does not exist."""
    assert decoded(past_frames(history, "nobody", "*", 900, now=SECONDS)) == [
        {"type": "history", "host": "nobody", "samples": {}}
    ]


def test_no_slice_is_large(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
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
async def sending(past: Past, outbox: Outbox, frames: Any, turn: asyncio.Lock) -> Any:
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
    pasts = [Past() for _ in range(20)]
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

    outbox, past = Outbox(), Past()
    async with sending(past, outbox, frames, asyncio.Lock()):
        past.want("a", "*", 900)
        for taken in range(10):
            for _ in range(50):
                await asyncio.sleep(0)
            assert built == min(taken + MOST_WAITING, 10)
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

    outbox, past = Outbox(), Past()
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
