"""The last minutes of every host's messages, within a budget of memory, oldest out first."""

import heapq
import math
from collections import deque
from collections.abc import Iterable

from fleetglass.history.chunk import CHUNK_ENTRIES, CHUNK_OVERHEAD_BYTES, Chunk, Entry, Run, Series, chunks_of
from fleetglass.history.merge import Dated, place
from fleetglass.wire import decode_stamp
from fleetglass.wire.protocol import HISTORY_SECONDS

FAIR_SHARES = 16
"""A host that holds more than one of so many parts of the budget is the first to make room. By default that
is 4 MiB: 15 minutes of all groups of a host with 128 cores take 0.8 MiB."""
MERGE_SLACK_SECONDS = 30.0
"""How far the moment of a late payload, which is reckoned, may be off."""
MAX_MERGE_ENTRIES = 4096
"""A merge looks at no more than so many of the newest, so that nobody can make it slow."""
HOST_OVERHEAD_BYTES = 1000
"""What CPython 3.11 needs for a host beside its series: object, dict, deque and place in the heap."""
SERIES_OVERHEAD_BYTES = 1000
"""What it needs for a series beside its chunks: object, list, slots and names in two dicts."""


class HistoryStore:
    """Payloads as they came, by host and group. `now` is the monotonic clock, in seconds.

    When the budget is used up, the oldest payloads of all hosts make room. A host that holds more than its
    fair share makes room before the others do, so that a host that floods pushes out its own past only.

    A payload is a JSON object; white space around it is not kept.
    """

    def __init__(self, budget_bytes: int, max_age_seconds: float = HISTORY_SECONDS) -> None:
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        """Memory taken, with what Python needs beside the payloads."""
        self.payloads = 0
        """How many are kept."""
        self._max_age = max_age_seconds
        self._fair_bytes = budget_bytes // FAIR_SHARES
        self._hosts: dict[str, _Owner] = {}
        self._oldest_first: list[tuple[float, str]] = []
        """A heap with one entry per host: when its oldest chunk began, or one that made room since."""
        self._large: set[_Owner] = set()
        """At least the hosts that hold more than their fair share."""
        self._next_expiry = math.inf
        """No chunk is too old before this moment."""
        self._begun = 0

    def append(self, host: str, group: str, payload: bytes, now: float) -> None:
        """Keep a payload."""
        owner = self._hosts.get(host) or self._begin_host(host, now)
        series = owner.series.get(group) or self._begin_series(owner, group)
        entry = Entry(now, payload)
        chunk = series.chunks[-1] if series.chunks else None
        if chunk is not None and chunk.takes(now, series.room):
            grown = chunk.append(entry)
            owner.used_bytes += grown
            self.used_bytes += grown
        else:
            if chunk is not None:
                self._grow(owner, chunk.pack())
                series.room = CHUNK_ENTRIES
            self._add(owner, series, Chunk(entry))
        self.payloads += 1
        if self.used_bytes > self.budget_bytes or now > self._next_expiry:
            self._trim(now)

    def merge(self, host: str, group: str, past: Iterable[Dated], now: float) -> list[Dated]:
        """Put late payloads where they belong, and return those that were not there yet, oldest first.

        In the order of eviction they count as new, so that they may stay a little longer than their age
        allows; `since` leaves out what is too old.
        """
        late = list(past)
        if not late:
            return []
        owner = self._hosts.get(host) or self._begin_host(host, now)
        series = owner.series.get(group) or self._begin_series(owner, group)
        tail, kept = _tail(series.chunks, late)
        new = [one for one in place(kept, late) if one.moment >= now - self._max_age]
        if new:
            for chunk in tail:
                series.chunks.pop()
                self._empty(owner, chunk)
            merged = sorted([*kept, *new], key=lambda one: (one.moment, one.tick))
            for chunk in chunks_of(Entry(one.moment, one.payload) for one in merged):
                self._add(owner, series, chunk)
            self.payloads += len(merged)
            self._trim(now)
        elif not series.chunks:
            self._end_series(owner, series)
        return sorted(new, key=lambda one: (one.moment, one.tick))

    def since(self, host: str, group: str, seconds: float, now: float) -> list[bytes]:
        """Return the payloads of the last `seconds`, oldest first."""
        return [
            entry.payload
            for run in self.runs(host, group, seconds, now)
            for entry in run.entries()
            if entry.moment >= now - seconds
        ]

    def runs(self, host: str, group: str, seconds: float, now: float) -> list[Run]:
        """Return what holds the payloads of the last `seconds`, oldest first; the first may begin earlier."""
        series = self._series(host).get(group)
        chunks = series.chunks if series is not None else ()
        return [chunk.run() for chunk in chunks if chunk.last >= now - seconds]

    def last(self, host: str) -> dict[str, bytes]:
        """Return the newest payload of every group of a host."""
        return {group: series.chunks[-1].newest for group, series in self._series(host).items()}

    def groups(self, host: str) -> Iterable[str]:
        """Return the groups of which something is kept."""
        return self._series(host).keys()

    def forget(self, host: str) -> None:
        """Drop all of a host."""
        owner = self._hosts.get(host)
        if owner is None:
            return
        for series in list(owner.series.values()):
            for chunk in series.chunks:
                self._empty(owner, chunk)
            self._end_series(owner, series)
        while len(owner.order) > 1:  # the first keeps the place of the host among the others
            owner.order.pop()
            self._grow(owner, -CHUNK_OVERHEAD_BYTES)

    def _series(self, host: str) -> dict[str, Series]:
        owner = self._hosts.get(host)
        return owner.series if owner is not None else {}

    def _begin_host(self, host: str, now: float) -> "_Owner":
        owner = self._hosts[host] = _Owner()
        heapq.heappush(self._oldest_first, (now, host))
        self._grow(owner, HOST_OVERHEAD_BYTES)
        return owner

    def _begin_series(self, owner: "_Owner", group: str) -> Series:
        # Series that begin at the same moment are not all to be compressed at the same moment.
        self._begun += 1
        series = owner.series[group] = Series(group, 1 + self._begun % CHUNK_ENTRIES)
        self._grow(owner, SERIES_OVERHEAD_BYTES)
        return series

    def _end_series(self, owner: "_Owner", series: Series) -> None:
        del owner.series[series.group]
        self._grow(owner, -SERIES_OVERHEAD_BYTES)

    def _grow(self, owner: "_Owner", by_bytes: int) -> None:
        owner.used_bytes += by_bytes
        self.used_bytes += by_bytes

    def _add(self, owner: "_Owner", series: Series, chunk: Chunk) -> None:
        chunk.series = series
        series.chunks.append(chunk)
        owner.order.append(chunk)
        self._grow(owner, chunk.cost)
        self._next_expiry = min(self._next_expiry, chunk.last + self._max_age)
        if owner.used_bytes > self._fair_bytes:
            self._large.add(owner)

    def _empty(self, owner: "_Owner", chunk: Chunk) -> None:
        # It stays in the order, empty, until its turn comes; so does its overhead.
        self._grow(owner, CHUNK_OVERHEAD_BYTES - chunk.cost)
        self.payloads -= chunk.count
        chunk.clear()

    def _trim(self, now: float) -> None:
        """Keep the budget and the age."""
        while (owner := self._oldest()) is not None:
            if self.used_bytes > self.budget_bytes:
                owner = self._largest() or owner
            elif owner.order[0].last >= now - self._max_age:
                self._next_expiry = owner.order[0].last + self._max_age
                return
            self._drop_first(owner)
        self._next_expiry = math.inf

    def _largest(self) -> "_Owner | None":
        """Return the host that holds most of those that hold more than their fair share, if there is one."""
        if not self._large:
            return None
        self._large = {one for one in self._large if one.used_bytes > self._fair_bytes and one.order}
        return max(self._large, key=lambda one: one.used_bytes, default=None)

    def _oldest(self) -> "_Owner | None":
        """Return the host of the oldest chunk, if there is one."""
        heap = self._oldest_first
        while heap:
            moment, host = heap[0]
            owner = self._hosts[host]
            if not owner.order:
                heapq.heappop(heap)
                del self._hosts[host]
                self._grow(owner, -owner.used_bytes)
            elif owner.order[0].first != moment:
                heapq.heapreplace(heap, (owner.order[0].first, host))
            else:
                return owner
        return None

    def _drop_first(self, owner: "_Owner") -> None:
        chunk = owner.order.popleft()
        series = chunk.series
        if series is None:
            self._grow(owner, -CHUNK_OVERHEAD_BYTES)
            return
        self._grow(owner, -chunk.cost)
        self.payloads -= chunk.count
        series.chunks.remove(chunk)
        chunk.clear()
        if not series.chunks:
            self._end_series(owner, series)


class _Owner:
    """A host, and all that is kept of it."""

    __slots__ = ("order", "series", "used_bytes")

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}
        """By group."""
        self.order: deque[Chunk] = deque()
        """The chunks of all series, in the order in which they were begun."""
        self.used_bytes = 0


def _tail(chunks: list[Chunk], late: list[Dated]) -> tuple[list[Chunk], list[Dated]]:
    """Return the newest chunks, oldest first, among which late payloads belong, and what they hold."""
    oldest = min(one.moment for one in late) - MERGE_SLACK_SECONDS
    ticks: dict[str, int] = {}
    for one in late:
        ticks[one.session] = min(ticks.get(one.session, one.tick), one.tick)
    tail: list[Chunk] = []
    kept: list[Dated] = []
    for chunk in reversed(chunks):
        # What comes twice, the second time long after, is dated too late: its ticks are further back.
        further_back = bool(kept) and ticks.get(kept[-1].session, kept[-1].tick) < kept[-1].tick
        if (chunk.last < oldest and not further_back) or len(kept) >= MAX_MERGE_ENTRIES:
            break
        tail.append(chunk)
        kept.extend(_dated(entry) for entry in reversed(chunk.run().entries()))
    return tail[::-1], kept[::-1]


def _dated(entry: Entry) -> Dated:
    stamp = decode_stamp(entry.payload)
    return Dated(entry.moment, stamp.session or "", stamp.tick, entry.payload)
