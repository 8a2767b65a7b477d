import pytest

from fleetglass.agent.schedule import Schedule, deadline_after, first_deadline, phase_of


class Clock:
    """A clock that only waiting moves, and that remembers when it was waited for."""

    def __init__(self) -> None:
        self.now = 100.0
        self.woken: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def wait(self, seconds: float) -> bool:
        """Wait, and never ask to stop."""
        self.now += seconds
        self.woken.append(round(self.now, 6))
        return False


def schedule(clock: Clock, interval: float = 1.0, phase: float = 0.25) -> Schedule:
    return Schedule(interval=interval, phase=phase, wait=clock.wait, clock=clock)


def test_ticks_come_at_fixed_points() -> None:
    """However long a tick takes, the next begins at a whole number of intervals after the phase."""
    clock = Clock()
    ticks = schedule(clock, phase=0.45)
    for work in (0.1, 0.7, 0.3, 0.0):
        assert ticks.next()
        clock.now += work
    assert clock.woken == [100.45, 101.45, 102.45, 103.45]
    assert ticks.skipped == 0


def test_a_missed_tick_is_skipped_and_counted() -> None:
    """After a tick of 2.5 intervals the next regular point is taken, and two are counted as missed."""
    clock = Clock()
    ticks = schedule(clock, phase=0.45)
    ticks.next()
    clock.now += 2.5
    ticks.next()
    assert clock.woken == [100.45, 103.45]
    assert ticks.skipped == 2


def test_ten_thousand_ticks_do_not_drift() -> None:
    """After 10,000 ticks of a third of a second the clock is where it should be."""
    clock = Clock()
    ticks = schedule(clock, interval=1 / 3, phase=0.0)
    for _ in range(10_000):
        ticks.next()
        clock.now += 0.001
    assert clock.woken[-1] - clock.woken[0] == pytest.approx(9_999 / 3)
    assert ticks.skipped == 0


@pytest.mark.parametrize("interval", [0.5, 1.0, 2.0, 10.0, 60.0])
@pytest.mark.parametrize("phase", [0.0, 0.1, 0.29, 0.31, 0.49])
def test_the_first_tick_is_soon_but_not_at_once(interval: float, phase: float) -> None:
    """The first tick comes 0.3 s to 1 s after the start, and the second not too soon after it."""
    clock = Clock()
    ticks = schedule(clock, interval, phase)
    ticks.next()
    ticks.next()
    first, second = clock.woken
    assert 0.3 <= round(first - 100, 6) <= 1.0
    assert interval / 2 <= round(second - first, 6) <= interval * 1.5
    assert first == pytest.approx(first_deadline(100.0, interval, phase))


def test_waiting_tells_when_to_stop() -> None:
    """A wait that was ended early ends the schedule."""
    ticks = Schedule(interval=1.0, phase=0.0, wait=lambda _: True, clock=lambda: 0.0)
    assert not ticks.next()


def test_a_deadline_is_always_later() -> None:
    """A moment that is itself on the grid is followed by the next one."""
    assert deadline_after(5.25, 1.0, 0.25) == 6.25
    assert deadline_after(5.0, 2.0, 1.5) == 5.5


def test_hosts_spread_over_the_interval() -> None:
    """Of a hundred hosts each tenth of the interval gets some, and a host always gets the same."""
    phases = [phase_of(f"web-{number}", 2.0) for number in range(100)]
    assert {int(phase * 5) for phase in phases} == set(range(10))
    assert phase_of("web-1", 2.0) == phases[1]
