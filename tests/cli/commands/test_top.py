import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]


class Tmux:
    """A terminal of its own in which a shell runs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._socket = folder / "tmux"
        self._environment = environment

    def start(self, term: str, words: list[str], size: tuple[int, int] = (80, 24), before: str = "") -> None:
        """Run `fleetglass`, and say the terminal's modes after it and at last its exit code."""
        program = f"TERM={term} {sys.executable} -m fleetglass.cli {' '.join(words)}"
        shell = f"{before}{program}; code=$?; stty -a; echo ended with $code; exec cat"
        self("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), shell)

    def __call__(self, *words: str) -> str:
        """Run one command of tmux."""
        command = ["tmux", "-S", str(self._socket), *words]
        environment = self._environment | {"LC_ALL": "C.UTF-8"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    @property
    def screen(self) -> list[str]:
        """What is to be seen."""
        return self("capture-pane", "-p").splitlines()

    @property
    def colours(self) -> str:
        """What is to be seen, with its escape sequences."""
        return self("capture-pane", "-p", "-e")

    def press(self, *keys: str) -> None:
        """Press keys, as tmux names them."""
        self("send-keys", *keys)

    def program(self) -> psutil.Process:
        """Return the program that runs in it."""
        shell = psutil.Process(int(self("display-message", "-p", "#{pane_pid}")))
        return shell.children()[0] if shell.children() else shell

    def until(self, condition: Callable[[list[str]], object], what: str) -> list[str]:
        """Wait for a screen that fulfils a condition, and return it."""
        return wait_for(lambda: lines if (lines := self.screen) and condition(lines) else [], what)


@pytest.fixture
def tmux(tmp_path: Path, environment: dict[str, str]) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux: apt-get install tmux")
    terminal = Tmux(tmp_path, environment)
    yield terminal
    terminal("kill-server")


@pytest.fixture(scope="module")
def url(fleet_url: Callable[[int], str]) -> str:
    """Give the address of a bridge that sees forty synthetic hosts."""
    return fleet_url(40)


@pytest.mark.broker
def test_a_real_fleet_over_ssh(tmux: Tmux, url: str) -> None:
    """In 80 by 24 and 16 colours a fleet is shown, a host opens, and Ctrl-C leaves the terminal as it was."""
    tmux.start("screen", ["top", "--url", url])
    tmux.until(lambda lines: "● 40 live" in lines[0], "the fleet")
    tmux.until(lambda lines: re.search(r"[▁-█]", lines[2][33:41]), "the last minute")
    codes = {code for several in re.findall(r"\x1b\[([\d;]*)m", tmux.colours) for code in several.split(";")}
    assert codes - {"38", "48"} == codes
    assert codes & {"31", "32", "33", "36"}
    tmux.press("n", "Enter")
    lines = tmux.until(lambda lines: any("PROCESSES" in line for line in lines), "the host")
    assert len(lines) == 24
    assert tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}") == "1 0\n"
    tmux.press("C-c")
    lines = tmux.until(lambda lines: any("ended with 0" in line for line in lines), "the end")
    assert tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}") == "0 1 0\n"
    modes = " ".join(lines).split()
    assert {"icanon", "echo", "isig", "icrnl"} <= set(modes)
    assert not any("Fleetglass" in line for line in lines)


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals(tmux: Tmux, url: str, number: signal.Signals) -> None:
    """A signal that asks it to end is followed, with the terminal as it was and exit code 0."""
    tmux.start("xterm-256color", ["top", "sim-0001", "--url", url])
    tmux.until(lambda lines: any("PROCESSES" in line for line in lines), "the host")
    os.kill(tmux.program().pid, number)
    tmux.until(lambda lines: any("ended with 0" in line for line in lines), "the end")
    assert tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}") == "0 1 0\n"


@pytest.mark.broker
@pytest.mark.parametrize("ignoring", ["", "trap '' HUP; "])
def test_terminal_gone(tmux: Tmux, url: str, ignoring: str) -> None:
    """When its terminal is closed it ends, even where no signal tells it so."""
    tmux.start("screen", ["top", "--url", url], before=ignoring)
    tmux.until(lambda lines: "● 40 live" in lines[0], "the fleet")
    program = tmux.program()
    tmux("kill-server")
    wait_for(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE, "the end")


@pytest.mark.broker
def test_no_color(tmux: Tmux, url: str) -> None:
    """With NO_COLOR there is none, and glyphs and words say the same."""
    tmux.start("screen NO_COLOR=1", ["top", "--url", url])
    tmux.until(lambda lines: "● 40 live" in lines[0], "the fleet")
    codes = {code for several in re.findall(r"\x1b\[([\d;]*)m", tmux.colours) for code in several.split(";")}
    assert codes.isdisjoint(str(code) for code in [*range(30, 39), *range(40, 49), *range(90, 108)])


@pytest.mark.broker
def test_job_control(tmux: Tmux, url: str) -> None:
    """Ctrl-Z gives the terminal back as it was."""
    tmux.start("screen", ["top", "--url", url])
    tmux.until(lambda lines: "● 40 live" in lines[0], "the fleet")
    program = tmux.program()
    tmux.press("C-z")
    wait_for(lambda: program.status() == psutil.STATUS_STOPPED, "the stop")
    assert tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}") == "0 1\n"
    program.send_signal(signal.SIGCONT)
    tmux.until(lambda lines: "● 40 live" in lines[0], "the fleet again")


@pytest.mark.broker
def test_without_a_bridge(tmux: Tmux, start: Start, mosquitto: Mosquitto, prefix: str) -> None:
    """With --broker it reads the topics themselves, detail of a host as well."""
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    start("simulate", *given, "--hosts", "3")
    tmux.start("screen", ["top", "sim-0002", *given])
    tmux.until(lambda lines: any("PROCESSES" in line for line in lines), "the host")
    tmux.press("Escape")
    tmux.until(lambda lines: "● 3 live" in lines[0], "the fleet")


@pytest.mark.broker
def test_resize(tmux: Tmux, url: str) -> None:
    """It fills whatever size the terminal takes, also where an older one was exported."""
    tmux.start("screen", ["top", "--url", url], before="export COLUMNS=80 LINES=24; ")
    tmux.until(lambda lines: "● 40 live" in lines[0], "the fleet")
    tmux("resize-window", "-x", "140", "-y", "40")
    tmux.until(lambda lines: "attention" in lines[1] and lines[-1].startswith("j k"), "the wide fleet")
    tmux("resize-window", "-x", "50", "-y", "10")
    tmux.until(lambda lines: len(lines) == 10 and "cpu %" in lines[1] and lines[-1].startswith("j k"), "less")


def test_no_bridge(tmux: Tmux) -> None:
    """A bridge that does not answer is named, and tried again."""
    tmux.start("screen", ["top", "--url", f"ws://127.0.0.1:{free_port()}/ws"])
    tmux.until(lambda lines: any("connection refused" in line for line in lines), "the reason")
    tmux.press("q")
    tmux.until(lambda lines: any("ended with 0" in line for line in lines), "the end")


@pytest.mark.broker
def test_refused(tmux: Tmux, guarded_url: tuple[str, Path]) -> None:
    """A bridge that wants a token ends it with one line, code 1 and the terminal as it was."""
    url, _ = guarded_url
    tmux.start("screen", ["top", "--url", url])
    lines = tmux.until(lambda lines: any("ended with 1" in line for line in lines), "the end")
    assert sum("fleetglass: bridge: " in line for line in lines) == 1
    assert tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}") == "0 1\n"


def test_without_the_extra(start: Start) -> None:
    """Where Textual is not installed, one line says how to get it."""
    hide = "import importlib.util; importlib.util.find_spec = lambda name: None"
    top = start("top", before=hide)
    assert top.process.wait() == 1
    install = f'{sys.executable} -m pip install "textual>=8,<9"'
    assert top.err == f"fleetglass: top: needs the package textual: {install}\n"


def test_without_a_terminal(run: Run) -> None:
    """Where there is no terminal, one line names what prints lines instead."""
    result = run("top")
    assert result.returncode == 2
    assert result.stderr == "fleetglass: top: got no terminal, expected one; fleetglass watch prints lines\n"


def test_bad_host(run: Run) -> None:
    """A name that no host can have is refused in one line."""
    result = run("top", "Web 1")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
