"""Wrong viewer tokens: counted, and answered the later the more of them an address has sent.

Only the answer to a wrong token is held back. The right one is let in at once, from any address, so that
nobody can lock others out by guessing.
"""

import ipaddress
import logging
from dataclasses import dataclass

FIRST_DELAY_SECONDS = 0.125
MAX_DELAY_SECONDS = 3.0
FORGET_SECONDS = 600.0
MAX_REMEMBERED = 1000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Record:
    count: int
    last: float


class WrongTokens:
    """Remembers a bounded number of addresses; the one that was quiet the longest is forgotten first."""

    def __init__(self) -> None:
        self.total = 0
        self._records: dict[str, _Record] = {}

    def __len__(self) -> int:
        return len(self._records)

    def count(self, address: str, now: float) -> float:
        """Count one of an address, and return for how many seconds to hold the answer.

        `now` is the monotonic clock, in seconds.
        """
        self.total += 1
        key = _network(address)
        record = self._records.pop(key, None)
        if record is None or now - record.last > FORGET_SECONDS:
            record = _Record(0, now)
        record.count += 1
        record.last = now
        if len(self._records) >= MAX_REMEMBERED:
            del self._records[next(iter(self._records))]
        self._records[key] = record  # at the end: the oldest stand first
        delay = FIRST_DELAY_SECONDS * 2.0 ** min(record.count - 1, 16)
        if record.count & (record.count - 1) == 0:  # 1, 2, 4, 8, …: a guesser fills no log
            _log.warning("wrong viewer token or proxy secret from %s (%d so far)", address, record.count)
        return min(delay, MAX_DELAY_SECONDS)


def _network(address: str) -> str:
    """One IPv6 customer has 2^64 addresses and more."""
    try:
        numeric = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((numeric, 64), strict=False)) if numeric.version == 6 else address
