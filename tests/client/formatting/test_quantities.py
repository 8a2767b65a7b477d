import pytest

from fleetglass.client.formatting.quantities import duration, percent, printable, rate, short, size, whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (10_240, "10 KiB"),
        (1024**2, "1.0 MiB"),
        (5e15, "4.4 PiB"),
    ],
)
def test_sizes(value: float, text: str) -> None:
    """Sizes have three digits at most and the unit that fits."""
    assert size(value) == text
    assert rate(value) == f"{text}/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (65, "1 min 5 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")]
)
def test_durations(seconds: float, text: str) -> None:
    """Durations have their two largest units."""
    assert duration(seconds) == text


def test_numbers() -> None:
    """A half goes up, small numbers keep a digit, and what is missing is a dash."""
    assert [whole(value) for value in (0, 28.5, 29.4)] == ["0", "29", "29"]
    assert [short(value) for value in (8.24, 9.94, 9.96, 13.0)] == ["8.2", "9.9", "10", "13"]
    assert [percent(value) for value in (45.25, None)] == ["45.2%", "—"]


def test_texts_of_others() -> None:
    """What could command the terminal is replaced, all else stays."""
    assert printable("AMD Ryzen™ \x1b[2J\n") == "AMD Ryzen™ \ufffd[2J\ufffd"
