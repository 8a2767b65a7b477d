"""How often something may be done: a bucket that fills steadily."""


class RateLimit:
    """Allows `burst` at once, and `per_second` in the long run."""

    def __init__(self, per_second: float, burst: int, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = now

    def take(self, now: float, amount: int = 1) -> bool:
        """Whether that much more is allowed; `now` is the monotonic clock, in seconds."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True
