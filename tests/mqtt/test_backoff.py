from hypothesis import given
from hypothesis import strategies as st

from fleetglass.mqtt.backoff import CAP_SECONDS, backoff_seconds


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_wait_is_never_nothing_and_never_above_the_cap(attempt: int, chance: float) -> None:
    """However long the trouble lasts, nobody spins and nobody waits for ever."""
    assert 0.25 <= backoff_seconds(attempt, chance) <= CAP_SECONDS


def test_waits_double() -> None:
    """The first wait is half a second; each further one is twice as long."""
    assert [backoff_seconds(attempt, 1) for attempt in range(6)] == [0.5, 1, 2, 4, 8, 15]
