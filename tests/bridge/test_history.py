from hypothesis import given
from hypothesis import strategies as st

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


def numbered(payload: bytes) -> tuple[str, int]:
    """Return row and number of a payload such as `a7`, or of one that ends in a number."""
    text = payload.removeprefix(KILOBYTE).decode()
    return text[:1], int(text[1:])


def test_late_payloads_take_their_place() -> None:
    """What comes late is put where its number belongs, and what is there already is not doubled."""
    history = History(10**6)
    for second in (1, 2, 6, 7):
        history.append("a", "pulse", b"s%d" % second, now=second + 1)
    past = [(float(second), b"s%d" % second) for second in (2, 3, 4, 5, 5)]
    assert history.merge("a", "pulse", past, 8, numbered) == 3
    assert history.since("a", "pulse", 100, now=8) == [b"s%d" % second for second in range(1, 8)]
    assert history.merge("a", "pulse", past, 8, numbered) == 0
    assert history.used_bytes == 7 * (2 + ENTRY_OVERHEAD_BYTES)


def test_late_payloads_come_behind_those_of_an_earlier_start() -> None:
    """Numbers of another start of the agent say nothing of the order."""
    history = History(10**6)
    for second, payload in enumerate([b"r98", b"r99", b"s1", b"s5"], 1):
        history.append("a", "pulse", payload, now=second)
    assert history.merge("a", "pulse", [(1.0, b"s2"), (1.0, b"s3")], 6, numbered) == 2
    assert history.since("a", "pulse", 100, now=6) == [b"r98", b"r99", b"s1", b"s2", b"s3", b"s5"]
    assert history.last("a") == {"pulse": b"s5"}
    # Moments never run backwards, whatever they were reckoned to be.
    assert history.since("a", "pulse", 3, now=6) == [b"s1", b"s2", b"s3", b"s5"]


def test_late_payloads_keep_the_budget() -> None:
    """Too much of the past pushes out the oldest, and what is too old is not taken at all."""
    history = History(3000, max_age_seconds=50)
    past = [(float(second), KILOBYTE + b"s%d" % second) for second in range(100)]
    history.merge("a", "pulse", past, 100, numbered)
    assert history.used_bytes <= 3000
    assert [text[-2:] for text in history.since("a", "pulse", 100, now=100)] == [b"98", b"99"]


def test_a_flood_is_not_searched_for_a_place() -> None:
    """A series longer than any agent makes it takes nothing late: everybody else would wait for that."""
    history = History(10**6, max_age_seconds=10)
    for number in range(41):
        history.append("a", "pulse", b"s%d" % number, now=1.0)
    assert history.merge("a", "pulse", [(1.0, b"not looked at")], 2, numbered) == 0


@given(st.lists(st.tuples(st.sampled_from("rs"), st.integers(0, 9), st.floats(-30, 30))), st.data())
def test_whatever_comes_late_the_accounts_are_right(
    past: list[tuple[str, int, float]], data: st.DataObject
) -> None:
    """Nothing is counted twice, lost or kept beyond its age, and moments never run backwards."""
    history = History(10**6, max_age_seconds=20)
    for second, (row, number, _) in enumerate(data.draw(st.permutations(past))[:5]):
        history.append("a", "pulse", f"{row}{number}".encode(), now=float(second))
    moments = sorted(at for _, _, at in past)
    late = [(at, f"{row}{number}".encode()) for at, (row, number, _) in zip(moments, past, strict=True)]
    for _ in range(2):
        history.merge("a", "pulse", late, 30.0, numbered)
        entries = list(history._hosts["a"]["pulse"].entries) if history._hosts else []
        assert [at for at, _ in entries] == sorted(at for at, _ in entries)
        assert history.used_bytes == sum(len(payload) + ENTRY_OVERHEAD_BYTES for _, payload in entries)
        assert len(history._order) == len(entries)
    history.append("b", "pulse", b"end", now=1000.0)
    assert history.used_bytes == 3 + ENTRY_OVERHEAD_BYTES
