"""How long to wait before the next attempt to connect."""

import random

FIRST_SECONDS = 0.5
CAP_SECONDS = 15.0
STABLE_SECONDS = 10.0
READER_CAP_SECONDS = 0.7
"""Agents send what they kept a second after they are back; those who read it are to be there by then."""


class Backoff:
    """Counts attempts to connect, and says how long to wait before the next.

    Args:
        cap_seconds: the longest wait.
        first_seconds: the longest wait before the second attempt; it doubles with each further one.
    """

    def __init__(self, cap_seconds: float = CAP_SECONDS, first_seconds: float = FIRST_SECONDS) -> None:
        self.failures = 0
        """How many attempts have ended since a connection lasted."""
        self._cap = cap_seconds
        self._first = first_seconds

    def after(self, lasted_seconds: float) -> float:
        """Return how long to wait after an attempt and its connection, which lasted so long together.

        One that lasted 10 s was a good one: the next wait is a first one again.
        """
        if lasted_seconds > STABLE_SECONDS:
            self.failures = 0
        wait = backoff_seconds(self.failures, random.random(), self._cap, self._first)
        self.failures += 1
        return wait


def backoff_seconds(
    attempt: int, chance: float, cap_seconds: float = CAP_SECONDS, first_seconds: float = FIRST_SECONDS
) -> float:
    """Return a wait that doubles with each attempt (0, 1, …) up to the cap, jittered by `chance` in 0..1.

    At least half of the wait stays, so that a fleet spreads out and nobody spins.
    """
    ceiling = min(cap_seconds, first_seconds * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + 0.5 * chance)
