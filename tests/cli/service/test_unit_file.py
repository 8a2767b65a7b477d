import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.cli.service.unit_file import CREDENTIALS, MARKER, ServicePart, UnitFile, quoted

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "systemd"
PARTS: tuple[ServicePart, ...] = ("agent", "bridge")


def example(part: ServicePart, *, system: bool = True) -> UnitFile:
    """Return what `install` makes of a configuration in `/etc` that all may read, with a private password."""
    program = "/usr/local/bin/fleetglass"
    if not system:
        return UnitFile(part=part, command=(program, part), system=False)
    command = (program, part, "--config", "/etc/fleetglass/fleetglass.yaml")
    return UnitFile(
        part=part,
        command=(*command, f"--password-file={CREDENTIALS}/password_file"),
        credentials={"password_file": f"/etc/fleetglass/{part}-password"},
    )


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("system", [True, False])
def test_the_examples_are_what_install_writes(part: ServicePart, system: bool) -> None:  # noqa: FBT001
    """The units under `deploy/` are those of the command, byte for byte."""
    name = f"fleetglass-{part}.service"
    path = DEPLOY / name if system else DEPLOY / "user" / name
    assert path.read_text() == example(part, system=system).text()


def test_a_unit_without_all_that() -> None:
    """What a unit does not need it does not say; an older systemd is asked for nothing it does not know."""
    text = UnitFile(part="agent", command=("/f", "agent"), systemd_version=252).text()
    assert text.startswith(f"{MARKER}\n")
    assert "\nExecStart=/f agent\n" in text
    for word in ("LoadCredential", "SupplementaryGroups", "RestartSteps", "CAP_NET_BIND_SERVICE"):
        assert word not in text


def test_what_a_unit_needs() -> None:
    """Groups and a low port are said."""
    text = UnitFile(part="bridge", command=("/f",), groups=("video",), low_port=True).text()
    assert "\nSupplementaryGroups=video\n" in text
    assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
    assert "\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n" in text


def test_own_programs_may_do_what_they_need() -> None:
    """A program that lowers its priority, or one whose language compiles at run time, works as a service."""
    without = UnitFile(part="agent", command=("/f",)).text()
    assert "\nSystemCallFilter=~@privileged @resources\n" in without
    assert "\nMemoryDenyWriteExecute=yes\n" in without
    text = UnitFile(part="agent", command=("/f",), own_programs=True).text()
    assert "\nSystemCallFilter=~@privileged\n" in text
    assert "MemoryDenyWriteExecute" not in text


def test_a_low_port_needs_its_capability_outside() -> None:
    """With users of its own, a capability would not hold for a port of the machine."""
    assert "\nPrivateUsers=yes\n" in UnitFile(part="bridge", command=("/f",)).text()
    assert "PrivateUsers" not in UnitFile(part="bridge", command=("/f",), low_port=True).text()


def test_the_agent_sees_what_it_measures() -> None:
    """Nothing hides processes, mounted homes or devices from the agent: numbers would be wrong or missing."""
    lines = example("agent").text().splitlines()
    assert {"ProtectProc=default", "ProcSubset=all", "ProtectHome=read-only"} <= set(lines)
    directives = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert not directives & {"PrivateDevices", "ProtectClock", "PrivateNetwork", "PrivateUsers"}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("--tag=a", "--tag=a"),
        ("50%", "50%%"),
        ("$HOME", "$$HOME"),
        ("a b", '"a b"'),
        ('say "x\\y"\n', '"say \\"x\\\\y\\"\\x0a"'),
        ("", '""'),
        (f"--key-file={CREDENTIALS}/key", f"--key-file={CREDENTIALS}/key"),
    ],
)
def test_words_of_a_command_line(word: str, text: str) -> None:
    """Specifiers, variables, blanks and quotes reach the program as they are."""
    assert quoted(word) == text


@given(st.text())
def test_a_word_stays_on_its_line(word: str) -> None:
    """No argument can add a line, and so a directive, to a unit."""
    assert not set("\n\r\0") & set(quoted(word))


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze: apt-get install systemd")
    return program


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("system", [True, False])
def test_systemd_understands_it(analyze: str, tmp_path: Path, part: ServicePart, system: bool) -> None:  # noqa: FBT001
    """`systemd-analyze verify` has nothing to say about the unit for its own version."""
    shown = subprocess.run([analyze, "--version"], capture_output=True, text=True, check=True).stdout
    program = tmp_path / "fleetglass"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    version = int(shown.split()[1])
    unit = UnitFile(
        part=part,
        command=(str(program), part, "--tag", 'a "b" 5% $x'),
        system=system,
        systemd_version=version,
    )
    path = tmp_path / unit.name
    path.write_text(unit.text())
    done = subprocess.run([analyze, "verify", str(path)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []


@pytest.mark.parametrize(("part", "most"), [("agent", 2.3), ("bridge", 1.4)])
def test_exposure(analyze: str, tmp_path: Path, part: ServicePart, most: float) -> None:
    """`systemd-analyze security` gives both a low exposure, of 10."""
    path = tmp_path / f"fleetglass-{part}.service"
    path.write_text(example(part).text())
    words = [analyze, "security", "--offline=yes", "--no-pager", f"--threshold={round(most * 10)}", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("needs systemd 250 or later")
    assert done.returncode == 0, done.stdout[-300:]
