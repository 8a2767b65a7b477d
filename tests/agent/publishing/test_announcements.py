from collections.abc import Sequence

from fleetglass.agent.publishing.announcements import Announcements
from fleetglass.mqtt.message import Message


class Board:
    """Takes what is said, at a time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.said: list[tuple[str, bytes]] = []
        self.announcements = Announcements(self.take, lambda: self.now)

    def take(self, messages: Sequence[Message]) -> None:
        """Keep topic and payload; all that is said stays on the broker."""
        assert all(one.retain for one in messages)
        self.said += [(one.topic, one.payload) for one in messages]


def test_what_is_new_is_said_once_and_then_every_ten_minutes() -> None:
    """A new payload takes the place of the last one at once; brokers that lost it have it again in time."""
    board = Board()
    board.announcements.put("info", b"one")
    board.announcements.put("info", b"two")
    for _ in range(2):
        board.announcements.say_due()
        assert board.said == [("info", b"two")]
        board.now += 599
    board.announcements.say_due()
    assert board.said == [("info", b"two")] * 2


def test_all_is_said_on_a_new_connection() -> None:
    """If it fits, whenever it was last said; what an earlier run left is cleared on the first only."""
    board = Board()
    board.announcements.put("info", b"one")
    board.announcements.withdraw("note")
    board.announcements.say_all(lambda _: 3)
    board.announcements.say_all(lambda _: 2)
    board.announcements.say_all(lambda _: 3)
    assert board.said == [("info", b"one"), ("note", b""), ("info", b"one")]


def test_what_is_to_be_repeated_waits_for_its_time() -> None:
    """It is said once more after a while, and what was never said is not."""
    board = Board()
    board.announcements.put("info", b"one")
    board.announcements.say_due()
    board.announcements.repeat("info", after_seconds=20)
    board.announcements.repeat("other", after_seconds=20)
    board.now += 19
    board.announcements.say_due()
    assert len(board.said) == 1
    board.now += 1
    board.announcements.say_due()
    assert board.said == [("info", b"one")] * 2
