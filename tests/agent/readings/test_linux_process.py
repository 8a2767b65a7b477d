import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

if sys.platform == "linux":
    from fleetglass.agent.readings import linux_process
    from fleetglass.agent.readings.linux_process_list import ProcessList

TAIL = b"S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 9000 1000000 512 18446744073709551615 1 1 0"


@pytest.mark.parametrize(
    "name", [b"bash", b"a) S (b", b"(sd-pam)", b"two words", b") R 1 2", b"", b"<img onerror>"]
)
def test_a_name_may_hold_anything(name: bytes) -> None:
    """Spaces and parentheses in a name do not shift the fields behind it."""
    stat = linux_process.parse_process(b"42 (" + name + b") " + TAIL)
    assert stat.name == name.decode()
    assert stat.state == "sleeping"
    assert stat.cpu_seconds == 300 / os.sysconf("SC_CLK_TCK")
    assert stat.resident_bytes == 512 * os.sysconf("SC_PAGE_SIZE")
    assert (stat.threads, stat.started) == (3, 9000)


def test_a_name_that_is_not_utf8_is_replaced() -> None:
    """Bytes that are not UTF-8 become replacement characters, and never lone surrogates."""
    stat = linux_process.parse_process(b"42 (\xff\xfe) " + TAIL)
    assert stat.name == "��"
    stat.name.encode()


def test_a_real_process_with_a_hostile_name_is_read(tmp_path: Path) -> None:
    """A running program named with parentheses, a space and broken UTF-8 is listed like any other."""
    program = os.fsencode(tmp_path) + b"/x) R 1\xff("
    shutil.copy(os.fsencode(shutil.which("sleep") or "/bin/sleep"), program)
    process = subprocess.Popen([program, "60"])
    try:
        stat = ProcessList().read().processes[process.pid]
        assert stat.name == "x) R 1�("
        assert stat.threads == 1
    finally:
        process.kill()
        process.wait()


def test_a_name_that_the_kernel_cut_off_is_completed(tmp_path: Path) -> None:
    """The kernel keeps 15 bytes; the rest is found in the command line."""
    program = tmp_path / "a-program-with-a-long-name"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    process = subprocess.Popen([str(program), "60"])
    try:
        name = ProcessList().read().processes[process.pid].name
        assert name == "a-program-with-"
        assert linux_process.ProcessNames().full_name(process.pid, name) == program.name
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"/usr/lib/chrome-headless-shell --type=renderer --lang=en", "chrome-headless-shell"),
        (b"/usr/lib/chrome-headless-shell --type=gpu --dir=/tmp/x", "chrome-headless-shell"),
        (b"/opt/two words/chrome-headless-shell\0--type=gpu", "chrome-headless-shell"),
        (b"/opt/chrome-headless-directory/other --type=gpu", "chrome-headless"),
        (b"", "chrome-headless"),
    ],
)
def test_arguments_are_no_part_of_a_name(tmp_path: Path, line: bytes, name: str) -> None:
    """A browser writes its whole command line where only its program is expected; the name ends before."""
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cmdline").write_bytes(line)
    assert linux_process.ProcessNames(str(tmp_path)).full_name(7, "chrome-headless") == name


def test_a_process_that_has_ended_has_no_owner() -> None:
    """What ended between listing and asking is no error."""
    process = subprocess.Popen(["true"])
    process.wait()
    assert linux_process.ProcessNames().owner(process.pid) is None
    assert linux_process.ProcessNames().full_name(process.pid, "x" * 15) == "x" * 15


def test_the_owner_is_whose_rights_a_process_has(tmp_path: Path) -> None:
    """The effective user counts, by the names of the host that is read; one without a name is a number."""
    for pid, uid in ((7, 1000), (8, 4711)):
        folder = tmp_path / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "status").write_text(f"Name:\tx\nUid:\t0\t{uid}\t0\t0\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(
        "root:x:0:0:a\u2028mallory:x:1000:/:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n"
    )
    reader = linux_process.ProcessNames(str(tmp_path))
    assert (reader.owner(7), reader.owner(8), reader.owner(9)) == ("anna", "4711", None)
    assert linux_process.ProcessNames().owner(os.getpid()) is not None


def test_a_broken_stat_is_no_process(tmp_path: Path) -> None:
    """A process whose file makes no sense is left out, the others are there."""
    for pid, text in ((7, b"7 (x)"), (8, b""), (9, b"9 (y) " + TAIL)):
        folder = tmp_path / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "stat").write_bytes(text)
    assert list(ProcessList(f"{tmp_path}/proc").read().processes) == [9]
