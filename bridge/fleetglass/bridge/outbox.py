"""What waits for one viewer: never more than the newest of each kind."""

import asyncio

_SAMPLES = frozenset({"live", "pulse"})


class Outbox:
    """Frames by kind and subject, in the order in which they were put.

    A frame replaces an unsent one of its kind and subject. Frames that tell how things stand move to the
    end then, so that the last one read is the last one put; samples keep their place, so that none waits
    for ever. There is one subject per host, and some for chunks of its past: the number of hosts bounds
    the number of frames.
    """

    def __init__(self) -> None:
        self.replaced = 0
        """Frames of samples that were replaced before they could be sent."""
        self._frames: dict[tuple[str, str], bytes] = {}
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()

    def put(self, kind: str, subject: str, frame: bytes) -> None:
        """Leave a frame to be sent."""
        key = (kind, subject)
        if key in self._frames:
            if kind in _SAMPLES:
                self.replaced += 1
            else:
                del self._frames[key]
        self._frames[key] = frame
        self._filled.set()

    def __len__(self) -> int:
        return len(self._frames)

    async def until_fewer(self, kind: str, most: int) -> None:
        """Wait until fewer than `most` frames of a kind are left to be taken."""
        while sum(1 for one, _ in self._frames if one == kind) >= most:
            self._taken.clear()
            await self._taken.wait()

    async def take(self) -> bytes:
        """Wait for a frame and return the first."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        self._taken.set()
        return self._frames.pop(next(iter(self._frames)))
