"""The past of hosts for one viewer: frames that are built a little at a time, between other work."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple, NoReturn

import msgspec

from fleetglass.fleet.fanout import Selection
from fleetglass.fleet.outbox import Outbox
from fleetglass.history.store import HistoryStore
from fleetglass.wire.protocol import History

SLICE_BYTES = 64 * 1024
"""After this many bytes others get their turn: some 0.4 ms of work, and one more chunk at most."""
FIRST_FRAME_BYTES = 64 * 1024
"""The first frame is small, for a first picture soon; each next one twice as large, up to `FRAME_BYTES`."""
FRAME_BYTES = 256 * 1024
MAX_WAITING = 2
"""Frames of the past that wait for one viewer; more are built when it has taken these."""

Frames = Callable[[str, Selection, float], Iterator[bytes | None]]
"""From host, selection and seconds to what `past_frames` yields."""

_encode = msgspec.json.Encoder().encode


class _Wish(NamedTuple):
    selection: Selection
    seconds: float


class HistoryReplay:
    """What one viewer still is to get of the past."""

    def __init__(self) -> None:
        self._wishes: dict[str, _Wish] = {}
        self._something = asyncio.Event()
        self._number = 0

    def want(self, host: str, selection: Selection, seconds: float) -> None:
        """Ask for the past of a host; what is not yet sent of an earlier wish is begun anew with it."""
        earlier = self._wishes.get(host)
        if earlier is not None:
            every = selection == "*" or earlier.selection == "*"
            selection = "*" if every else frozenset({*selection, *earlier.selection})
            seconds = max(seconds, earlier.seconds)
        self._wishes[host] = _Wish(selection, seconds)
        self._something.set()

    def drop(self, host: str) -> None:
        """Build no more of a host."""
        self._wishes.pop(host, None)

    async def send(self, outbox: Outbox, frames: Frames, turn: asyncio.Lock) -> NoReturn:
        """Build what is wanted, host after host, as fast as the viewer takes it.

        `turn` is shared by all viewers: in one pass of the event loop, one slice is built for one of them.
        """
        while True:
            self._something.clear()
            while self._wishes:
                await self._send_host(next(iter(self._wishes)), outbox, frames, turn)
            await self._something.wait()

    async def _send_host(self, host: str, outbox: Outbox, frames: Frames, turn: asyncio.Lock) -> None:
        wish = self._wishes[host]
        building = frames(host, wish.selection, wish.seconds)
        while True:
            async with turn:
                # The viewer may have dropped or replaced the wish while this waited for its turn.
                if self._wishes.get(host) is not wish:
                    return
                try:
                    frame = next(building)
                except StopIteration:
                    del self._wishes[host]
                    return
                await asyncio.sleep(0)
            if frame is not None and self._wishes.get(host) is wish:
                self._number += 1
                outbox.put("history", f"{host} {self._number}", frame)
                await outbox.until_fewer("history", MAX_WAITING)


def past_frames(
    history: HistoryStore, host: str, selection: Selection, seconds: float, now: float
) -> Iterator[bytes | None]:
    """Yield the frames of one host, the newest samples first, and None where others may run in between.

    Within a frame samples are oldest first. There is a last frame always, even without samples.
    """
    since = now - seconds
    runs = [
        (run.first, group, run)
        for group in history.groups(host)
        if group == "pulse" or selection == "*" or group in selection
        for run in history.runs(host, group, seconds, now)
    ]
    yield None
    runs.sort(key=lambda one: one[0], reverse=True)
    limit = FIRST_FRAME_BYTES
    waiting: dict[str, list[bytes]] = {}
    slice_bytes = frame_bytes = 0
    for _, group, run in runs:
        if frame_bytes >= limit:
            yield _frame(host, waiting, more=True)
            waiting = {}
            limit = min(2 * limit, FRAME_BYTES)
            slice_bytes = frame_bytes = 0
        elif slice_bytes >= SLICE_BYTES:
            yield None
            slice_bytes = 0
        joined = run.joined(since)
        slice_bytes += len(joined)
        frame_bytes += len(joined)
        if joined:
            waiting.setdefault(group, []).append(joined)
    yield _frame(host, waiting, more=False)


def _frame(host: str, samples: dict[str, list[bytes]], *, more: bool) -> bytes:
    # Each of these is several samples with commas between: as good as one in a list that is only written.
    lists = {group: [msgspec.Raw(joined) for joined in reversed(parts)] for group, parts in samples.items()}
    return _encode(History(host=host, samples=lists, more=more))
