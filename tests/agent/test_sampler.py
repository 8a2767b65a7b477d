import ctypes
import logging
import os
import threading
import time as clocks
from collections.abc import Callable, Iterator

import pytest
from msgspec import UNSET

from fleetglass.agent import sampler as sampling
from fleetglass.agent.collectors import Collector
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.sampler import Sampler, turns_between
from fleetglass.wire import encode
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Disk, DiskDevice, Group, Network, NetworkInterface
from support.waiting import wait_for


class Scripted:
    """A collector that does what it is told."""

    def __init__(self, group: str, act: Callable[[], None] = lambda: None, interval: float = 0.0) -> None:
        self.group = group
        self.interval = interval
        self.turns: list[int] = []
        self.act = act

    def collect(self, time: float, tick: int) -> Group | Partial | None:
        """Note the turn and act."""
        self.turns.append(tick)
        self.act()
        return Group(time=time, tick=tick)


def fail() -> None:
    raise OSError(5, "the bus\nis gone")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Give what hanging collectors wait for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


def run(
    *collectors: Collector, ticks: int = 1, interval: float = 0.2
) -> tuple[Sampler, list[dict[str, Group]]]:
    sampler = Sampler(collectors, interval=interval)
    return sampler, [found_by(sampler, tick) for tick in range(1, ticks + 1)]


def found_by(sampler: Sampler, tick: int) -> dict[str, Group]:
    """Take a tick, and return what it found by group."""
    return {one.group: one.message for one in sampler.sample(float(tick), tick)}


def test_every_group_gets_the_stamp_of_its_tick() -> None:
    """What was found is told by group, with the time and number of the tick."""
    sampler, (found,) = run(Scripted("cpu"), Scripted("memory"))
    assert list(found) == ["cpu", "memory"]
    assert {(one.time, one.tick) for one in found.values()} == {(1.0, 1)}
    assert {run.state for run in sampler.runs.values()} == {"ok"}
    sampler.close()


def test_a_slow_group_has_its_turn_every_so_many_ticks() -> None:
    """A group of five ticks is due at the first tick and at each fifth after it."""
    slow = Scripted("process", interval=1.0)
    sampler, _ = run(slow, ticks=11)
    assert slow.turns == [1, 6, 11]
    assert turns_between(5.0, 2.0) == 2
    assert turns_between(5.0, 60.0) == 1
    sampler.close()


def test_priming_comes_before_the_first_tick() -> None:
    """Every collector reads once before the first tick, and again at it."""
    slow = Scripted("process", interval=1.0)
    sampler = Sampler([slow], interval=0.2)
    sampler.prime()
    found_by(sampler, 1)
    assert slow.turns == [0, 1]
    sampler.close()


def test_a_failing_collector_loses_only_its_own_group(caplog: pytest.LogCaptureFixture) -> None:
    """The others are found, the reason is one line, and the log tells of the failure and of its end once."""
    broken = Scripted("sensor", fail)
    sampler = Sampler([broken, Scripted("cpu")], interval=0.2)
    with caplog.at_level(logging.INFO):
        for tick in range(1, 4):
            assert list(found_by(sampler, tick)) == ["cpu"]
        assert sampler.runs["sensor"].state == "failed"
        assert sampler.runs["sensor"].reason == "OSError: [Errno 5] the bus is gone"
        broken.act = lambda: None
        assert list(found_by(sampler, 4)) == ["sensor", "cpu"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    sampler.close()


def test_a_hanging_collector_is_left_behind(release: threading.Event) -> None:
    """The tick goes on without it; it is late, and not called again, until it returns."""
    hanging = Scripted("filesystem", lambda: wait_released(release))
    sampler = Sampler([hanging, Scripted("cpu")], interval=0.2)
    began = clocks.monotonic()
    assert list(found_by(sampler, 1)) == ["cpu"]
    assert clocks.monotonic() - began < 10
    for tick in range(2, 6):
        assert list(found_by(sampler, tick)) == ["cpu"]
    assert hanging.turns == [1]
    reported = sampler.runs["filesystem"]
    assert (reported.state, reported.reason) == ("late", "took more than 0.1 s, and still runs")
    release.set()
    wait_for(lambda: "filesystem" in found_by(sampler, 6), "the collector's next turn")
    assert sampler.runs["filesystem"].state == "ok"
    sampler.close()


def test_two_hanging_collectors_cost_one_deadline_each(release: threading.Event) -> None:
    """What comes after two hanging collectors still has its turn, and the parked threads end with them."""
    before = set(threading.enumerate())
    sampler, (found,) = run(
        Scripted("a", lambda: wait_released(release)),
        Scripted("b", lambda: wait_released(release)),
        Scripted("cpu"),
    )
    assert list(found) == ["cpu"]
    release.set()
    sampler.close()
    wait_for(lambda: set(threading.enumerate()) <= before, "end of the threads")


def test_a_late_result_is_thrown_away(release: threading.Event) -> None:
    """What a late collector finds in the end belongs to no tick any more."""
    hanging = Scripted("filesystem", lambda: wait_released(release))
    sampler = Sampler([hanging], interval=0.2)
    assert found_by(sampler, 1) == {}
    release.set()
    found = wait_for(lambda: found_by(sampler, 2), "the collector's next turn")
    assert found["filesystem"].tick == 2
    sampler.close()


def test_a_part_that_is_missing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A group of which a part could not be read is there, with the reason; the log tells of it once."""

    class Incomplete(Scripted):
        """A collector that gets no answer from one device."""

        reason = "no answer from /mnt/nas"

        def collect(self, time: float, tick: int) -> Group | Partial | None:
            """Return what it has."""
            message = super().collect(time, tick)
            assert isinstance(message, Group)
            return Partial(message, self.reason) if self.reason else message

    collector = Incomplete("filesystem")
    sampler = Sampler([collector], interval=0.2)
    with caplog.at_level(logging.INFO):
        for tick in range(1, 4):
            assert list(found_by(sampler, tick)) == ["filesystem"]
            assert sampler.runs["filesystem"].reason == "no answer from /mnt/nas"
        collector.reason = ""
        found_by(sampler, 4)
    assert sampler.runs["filesystem"].reason is UNSET
    assert [record.getMessage() for record in caplog.records] == [
        "collector filesystem: no answer from /mnt/nas",
        "collector filesystem works again",
    ]
    sampler.close()


class Exit(BaseException):
    """What no handler of errors catches."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Exit()])
def test_whatever_a_collector_raises_costs_only_its_group(error: BaseException) -> None:
    """A library that ends its thread, or interrupts it, fails one group; the next ticks go on."""
    broken = Scripted("gpu", lambda: throw(error))
    sampler, ticks = run(broken, Scripted("cpu"), ticks=3)
    assert [list(found) for found in ticks] == [["cpu"]] * 3
    assert sampler.runs["gpu"].state == "failed"
    assert str(sampler.runs["gpu"].reason).startswith(type(error).__name__)
    assert broken.turns == [1, 2, 3]
    sampler.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is the case
@pytest.mark.parametrize("at", ["next turn", "collector"])
def test_a_thread_that_ends_costs_only_one_group(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is ended between two ticks, or after a collector, fails one group and is replaced."""
    before = set(threading.enumerate())
    sampler = Sampler([Scripted("gpu"), Scripted("cpu"), Scripted("disk")], interval=0.2)
    assert list(found_by(sampler, 1)) == ["gpu", "cpu", "disk"]
    with monkeypatch.context() as patch:
        if at == "collector":
            patch.setattr(sampling, "_Outcome", lambda *_: throw(SystemExit()))
            assert found_by(sampler, 2) == {}
            ended = {"gpu", "cpu", "disk"}
        else:
            (thread,) = set(threading.enumerate()) - before
            raise_in(thread, SystemExit)
            assert list(found_by(sampler, 2)) == ["cpu", "disk"]
            ended = {"gpu"}
    assert {group for group, run in sampler.runs.items() if run.state == "failed"} == ended
    assert {sampler.runs[group].reason for group in ended} == {"its thread ended"}
    assert list(found_by(sampler, 3)) == ["gpu", "cpu", "disk"]
    sampler.close()


def throw(error: BaseException) -> None:
    raise error


def raise_in(thread: threading.Thread, error: type[BaseException]) -> None:
    """Have an exception raised in a thread, at its next step."""
    raised = ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(error)
    )
    assert raised == 1


def wait_released(release: threading.Event) -> None:
    assert release.wait(20)


def test_without_another_thread_the_tick_goes_on(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system allows no more threads a group is missing for this tick, and the agent lives."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    cpu = Scripted("cpu")
    sampler, _ = run(Scripted("filesystem", lambda: (release.wait(20), None)[1]), cpu, ticks=0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert found_by(sampler, 1) == {}
    assert (sampler.runs["cpu"].state, sampler.runs["cpu"].reason) == ("failed", "can't start new thread")
    assert found_by(sampler, 2).keys() == {"cpu"}
    sampler.close()


def test_a_reason_can_always_be_sent() -> None:
    """A name that is not UTF-8 in the reason of a failure is told with its bytes replaced, and cut to fit."""

    def fail_at_name() -> None:
        raise CollectionError(f"{os.fsdecode(b'caf' + bytes([0xE9]))}: {'x' * 1000}")

    sampler, _ = run(Scripted("custom", fail_at_name))
    reason = sampler.runs["custom"].reason
    assert isinstance(reason, str)
    assert reason.startswith("caf?: xxx")
    assert len(reason) == 200
    sampler.close()


def test_a_message_that_cannot_be_sent_is_a_failure_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Tick after tick, the log has one line for a message that cannot be written, and one for a part."""

    class Crowd:
        group = "network"
        interval = 0.0

        def collect(self, time: float, tick: int) -> Group:
            names = [f"veth{number}" for number in range(5000)]
            return Network(time=time, tick=tick, interfaces=dict.fromkeys(names, NetworkInterface(up=True)))

    class Unwritable:
        group = "disk"
        interval = 0.0

        def collect(self, time: float, tick: int) -> Group:
            return Disk(time=time, tick=tick, devices={"\udcff": DiskDevice()})

    caplog.set_level(logging.INFO)
    sampler, ticks = run(Crowd(), Unwritable(), Scripted("cpu"), ticks=4)
    assert [found.keys() for found in ticks] == [{"network", "cpu"}] * 4
    network, cpu = sampler.sample(5.0, 5)
    assert len(network.payload or b"") <= MAX_PAYLOAD_BYTES
    assert cpu.payload == encode(cpu.message)
    assert (sampler.runs["network"].state, sampler.runs["disk"].state) == ("ok", "failed")
    partly, failed = (record.message for record in caplog.records)
    assert "of 5000 interfaces" in partly
    assert "disk failed: UnicodeEncodeError" in failed
    sampler.close()


class Half(Scripted):
    """A collector that reads a part of its group in the background."""

    def __init__(self) -> None:
        super().__init__("gpu")
        self.hastened: list[float | None] = []
        self.closed = False

    def hasten(self, interval: float | None) -> None:
        """Note how often somebody wants it."""
        self.hastened.append(interval)

    def close(self) -> None:
        """Note the end."""
        self.closed = True


def test_a_part_that_is_read_in_the_background_is_hastened_and_closed() -> None:
    """It is told at every tick how often its group is wanted, and of the end."""
    half = Half()
    sampler, _ = run(half)
    sampler.hasten({"gpu": 1.0, "process": 2.0})
    found_by(sampler, 2)
    sampler.hasten({})
    found_by(sampler, 3)
    sampler.close()
    assert (half.hastened, half.closed, half.turns) == ([None, 1.0, None], True, [1, 2, 3])


def test_what_is_too_large_to_be_sent_still_counts_in_the_headline() -> None:
    """The message is there without a payload, and the collector says why."""
    sampler = Sampler([Scripted("cpu")], interval=1.0, room=lambda _: 10)
    [found] = sampler.sample(1.0, 1)
    assert (found.group, found.payload) == ("cpu", None)
    assert sampler.runs["cpu"].state == "failed"
    assert "expected at most 10" in str(sampler.runs["cpu"].reason)
    sampler.close()
