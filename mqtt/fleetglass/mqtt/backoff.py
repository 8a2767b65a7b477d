"""How long to wait before the next attempt to connect."""

FIRST_SECONDS = 0.5
CAP_SECONDS = 15.0


def backoff_seconds(
    attempt: int, chance: float, cap_seconds: float = CAP_SECONDS, first_seconds: float = FIRST_SECONDS
) -> float:
    """Return a wait that doubles with each attempt (0, 1, …) up to the cap, jittered by `chance` in 0..1.

    At least half of the wait stays, so that a fleet spreads out and nobody spins.
    """
    ceiling = min(cap_seconds, first_seconds * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + 0.5 * chance)
