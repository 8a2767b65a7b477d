"""What waits for one viewer: never more than the newest of each kind."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

SAMPLES = frozenset({"live", "pulse", "summary"})
"""The kinds of frames of which a newer one keeps the place of the one that it replaces."""


def _never(_frame: bytes) -> bool:
    return False


def _ignore(_frame: bytes) -> bool:
    return True


class Outbox:
    """Frames by kind and subject, in the order in which they were put.

    A frame is given to `write` at once unless others wait; `write` returns whether it took it. One that it
    did not take waits, and replaces an unsent one of its kind and subject. Frames that tell how things stand
    move to the end then, so that the last one read is the last one put; samples keep their place, so that
    none waits for ever. There is one subject per host, and some for chunks of its past: the number of hosts
    bounds the number of frames.
    """

    def __init__(self, write: Callable[[bytes], bool] = _never) -> None:
        self.replaced = 0
        """Frames of samples that were replaced before they could be sent."""
        self._write = write
        self._failure: Exception | None = None
        self._frames: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()

    def put(self, kind: str, subject: str, frame: bytes) -> None:
        """Send a frame, now or as soon as there is room."""
        if not self._frames and self._write(frame):
            return
        key = (kind, subject)
        if key in self._frames:
            if kind in SAMPLES:
                self.replaced += 1
            else:
                del self._frames[key]
        self._frames[key] = frame
        self._filled.set()

    def fail(self, error: Exception) -> None:
        """Let go of every frame, now and from now on, and raise this error to whoever takes."""
        self._failure = error
        self._write = _ignore
        self._frames.clear()
        self._filled.set()
        self._taken.set()

    def __len__(self) -> int:
        return len(self._frames)

    async def until_fewer(self, kind: str, most: int) -> None:
        """Wait until fewer than `most` frames of a kind are left to be taken."""
        while sum(1 for one, _ in self._frames if one == kind) >= most:
            self._taken.clear()
            await self._taken.wait()

    async def until_filled(self) -> None:
        """Wait until a frame waits.

        Raises:
            Exception: what `fail` was given.
        """
        while not self._frames:
            if self._failure is not None:
                raise self._failure
            self._filled.clear()
            await self._filled.wait()

    def pop(self) -> bytes:
        """Return the first frame that waits.

        Raises:
            KeyError: none waits.
        """
        self._taken.set()
        return self._frames.popitem(last=False)[1]

    async def take(self) -> bytes:
        """Wait for a frame and return the first.

        Raises:
            Exception: as `until_filled`.
        """
        await self.until_filled()
        return self.pop()
