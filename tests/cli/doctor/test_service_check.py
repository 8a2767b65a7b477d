import os
from pathlib import Path

import pytest

from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.service_check import check_service
from fleetglass.cli.service import systemctl

UNIT = "ExecStart={ argv[]=/usr/bin/fleetglass agent --config /etc/fleetglass/fleetglass.yaml ; }"
LOADED = "LoadState=loaded\nUnitFileState="
STATES = {
    "active": f"{LOADED}enabled\nActiveState=active\nSubState=running\nStatusText=connected",
    "failed": f"{LOADED}enabled\nActiveState=failed\nSubState=failed\nResult=exit-code",
    "stopped": f"{LOADED}disabled\nActiveState=inactive\nSubState=dead",
    "absent": "LoadState=not-found\nActiveState=inactive",
}


def check(
    state: str,
    configuration: Path | None,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    user_id: int = 0,
) -> list[Finding]:
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\ncat <<END\n{STATES[state]}\n{UNIT}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(systemctl, "BOOTED", folder)
    monkeypatch.setattr(os, "geteuid", lambda: user_id)
    return list(check_service("agent", configuration))


@pytest.mark.parametrize(
    ("state", "states", "remedy"),
    [
        ("active", ["ok"], ""),
        ("failed", ["wrong"], "fleetglass service logs agent"),
        ("stopped", ["note", "note"], "fleetglass service start agent"),
        ("absent", [], ""),
    ],
)
def test_how_a_service_is(
    state: str, states: list[str], remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that runs says what it does; one that failed is wrong; one that is not installed is not told of."""
    found = check(state, Path("/etc/fleetglass/fleetglass.yaml"), tmp_path, monkeypatch)
    assert [one.state for one in found] == states
    assert not found or found[0].remedy == remedy


def test_a_service_with_another_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked here is not what it reads, and how to check that is said."""
    _, note = check("active", None, tmp_path, monkeypatch)
    assert note.state == "note"
    assert note.remedy.endswith("fleetglass doctor --config /etc/fleetglass/fleetglass.yaml")


def test_what_only_root_can_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user is told that the service may see otherwise."""
    _, note = check("active", Path("/etc/fleetglass/fleetglass.yaml"), tmp_path, monkeypatch, 1000)
    assert (note.state, note.remedy) == ("note", "sudo fleetglass doctor")


def test_a_machine_without_systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is asked, and nothing is told."""
    monkeypatch.setattr(systemctl, "BOOTED", tmp_path / "nothing")
    assert list(check_service("bridge", None)) == []
