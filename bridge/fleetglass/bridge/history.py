"""The last minutes of every host's messages, within a budget of memory, oldest out first."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from fleetglass.wire.protocol import HISTORY_SECONDS

MERGE_SLACK_SECONDS = 30.0
"""How far the moment of a late payload, which is reckoned, may be off."""
MOST_PER_SECOND = 4
"""Payloads of one group in one second; agents make 2 at most."""
ENTRY_OVERHEAD_BYTES = 200
"""What CPython needs for one entry beside the payload: two tuples, two deque slots, the bytes object."""


@dataclass(slots=True)
class _Series:
    entries: deque[tuple[float, bytes]] = field(default_factory=deque)


class History:
    """Payloads as they came, by host and group. `now` is the monotonic clock, in seconds."""

    def __init__(self, budget_bytes: int, max_age_seconds: float = HISTORY_SECONDS) -> None:
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        self._max_age = max_age_seconds
        self._hosts: dict[str, dict[str, _Series]] = {}
        self._order: deque[_Series] = deque()
        """The series of every entry, oldest first. An entry of a forgotten host leaves an empty series."""

    def append(self, host: str, group: str, payload: bytes, now: float) -> None:
        """Keep a payload."""
        series = self._hosts.setdefault(host, {}).setdefault(group, _Series())
        series.entries.append((now, payload))
        self._order.append(series)
        self.used_bytes += _cost(payload)
        self._trim(now)

    def merge(
        self,
        host: str,
        group: str,
        past: list[tuple[float, bytes]],
        now: float,
        number_of: Callable[[bytes], tuple[Hashable, int]],
    ) -> int:
        """Put late payloads, oldest first, to where they belong, and return how many were not there yet.

        Each is given with its moment, as far as that is known. Its place is told by `number_of`: before what
        has a higher number in the same row, behind all else; the clock of a host may have been set meanwhile.
        In the order of eviction late payloads count as new, so that they may stay a little longer than their
        age allows; `since` leaves out what is too old. A series that is longer than any agent makes it takes
        none: looking for their place in it would hold up everybody else.
        """
        new = [entry for entry in past if entry[0] >= now - self._max_age]
        if not new:
            return 0
        series = self._hosts.setdefault(host, {}).setdefault(group, _Series())
        entries = series.entries
        if len(entries) > MOST_PER_SECOND * self._max_age:
            return 0
        later: deque[tuple[float, bytes]] = deque()
        while entries and entries[-1][0] >= new[0][0] - MERGE_SLACK_SECONDS:
            later.appendleft(entries.pop())
        numbers = deque(number_of(payload) for _, payload in later)
        known = set(numbers)
        merged = 0
        for at, payload in new:
            row, number = number_of(payload)
            if (row, number) in known:
                continue
            known.add((row, number))
            while later and not (numbers[0][0] == row and numbers[0][1] > number):
                entries.append(later.popleft())
                numbers.popleft()
            # Moments never run backwards, or `since` would stop too early.
            latest = min(at, later[0][0]) if later else at
            entries.append((max(latest, entries[-1][0]) if entries else latest, payload))
            self._order.append(series)
            self.used_bytes += _cost(payload)
            merged += 1
        entries.extend(later)
        self._trim(now)
        return merged

    def since(self, host: str, group: str, seconds: float, now: float) -> list[bytes]:
        """Return the payloads of the last `seconds`, oldest first."""
        series = self._hosts.get(host, {}).get(group)
        if series is None:
            return []
        recent: list[bytes] = []
        for at, payload in reversed(series.entries):
            if at < now - seconds:
                break
            recent.append(payload)
        recent.reverse()
        return recent

    def last(self, host: str) -> dict[str, bytes]:
        """Return the newest payload of every group of a host."""
        return {
            group: series.entries[-1][1]
            for group, series in self._hosts.get(host, {}).items()
            if series.entries
        }

    def groups(self, host: str) -> Iterable[str]:
        """Return the groups of which something is kept."""
        return self._hosts.get(host, {}).keys()

    def forget(self, host: str) -> None:
        """Drop all of a host."""
        for series in self._hosts.pop(host, {}).values():
            self.used_bytes -= sum(_cost(payload) for _, payload in series.entries)
            series.entries.clear()

    def _trim(self, now: float) -> None:
        while self._order:
            entries = self._order[0].entries
            if entries:
                at, payload = entries[0]
                if self.used_bytes <= self.budget_bytes and at >= now - self._max_age:
                    return
                entries.popleft()
                self.used_bytes -= _cost(payload)
            self._order.popleft()


def _cost(payload: bytes) -> int:
    return len(payload) + ENTRY_OVERHEAD_BYTES
