import os
import sys
from pathlib import Path

import pytest

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
