from hypothesis import given
from hypothesis import strategies as st

from fleetglass.mqtt.backoff import CAP_SECONDS, STABLE_SECONDS, Backoff, backoff_seconds


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_wait_is_never_nothing_and_never_above_the_cap(attempt: int, chance: float) -> None:
    """However long the trouble lasts, nobody spins and nobody waits for ever."""
    assert 0.25 <= backoff_seconds(attempt, chance) <= CAP_SECONDS


def test_waits_double() -> None:
    """The first wait is half a second; each further one is twice as long."""
    assert [backoff_seconds(attempt, 1) for attempt in range(6)] == [0.5, 1, 2, 4, 8, 15]


def test_waits_grow_until_a_connection_lasts() -> None:
    """Each failure makes the next wait longer; after a good connection waits are short again."""
    backoff = Backoff(cap_seconds=4, first_seconds=1)
    waits = [backoff.after(0) for _ in range(5)]
    for wait, longest in zip(waits, (1, 2, 4, 4, 4), strict=True):
        assert longest / 2 <= wait <= longest
    assert backoff.failures == 5
    assert backoff.after(STABLE_SECONDS + 1) <= 1
    assert backoff.failures == 1
