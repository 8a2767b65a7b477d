"""Agent and bridge with the system calls that their units leave them, on the real kernel."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.recording import recording
from fleetglass.cli.service.unit_file import ServicePart, UnitFile
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import wait_for_page
from support.waiting import PATIENCE_SECONDS

CONFINE = Path(__file__).resolve().parents[2] / "support" / "system_calls.py"

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64" or not shutil.which("systemd-analyze"),
        reason="needs systemd-analyze and libseccomp on x86_64",
    ),
]


def confined(tmp_path: Path, unit: UnitFile, *arguments: str) -> "subprocess.Popen[bytes]":
    """Run Python with what a unit allows."""
    file = tmp_path / unit.name
    file.write_text(unit.text())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETGLASS_")}
    return subprocess.Popen(
        [sys.executable, str(CONFINE), str(file), sys.executable, *arguments],
        env=environment | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )


def unit_of(part: ServicePart, *, own_programs: bool = False) -> UnitFile:
    return UnitFile(part=part, command=("/f",), own_programs=own_programs)


TRIED = {
    "priority": "os.setpriority(os.PRIO_PROCESS, 0, 1)",
    "code": "mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "owner": "os.chown('/', 0, 0)",
    "root": "os.chroot('/')",
    "clock": "time.clock_settime(time.CLOCK_REALTIME, time.time())",
}
TRY_ALL = f"""
import mmap, os, sys, time
refused = []
for name, attempt in {TRIED!r}.items():
    try:
        exec(attempt)
    except PermissionError:
        refused.append(name)
open(sys.argv[1], "w").write(" ".join(refused))
"""


@pytest.mark.parametrize(
    ("part", "own_programs", "refused"),
    [
        ("agent", False, "priority code owner root clock"),
        ("agent", True, "owner root clock"),
        ("bridge", False, "priority code owner root clock"),
    ],
)
def test_what_a_unit_refuses(tmp_path: Path, part: ServicePart, refused: str, *, own_programs: bool) -> None:
    """No privileges, no other priority, no code made at run time; own programs may have the last two."""
    note = tmp_path / "refused"
    process = confined(tmp_path, unit_of(part, own_programs=own_programs), "-c", TRY_ALL, str(note))
    assert process.wait(PATIENCE_SECONDS) == 0
    assert note.read_text() == refused


@pytest.mark.parametrize("own_programs", [False, True])
def test_an_agent_works_with_what_it_is_left(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, *, own_programs: bool
) -> None:
    """Every group that this host has is published, no collector fails, and own programs run."""
    folder = tmp_path / "custom.d"
    folder.mkdir()
    program = folder / "room.1s.sh"
    program.write_text("#!/bin/sh\nnice -n 5 echo 21\n")
    program.chmod(0o755)
    arguments = ["-m", "fleetglass.cli", "agent", "--broker", mosquitto.url, "--prefix", prefix]
    own = ["--custom-folder", str(folder)] if own_programs else []
    with recording(mosquitto.port, prefix) as witness:
        unit = unit_of("agent", own_programs=own_programs)
        process = confined(tmp_path, unit, *arguments, "--host-id", "web-1", *own)
        try:
            if own_programs:
                assert witness.wait("live/custom-room")[0].payload["value"] == 21
            report = witness.wait("live/collector", 3)[2].payload
            assert {run["state"] for run in report["collectors"].values()} == {"ok"}
            assert {"cpu", "memory", "filesystem", "process"} <= set(report["collectors"])
        finally:
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0


def test_a_bridge_works_with_what_it_is_left(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """It connects, serves its page and ends in order."""
    port = free_port()
    arguments = ["-m", "fleetglass.cli", "bridge", "--broker", mosquitto.url, "--port", str(port)]
    process = confined(tmp_path, unit_of("bridge"), *arguments)
    try:
        wait_for_page(port)
    finally:
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
