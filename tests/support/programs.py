"""The real programs as processes of their own."""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from support.waiting import PATIENCE_SECONDS, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]


class Fleetglass:
    """One `fleetglass …` process with a home of its own; ended when the block is left."""

    def __init__(self, *arguments: str, home: Path) -> None:
        self.arguments = arguments
        self._home = home
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed on exit
        self._process: subprocess.Popen[str] | None = None

    @property
    def output(self) -> str:
        """All that the process printed."""
        self._output.seek(0)
        return self._output.read()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start the process, again after it ended."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FLEETGLASS_")
        }
        environment |= {"HOME": str(self._home), "XDG_STATE_HOME": str(self._home / "state")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fleetglass.cli", *self.arguments],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        return self

    def kill(self) -> None:
        """End the process as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Wait until the process ends by itself and return the exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    def interrupt(self) -> int:
        """Send SIGINT and return the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        if error is not None:
            sys.stderr.write(f"--- fleetglass {' '.join(self.arguments)}\n{self.output}\n")
        self._output.close()


def wait_for_page(port: int) -> str:
    """Wait until a bridge answers on the port of 127.0.0.1 and return the page's address."""
    base = f"http://127.0.0.1:{port}/"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{base}healthz", timeout=PATIENCE_SECONDS) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    wait_for(answers, f"{base} answers")
    return base
