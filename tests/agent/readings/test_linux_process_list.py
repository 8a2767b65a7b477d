import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetglass.agent.collectors.process import cpu_use
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    import resource

    from fleetglass.agent.readings.linux_process_list import ProcessList, _descriptors_allowed


@contextmanager
def sleeping() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def write_stat(
    proc: Path, pid: int, name: str, user_ticks: int = 0, pages: int = 512, threads: int = 1
) -> None:
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    (folder / "stat").write_text(
        f"{pid} ({name}) S 1 7 7 0 -1 4194304 100 0 0 0 {user_ticks} 0 0 0 20 0 {threads} 0 9000 0 {pages} 1"
    )


@pytest.mark.parametrize("most", [0, 2, 1024])
def test_a_process_is_listed_from_its_start_to_its_end(most: int) -> None:
    """Processes come and go between readings, whether or not there is room to keep them open."""
    processes = ProcessList(most_descriptors=most)
    assert os.getpid() in processes.read().processes
    with sleeping() as pid:
        assert pid in processes.read().processes
        assert pid in processes.read().processes
    reading = processes.read()
    assert pid not in reading.processes
    assert os.getpid() in reading.processes


def test_a_start_is_told_on_the_clock_of_the_reading() -> None:
    """What starts between two readings starts after the first, and what was there before it does not."""
    processes = ProcessList()
    with sleeping() as earlier:
        wait_for(lambda: processes.read().start_clock > started(processes, earlier), "a later clock tick")
        before = processes.read()
        with sleeping() as later:
            assert started(processes, earlier) < before.start_clock <= started(processes, later)


def test_a_process_that_could_not_be_read_once_has_no_use_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a free descriptor a process is missing; its CPU time of before is not the next reading's."""
    processes = ProcessList(most_descriptors=0)
    with sleeping() as pid:
        wait_for(lambda: processes.read().start_clock > started(processes, pid), "a later clock tick")
        with monkeypatch.context() as patch:
            patch.setattr(ProcessList, "_open", refuse)
            without = processes.read()
        again = processes.read()
    assert pid not in without.processes
    assert pid in again.processes
    assert pid not in cpu_use(without, again)


def started(processes: "ProcessList", pid: int) -> float:
    return processes.read().processes[pid].started


def refuse(*_: object) -> bytes:
    raise OSError(errno.EMFILE, "Too many open files")


def test_a_process_that_worked_shows_it() -> None:
    """What a process did since the last reading is in the next one."""
    processes = ProcessList()
    before = processes.read().processes[os.getpid()].cpu_seconds
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert processes.read().processes[os.getpid()].cpu_seconds > before


def test_a_process_that_did_nothing_is_not_parsed_again(tmp_path: Path) -> None:
    """The same `stat` gives the same object, and a changed one another."""
    write_stat(tmp_path, 7, "idle")
    write_stat(tmp_path, 8, "busy")
    processes = ProcessList(str(tmp_path), most_descriptors=9)
    before = processes.read().processes
    write_stat(tmp_path, 8, "busy", user_ticks=100)
    after = processes.read().processes
    assert after[7] is before[7]
    assert after[8].cpu_seconds > before[8].cpu_seconds


def test_a_process_that_changed_its_program_has_its_new_name(tmp_path: Path) -> None:
    """A program started in the place of another, in the same process, is told by its own name."""
    write_stat(tmp_path, 7, "sh")
    processes = ProcessList(str(tmp_path), most_descriptors=9)
    assert processes.read().processes[7].name == "sh"
    write_stat(tmp_path, 7, "worker")
    assert processes.read().processes[7].name == "worker"


def test_a_pid_that_was_taken_over_is_another_process() -> None:
    """An open `stat` never answers for the process that has the pid now."""
    processes = ProcessList()
    with sleeping() as pid:
        first = processes.read().processes[pid]
    for _ in range(50):
        try:
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        except OSError:
            pytest.skip("only root can choose the next pid")
        with sleeping() as taken:
            if taken == pid:
                second = processes.read().processes[pid]
                assert second.started >= first.started
                assert second is not first
                return
    pytest.skip("another process was faster every time")


def test_a_process_that_wakes_up_shows_it() -> None:
    """A process that slept for many readings is read again as soon as it did something."""
    with subprocess.Popen(["sh", "-c", "read line; exec cat"], stdin=subprocess.PIPE) as process:
        processes = ProcessList()
        names = [processes.read().processes[process.pid].name for _ in range(8)]
        assert names[-1] == "sh"
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        wait_for(lambda: processes.read().processes[process.pid].name == "cat", "the new program is seen")


def test_memory_taken_from_a_sleeping_process_is_seen_in_time(tmp_path: Path) -> None:
    """Of a process that got no processor, what else changed is seen within 24 readings."""
    write_stat(tmp_path, 7, "sleeper")
    (tmp_path / "7" / "schedstat").write_text("5 6 7\n")
    processes = ProcessList(str(tmp_path), most_descriptors=9)
    before = [processes.read().processes[7] for _ in range(10)][-1]
    write_stat(tmp_path, 7, "sleeper", pages=100)
    assert processes.read().processes[7] is before
    after = [processes.read().processes[7] for _ in range(24)][-1]
    assert after.resident_bytes == 100 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(("threads", "schedstat"), [(2, "5 6 7\n"), (1, "0 0 0\n"), (1, "")])
def test_what_may_change_unnoticed_is_read_every_time(tmp_path: Path, threads: int, schedstat: str) -> None:
    """Several threads, or a kernel that does not count, leave only the `stat` to look at."""
    write_stat(tmp_path, 7, "some", threads=threads)
    (tmp_path / "7" / "schedstat").write_text(schedstat)
    processes = ProcessList(str(tmp_path), most_descriptors=9)
    for _ in range(10):
        processes.read()
    write_stat(tmp_path, 7, "some", user_ticks=100, threads=threads)
    assert processes.read().processes[7].cpu_seconds == 100 / os.sysconf("SC_CLK_TCK")


def test_a_sleeping_process_that_ended_is_gone() -> None:
    """A process that ended while its `schedstat` was watched is left out."""
    processes = ProcessList()
    with sleeping() as pid:
        for _ in range(8):
            assert pid in processes.read().processes
    assert pid not in processes.read().processes


@pytest.mark.parametrize("text", ["", "7", "7 (x) S 1", "7 (x S 1 2 3", "nonsense) " * 30])
def test_what_is_no_stat_is_left_out(tmp_path: Path, text: str) -> None:
    """An empty or broken `stat` costs its own process only, and it is read again next time."""
    write_stat(tmp_path, 6, "good")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(text)
    (tmp_path / "cpuinfo").write_text("no process")
    processes = ProcessList(str(tmp_path), most_descriptors=9)
    assert processes.read().processes.keys() == {6}
    write_stat(tmp_path, 7, "better")
    assert processes.read().processes.keys() == {6, 7}


def test_open_files_are_bounded_and_closed(tmp_path: Path) -> None:
    """At most as many stay open as allowed; those of ended processes, and all in the end, are closed."""
    before = open_files()
    for pid in range(1, 31):
        write_stat(tmp_path, pid, "some")
    processes = ProcessList(str(tmp_path), most_descriptors=20)
    assert len(processes.read().processes) == 30
    assert open_files() - before == 20
    for pid in range(1, 26):
        (tmp_path / str(pid) / "stat").unlink()
        (tmp_path / str(pid)).rmdir()
    assert len(processes.read().processes) == 5
    assert len(processes.read().processes) == 5
    assert open_files() - before == 5
    del processes
    assert open_files() == before


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- a Path's iterator would be counted too


@pytest.mark.parametrize(("allowed", "most"), [(32, 0), (100, 36), (1024, 512), (-1, 1024), (10**6, 1024)])
def test_open_files_leave_room_for_all_else(monkeypatch: pytest.MonkeyPatch, allowed: int, most: int) -> None:
    """However few files this process may open, there are some for the connection and the other groups."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed, allowed))
    assert _descriptors_allowed("/proc") == most
