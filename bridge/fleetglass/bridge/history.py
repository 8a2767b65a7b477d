"""The last minutes of every host's messages, within a budget of memory, oldest out first."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fleetglass.wire.protocol import HISTORY_SECONDS

MERGE_SLACK_SECONDS = 30.0
"""How far the moment of a late payload, which is reckoned, may be off."""
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
        order: Callable[[bytes], float],
    ) -> int:
        """Put late payloads where `order` has them, and return how many were not there yet.

        Each is given with its moment, oldest first. In the order of eviction they count as new, so that
        they may stay a little longer than their age allows; `since` leaves out what is too old.
        """
        new = [entry for entry in past if entry[0] >= now - self._max_age]
        if not new:
            return 0
        series = self._hosts.setdefault(host, {}).setdefault(group, _Series())
        later: list[tuple[float, bytes]] = []
        while series.entries and series.entries[-1][0] >= new[0][0] - MERGE_SLACK_SECONDS:
            later.append(series.entries.pop())
        known = {payload for _, payload in later}
        new = [entry for entry in new if entry[1] not in known]
        series.entries.extend(sorted([*later, *new], key=lambda entry: order(entry[1])))
        self._order.extend(series for _ in new)
        self.used_bytes += sum(_cost(payload) for _, payload in new)
        self._trim(now)
        return len(new)

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
