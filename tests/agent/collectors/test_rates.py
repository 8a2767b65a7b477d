import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.rates import core_percent, known, percent, rate


def test_a_rate_divides_by_the_elapsed_time() -> None:
    """A counter that grew by 300 in 1.5 s has a rate of 200 per second."""
    assert rate(1000, 1300, 1.5) == 200


@pytest.mark.parametrize(
    ("before", "now", "elapsed"), [(1300, 1000, 1.0), (None, 1, 1.0), (1, None, 1.0), (1, 2, 0.0)]
)
def test_what_is_no_rate_is_absent(before: int | None, now: int | None, elapsed: float) -> None:
    """A counter that went backwards, a missing one, or no time gives no rate."""
    assert rate(before, now, elapsed) is UNSET


def test_a_standing_counter_has_a_rate_of_zero() -> None:
    """Nothing happened is something else than nothing known."""
    assert rate(5, 5, 1.0) == 0


def test_a_percentage_is_rounded_and_bounded() -> None:
    """Shares are rounded to 0.1 and stay between 0 and 100."""
    assert [percent(1, 3), percent(5, 4), percent(-1, 4)] == [33.3, 100.0, 0.0]


def test_there_is_no_share_of_nothing() -> None:
    """A share of nothing is absent, not 0."""
    assert percent(0, 0) is UNSET


def test_none_is_absent() -> None:
    """None becomes UNSET, and 0 stays 0."""
    assert known(None) is UNSET
    assert known(0) == 0


def test_a_share_of_a_core_is_that_of_the_elapsed_time() -> None:
    """Three seconds of CPU in two are 150 %; a counter that began anew or is unknown gives nothing."""
    assert core_percent(1.0, 4.0, 2.0) == 150.0
    assert [core_percent(*one) for one in ((4.0, 1.0, 2.0), (None, 1.0, 2.0), (1.0, 4.0, 0.0))] == [UNSET] * 3
