import random

from hypothesis import given
from hypothesis import strategies as st

from fleetglass.cli.simulator.waves import SIZE, make_flow, make_wave

TIMES = st.floats(1.6e9, 2.5e9)


@given(seed=st.integers(0, 1000), time=TIMES)
def test_wave_stays_within_its_range(seed: int, time: float) -> None:
    """A wave is a share: between 0 and 1 at any moment."""
    assert 0 <= make_wave(random.Random(seed), 0.5, 0.3).at(time) <= 1


@given(seed=st.integers(0, 1000), time=TIMES)
def test_wave_is_smooth(seed: int, time: float) -> None:
    """From one tenth of a second to the next a wave of usual swing moves by a few percent at most."""
    wave = make_wave(random.Random(seed), 0.4, 0.09)
    assert abs(wave.at(time + 0.1) - wave.at(time)) < 0.1


def test_wave_reverts_to_its_mean() -> None:
    """Over a whole table the mean is near the level."""
    wave = make_wave(random.Random(1), 0.4, 0.09)
    values = [wave.at(1.7e9 + step) for step in range(4 * SIZE)]
    assert 0.35 < sum(values) / len(values) < 0.5


@given(seed=st.integers(0, 1000), time=TIMES, step=st.floats(0.01, 1e5))
def test_counter_never_goes_back(seed: int, time: float, step: float) -> None:
    """A flow's counter only grows."""
    flow = make_flow(random.Random(seed), 1e6)
    assert flow.total(time + step) >= flow.total(time)


@given(seed=st.integers(0, 1000), time=TIMES)
def test_counter_is_the_integral_of_the_rate(seed: int, time: float) -> None:
    """What the counter gains over a short time is the rate times that time."""
    flow = make_flow(random.Random(seed), 1e6)
    gained = flow.total(time + 0.01) - flow.total(time)
    lowest, highest = sorted([flow.rate(time), flow.rate(time + 0.01)])
    slack = 0.02 * flow.peak
    assert (lowest - slack) * 0.01 <= gained <= (highest + slack) * 0.01


@given(seed=st.integers(0, 1000), time=TIMES)
def test_long_mean_moves_slowly(seed: int, time: float) -> None:
    """A mean over 15 minutes can move in a second only by what entered and left it."""
    wave = make_wave(random.Random(seed), 0.4, 0.09)
    assert abs(wave.mean_until(time + 1, 900) - wave.mean_until(time, 900)) < 0.002


@given(seed=st.integers(0, 1000), time=TIMES)
def test_mean_is_that_of_the_values(seed: int, time: float) -> None:
    """The mean of a minute is near that of its seconds."""
    wave = make_wave(random.Random(seed), 0.4, 0.05)
    values = [wave.at(time - second / 4) for second in range(240)]
    assert abs(wave.mean_until(time, 60) - sum(values) / len(values)) < 0.02
