import pytest

from fleetglass.mqtt.flood_guard import MAX_PAUSE_SECONDS, PAUSE_SECONDS, FloodGuard


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def flood(guard: FloodGuard, topic: str, count: int) -> int:
    """Return how often a topic began to be left out."""
    return sum(guard.is_flood(topic) for _ in range(count))


def test_a_topic_is_left_out_once_too_much_comes_within_a_second(clock: Clock) -> None:
    """It is the message after the last allowed one that makes a flood, and only that one."""
    guard = FloodGuard(10, clock)
    assert flood(guard, "a", 10) == 0
    assert guard.left_out_seconds("a") == 0
    assert flood(guard, "a", 10) == 1
    assert guard.left_out_seconds("a") == PAUSE_SECONDS
    clock.now += PAUSE_SECONDS
    assert guard.left_out_seconds("a") == 0


def test_what_comes_in_other_seconds_and_on_other_topics_does_not_count(clock: Clock) -> None:
    """Much in all is no flood: each topic and each second has a count of its own."""
    guard = FloodGuard(10, clock)
    for _ in range(100):
        assert flood(guard, "a", 10) == flood(guard, "b", 10) == 0
        clock.now += 1


def test_a_flood_that_comes_back_is_left_out_for_longer(clock: Clock) -> None:
    """Each time for twice as long, up to an hour; after a quiet hour it begins anew."""
    guard = FloodGuard(10, clock)
    pauses = []
    for _ in range(9):
        assert flood(guard, "a", 11) == 1
        pauses.append(guard.left_out_seconds("a"))
        clock.now += pauses[-1]
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    clock.now += MAX_PAUSE_SECONDS
    assert flood(guard, "a", 11) == 1
    assert guard.left_out_seconds("a") == PAUSE_SECONDS
