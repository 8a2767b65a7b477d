import math

from fleetglass.fleet.listening import ListeningClock


def test_the_clock_stands_still_while_nobody_can_be_heard() -> None:
    """Time passes before a stop and after the next start; a stop in between changes nothing."""
    clock = ListeningClock().stopped(10)
    assert [clock.at(now) for now in (10, 11, 1000)] == [10, 10, 10]
    clock = clock.started(1000)
    assert [clock.at(now) for now in (900, 1000, 1001)] == [10, 10, 11]
    clock = clock.stopped(900).started(2000)
    assert [clock.at(now) for now in (1500, 2000, 2005)] == [10, 10, 15]
    assert [ListeningClock(runs_until=5).at(now) for now in (4, 5, math.inf)] == [4, 5, 5]
