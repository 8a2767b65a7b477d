"""Payloads that followed each other in one series: as they came while they gather, then compressed."""

import zlib
from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

CHUNK_ENTRIES = 16
"""Gathering more saves little: a pulse takes 418 bytes as it came, 75 among 16, 66 among 64."""
CHUNK_BYTES = 32 * 1024
"""A chunk that reached this many bytes takes no more: how far back zlib looks, and quick to open."""
CHUNK_SECONDS = 60.0
"""A chunk takes nothing more after this time, so that a slow group does not outlive its age."""
CHUNK_OVERHEAD_BYTES = 300
"""What CPython 3.11 needs for a chunk beside its payloads, so that the sum is what the process grows."""
ENTRY_OVERHEAD_BYTES = 120
"""What it needs for a payload that is not compressed yet: bytes object, float, slots of two lists."""

_LEVEL = 1  # level 6 saves an eighth and takes three times as long

_NOTHING: list[Any] = []  # shared, since nothing is ever added to a chunk that is packed

_payloads = msgspec.json.Decoder(list[msgspec.Raw])


class Entry(NamedTuple):
    """A payload and the moment it belongs to: the monotonic clock, in seconds."""

    moment: float
    payload: bytes


class Run(NamedTuple):
    """The content of a chunk at one moment; it stays as it is, whatever becomes of the chunk."""

    first: float
    last: float
    length: int
    """How many payloads."""
    data: bytes
    """Milliseconds of each entry after `first` (32 bits each), then the payloads with commas between."""
    compressed: bool

    def entries(self) -> list[Entry]:
        """Return payloads and moments, oldest first."""
        offsets, joined = self._open()
        payloads = _payloads.decode(b"[%b]" % joined)
        return [
            Entry(self.first + offset / 1000, bytes(payload))
            for offset, payload in zip(offsets, payloads, strict=True)
        ]

    def joined(self, since: float) -> bytes:
        """Return the payloads from `since` on, oldest first, with commas between."""
        if since <= self.first:
            return self._open()[1]
        return b",".join(entry.payload for entry in self.entries() if entry.moment >= since)

    def _open(self) -> tuple["array[int]", bytes]:
        data = zlib.decompress(self.data) if self.compressed else self.data
        offsets = array("I")
        end = self.length * offsets.itemsize
        offsets.frombytes(data[:end])
        return offsets, data[end:]


class Chunk:
    """A few payloads of one series."""

    __slots__ = ("_moments", "_packed", "_payloads", "_raw_bytes", "count", "first", "last", "series")

    def __init__(self, first: Entry) -> None:
        self.series: Series | None = None
        self.first = self.last = first.moment
        self.count = 1
        self._moments = [first.moment]
        self._payloads = [first.payload]
        self._raw_bytes = len(first.payload)
        self._packed: bytes | None = None

    @property
    def cost(self) -> int:
        """Memory it takes, in bytes."""
        if self._packed is not None:
            return CHUNK_OVERHEAD_BYTES + len(self._packed)
        return CHUNK_OVERHEAD_BYTES + self._raw_bytes + ENTRY_OVERHEAD_BYTES * self.count

    @property
    def newest(self) -> bytes:
        """The last payload, of a chunk that is open."""
        return self._payloads[-1]

    def takes(self, now: float, room: int = CHUNK_ENTRIES) -> bool:
        """Return whether one more payload may follow."""
        return (
            self.count < room
            and self._raw_bytes < CHUNK_BYTES
            and now - self.first < CHUNK_SECONDS
            and self._packed is None
        )

    def append(self, entry: Entry) -> int:
        """Take one more payload and return by how many bytes the cost grew."""
        self.last = entry.moment
        self.count += 1
        self._moments.append(entry.moment)
        self._payloads.append(entry.payload)
        self._raw_bytes += len(entry.payload)
        return len(entry.payload) + ENTRY_OVERHEAD_BYTES

    def pack(self) -> int:
        """Compress, since nothing follows, and return by how many bytes the cost grew."""
        before = self.cost
        self._packed = zlib.compress(self._data(), _LEVEL)
        self._moments = self._payloads = _NOTHING
        return self.cost - before

    def clear(self) -> None:
        """Let go of everything; runs taken before keep what they hold."""
        self.series = None
        self._moments = self._payloads = _NOTHING
        self._packed = b""

    def run(self) -> Run:
        """Return what it holds."""
        if self._packed is not None:
            return Run(self.first, self.last, self.count, self._packed, compressed=True)
        return Run(self.first, self.last, self.count, self._data(), compressed=False)

    def _data(self) -> bytes:
        offsets = array("I", [int((moment - self.first) * 1000) for moment in self._moments])
        return offsets.tobytes() + b",".join(self._payloads)


class Series:
    """The chunks of one host and group, oldest first; the last is open."""

    __slots__ = ("chunks", "group", "room")

    def __init__(self, group: str, room: int) -> None:
        self.group = group
        self.chunks: list[Chunk] = []
        self.room = room
        """How many payloads the open chunk takes."""


def chunks_of(entries: Iterable[Entry]) -> list[Chunk]:
    """Return chunks that hold these, oldest first; all but the last are packed."""
    chunks: list[Chunk] = []
    for entry in entries:
        if chunks and chunks[-1].takes(entry.moment):
            chunks[-1].append(entry)
        else:
            if chunks:
                chunks[-1].pack()
            chunks.append(Chunk(entry))
    return chunks
