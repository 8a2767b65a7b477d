import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.history.chunk import CHUNK_ENTRIES, CHUNK_OVERHEAD_BYTES, ENTRY_OVERHEAD_BYTES
from fleetglass.history.merge import Dated
from fleetglass.history.store import (
    FAIR_SHARES,
    HOST_OVERHEAD_BYTES,
    MAX_MERGE_ENTRIES,
    SERIES_OVERHEAD_BYTES,
    HistoryStore,
)
from fleetglass.wire import decode_stamp

EMPTY_BYTES = HOST_OVERHEAD_BYTES + SERIES_OVERHEAD_BYTES + CHUNK_OVERHEAD_BYTES + ENTRY_OVERHEAD_BYTES

GROW = """
import gc, psutil
from fleetglass.history.store import HistoryStore
from fleetglass.cli.simulator.synthetic_host import make_host
from fleetglass.cli.simulator.synthetic_messages import make_messages
from fleetglass.wire import encode

hosts = [make_host(number, cores=4, now=1e9) for number in range(1, 5)]
pulses = [[make_messages(host, 1e9 + tick, tick, "a")[0] for tick in range(300)] for host in hosts]
history = HistoryStore(16 * 2**20)
gc.collect()
before = psutil.Process().memory_info().rss
for tick in range(300):
    for number in range(800):
        history.append(f"host-{number}", "pulse", encode(pulses[number % 4][tick]), tick)
gc.collect()
print(psutil.Process().memory_info().rss - before, history.used_bytes)
"""


def sample(tick: int, session: str = "a", time: float | None = None, filler: int = 0) -> bytes:
    noise = random.Random(tick).randbytes(filler // 2).hex()
    return b'{"time":%.3f,"tick":%d,"session":"%s","x":"%s"}' % (
        1000.0 + tick if time is None else time,
        tick,
        session.encode(),
        noise.encode(),
    )


def late(tick: int, moment: float, session: str = "a") -> Dated:
    return Dated(moment, session, tick, sample(tick, session))


def ticks(payloads: list[bytes]) -> list[int]:
    return [decode_stamp(payload).tick for payload in payloads]


def merge(history: HistoryStore, past: list[Dated], now: float, host: str = "a") -> list[int]:
    return [one.tick for one in history.merge(host, "pulse", past, now)]


def test_what_is_asked_for_comes_oldest_first() -> None:
    """The last seconds of one group of one host, as they came and in the order in which they came."""
    history = HistoryStore(10**6)
    for second in range(100):
        history.append("a", "pulse", sample(second), now=second)
        history.append("b", "pulse", sample(7), now=second)
    assert history.since("a", "pulse", seconds=30, now=99) == [sample(second) for second in range(69, 100)]
    assert ticks(history.since("a", "pulse", seconds=900, now=99)) == list(range(100))
    assert history.since("a", "cpu", seconds=3, now=9) == []
    assert history.since("c", "pulse", seconds=3, now=9) == []
    assert history.last("a") == {"pulse": sample(99)}
    assert history.payloads == 200


def test_the_budget_is_kept_and_the_oldest_of_all_goes_first() -> None:
    """Whoever wrote it, the oldest makes room for the newest; what is counted covers every byte kept."""
    history = HistoryStore(200_000)
    for second in range(300):
        for host in ("a", "b"):
            history.append(host, "pulse", sample(second, filler=1000), now=second)
            assert history.used_bytes <= 200_000
    for host in ("a", "b"):
        kept = ticks(history.since(host, "pulse", 900, now=300))
        assert kept == list(range(kept[0], 300))
        assert 50 < len(kept) < 200
    history.append("c", "pulse", b'{"time":1,"tick":1,"x":"%s"}' % (b"x" * 200_000), now=301)
    assert history.used_bytes <= 200_000


def test_what_is_too_old_goes() -> None:
    """Nothing outlives the age limit, so a quiet fleet gives its memory back."""
    history = HistoryStore(10**6, max_age_seconds=10)
    history.append("a", "pulse", sample(1), now=0)
    history.append("b", "pulse", sample(2), now=20)
    assert history.since("a", "pulse", 100, now=20) == []
    assert history.used_bytes == EMPTY_BYTES + len(sample(2))
    assert history.payloads == 1


def test_a_slow_group_does_not_hold_the_others() -> None:
    """A series that gets a payload in ten minutes keeps no older payload of others alive."""
    history = HistoryStore(10**7)
    for second in range(0, 7200, 10):
        history.append("a", "pulse", sample(second), now=second)
        if second % 600 == 0:
            history.append("a", "slow", sample(second), now=second)
    assert len(history.since("a", "pulse", 10**6, now=7200)) <= 98
    assert len(history.since("a", "slow", 10**6, now=7200)) <= 2


def test_a_forgotten_host_leaves_nothing_behind() -> None:
    """Memory of a removed host is free at once but for its place in the order, and then that too."""
    history = HistoryStore(10**6, max_age_seconds=10)
    history.append("a", "pulse", sample(1), now=0)
    history.append("b", "pulse", sample(2), now=1)
    history.forget("a")
    assert history.used_bytes == EMPTY_BYTES + HOST_OVERHEAD_BYTES + CHUNK_OVERHEAD_BYTES + len(sample(2))
    assert list(history.groups("a")) == []
    history.append("a", "pulse", sample(3), now=2)
    assert ticks(history.since("a", "pulse", 100, now=2)) == [3]
    history.append("b", "pulse", sample(4), now=100)
    assert history.used_bytes == EMPTY_BYTES + len(sample(4))
    history.forget("nobody")


@pytest.mark.parametrize(
    ("groups", "filler"), [(1, 60_000), (1, 10), (50, 10)], ids=["large", "small", "many groups"]
)
def test_a_host_that_floods_pushes_out_its_own_past_only(groups: int, filler: int) -> None:
    """Large payloads, many small ones or ever more groups: the other hosts keep all they have."""
    history = HistoryStore(700_000)
    flood = sample(1, filler=filler)
    for second in range(100):
        for host in range(10):
            history.append(f"web-{host}", "pulse", sample(second, filler=400), now=second)
        for number in range(50 if filler < 1000 else 10):
            history.append("evil", f"group-{number % groups}", flood, now=second)
    for host in range(10):
        assert ticks(history.since(f"web-{host}", "pulse", 900, now=100)) == list(range(100))
    assert list(history.groups("evil"))


def test_a_host_that_floods_takes_no_more_than_its_fair_share_of_a_full_memory() -> None:
    """Where the other hosts fill the budget by themselves, each loses a sixteenth of its past at most."""

    def kept(flood: int) -> int:
        history = HistoryStore(1_000_000)
        payload = sample(1, filler=6000)
        for second in range(300):
            for host in range(10):
                history.append(f"web-{host}", "pulse", sample(second, filler=1000), now=second)
            for _ in range(flood):
                history.append("evil", "live", payload, now=second)
        return min(len(history.since(f"web-{host}", "pulse", 900, now=300)) for host in range(10))

    usual = kept(0)
    assert usual < 250
    assert kept(20) >= usual * (1 - 1 / FAIR_SHARES) - CHUNK_ENTRIES


def test_a_host_within_its_fair_share_keeps_its_detail_as_long_as_the_others_their_pulses() -> None:
    """A host that somebody watches holds more than the others, and its charts reach back as far."""
    history = HistoryStore(1_000_000)
    for second in range(400):
        for host in range(20):
            history.append(f"web-{host}", "pulse", sample(second, filler=400), now=second)
        history.append("web-0", "cpu", sample(second, filler=800), now=second)
    pulses = min(len(history.since(f"web-{host}", "pulse", 900, now=400)) for host in range(20))
    assert pulses < 250
    assert len(history.since("web-0", "cpu", 900, now=400)) >= pulses - CHUNK_ENTRIES


def test_names_that_are_invented_do_not_fill_the_memory() -> None:
    """A host that publishes ever new groups pays for each name, and the oldest goes."""
    history = HistoryStore(100_000)
    for number in range(10_000):
        history.append("evil", f"group-{number}", b'{"time":1,"tick":1}', now=number / 1000)
        assert history.used_bytes <= 100_000
    assert len(list(history.groups("evil"))) < 100


def test_late_payloads_take_their_place() -> None:
    """What comes late is put in by its own moment, and what is there already is not doubled."""
    history = HistoryStore(10**6)
    for second in (*range(100), *range(160, 200)):
        history.append("a", "pulse", sample(second), now=second)
    past = [late(tick, tick + 0.4) for tick in range(95, 165)]
    assert merge(history, past, now=200) == list(range(100, 160))
    assert history.since("a", "pulse", 900, now=200) == [sample(second) for second in range(200)]
    used = history.used_bytes
    assert history.merge("a", "pulse", past, now=200) == []
    assert history.used_bytes == used
    assert history.payloads == 200
    history.append("a", "pulse", sample(200), now=201)
    assert ticks(history.since("a", "pulse", 900, now=201)) == list(range(201))


def test_a_backfill_that_comes_again_after_another_outage_adds_nothing() -> None:
    """Sent anew minutes later it is dated minutes too late, but its ticks are known."""
    history = HistoryStore(10**6)
    for second in range(60):
        history.append("a", "pulse", sample(second), now=second)
    for second in range(300, 400):
        history.append("a", "pulse", sample(second), now=second)
    past = [late(tick, tick + 290) for tick in range(30, 60)]
    assert history.merge("a", "pulse", past, now=400) == []
    past = [late(tick, tick + 290) for tick in range(50, 70)]
    assert merge(history, past, now=400) == list(range(60, 70))
    assert ticks(history.since("a", "pulse", 900, now=400)) == [*range(70), *range(300, 400)]


def test_a_clock_that_was_set_mixes_nothing_up() -> None:
    """However far the host's clock jumped while the broker was away, the ticks tell the order."""
    for jump in (-3600.0, -5.0, 5.0, 3600.0):
        history = HistoryStore(10**6)
        for second in (*range(60), *range(90, 95)):
            history.append("a", "pulse", sample(second), now=100 + second)
        past = [late(tick, 100 + tick - (jump if tick < 75 else 0)) for tick in range(60, 90)]
        assert merge(history, past, now=196) == list(range(60, 90))
        assert ticks(history.since("a", "pulse", 900, now=196)) == list(range(95))


def test_an_agent_that_started_anew_keeps_its_sessions_apart() -> None:
    """Ticks of two sessions are not compared: the moment decides, and equal ticks are no duplicates."""
    history = HistoryStore(10**6)
    for second in range(10):
        history.append("a", "pulse", sample(second), now=second)
    for tick in range(5):
        history.append("a", "pulse", sample(tick, "b"), now=30 + tick)
    assert merge(history, [late(tick, 20 + tick, "b0") for tick in range(5)], now=40) == [0, 1, 2, 3, 4]
    stamps = [decode_stamp(payload) for payload in history.since("a", "pulse", 900, now=40)]
    assert [stamp.session for stamp in stamps] == ["a"] * 10 + ["b0"] * 5 + ["b"] * 5


def test_late_payloads_come_behind_those_of_an_earlier_start() -> None:
    """Dated too early, they still stand after the first pulse of their session."""
    history = HistoryStore(10**6)
    for second, (tick, session) in enumerate([(98, "r"), (99, "r"), (1, "s"), (5, "s")], 1):
        history.append("a", "pulse", sample(tick, session), now=second)
    assert merge(history, [late(2, 1.0, "s"), late(3, 1.0, "s")], now=6) == [2, 3]
    assert ticks(history.since("a", "pulse", 100, now=6)) == [98, 99, 1, 2, 3, 5]
    assert ticks(history.since("a", "pulse", 3, now=6)) == [1, 2, 3, 5]
    assert history.last("a") == {"pulse": sample(5, "s")}


def test_late_payloads_keep_the_budget_and_the_age() -> None:
    """Too much of the past pushes out the oldest, and what is too old is not taken at all."""
    history = HistoryStore(50_000, max_age_seconds=50)
    past = [
        Dated(float(second), "a", second, sample(second, filler=2000 if second == 80 else 400))
        for second in range(100)
    ]
    assert merge(history, past, now=100) == list(range(50, 100))
    assert history.used_bytes <= 50_000
    assert history.merge("b", "pulse", past[:10], now=100) == []
    assert list(history.groups("b")) == []


def test_a_merge_looks_at_no_more_than_its_share() -> None:
    """A host that fills its own past cannot make every merge slower: only the newest are looked at."""
    history = HistoryStore(10**8)
    for number in range(2 * MAX_MERGE_ENTRIES):
        history.append("a", "pulse", sample(number), now=number / 100)
    before = history.runs("a", "pulse", 900, now=100)
    history.merge("a", "pulse", [late(10**6, 0)], now=100)
    after = history.runs("a", "pulse", 900, now=100)
    same = sum(1 for old, new in zip(before, after, strict=False) if old.data is new.data)
    assert same >= len(before) // 2 - 2


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["append", "merge", "forget"]),
            st.sampled_from(["a", "b"]),
            st.integers(0, 50),
            st.floats(0, 30),
            st.sampled_from([0, 100, 10_000]),
        ),
        max_size=60,
    )
)
def test_whatever_happens_the_books_are_right(
    steps: list[tuple[str, str, int, float, int]],
) -> None:
    """After any appends, merges and removals: in budget, and counted right."""
    history = HistoryStore(60_000, max_age_seconds=100)
    now = 0.0
    for action, host, tick, seconds, filler in steps:
        now += seconds
        if action == "append":
            history.append(host, "pulse", sample(tick, filler=filler), now)
        elif action == "merge":
            past = [Dated(now - 3 * n, "m", tick + n, sample(tick + n, "m", filler=filler)) for n in range(6)]
            history.merge(host, "pulse", past, now)
        else:
            history.forget(host)
        assert history.used_bytes <= 60_000
        kept = [one for name in ("a", "b") for one in history.since(name, "pulse", 10**6, now)]
        assert history.payloads == len(kept)
    for host in ("a", "b"):
        history.forget(host)
    assert history.payloads == 0
    history.append("z", "pulse", b"{}", now + 1000)
    assert history.used_bytes == EMPTY_BYTES + 2


def test_a_run_stays_as_it_is() -> None:
    """What was taken out to be sent is not changed by what comes, or goes, afterwards."""
    history = HistoryStore(10**6)
    for second in range(40):
        history.append("a", "pulse", sample(second), now=second)
    runs = history.runs("a", "pulse", 900, now=40)
    for second in range(40, 80):
        history.append("a", "pulse", sample(second), now=second)
    history.merge("a", "pulse", [late(500, 20, "b")], now=80)
    history.forget("a")
    assert ticks([entry.payload for run in runs for entry in run.entries()]) == list(range(40))


def test_what_is_counted_is_what_the_process_grows() -> None:
    """A budget of 16 MiB costs the process no more than that, with a seventh for the allocator."""
    grown, used = map(int, subprocess.check_output([sys.executable, "-c", GROW], text=True).split())
    assert used == pytest.approx(16 * 2**20, rel=0.05)
    assert grown < 16 * 2**20 * 8 / 7
