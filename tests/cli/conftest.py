import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.waiting import PATIENCE_SECONDS, wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "fleetglass.cli"]


class Program:
    """A running `fleetglass` whose output goes to files, so that it can be read at any time."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._out = folder / "stdout"
        self._err = folder / "stderr"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, env=environment, cwd=folder, start_new_session=True
            )

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        return self._err.read_text()

    def children(self) -> list[psutil.Process]:
        """Return its children and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt_group(self) -> None:
        """Do what Ctrl-C in a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)


Start = Callable[..., Program]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which nothing of this machine's user is seen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLEETGLASS_", "XDG_"))}
    home = tmp_path / "home"
    home.mkdir()
    return kept | {"HOME": str(home), "XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Give what runs `fleetglass` to its end."""

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words],
            env=environment | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_SECONDS,
            check=False,
        )

    return call


@pytest.fixture
def start(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Give what starts `fleetglass` beside the test; nothing of it outlives the test."""
    programs: list[Program] = []

    def begin(*words: str, before: str = "", **variables: str) -> Program:
        code = f"import sys; {before}; from fleetglass.cli.main import main; sys.exit(main())"
        command = [sys.executable, "-c", code, *words] if before else [*COMMAND, *words]
        program = Program(command, environment | variables, tmp_path_factory.mktemp("program"))
        programs.append(program)
        return program

    yield begin
    for program in programs:
        if program.process.poll() is None:
            left = program.children()
            program.process.kill()
            program.process.wait()
            for child in left:
                if child.is_running():
                    child.kill()


@pytest.fixture(scope="module")
def fleet_url(
    mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[int], str]]:
    """Give what starts a number of synthetic hosts and a bridge that sees them, and returns its address."""
    with ExitStack() as stack:

        def begin(hosts: int) -> str:
            port, home = free_port(), tmp_path_factory.mktemp("fleet")
            given = ("--broker", mosquitto.url, "--prefix", f"test/fleet-{port}")
            stack.enter_context(Fleetglass("simulate", *given, "--hosts", str(hosts), home=home))
            stack.enter_context(Fleetglass("bridge", *given, "--port", str(port), home=home))
            wait_for_page(port)
            return f"ws://127.0.0.1:{port}/ws"

        yield begin


@pytest.fixture
def guarded_url(start: Start, mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> tuple[str, Path]:
    """Give the address of a bridge that wants a viewer token, and the file with the token."""
    port = free_port()
    token_file = tmp_path / "token"
    token_file.write_text("geheim\n")
    token_file.chmod(0o600)
    given = ["--broker", mosquitto.url, "--prefix", prefix, "--host", "0.0.0.0", "--port", str(port)]
    bridge = start("bridge", *given, "--token-file", str(token_file))
    wait_for(lambda: "serving" in bridge.err, "the bridge")
    return f"ws://127.0.0.1:{port}/ws", token_file
