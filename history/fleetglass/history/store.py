"""The last minutes of every host's messages, within a budget of memory, oldest out first."""

from collections import deque
from collections.abc import Iterable

from fleetglass.history.chunk import CHUNK_ENTRIES, CHUNK_OVERHEAD_BYTES, Chunk, Entry, Run, Series, chunks_of
from fleetglass.history.merge import Dated, place
from fleetglass.wire import decode_stamp
from fleetglass.wire.protocol import HISTORY_SECONDS

MERGE_SLACK_SECONDS = 30.0
"""How far the moment of a late payload, which is reckoned, may be off."""
MERGE_MOST_ENTRIES = 4096
"""A merge looks at no more than so many of the newest, so that nobody can make it slow."""
SERIES_OVERHEAD_BYTES = 1000
"""What CPython 3.11 needs for a series beside its chunks: object, list, slots and names in two dicts."""


class History:
    """Payloads as they came, by host and group. `now` is the monotonic clock, in seconds.

    A payload is a JSON object; white space around it is not kept.
    """

    def __init__(self, budget_bytes: int, max_age_seconds: float = HISTORY_SECONDS) -> None:
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        """Memory taken, with what Python needs beside the payloads."""
        self.payloads = 0
        """How many are kept."""
        self._max_age = max_age_seconds
        self._hosts: dict[str, dict[str, Series]] = {}
        self._order: deque[Chunk] = deque()
        """Every chunk, oldest first by when it was begun."""
        self._begun = 0

    def append(self, host: str, group: str, payload: bytes, now: float) -> None:
        """Keep a payload."""
        series = self._series(host, group)
        entry = Entry(now, payload)
        chunk = series.chunks[-1] if series.chunks else None
        if chunk is not None and chunk.takes(now, series.room):
            self.used_bytes += chunk.append(entry)
        else:
            if chunk is not None:
                self.used_bytes += chunk.pack()
                series.room = CHUNK_ENTRIES
            self._add(series, Chunk(entry))
        self.payloads += 1
        self._trim(now)

    def merge(self, host: str, group: str, past: Iterable[Dated], now: float) -> list[Dated]:
        """Put late payloads where they belong, and return those that were not there yet, oldest first.

        In the order of eviction they count as new, so that they may stay a little longer than their age
        allows; `since` leaves out what is too old.
        """
        late = list(past)
        if not late:
            return []
        series = self._series(host, group)
        tail, kept = _tail(series.chunks, late)
        new = [one for one in place(kept, late) if one.moment >= now - self._max_age]
        if new:
            for chunk in tail:
                series.chunks.pop()
                self._leave(chunk)
            merged = sorted([*kept, *new], key=lambda one: (one.moment, one.tick))
            for chunk in chunks_of(Entry(one.moment, one.payload) for one in merged):
                self._add(series, chunk)
            self.payloads += len(merged)
            self._trim(now)
        elif not series.chunks:
            self._forget_series(series)
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
        series = self._hosts.get(host, {}).get(group)
        chunks = series.chunks if series is not None else ()
        return [chunk.run() for chunk in chunks if chunk.last >= now - seconds]

    def last(self, host: str) -> dict[str, bytes]:
        """Return the newest payload of every group of a host."""
        return {group: series.chunks[-1].newest for group, series in self._hosts.get(host, {}).items()}

    def groups(self, host: str) -> Iterable[str]:
        """Return the groups of which something is kept."""
        return self._hosts.get(host, {}).keys()

    def forget(self, host: str) -> None:
        """Drop all of a host."""
        for series in list(self._hosts.get(host, {}).values()):
            for chunk in series.chunks:
                self._leave(chunk)
            self._forget_series(series)

    def _series(self, host: str, group: str) -> Series:
        groups = self._hosts.setdefault(host, {})
        series = groups.get(group)
        if series is None:
            # Series that begin at the same moment are not all to be compressed at the same moment.
            self._begun += 1
            series = groups[group] = Series(host, group, 1 + self._begun % CHUNK_ENTRIES)
            self.used_bytes += SERIES_OVERHEAD_BYTES
        return series

    def _forget_series(self, series: Series) -> None:
        groups = self._hosts[series.host]
        del groups[series.group]
        if not groups:
            del self._hosts[series.host]
        self.used_bytes -= SERIES_OVERHEAD_BYTES

    def _add(self, series: Series, chunk: Chunk) -> None:
        chunk.series = series
        series.chunks.append(chunk)
        self._order.append(chunk)
        self.used_bytes += chunk.cost

    def _leave(self, chunk: Chunk) -> None:
        # It stays in the order, empty, until its turn comes; so does its overhead.
        self.used_bytes -= chunk.cost - CHUNK_OVERHEAD_BYTES
        self.payloads -= chunk.count
        chunk.clear()

    def _trim(self, now: float) -> None:
        while self._order:
            chunk = self._order[0]
            series = chunk.series
            if series is not None:
                if self.used_bytes <= self.budget_bytes and chunk.last >= now - self._max_age:
                    return
                series.chunks.remove(chunk)
                self._leave(chunk)
                if not series.chunks:
                    self._forget_series(series)
            self._order.popleft()
            self.used_bytes -= CHUNK_OVERHEAD_BYTES


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
        if (chunk.last < oldest and not further_back) or len(kept) >= MERGE_MOST_ENTRIES:
            break
        tail.append(chunk)
        kept.extend(_dated(entry) for entry in reversed(chunk.run().entries()))
    return tail[::-1], kept[::-1]


def _dated(entry: Entry) -> Dated:
    stamp = decode_stamp(entry.payload)
    return Dated(entry.moment, stamp.session or "", stamp.tick, entry.payload)
