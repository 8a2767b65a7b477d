"""Pulses that could not be delivered yet, in order, within a bound."""

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from fleetglass.wire import encode
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Backfill

KEPT_SECONDS = 900.0

STAMP_BYTES = 128
"""At most, of a chunk beside its pulses."""


class Backlog:
    """The newest pulses of 15 minutes at most; when it is full, the oldest is dropped and counted."""

    def __init__(self, interval_seconds: float) -> None:
        self.dropped = 0
        """Pulses dropped since start."""
        self._pulses: deque[bytes] = deque()
        self._bound = max(1, int(KEPT_SECONDS / interval_seconds))

    def __len__(self) -> int:
        return len(self._pulses)

    def append(self, pulse: bytes) -> None:
        """Keep the newest pulse."""
        self._pulses.append(pulse)
        self._trim()

    def restore(self, pulses: Iterable[bytes]) -> None:
        """Put back pulses that are older than all others, oldest first."""
        self._pulses.extendleft(reversed(list(pulses)))
        self._trim()

    def take_chunks(self, max_bytes: int = MAX_PAYLOAD_BYTES) -> Iterator[list[bytes]]:
        """Take everything out, in chunks of at least one pulse that fit into a payload of so many bytes."""
        room = max_bytes - STAMP_BYTES
        while self._pulses:
            chunk, size = [self._pulses.popleft()], 0
            while self._pulses and size + len(self._pulses[0]) + 1 <= room - len(chunk[0]):
                size += len(self._pulses[0]) + 1
                chunk.append(self._pulses.popleft())
            yield chunk

    def _trim(self) -> None:
        while len(self._pulses) > self._bound:
            self._pulses.popleft()
            self.dropped += 1


def backfill_of(chunk: Iterable[bytes], *, time: float, tick: int, session: str) -> bytes:
    """Return the payload that carries these pulses; stamped as the tick in which it is sent."""
    return encode(Backfill(time, tick, session, [msgspec.Raw(pulse) for pulse in chunk]))
