import pytest

from fleetglass.client.statistics import TRANSITIONS, ConnectionState, Statistics

EPOCH = "1970-01-01T00:00:0"


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell its time."""
        return self.now


def test_all_fields_before_the_first_connection() -> None:
    """Every promised field is there from the start, fit for sums."""
    assert Statistics().as_dict() == {
        "messages_received": 0,
        "messages_sent": 0,
        "bytes_received": 0,
        "bytes_sent": 0,
        "connection_start": None,
        "uptime_seconds": 0.0,
        "reconnect_attempts": 0,
        "total_disconnections": 0,
        "current_state": "disconnected",
        "last_error": None,
        "error_count": 0,
        "error_history": [],
    }


def test_counters() -> None:
    """Frames and bytes are counted in both directions."""
    statistics = Statistics()
    statistics.traffic.received(100)
    statistics.traffic.received(20)
    statistics.traffic.sent(7)
    told = statistics.as_dict()
    assert (told["messages_received"], told["bytes_received"]) == (2, 120)
    assert (told["messages_sent"], told["bytes_sent"]) == (1, 7)


def test_connections() -> None:
    """The start is that of the last connection, the uptime that of all of them."""
    wall, monotonic = Clock(), Clock()
    statistics = Statistics(clock=wall, monotonic=monotonic)
    statistics.enter(ConnectionState.CONNECTING)
    statistics.enter(ConnectionState.CONNECTED)
    monotonic.now = 4.0
    assert statistics.as_dict()["uptime_seconds"] == 4
    statistics.enter(ConnectionState.RECONNECTING)
    statistics.tried_again()
    monotonic.now = 5.0
    assert statistics.as_dict()["uptime_seconds"] == 4
    wall.now = 6.0
    statistics.enter(ConnectionState.CONNECTED)
    monotonic.now = 7.5
    told = statistics.as_dict()
    assert told["connection_start"] == EPOCH + "6.000+00:00"
    assert told["uptime_seconds"] == 6.5
    assert (told["reconnect_attempts"], told["total_disconnections"]) == (1, 1)


def test_errors_are_the_last_five() -> None:
    """All errors are counted, the last is named, and five are kept with time and type."""
    wall = Clock()
    statistics = Statistics(clock=wall)
    for number in range(7):
        wall.now = number
        statistics.failed(f"error {number}", "Unreachable")
    told = statistics.as_dict()
    assert (told["error_count"], told["last_error"]) == (7, "error 6")
    assert [entry["error"] for entry in told["error_history"]] == [
        f"error {number}" for number in range(2, 7)
    ]
    assert told["error_history"][-1] == {
        "timestamp": EPOCH + "6.000+00:00",
        "error": "error 6",
        "type": "Unreachable",
    }


@pytest.mark.parametrize("before", ConnectionState)
@pytest.mark.parametrize("after", ConnectionState)
def test_state_machine(before: ConnectionState, after: ConnectionState) -> None:
    """From each state only the promised ones follow."""
    statistics = Statistics()
    statistics.state = before
    if after in TRANSITIONS[before]:
        assert statistics.enter(after) is before
        assert statistics.as_dict()["current_state"] == after.value == after.name.lower()
    else:
        with pytest.raises(ValueError, match=f"^state: got {after} after {before}, expected "):
            statistics.enter(after)
        assert statistics.state is before
