import functools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fleetglass.agent.readings.program import Program
from fleetglass.wire.errors import CollectionError
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")

ENVIRONMENT = {"PATH": os.environ["PATH"], "WORD": "yes"}


def run(script: str, *, seconds: float = 20, most_bytes: int = 100, program: Program | None = None) -> bytes:
    return (program or Program()).run(
        ["sh", "-c", script], seconds=seconds, most_bytes=most_bytes, environment=ENVIRONMENT
    )


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_what_a_program_prints_is_returned(tmp_path: Path) -> None:
    """Its output, whatever it says on the side, from its folder and in its environment only."""
    os.environ["OTHER"] = "no"
    assert run("echo $WORD $OTHER; echo warning >&2") == b"yes\n"
    output = Program().run(["pwd"], seconds=20, most_bytes=200, environment=ENVIRONMENT, folder=tmp_path)
    assert output.decode().strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo one >&2; echo no such device >&2; exit 3", r"\Aended with exit code 3: no such device\Z"),
        ("exit 1", r"\Aended with exit code 1\Z"),
        ("kill -9 $$", r"\Aended by signal 9\Z"),
        ("yes", r"\Aprinted more than 100 bytes\Z"),
        ("yes >&2", r"\Aprinted more than 100 bytes\Z"),
    ],
)
def test_a_failure_is_one_line(script: str, reason: str) -> None:
    """Exit code or signal with the last line of the errors; more output than agreed is a failure, too."""
    with pytest.raises(CollectionError, match=reason):
        run(script)


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    """A program that is not there, and one of no known format."""
    with pytest.raises(CollectionError, match="cannot be run: No such file or directory"):
        Program().run(["/nowhere"], seconds=1, most_bytes=1, environment={})
    plain = tmp_path / "plain"
    plain.write_text("just text")
    plain.chmod(0o755)
    with pytest.raises(CollectionError, match="cannot be run: Exec format error; a script begins with #!"):
        Program().run([str(plain)], seconds=1, most_bytes=1, environment={})


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """After its time the program and what it started are gone."""
    note = tmp_path / "pid"
    with pytest.raises(CollectionError, match=r"took more than 0\.5 s"):
        run(f"sleep 600 & echo $! > {note}; wait", seconds=0.5)
    pid = int(note.read_text())
    wait_for(lambda: is_gone(pid), "the end of the child")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_program_leaves_behind_is_killed(tmp_path: Path) -> None:
    """A child in the background, which keeps nothing open, ends with the program."""
    note = tmp_path / "pid"
    assert run(f"sleep 600 >/dev/null 2>&1 & echo $! > {note}; echo done") == b"done\n"
    pid = int(note.read_text())
    wait_for(lambda: is_gone(pid), "the end of the child")


LEFT_BEHIND = {
    "in a session of its own": ("setsid {daemon} &", 1),
    "by a process that has ended": ("(setsid sh -c '{daemon} & exit' &)", 1),
    "by another daemon": ("setsid sh -c '{daemon} & {daemon} & wait' &", 2),
    "deaf to signals": ("setsid sh -c 'trap \"\" TERM HUP INT; {daemon}' &", 1),
}


def write_daemon(folder: Path) -> tuple[Path, Path]:
    """Return a program that sleeps, and the file into which it writes its pid; it keeps no pipe open."""
    program, notes = folder / "daemon", folder / "pids"
    program.write_text(f"#!/bin/sh\nexec >/dev/null 2>&1\necho $$ >> {notes}\nexec sleep 600\n")
    program.chmod(0o755)
    notes.touch()
    return program, notes


def pids_in(notes: Path) -> list[int]:
    return [int(pid) for pid in notes.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", LEFT_BEHIND)
def test_what_left_the_session_is_killed_too(kind: str, tmp_path: Path) -> None:
    """A daemon that a program starts ends with the program, in whatever session it is."""
    daemon, notes = write_daemon(tmp_path)
    script, number = LEFT_BEHIND[kind]
    starts = script.format(daemon=daemon).replace("setsid", "setsid >/dev/null 2>&1", 1)
    assert run(f"{starts}\nwhile [ $(wc -l < {notes}) -lt {number} ]; do sleep 0.02; done; echo 7") == b"7\n"
    pids = pids_in(notes)
    assert len(pids) == number
    assert [pid for pid in pids if not is_gone(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_what_a_program_started_is_killed(tmp_path: Path) -> None:
    """A process that began during the run, and that another program or this one started, lives on."""
    ends, threads, notes = [], [], []
    own = None
    try:
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            daemon, note = write_daemon(folder)
            end = folder / "end"
            os.mkfifo(end)
            thread = threading.Thread(
                target=run, args=(f"setsid {daemon} & cat {end}",), kwargs={"program": Program()}, daemon=True
            )
            thread.start()
            wait_for(functools.partial(pids_in, note), "the daemon")
            ends.append(end)
            threads.append(thread)
            notes.append(note)
        own = subprocess.Popen(["sleep", "600"], start_new_session=True)
        ends[0].write_text("7")
        threads[0].join(10)
        assert is_gone(pids_in(notes[0])[0])
        assert not is_gone(pids_in(notes[1])[0])
        assert own.poll() is None
        ends[1].write_text("7")
        threads[1].join(10)
        assert is_gone(pids_in(notes[1])[0])
    finally:
        if own is not None:
            own.kill()
            own.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_cancelling_kills_what_runs_and_forbids_more(tmp_path: Path) -> None:
    """Told from another thread, the run ends at once, and no other begins."""
    program = Program()
    note = tmp_path / "pid"
    reasons: list[str] = []

    def work() -> None:
        try:
            daemon = f"setsid sh -c 'echo $$ >> {note}; exec sleep 600' &"
            run(f"{daemon} sleep 600 & echo $! >> {note}; wait", seconds=600, program=program)
        except CollectionError as error:
            reasons.append(str(error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    wait_for(lambda: note.exists() and len(note.read_text().split()) == 2, "the children")
    program.cancel()
    pids = [int(pid) for pid in note.read_text().split()]
    wait_for(lambda: all(map(is_gone, pids)), "the end of the children")
    thread.join(10)
    assert reasons == ["ended by signal 9"]
    with pytest.raises(CollectionError, match="the agent is stopping"):
        run("true", program=program)


def test_no_descriptor_and_no_child_is_left() -> None:
    """After many runs, failed ones among them, this process has no more open files than before."""
    run("true")
    before = open_files()
    for script in ("true", "exit 1", "yes") * 5:
        try:
            run(script)
        except CollectionError:
            continue
    assert open_files() <= before


def test_a_program_that_cannot_be_killed_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel keeps a process that waits for a dead device. It is the only one until it has ended."""
    program = Program()
    with monkeypatch.context() as patch:
        patch.setattr(Program, "_kill", lambda *_: None)
        with pytest.raises(CollectionError, match=r"\Atook more than 0\.1 s\Z"):
            run("sleep 600", seconds=0.1, program=program)
    pid = program.left_over
    assert pid is not None
    with pytest.raises(CollectionError, match=rf"\Aprocess {pid} was killed, but does not end\Z"):
        run("echo", program=program)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: program.left_over is None, "the end of the process")
    assert run("echo", program=program) == b"\n"


def test_any_exit_code_may_be_a_result() -> None:
    """Some programs tell how a thing is by it; a signal is a failure all the same."""

    def ends(script: str) -> bytes:
        arguments = ["sh", "-c", script]
        return Program().run(
            arguments, seconds=20, most_bytes=100, environment=ENVIRONMENT, good_codes=range(256)
        )

    assert ends("echo failing; exit 8") == b"failing\n"
    with pytest.raises(CollectionError, match="ended by signal 9"):
        ends("kill -9 $$")
