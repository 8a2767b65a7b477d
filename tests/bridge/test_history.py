from fleetglass.bridge.history import ENTRY_OVERHEAD_BYTES, History

KILOBYTE = b"x" * (1000 - ENTRY_OVERHEAD_BYTES)


def test_what_is_asked_for_comes_oldest_first() -> None:
    """The last seconds of one group of one host, in the order in which they came."""
    history = History(10**6)
    for second in range(10):
        history.append("a", "pulse", b"%d" % second, now=second)
        history.append("b", "pulse", b"no", now=second)
    assert history.since("a", "pulse", seconds=3, now=9) == [b"6", b"7", b"8", b"9"]
    assert history.since("a", "cpu", seconds=3, now=9) == []
    assert history.since("c", "pulse", seconds=3, now=9) == []


def test_the_budget_is_kept_and_the_oldest_of_all_goes_first() -> None:
    """Whoever wrote it, the oldest message makes room for the newest."""
    history = History(3000)
    for second, host in enumerate(["a", "b", "a", "b", "b"]):
        history.append(host, "pulse", KILOBYTE + b"%d" % second, now=second)
        assert history.used_bytes <= 3000
    assert [text[-1:] for text in history.since("a", "pulse", 100, now=5)] == []
    assert [text[-1:] for text in history.since("b", "pulse", 100, now=5)] == [b"3", b"4"]


def test_what_is_too_old_goes() -> None:
    """Nothing outlives the age limit, so a quiet fleet gives its memory back."""
    history = History(10**6, max_age_seconds=10)
    history.append("a", "pulse", b"old", now=0)
    history.append("b", "pulse", b"new", now=20)
    assert history.since("a", "pulse", 100, now=20) == []
    assert history.used_bytes == ENTRY_OVERHEAD_BYTES + 3


def test_a_forgotten_host_leaves_nothing_behind() -> None:
    """Memory of a removed host is free at once, and what follows is not disturbed."""
    history = History(10**6, max_age_seconds=10)
    history.append("a", "pulse", b"1", now=0)
    history.append("b", "pulse", b"2", now=1)
    history.forget("a")
    assert history.used_bytes == ENTRY_OVERHEAD_BYTES + 1
    history.append("a", "pulse", b"3", now=2)
    assert history.since("a", "pulse", 100, now=2) == [b"3"]
    history.append("b", "pulse", b"4", now=50)
    assert history.used_bytes == ENTRY_OVERHEAD_BYTES + 1


def test_late_payloads_take_their_place() -> None:
    """What comes late is put in by its own moment, and what is there already is not doubled."""
    history = History(10**6)
    for second in (1, 2, 6, 7):
        history.append("a", "pulse", b"%d" % second, now=second + 1)
    past = [(float(second), b"%d" % second) for second in (2, 3, 4, 5)]
    assert history.merge("a", "pulse", past, now=8, order=float) == 3
    assert history.since("a", "pulse", 100, now=8) == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]
    assert history.merge("a", "pulse", past, now=8, order=float) == 0
    assert history.used_bytes == 7 * (1 + ENTRY_OVERHEAD_BYTES)


def test_late_payloads_keep_the_budget() -> None:
    """Too much of the past pushes out the oldest, and what is too old is not taken at all."""
    history = History(3000, max_age_seconds=50)
    past = [(float(second), KILOBYTE + b"%d" % second) for second in range(100)]
    history.merge("a", "pulse", past, now=100, order=lambda payload: float(payload[len(KILOBYTE) :]))
    assert history.used_bytes <= 3000
    assert [text[-2:] for text in history.since("a", "pulse", 100, now=100)] == [b"98", b"99"]
