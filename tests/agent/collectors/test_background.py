import threading
from collections.abc import Callable

import pytest

from fleetglass.agent.collectors.background import BackgroundCollector, current
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.sampler import Sampler
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Cpu, Group
from support.waiting import wait_for


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def collector(read: Callable[[], Group | None], clock: Clock) -> BackgroundCollector:
    return BackgroundCollector("slow", 10.0, read, clock=clock)


def message_of(slow: BackgroundCollector, tick: int = 1) -> Group:
    message = wait_for(lambda: slow.collect(5.0, tick), "the message")
    assert isinstance(message, Group)
    return message


def test_a_message_comes_once_and_with_the_stamp_of_its_tick() -> None:
    """The first turn begins a reading; a later one gives its message, and the next ones nothing."""
    clock = Clock()
    slow = collector(lambda: Cpu(time=0, tick=0, total_percent=1.0), clock)
    assert slow.collect(4.0, 6) is None
    assert message_of(slow, 7) == Cpu(time=5.0, tick=7, total_percent=1.0)
    assert slow.collect(6.0, 8) is None
    clock.now += 9.9
    assert slow.collect(6.0, 9) is None
    clock.now += 0.1
    assert slow.collect(6.0, 10) is None
    assert message_of(slow, 11).tick == 11


def test_what_is_missing_is_told_until_a_reading_is_whole() -> None:
    """A message comes once, and why a part of it is missing at every turn."""
    clock = Clock()
    found: list[Group | Partial] = [Partial(Cpu(time=0, tick=0), "no fan"), Cpu(time=0, tick=0)]
    slow = BackgroundCollector("slow", 10.0, lambda: found.pop(0), clock=clock)
    slow.collect(1.0, 1)
    assert wait_for(lambda: slow.collect(2.0, 2), "the message") == Partial(Cpu(time=2.0, tick=2), "no fan")
    assert slow.collect(3.0, 3) == Partial(None, "no fan")
    clock.now += 10
    assert slow.collect(4.0, 4) == Partial(None, "no fan")
    whole = wait_for(lambda: isinstance(found := slow.collect(5.0, 5), Cpu) and found, "a whole message")
    assert whole == Cpu(time=5.0, tick=5)
    assert slow.collect(6.0, 6) is None


def test_a_failure_is_told_until_a_reading_succeeds() -> None:
    """What a reading raised is raised at every turn, in one line of words; then all is well again."""
    clock = Clock()
    fails = [True]

    def read() -> Group:
        if fails[0]:
            raise CollectionError("no socket")
        return Group(time=0, tick=0)

    slow = collector(read, clock)
    slow.collect(1.0, 1)
    with pytest.raises(CollectionError, match=r"\Ano socket\Z"):
        message_of(slow)
    with pytest.raises(CollectionError):
        slow.collect(1.0, 3)
    fails[0] = False
    clock.now += 10
    with pytest.raises(CollectionError):
        slow.collect(1.0, 4)

    def recovered() -> Group | Partial | None:
        try:
            return slow.collect(1.0, 5)
        except CollectionError:
            return None

    wait_for(recovered, "the message after the failure")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is the case
@pytest.mark.parametrize("ends", ["reading", "thread"])
def test_a_reading_that_ends_its_thread_is_a_failure_like_any_other(
    ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SystemExit out of a library fails the group until the next reading, and never stops the readings."""
    clock = Clock()
    slow = collector(lambda: leave() if ends == "reading" else None, clock)
    with monkeypatch.context() as patch:
        if ends == "thread":
            patch.setattr(slow, "_work", leave)
        slow.collect(1.0, 1)
        reason = wait_for(lambda: failure_of(slow), "the failure")
    assert reason == ("SystemExit: 3" if ends == "reading" else "its thread ended")
    slow._read = lambda: Group(time=0, tick=0)
    clock.now += 10
    assert failure_of(slow) == reason
    wait_for(lambda: failure_of(slow) is None, "the end of the failure")


def leave() -> None:
    raise SystemExit(3)


def failure_of(slow: BackgroundCollector) -> str | None:
    try:
        slow.collect(1.0, 2)
    except CollectionError as error:
        return str(error)
    return None


def test_a_reading_that_hangs_is_told_and_has_no_second_beside_it() -> None:
    """A reading that does not end costs no tick and no second thread, and is a failure after 30 s."""
    release = threading.Event()
    begun: list[int] = []
    clock = Clock()

    def read() -> None:
        begun.append(1)
        release.wait(20)

    slow = collector(read, clock)
    for _ in range(3):
        assert slow.collect(1.0, 1) is None
        clock.now += 10
    clock.now += 1
    with pytest.raises(CollectionError, match="previous reading is still running"):
        slow.collect(1.0, 2)
    assert len(begun) == 1
    release.set()


def test_a_reading_that_cannot_begin_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system allows no more threads the group fails until it does."""
    clock = Clock()
    slow = collector(lambda: Group(time=0, tick=0), clock)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            slow.collect(1.0, 1)
    clock.now += 10
    assert message_of(slow).tick == 1


def test_closing_ends_what_runs_and_begins_nothing() -> None:
    """The reading that runs, and those of members, are told to end; no other begins."""
    ended: list[str] = []
    clock = Clock()
    parent = BackgroundCollector("a", 1.0, lambda: None, cancel=lambda: ended.append("a"), clock=clock)
    child = BackgroundCollector("b", 1.0, lambda: None, cancel=lambda: ended.append("b"), clock=clock)
    parent.members = [child]
    Sampler([parent], interval=1.0).close()
    assert ended == ["a", "b"]
    before = threading.active_count()
    clock.now += 100
    assert child.collect(1.0, 1) is None
    assert threading.active_count() == before


def test_members_come_and_go_with_their_reports() -> None:
    """A member has its turns while it is there; when it is gone nothing is told of it any more."""
    clock = Clock()
    parent = BackgroundCollector("custom", 1.0, lambda: None, clock=clock)
    child = BackgroundCollector("custom-a", 1.0, lambda: Group(time=0, tick=0), clock=clock)
    sampler = Sampler([parent], interval=0.2)
    sampler.sample(1.0, 1)
    assert set(sampler.runs) == {"custom"}
    parent.members = [child]
    assert list(current([parent])) == [parent, child]
    wait_for(lambda: "custom-a" in {one.group for one in sampler.sample(1.0, 2)}, "the member's message")
    parent.members = []
    sampler.sample(1.0, 3)
    assert set(sampler.runs) == {"custom"}
    sampler.close()


@pytest.mark.parametrize(
    ("shortest", "asked", "begun"),
    [(2.0, 0.0, 5), (2.0, 5.0, 2), (2.0, None, 1), (2.0, 60.0, 1), (None, 0.0, 1)],
)
def test_a_lease_hastens_only_what_may_be_hastened(
    shortest: float | None, asked: float | None, begun: int
) -> None:
    """In 10 s a group is read as often as asked for, within what it allows, and never less than usual."""
    clock = Clock()
    readings: list[int] = []
    slow = BackgroundCollector(
        "slow", 10.0, lambda: readings.append(1), clock=clock, shortest_interval=shortest
    )
    sampler = Sampler([slow], interval=1.0)
    sampler.hasten({} if asked is None else {"slow": asked})
    for tick in range(10):
        sampler.sample(1.0, tick)
        wait_for(lambda: slow._began is None or slow._outcomes.qsize(), "the end of the reading")
        clock.now += 1
    sampler.close()
    assert len(readings) == begun


def test_the_report_tells_how_long_the_reading_took() -> None:
    """The time that counts is that of the work in the background, not that of the turn."""
    clock = Clock()

    def read() -> None:
        clock.now += 3

    slow = collector(read, clock)
    sampler = Sampler([slow], interval=1.0)
    sampler.sample(1.0, 1)
    wait_for(lambda: not slow._outcomes.empty(), "the end of the reading")
    sampler.sample(1.0, 2)
    assert sampler.runs["slow"].duration_seconds == 3.0
    sampler.close()
