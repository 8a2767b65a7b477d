"""Messages that were dropped because they break the contract: counted all, logged now and then."""

import logging

from fleetglass.wire.errors import ContractError

LOG_EVERY_SECONDS = 60.0
MAX_REMEMBERED = 1000

_log = logging.getLogger(__name__)


class Rejections:
    """Counts, and one log line per host and minute."""

    def __init__(self) -> None:
        self.total = 0
        self._logged_at: dict[str, float] = {}

    def count(self, host: str, topic: str, error: ContractError, now: float) -> None:
        """Count one message of a host; `now` is the monotonic clock, in seconds."""
        self.total += 1
        last = self._logged_at.get(host)
        if last is not None and now - last < LOG_EVERY_SECONDS:
            return
        if len(self._logged_at) >= MAX_REMEMBERED:
            self._logged_at = {key: at for key, at in self._logged_at.items() if now - at < LOG_EVERY_SECONDS}
            if len(self._logged_at) >= MAX_REMEMBERED:
                return
        self._logged_at[host] = now
        _log.warning("dropped a message on %r: %s", topic[:200], error)
