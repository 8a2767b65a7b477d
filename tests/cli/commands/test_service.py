import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetglass.agent.readings import host_readings
from fleetglass.cli.commands import service
from fleetglass.cli.configuration.arguments import Parser
from fleetglass.cli.service import installation, systemctl
from fleetglass.cli.service.unit_file import MARKER
from fleetglass.wire.errors import CommandError

Run = Callable[..., subprocess.CompletedProcess[str]]

FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$*" in
--version) echo "systemd 252 (252.38)" ;;
*cat*) [ -e "{folder}/unknown" ] && exit 1 ;;
*status*) echo "active (running)"; [ -e "{folder}/dead" ] && exit 3 ;;
*enable*|*start*) [ -e "{folder}/broken" ] && {{ echo "Job failed." >&2; exit 1; }} ;;
esac
exit 0
"""


class Machine:
    """A machine with systemd as the command sees it: folders, and programs that take notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.system = folder / "system"
        self.own = folder / "configuration" / "systemd" / "user"
        self._log = folder / "log"
        for name in ("systemctl", "journalctl"):
            program = folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(FAKE.format(log=self._log, folder=folder))
            program.chmod(0o755)

    @property
    def ran(self) -> list[str]:
        """Every command that was run."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def say(self, what: str) -> None:
        """Let the programs answer otherwise: `unknown` unit, `dead` service, `broken` start."""
        (self.folder / what).touch()

    def service(self, *words: str) -> int:
        """Run the command."""
        parser = Parser(prog="fleetglass service")
        service.add_arguments(parser)
        return service.run(parser.parse_args(words))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    place = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setattr(service, "SYSTEM_FOLDER", place.system)
    monkeypatch.setattr(systemctl, "BOOTED", tmp_path)
    monkeypatch.setattr(installation, "_check_reachable", lambda *_: None)
    monkeypatch.setattr(installation, "check_only_root_may_change", lambda _: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return place


@pytest.fixture
def without_root(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.ran == []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_install(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Root gets a unit of the system, which runs now and at boot; each step is printed."""
    assert machine.service("install", "agent", "--broker", "mqtt://h") == 0
    path = machine.system / "fleetglass-agent.service"
    assert " agent --broker=mqtt://h\n" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(machine.system.iterdir()) == [path]
    assert machine.ran[1:] == ["systemctl daemon-reload", "systemctl enable --now fleetglass-agent.service"]
    printed = capsys.readouterr().out.splitlines()
    assert printed[:3] == [f"wrote {path}", *(f"ran {command}" for command in machine.ran[1:])]


def test_install_again(machine: Machine) -> None:
    """A unit of ours is replaced, and what runs is restarted."""
    machine.service("install", "bridge")
    machine.service("install", "bridge", "--port", "9000")
    assert "--port=9000" in (machine.system / "fleetglass-bridge.service").read_text()
    assert machine.ran[-1] == "systemctl restart fleetglass-bridge.service"


def test_an_agent_for_disks_has_a_helper(machine: Machine) -> None:
    """A timer runs it as root; an agent that is installed anew without it, or removed, takes it along."""
    helper = {machine.system / f"fleetglass-storage.{kind}" for kind in ("service", "timer")}
    agent = machine.system / "fleetglass-agent.service"
    machine.service("install", "agent", "--storage", "--exclude-disk", "sdz")
    assert set(machine.system.iterdir()) == {agent, *helper}
    assert " agent --storage --exclude-disk=sdz\n" in agent.read_text()
    text = (machine.system / "fleetglass-storage.service").read_text()
    assert " storage --output=/run/fleetglass/storage.json --exclude-disk=sdz\n" in text
    assert machine.ran[1:] == [
        "systemctl daemon-reload",
        "systemctl enable --now fleetglass-storage.timer",
        "systemctl enable --now fleetglass-agent.service",
    ]
    machine.service("install", "agent")
    assert set(machine.system.iterdir()) == {agent}
    assert "systemctl disable --now fleetglass-storage.timer" in machine.ran
    machine.service("install", "agent", "--storage")
    machine.service("uninstall", "agent")
    assert list(machine.system.iterdir()) == []


def test_a_helper_that_others_may_change_is_not_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written: the agent would be told to publish what nobody reads."""

    def refuse(_: object) -> None:
        raise CommandError("service: users other than root may change /opt")

    monkeypatch.setattr(installation, "check_only_root_may_change", refuse)
    with pytest.raises(CommandError, match="users other than root"):
        machine.service("install", "agent", "--storage")
    assert not machine.system.exists()


@pytest.mark.usefixtures("without_root")
def test_a_user_s_agent_has_no_helper(machine: Machine) -> None:
    """Only root can give it one."""
    machine.service("install", "agent", "--storage")
    assert [path.name for path in machine.own.iterdir()] == ["fleetglass-agent.service"]


@pytest.mark.usefixtures("without_root")
def test_install_without_root(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """A user gets a unit of the own systemd, and is told how it outlives the session."""
    assert machine.service("install", "agent") == 0
    text = (machine.own / "fleetglass-agent.service").read_text()
    assert "DynamicUser" not in text
    assert machine.ran[-1] == "systemctl --user enable --now fleetglass-agent.service"
    assert "loginctl enable-linger" in capsys.readouterr().out


@pytest.mark.usefixtures("without_root")
@pytest.mark.parametrize("verb", ["install", "uninstall", "start", "stop", "restart"])
def test_the_machine_takes_root(machine: Machine, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root a service of the machine is not touched, and the remedy is one line."""
    monkeypatch.setattr(sys, "argv", ["/a b/fleetglass", "service", verb, "agent", "--system"])
    with pytest.raises(CommandError, match=f"needs root: sudo fleetglass service {verb} agent --system"):
        machine.service(verb, "agent", "--system")
    assert machine.ran == []


@pytest.mark.usefixtures("without_root")
def test_the_machine_s_service_may_be_looked_at(machine: Machine) -> None:
    """Status and log of the service of the machine need no root, where the user has none."""
    machine.system.mkdir()
    (machine.system / "fleetglass-agent.service").touch()
    assert machine.service("status", "agent") == 0
    assert machine.service("logs", "agent") == 0
    assert machine.ran[1] == "systemctl status --no-pager --lines=0 fleetglass-agent.service"
    assert machine.ran[3] == "journalctl --no-pager --unit=fleetglass-agent.service --lines=50"


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_the_unit_of_somebody_else(machine: Machine, verb: str) -> None:
    """A unit that we did not write is neither replaced nor removed, unless forced."""
    path = machine.system / "fleetglass-agent.service"
    path.parent.mkdir()
    path.write_text("[Service]\n")
    with pytest.raises(CommandError, match=f"{path} was not written by fleetglass; --force"):
        machine.service(verb, "agent")
    assert path.read_text() == "[Service]\n"
    assert machine.service(verb, "agent", "--force") == 0
    assert path.exists() is (verb == "install")
    if verb == "install":
        assert path.read_text().startswith(MARKER)


def test_uninstall(machine: Machine) -> None:
    """It is stopped, disabled and removed."""
    machine.service("install", "agent")
    machine.service("uninstall", "agent")
    assert list(machine.system.iterdir()) == []
    assert machine.ran[-2:] == [
        "systemctl disable --now fleetglass-agent.service",
        "systemctl daemon-reload",
    ]


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_start_stop_restart(machine: Machine, verb: str) -> None:
    """Each is what systemctl calls so."""
    assert machine.service(verb, "bridge") == 0
    assert machine.ran[-1] == f"systemctl {verb} fleetglass-bridge.service"


def test_status(machine: Machine) -> None:
    """A service that does not run is exit code 1."""
    assert machine.service("status", "agent") == 0
    machine.say("dead")
    assert machine.service("status", "agent") == 1


@pytest.mark.parametrize(
    ("address", "line"), [("127.0.0.1", "127.0.0.1 on lo"), ("192.0.2.1", "192.0.2.1"), (None, "")]
)
def test_status_names_the_machine_s_address(
    address: str | None,
    line: str,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The main address and its interface, for whoever looks for the machine; nothing without a way out."""
    monkeypatch.setattr(type(host_readings()), "main_address", lambda _: address)
    machine.service("status", "agent")
    printed = capsys.readouterr().out.splitlines()
    assert printed == ([f"address of this machine: {line}"] if address else [])


def test_logs(machine: Machine) -> None:
    """The last 50 lines, or as many as asked for, and what follows."""
    machine.service("logs", "agent", "--lines", "7", "--follow")
    assert machine.ran[-1] == "journalctl --no-pager --unit=fleetglass-agent.service --lines=7 --follow"
    machine.service("logs", "agent", "--user")
    assert machine.ran[-1] == "journalctl --no-pager --user-unit=fleetglass-agent.service --lines=50"


@pytest.mark.parametrize("verb", [verb for verb in service.VERBS if verb != "install"])
def test_not_installed(machine: Machine, verb: str) -> None:
    """What is not there is told with how to get it."""
    machine.say("unknown")
    with pytest.raises(
        CommandError, match="is not installed; install it with `fleetglass service install agent`"
    ):
        machine.service(verb, "agent")


def test_a_start_that_fails(machine: Machine) -> None:
    """What systemctl says is passed on as one line."""
    machine.say("broken")
    with pytest.raises(CommandError, match=r"^systemctl enable --now \S+: Job failed\.$"):
        machine.service("install", "agent")


def test_variables_are_not_seen(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who relies on variables of the shell is warned, without their values."""
    monkeypatch.setenv("FLEETGLASS_PASSWORD", "geheim")
    machine.service("install", "agent")
    error = capsys.readouterr().err
    assert error.startswith("fleetglass: warning: the service does not see FLEETGLASS_PASSWORD; ")
    assert "geheim" not in error
    assert "geheim" not in (machine.system / "fleetglass-agent.service").read_text()


@pytest.mark.skipif(systemctl.BOOTED.is_dir(), reason="this machine runs systemd")
@pytest.mark.parametrize("verb", service.VERBS)
def test_a_machine_without_systemd(run: Run, verb: str) -> None:
    """One clear sentence, exit code 1."""
    result = run("service", verb, "agent")
    assert result.returncode == 1
    assert result.stderr.startswith("fleetglass: service: this machine does not run systemd; ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ([], "arguments: the following arguments are required: VERB"),
        (["instal", "agent"], "arguments: argument VERB: invalid choice: 'instal'"),
        (["start"], "arguments: the following arguments are required: PART"),
        (["start", "broker"], "arguments: argument PART: invalid choice: 'broker'"),
        (["logs", "agent", "--lines", "x"], "--lines: got 'x', expected a whole number"),
        (["start", "agent", "--port", "1"], "arguments: unrecognized arguments: --port"),
    ],
)
def test_wrong_usage(run: Run, words: list[str], start: str) -> None:
    """One line and exit code 2."""
    result = run("service", *words)
    assert result.returncode == 2
    assert result.stderr.startswith(f"fleetglass: {start}")
    assert result.stderr.count("\n") == 1
