import sys
from pathlib import Path

import pytest

from fleetglass.cli.main import main
from fleetglass.cli.service import installation
from fleetglass.cli.service.installation import barrier, installed_program, plan
from fleetglass.cli.service.unit_file import CREDENTIALS, ServicePart, UnitFile
from fleetglass.wire.errors import CommandError, UsageError


def planned(
    part: ServicePart,
    arguments: dict[str, object],
    *,
    system: bool = True,
    environment: dict[str, str] | None = None,
) -> UnitFile:
    return plan(part, arguments, system=system, systemd_version=252, environment=environment or {})


@pytest.fixture(autouse=True)
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this installation for one that a service can reach, wherever the tests run."""
    monkeypatch.setattr(installation, "_check_reachable", lambda *_: None)
    monkeypatch.setattr(installation, "installed_program", lambda: ("/opt/fleetglass/bin/fleetglass",))


def test_arguments_are_passed_on() -> None:
    """What `install` is told, the service is told."""
    unit = planned("agent", {"broker": "mqtt://h", "tags": ["a b"], "config": None})
    assert unit.command == ("/opt/fleetglass/bin/fleetglass", "agent", "--broker=mqtt://h", "--tag=a b")
    assert not unit.credentials


def test_files_that_only_root_may_read_become_credentials(tmp_path: Path) -> None:
    """The system's service gets configuration and password from systemd; a user's reads them itself."""
    password, configuration = tmp_path / "password", tmp_path / "own.yaml"
    password.write_text("geheim")
    password.chmod(0o600)
    configuration.write_text(f"password_file: {password}\n")
    unit = planned("agent", {"config": str(configuration)})
    assert unit.credentials == {"config": str(configuration), "password_file": str(password)}
    assert unit.command[2:] == (
        "--config",
        f"{CREDENTIALS}/config",
        f"--password-file={CREDENTIALS}/password_file",
    )
    assert "geheim" not in unit.text()
    own = planned("agent", {"config": str(configuration)}, system=False)
    assert own.command[2:] == ("--config", str(configuration))


def test_a_file_of_enroll_needs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The service gets the file with the credential inside from systemd; nothing of it is in the unit."""
    folder = tmp_path / "broker"
    assert main(["enroll", "web-1", "--bridge", "--broker", "mqtts://b", "--folder", str(folder)]) == 0
    capsys.readouterr()
    parts: dict[ServicePart, str] = {"agent": "hosts/web-1.yaml", "bridge": "readers/bridge.yaml"}
    for part, name in parts.items():
        unit = planned(part, {"config": str(folder / name)})
        assert unit.credentials == {"config": str(folder / name)}
        assert unit.command[2:] == ("--config", f"{CREDENTIALS}/config")
        assert capsys.readouterr().err == ""


def test_own_programs_are_known(tmp_path: Path) -> None:
    """An agent with a folder of own metrics gets a unit in which they can work; a bridge has none."""
    configuration = tmp_path / "own.yaml"
    configuration.write_text(f"agent:\n  custom_folder: {tmp_path}\n")
    arguments: dict[str, object] = {"config": str(configuration)}
    assert planned("agent", arguments, system=False).own_programs
    assert not planned("bridge", arguments, system=False).own_programs
    assert not planned("agent", {}, system=False).own_programs


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file named from here is found from anywhere."""
    (tmp_path / "password").write_text("geheim")
    (tmp_path / "password").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    unit = planned("agent", {"password_file": "password"}, system=False)
    assert unit.command[2:] == (f"--password-file={tmp_path / 'password'}",)


def test_a_folder_cannot_be_handed_over(tmp_path: Path) -> None:
    """A folder of own metrics that the service could not enter is refused; a user's service can."""
    with pytest.raises(CommandError, match=r"custom_folder .* is inside .*, which the service cannot enter"):
        planned("agent", {"custom_folder": str(tmp_path)})
    assert planned("agent", {"custom_folder": str(tmp_path)}, system=False).command[2:] == (
        f"--custom-folder={tmp_path}",
    )


def test_whose_configuration(tmp_path: Path) -> None:
    """A user's service reads the user's file, one of the system does not."""
    path = tmp_path / "fleetglass" / "fleetglass.yaml"
    path.parent.mkdir()
    path.write_text("prefix: lab\n")
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "FLEETGLASS_PREFIX": "not seen by a service"}
    assert str(path) in planned("agent", {}, system=False, environment=environment).command
    assert str(path) not in planned("agent", {}, environment=environment).text()


def test_wrong_settings_are_told_before_anything_is_written(tmp_path: Path) -> None:
    """What the service could not start with is refused, and so is what its part does not have."""
    with pytest.raises(UsageError, match="broker: got 'http://h'"):
        planned("agent", {"broker": "http://h"})
    with pytest.raises(UsageError, match="--port: the agent has no such setting"):
        planned("agent", {"port": "80"})
    with pytest.raises(UsageError, match=r"token_file: got .*, expected a file that exists"):
        planned("bridge", {"token_file": str(tmp_path / "none")})


def test_a_low_port_takes_its_capability() -> None:
    """A bridge at port 80 may open it."""
    assert planned("bridge", {"port": "80"}).low_port
    assert not planned("bridge", {}).low_port


def test_what_others_cannot_read(tmp_path: Path) -> None:
    """A private file or folder is named, and so are the places that a service does not see as they are."""
    assert barrier("agent", Path("/etc/passwd")) is None
    assert barrier("agent", tmp_path) is not None
    assert barrier("bridge", Path("/home/nobody-at-all/file")) == Path("/home")


@pytest.mark.skipif(not Path("/etc/shadow").exists(), reason="needs a Linux with shadow passwords")
def test_a_private_file() -> None:
    """A file that only root may read is its own barrier."""
    assert barrier("agent", Path("/etc/shadow")) == Path("/etc/shadow")


def test_a_program_that_a_service_cannot_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the remedy, before systemd says something worse."""
    monkeypatch.undo()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").touch()
    with pytest.raises(CommandError, match=r"cannot enter; install .* under /opt, or use --user"):
        planned("agent", {})


def test_the_installed_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is absolute and exists."""
    monkeypatch.undo()
    assert Path(installed_program()[0]).is_absolute()
    assert Path(installed_program()[0]).exists()
