import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet.arrivals import MAX_MISSING, WINDOW_SECONDS, Arrivals, Latencies
from fleetglass.wire.protocol import Delivery

START = 1_800_000_000.0


def hear(arrivals: Arrivals, *ticks: int, offset: float = 0.0, way: float = 0.01, session: str = "a") -> None:
    for tick in ticks:
        wall = START + tick
        arrivals.hear(session, tick, wall - way + offset, wall, 1.0)


def told(arrivals: Arrivals) -> Delivery:
    delivery = arrivals.told()
    assert delivery is not None
    return delivery


@pytest.mark.parametrize("offset", [-7200.0, -0.3, 0.0, 0.3, 7200.0])
def test_the_latency_does_not_depend_on_the_clocks(offset: float) -> None:
    """However wrong the host's clock is, the latency is what the fastest pulse did not take."""
    arrivals = Arrivals()
    hear(arrivals, *range(10), offset=offset, way=0.01)
    hear(arrivals, 10, offset=offset, way=0.25)
    delivery = told(arrivals)
    assert delivery.latency_seconds == pytest.approx(0.24, abs=0.001)
    assert delivery.clock_offset_seconds == pytest.approx(offset - 0.01, abs=0.001)
    assert delivery.age_seconds == pytest.approx(0.25 - offset, abs=0.001)


def test_nothing_is_told_before_the_first_pulse() -> None:
    """A host that was never heard has no delivery, rather than one of zeros."""
    assert Arrivals().told() is None


def test_a_drifting_clock_is_followed() -> None:
    """A clock that runs 0.1 ms per second slow makes no latency grow beyond the window's drift."""
    arrivals = Arrivals()
    for tick in range(2000):
        hear(arrivals, tick, offset=-tick * 0.0001)
    assert told(arrivals).latency_seconds <= 2 * WINDOW_SECONDS * 0.0001 + 0.0001


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -90.0, 0.5])
def test_a_clock_that_was_set_is_no_delay(jump: float) -> None:
    """Neither forward nor back by more than a minute; a little back is over after the window."""
    arrivals = Arrivals()
    hear(arrivals, *range(100))
    hear(arrivals, 100, offset=jump)
    assert told(arrivals).latency_seconds == pytest.approx(0, abs=0.001)
    assert told(arrivals).clock_offset_seconds == pytest.approx(jump - 0.01, abs=0.001)
    hear(arrivals, *range(101, 101 + 2 * int(WINDOW_SECONDS) + 2), offset=jump - 0.2)
    assert told(arrivals).latency_seconds == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -90.0, 90.0])
def test_a_clock_that_was_set_is_no_jitter(jump: float) -> None:
    """A jump of more than a minute, forward or back, says nothing of the way of the pulses."""
    arrivals = Arrivals()
    hear(arrivals, *range(100))
    hear(arrivals, *range(100, 110), offset=jump)
    assert told(arrivals).jitter_seconds == pytest.approx(0, abs=0.001)


def test_gaps_within_a_session_are_lost_ticks() -> None:
    """A tick that is skipped is lost, unless it comes out of order after all; a new session starts anew."""
    arrivals = Arrivals()
    hear(arrivals, 1, 2, 5, 6)
    assert told(arrivals).lost_total == 2
    hear(arrivals, 4)
    assert told(arrivals).lost_total == 1
    hear(arrivals, 700, session="b")
    assert told(arrivals).lost_total == 1
    hear(arrivals, 700 + MAX_MISSING + 1, session="b")
    assert told(arrivals).lost_total == 1
    assert told(arrivals).received_total == 7


@pytest.mark.parametrize("back_first", [False, True])
def test_what_was_backfilled_is_not_lost(*, back_first: bool) -> None:
    """Whether it comes before or after the next pulse, and counted apart."""
    arrivals = Arrivals()
    hear(arrivals, 1, 2, *([10] if back_first else []))
    for tick in range(3, 9):
        arrivals.fill("a", tick)
    hear(arrivals, *([11] if back_first else [10, 11]))
    arrivals.fill("older", 5)
    delivery = told(arrivals)
    assert delivery.lost_total == 1
    assert delivery.backfilled_total == 7
    assert delivery.received_total == 4


def test_late_ones_and_those_that_came_twice_are_counted() -> None:
    """Late is more than an interval after the fastest."""
    arrivals = Arrivals()
    hear(arrivals, 1, 2, 3)
    hear(arrivals, 4, way=0.9)
    hear(arrivals, 5, way=1.2)
    arrivals.hear_again()
    assert told(arrivals).late_total == 1
    assert told(arrivals).duplicate_total == 1


def test_jitter_is_the_mean_difference_of_the_ways() -> None:
    """Alternating between 10 and 30 ms it comes to 20 ms; steady it goes back to none."""
    arrivals = Arrivals()
    for tick in range(200):
        hear(arrivals, tick, way=0.01 if tick % 2 else 0.03)
    assert told(arrivals).jitter_seconds == pytest.approx(0.02, abs=0.001)
    hear(arrivals, *range(200, 400))
    assert told(arrivals).jitter_seconds == pytest.approx(0, abs=0.001)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**53), st.floats(0, 1e11), st.floats(-1e10, 1e11), st.sampled_from(["a", "b"])
        )
    )
)
def test_no_pulse_breaks_the_books(pulses: list[tuple[int, float, float, str]]) -> None:
    """Whatever a host says and however the clocks jump: no negative count, latency or jitter."""
    arrivals = Arrivals()
    for tick, time, wall, session in pulses:
        assert arrivals.hear(session, tick, time, wall, 1.0) >= 0
        delivery = told(arrivals)
        assert min(delivery.lost_total, delivery.late_total, delivery.jitter_seconds) >= 0


def test_quantiles_are_bounds() -> None:
    """The bound within which a share of all pulses stayed; none beyond the last, none without pulses."""
    latencies = Latencies()
    assert latencies.quantile(0.5) is None
    source = random.Random(1)
    for _ in range(990):
        latencies.observe(source.uniform(0.002, 0.009))
    for _ in range(10):
        latencies.observe(100.0)
    assert latencies.quantile(0.99) == 0.01
    assert latencies.quantile(0.999) is None
    assert sum(latencies.counts) == 1000
