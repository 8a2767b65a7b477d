import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fleetglass.agent.readings.storage.storage_report import read_report
from fleetglass.agent.selection import DEFAULT_DISKS, Selection
from fleetglass.cli.service import storage_helper
from fleetglass.cli.service.storage_helper import (
    SERVICE,
    TIMER,
    check_only_root_may_change,
    helper_units,
)
from fleetglass.cli.service.unit_file import MARKER
from fleetglass.wire.errors import CommandError
from support.smartctl import FakeSmartctl, nvme_disk
from support.waiting import PATIENCE_SECONDS

CONFINE = Path(__file__).resolve().parents[2] / "support" / "system_calls.py"
DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "systemd"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is on Linux")


@pytest.mark.parametrize("name", [SERVICE, TIMER])
def test_the_examples_are_what_install_writes(name: str) -> None:
    """The units under `deploy/` are those of the command, byte for byte."""
    assert helper_units(("/usr/local/bin/fleetglass",), DEFAULT_DISKS)[name] == (DEPLOY / name).read_text()


def test_the_helper_is_told_which_disks_to_leave_alone() -> None:
    """And nothing else: no file that anybody writes, and nothing of the network."""
    disks = Selection(include=("sd*",), exclude=("sdz", "a b"))
    text = helper_units(("/f",), disks)[SERVICE]
    assert text.startswith(MARKER)
    assert (
        "\nExecStart=/f storage --output=/run/fleetglass/storage.json "
        '"--include-disk=sd*" --exclude-disk=sdz "--exclude-disk=a b"\n' in text
    )
    for line in ("PrivateNetwork=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes"):
        assert f"\n{line}\n" in text
    assert "LoadCredential" not in text
    assert "EnvironmentFile" not in text


def test_a_program_that_others_may_change_is_not_run_as_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the program nor a module of it, nor a folder above them."""
    program = tmp_path / "fleetglass"
    program.touch()
    monkeypatch.setattr(storage_helper, "_changeable", lambda files: iter(sorted(files)[:1]))
    with pytest.raises(CommandError, match="users other than root may change /"):
        check_only_root_may_change((str(program),))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="makes files of two users")
def test_files_of_others(tmp_path: Path) -> None:
    """The owner counts, and who else may write; what only the group of root may write is root's."""

    def changeable(path: Path) -> bool:
        found = list(storage_helper._changeable([path]))
        return path in found or path.parent in found

    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "file"
    file.touch()
    assert not changeable(file)
    file.chmod(0o664)
    assert not changeable(file)
    os.chown(file, 0, 50)
    assert changeable(file)
    os.chown(file, 1000, 0)
    assert changeable(file)
    os.chown(file, 0, 0)
    file.chmod(0o602)
    assert changeable(file)
    file.chmod(0o600)
    folder.chmod(0o777)
    assert changeable(file)
    folder.chmod(0o755)
    assert not changeable(folder / "nothing")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_the_helper(tmp_path: Path) -> None:
    """`systemd-analyze` has nothing to say about service and timer, and rates their exposure low."""
    program = tmp_path / "fleetglass"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in helper_units((str(program),), Selection(exclude=("a b%",))).items():
        (tmp_path / name).write_text(text)
    words = ["systemd-analyze", "verify", str(tmp_path / SERVICE), str(tmp_path / TIMER)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "fleetglass" in line] == []
    words = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=22"]
    done = subprocess.run([*words, str(tmp_path / SERVICE)], capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("needs systemd 250 or later")
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64" or not shutil.which("systemd-analyze"),
    reason="needs systemd-analyze and libseccomp on x86_64",
)
def test_the_helper_works_with_the_system_calls_that_it_is_left(tmp_path: Path) -> None:
    """It runs smartctl, writes its report, and ends."""
    smartctl = FakeSmartctl(tmp_path)
    smartctl.scan(("/dev/nvme9", "nvme"))
    smartctl.say("nvme9", nvme_disk())
    unit = tmp_path / SERVICE
    unit.write_text(helper_units(("/f",), DEFAULT_DISKS)[SERVICE])
    report = tmp_path / "storage.json"
    words = [sys.executable, "-m", "fleetglass.cli", "storage", "--output", str(report)]
    subprocess.run(
        [sys.executable, str(CONFINE), str(unit), *words, "--include-disk=nvme9"],
        env=smartctl.environment,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    found = read_report(report)
    assert found is not None
    assert found.disks["nvme9"].health == "passed"
