import os

from msgspec import UNSET

from fleetglass.agent.collectors.process import ProcessCollector, cpu_use
from fleetglass.agent.readings import host_readings
from fleetglass.agent.readings.types import ProcessReading, ProcessStat
from fleetglass.agent.selection import Selection
from fleetglass.wire import encode
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES


def stat(
    cpu_seconds: float, *, started: float = 1, resident: int = 4096, state: str = "sleeping"
) -> ProcessStat:
    return ProcessStat("worker", state, started, cpu_seconds, resident, threads=2)


def reading(at: float, processes: dict[int, ProcessStat]) -> ProcessReading:
    """Return a reading of a host whose processes count 100 ticks a second since its start."""
    return ProcessReading(at, 100 * at, processes)


def test_use_is_of_one_core_over_the_elapsed_time() -> None:
    """Three seconds of CPU in two seconds are 150 %."""
    use = cpu_use(reading(10, {7: stat(1.0)}), reading(12, {7: stat(4.0)}))
    assert use == {7: 150.0}


def test_a_process_that_was_not_there_used_all_its_time_since() -> None:
    """A process that began between the readings counts with all of its CPU time."""
    use = cpu_use(reading(10, {}), reading(12, {7: stat(0.5, started=1000)}))
    assert use == {7: 25.0}


def test_an_old_process_that_was_not_read_before_has_no_use() -> None:
    """A process that started before a reading in which it is missing is counted from the next one on."""
    unread, first, second = reading(10, {}), reading(15, {7: stat(1e5)}), reading(20, {7: stat(1e5 + 1)})
    assert cpu_use(unread, first) == {}
    assert cpu_use(first, second) == {7: 20.0}


def test_a_pid_whose_process_changed_unseen_has_no_use() -> None:
    """Another process under the same pid that started before the earlier reading has no use either."""
    earlier = reading(10, {7: stat(5.0, started=300)})
    assert cpu_use(earlier, reading(15, {7: stat(9.0, started=400)})) == {}


def test_a_pid_that_was_taken_over_is_another_process() -> None:
    """The time of the process that had the pid before is not subtracted."""
    use = cpu_use(reading(10, {7: stat(90.0)}), reading(11, {7: stat(0.5, started=1050)}))
    assert use == {7: 50.0}


def test_a_process_that_did_nothing_used_nothing() -> None:
    """A process whose reading is the very same used 0 %, and is told after those that worked."""
    idle, before, after = stat(9.0, resident=9000), stat(1.0), stat(1.5)
    left = [reading(1, {1: idle, 2: before}), reading(2, {1: idle, 2: after})]
    collector = ProcessCollector(top=2, read=lambda: left.pop(0), total_memory=lambda: 10_000)
    collector.collect(1.0, 0)
    message = collector.collect(2.0, 1)
    assert [(one.pid, one.cpu_percent) for one in message.top_cpu] == [(2, 50.0), (1, 0.0)]


def test_names_and_users_are_asked_for_now_and_then() -> None:
    """Who runs a process is asked once in 30 s, and at once when another program took its place."""
    asked: list[int] = []

    def owner(pid: int) -> str:
        asked.append(pid)
        return "root"

    at = iter([0.0, 5.0, 10.0, 31.0])
    names = iter(["sh", "sh", "worker", "worker"])

    def read() -> ProcessReading:
        return reading(next(at), {7: stat(0.0)._replace(name=next(names))})

    collector = ProcessCollector(top=1, read=read, owner=owner)
    counts = []
    for tick in range(4):
        collector.collect(1.0, tick)
        counts.append(len(asked))
    assert counts == [1, 1, 2, 3]


def test_one_reading_gives_no_use() -> None:
    """Without an earlier reading no process has a percentage."""
    assert cpu_use(None, reading(10, {7: stat(1.0)})) == {}


def test_the_largest_are_told_by_cpu_and_by_memory() -> None:
    """Both lists are cut at their length, the largest first; processes are counted by state."""
    left = [
        reading(1, {pid: stat(0, resident=pid * 100) for pid in range(1, 6)}),
        reading(2, {pid: stat(pid / 10, resident=(10 - pid) * 100, state="running") for pid in range(1, 6)}),
    ]
    collector = ProcessCollector(top=2, read=lambda: left.pop(0), total_memory=lambda: 10_000)
    assert collector.collect(1.0, 0).top_cpu == []
    message = collector.collect(2.0, 1)
    assert message.count == 5
    assert message.states == {"running": 5}
    assert [(one.pid, one.cpu_percent) for one in message.top_cpu] == [(5, 50.0), (4, 40.0)]
    assert [(one.pid, one.memory_percent) for one in message.top_memory] == [(1, 9.0), (2, 8.0)]


def test_a_name_is_told_as_far_as_it_is_one() -> None:
    """What a program calls itself, thousands of letters, does not make the message too large to send."""
    host = reading(1, {pid: stat(0) for pid in range(1, 101)})
    collector = ProcessCollector(
        top=100, read=lambda: host, full_name=lambda _, name: name + "\U0001f600" * 4000
    )
    message = collector.collect(1.0, 1)
    assert len(message.top_memory[0].name) == 100
    assert len(encode(message)) < MAX_PAYLOAD_BYTES


def test_a_kernel_thread_has_no_memory() -> None:
    """A process without memory of its own publishes none, not 0."""
    collector = ProcessCollector(
        top=1, read=lambda: reading(1, {1: stat(0, resident=0)}), total_memory=lambda: 10_000
    )
    entry = collector.collect(1.0, 1).top_memory[0]
    assert entry.resident_bytes is UNSET
    assert entry.memory_percent is UNSET


def test_this_process_is_found_on_the_real_host() -> None:
    """On the real host the test's own process is counted, with its owner and its memory."""
    host = host_readings()
    message = ProcessCollector(
        top=100_000, read=host.processes, owner=host.owner, full_name=host.full_name
    ).collect(1.0, 1)
    own = next(one for one in message.top_memory if one.pid == os.getpid())
    assert isinstance(own.user, str)
    assert isinstance(own.resident_bytes, int)
    assert own.resident_bytes > 2**20


def test_processes_of_other_users_are_not_listed_but_counted() -> None:
    """Lists hold processes of selected users, as many as there is room for; the counts are the host's."""
    users = {1: "root", 2: "anna", 3: "svc-ci", 4: "anna", 5: None}
    processes = {pid: stat(float(pid), resident=1000 * pid) for pid in users}
    left = [reading(1, processes), reading(2, {pid: stat(pid + pid / 10) for pid in users})]

    def listed(selection: Selection) -> tuple[list[int], list[int], int, dict[str, int]]:
        readings = list(left)
        collector = ProcessCollector(
            top=2, read=lambda: readings.pop(0), owner=users.__getitem__, users=selection
        )
        by_memory = [one.pid for one in collector.collect(1.0, 0).top_memory]
        message = collector.collect(2.0, 1)
        return by_memory, [one.pid for one in message.top_cpu], message.count, message.states

    all_of_them = (5, {"sleeping": 5})
    assert listed(Selection()) == ([5, 4], [5, 4], *all_of_them)
    assert listed(Selection(exclude=("anna",))) == ([5, 3], [5, 3], *all_of_them)
    assert listed(Selection(include=("an*", "root"))) == ([4, 2], [4, 2], *all_of_them)
    assert listed(Selection(include=("root",))) == ([1], [1], *all_of_them)
    assert listed(Selection(include=("svc-*",), exclude=("*",))) == ([], [], *all_of_them)


def test_owners_are_asked_for_no_further_than_the_lists_go() -> None:
    """With users left out, the owner of a process is asked for when it could be listed, and once in 30 s."""
    asked: list[int] = []

    def owner(pid: int) -> str:
        asked.append(pid)
        return "anna" if pid == 9 else "root"

    processes = {pid: stat(1.0, resident=1000 * pid) for pid in range(1, 10)}
    at = iter([0.0, 5.0, 31.0])
    collector = ProcessCollector(
        top=2,
        read=lambda: reading(next(at), processes),
        owner=owner,
        users=Selection(exclude=("anna",)),
    )
    counts = []
    for tick in range(3):
        collector.collect(1.0, tick)
        counts.append(len(asked))
    assert set(asked) == {9, 8, 7}
    assert counts == [3, 3, 6]
