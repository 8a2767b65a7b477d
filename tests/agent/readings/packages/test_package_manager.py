import os
from pathlib import Path

import pytest

from fleetglass.agent.readings.packages.package_manager import UpdateCount
from fleetglass.agent.readings.packages.package_updates import PackageUpdates
from support.waiting import wait_for

APT = """
Inst libssl3 [3.0.15-1] (3.0.16-1 Debian-Security:12/stable-security [amd64])
Inst base-files [12.4+deb12u9] (12.4+deb12u10 Debian:12.10/stable [amd64]) []
Inst linux-image-6.1.0-32-amd64 (6.1.129-1 Debian:12.10/stable [amd64])
Inst curl [7.81.0-1] (7.81.0-2 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])
Conf libssl3 (3.0.16-1 Debian-Security:12/stable-security [amd64])
"""
DNF = """
kernel.x86_64                          6.13.4-200.fc41          updates
a-package-with-a-very-long-name-indeed.noarch
                                       1.0-1.fc41               updates
vim-minimal.x86_64                     2:9.1.1081-1.fc41        updates
Obsoleting Packages
grub2-tools.x86_64                     1:2.12-22.fc41           updates
"""
PACMAN = "linux 6.13.2.arch1-1 -> 6.13.4.arch1-1\nfirefox 135.0-1 -> 135.0.1-1\npinned 1-1 -> 2-1 [ignored]\n"
APK = "Installed:      Available:\nbusybox-1.36.1-r29 < 1.36.1-r30\nmusl-1.2.5-r0 < 1.2.5-r9\n"

KINDS = [
    ("apt-get", "var/lib/dpkg/status", "var/lib/apt/lists", APT, 0, (3, 2)),
    ("apt-get", "var/lib/dpkg/status", "var/lib/apt/lists", "", 0, (0, 0)),
    ("dnf", "var/lib/rpm/rpmdb.sqlite", "var/cache/dnf", DNF, 100, (3, 3)),
    ("dnf5", "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/cache/libdnf5", "", 0, (0, 0)),
    ("pacman", "var/lib/pacman/local", "var/lib/pacman/sync", PACMAN, 0, (2, None)),
    ("pacman", "var/lib/pacman/local", "var/lib/pacman/sync", "", 1, (0, None)),
    ("apk", "lib/apk/db/installed", "var/cache/apk", APK, 0, (2, None)),
]


class Host:
    """A host whose package manager prints what a test says, and notes how it was called."""

    def __init__(self, folder: Path, program: str, database: str, lists: str, output: str, code: int) -> None:
        self.now = 1000.0
        self.root = folder / "root"
        self.database = self.root / database
        self.database.parent.mkdir(parents=True)
        self.database.touch()
        (self.root / lists).mkdir(parents=True, exist_ok=True)
        os.utime(self.root / lists, (1_795_000_000, 1_795_000_000))
        self.calls = folder / "calls"
        self.output = folder / "output"
        self.output.write_text(output)
        script = folder / "bin" / program
        script.parent.mkdir()
        script.write_text(f"#!/bin/sh\necho $0 $@ >> {self.calls}\ncat {self.output}\nexit {code}\n")
        script.chmod(0o755)
        self.counting = UpdateCount(str(self.root), clock=lambda: self.now)

    def look(self) -> PackageUpdates | None:
        """Look, and wait until what that began is done."""
        self.counting.look()
        if self.counting._thread is not None:
            self.counting._thread.join()
        return self.counting.newest

    def times_called(self) -> int:
        """Return how often the program was run."""
        return len(self.calls.read_text().splitlines())


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine have no package manager but those of a test."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "nice"):
        (tools / name).symlink_to(Path("/usr/bin", name))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{tools}")


@pytest.mark.parametrize(("program", "database", "lists", "output", "code", "counts"), KINDS)
def test_what_a_package_manager_says_is_counted(
    tmp_path: Path,
    program: str,
    database: str,
    lists: str,
    output: str,
    code: int,
    counts: tuple[int, int | None],
) -> None:
    """Only what is installed counts; what is held back, new or obsolete does not."""
    host = Host(tmp_path, program, database, lists, output, code)
    assert host.look() == PackageUpdates(*counts, 1_795_000_000.0)


def test_it_is_run_again_only_when_something_changed(tmp_path: Path) -> None:
    """A changed database is counted after ten minutes, and all is counted after six hours."""
    host = Host(tmp_path, "apt-get", "var/lib/dpkg/status", "var/lib/apt/lists", APT, 0)
    for _ in range(3):
        host.look()
    assert host.times_called() == 1
    os.utime(host.database, (2_000_000_000, 2_000_000_000))
    host.output.write_text("")
    host.look()
    assert host.times_called() == 1
    host.now += 601
    assert host.look() == PackageUpdates(0, 0, 1_795_000_000.0)
    assert host.times_called() == 2
    host.now += 6 * 3600 - 1
    host.look()
    assert host.times_called() == 2
    host.now += 2
    host.look()
    assert host.times_called() == 3
    assert "--simulate" in host.calls.read_text()


def test_a_failure_is_named_once_and_leaves_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The count of yesterday is not told as today's."""
    host = Host(tmp_path, "dnf", "var/lib/rpm/rpmdb.sqlite", "var/cache/dnf", DNF, 100)
    assert host.look() is not None
    (tmp_path / "bin/dnf").write_text("#!/bin/sh\necho no cache for updates >&2\nexit 1\n")
    for _ in range(2):
        host.now += 7 * 3600
        assert host.look() is None
    assert caplog.messages == ["updates cannot be counted: dnf ended with exit code 1: no cache for updates"]


def test_a_host_without_a_package_manager_is_not_counted(tmp_path: Path) -> None:
    """Neither the program alone counts nor its files alone."""
    host = Host(tmp_path, "pacman", "lib/apk/db/installed", "var/cache/apk", PACMAN, 0)
    assert host.look() is None
    assert not host.calls.exists()


def test_what_runs_is_ended_with_the_agent(tmp_path: Path) -> None:
    """A package manager that hangs does not outlive it."""
    host = Host(tmp_path, "apk", "lib/apk/db/installed", "var/cache/apk", "", 0)
    os.mkfifo(tmp_path / "never")
    (tmp_path / "bin/apk").write_text(f"#!/bin/sh\necho $$ > {host.calls}\ncat {tmp_path}/never\n")
    host.counting.look()
    wait_for(lambda: host.calls.exists() and host.calls.read_text().strip(), "the program")
    host.counting.close()
    thread = host.counting._thread
    assert thread is not None
    wait_for(lambda: not thread.is_alive(), "the end of the thread")
