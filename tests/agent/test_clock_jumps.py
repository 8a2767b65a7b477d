import pytest

from fleetglass.agent.clock_jumps import ClockJump, ClockJumps, ClockReading, jump_between, read_clocks

START = ClockReading(running=100.0, elapsed=500.0, wall=1e9)


def test_nothing_happens_from_tick_to_tick() -> None:
    """Clocks that go on together, or nearly, show nothing."""
    assert jump_between(START, ClockReading(101.0, 501.0, 1e9 + 1.01)) == ClockJump(0, 0)


def test_sleep_is_told_from_a_clock_that_was_set() -> None:
    """After an hour's sleep both the elapsed time and the time of day are ahead."""
    jump = jump_between(START, ClockReading(101.0, 4101.0, 1e9 + 3601))
    assert jump == pytest.approx((3600, 0))


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_a_clock_that_was_set(seconds: float) -> None:
    """Forward or back, the time of day alone moved."""
    jump = jump_between(START, ClockReading(101.0, 501.0, 1e9 + 1 + seconds))
    assert jump == pytest.approx((0, seconds))


def test_each_look_compares_with_the_one_before() -> None:
    """A jump is told once."""
    moments = iter([START, START._replace(wall=2e9), START._replace(wall=2e9)])
    jumps = ClockJumps(lambda: next(moments))
    assert jumps.look().set_seconds == 1e9
    assert jumps.look() == ClockJump(0, 0)


def test_the_real_clocks_agree() -> None:
    """Between two readings of this machine nothing happened."""
    assert jump_between(read_clocks(), read_clocks()) == ClockJump(0, 0)
