import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleetglass.agent.readings.open_files import OpenFiles


def test_a_file_is_read_anew_every_time(tmp_path: Path) -> None:
    """What changed since the last reading is in the next one, longer or shorter."""
    path = tmp_path / "file"
    files = OpenFiles()
    for text in (b"one", b"x" * 100_000, b"", b"two"):
        path.write_bytes(text)
        assert files.read(str(path)) == text


def test_a_file_that_is_not_there_raises_until_it_comes(tmp_path: Path) -> None:
    """A missing file is an error every time, and none any more when it appears."""
    path = tmp_path / "file"
    files = OpenFiles()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            files.read(str(path))
    path.write_bytes(b"here")
    assert files.read(str(path)) == b"here"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("path", ["/proc/stat", "/proc/vmstat", "/proc/net/snmp", "/proc/diskstats"])
def test_a_file_of_the_kernel_is_read_whole(path: str) -> None:
    """A file of many lines comes with its last line, and with as many lines as at its first reading."""
    files = OpenFiles()
    lines = {len(files.read(path).splitlines()) for _ in range(3)}
    assert lines == {len(Path(path).read_bytes().splitlines())}
    assert files.read(path).endswith(b"\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_files_are_closed_in_the_end() -> None:
    """Whoever gives the files up leaves none open."""
    before = open_files()
    files = OpenFiles()
    for _ in range(3):
        files.read("/proc/stat")
        files.read("/proc/meminfo")
    assert open_files() == before + 2
    del files
    assert open_files() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_that_does_not_answer_any_more_is_opened_again(tmp_path: Path) -> None:
    """A path that leads to another file by now is read there once the first one answers no more."""
    path = tmp_path / "file"
    files = OpenFiles()
    with subprocess.Popen(["sleep", "60"]) as process:
        path.symlink_to(f"/proc/{process.pid}/stat")
        assert files.read(str(path)).startswith(b"%d " % process.pid)
        process.kill()
    with pytest.raises(FileNotFoundError):
        files.read(str(path))
    path.unlink()
    path.write_bytes(b"another")
    assert files.read(str(path)) == b"another"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_given_up_is_closed_when_the_last_reader_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one thread reads, another may find that the file answers no more: nobody reads a wrong file."""
    files = OpenFiles()
    files.read("/proc/loadavg")
    before = open_files()
    pread, broken = os.pread, [False]
    inner: list[bytes] = []

    def read(descriptor: int, length: int, offset: int) -> bytes:
        if broken[0]:
            broken[0] = False
            raise OSError
        if not inner:  # the first reader has begun: a second one comes in between and meets the failure
            inner.append(b"")
            broken[0] = True
            inner[0] = files.read("/proc/loadavg")
            assert open_files() == before + 1
        return pread(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", read)
    assert len(files.read("/proc/loadavg").split()) == 5
    assert len(inner[0].split()) == 5
    assert open_files() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_threads_read_at_the_same_time() -> None:
    """However many threads begin at once, each reads the whole file, and one descriptor stays."""
    before = open_files()
    files = OpenFiles()
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(lambda _: files.read("/proc/uptime"), range(200)))
        assert all(len(text.split()) == 2 for text in texts)
    assert open_files() == before + 1


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
