"""A real Home Assistant for tests, in an environment of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ENVIRONMENT = Path(__file__).parents[2] / ".venv-home-assistant"
_CORE = Path(__file__).with_name("home_assistant_core.py")


def find_home_assistant() -> str | None:
    """Return the Python that has Home Assistant, if `scripts/install-home-assistant` has made it."""
    if not (ENVIRONMENT / "complete").exists():
        return None
    return str(ENVIRONMENT / "bin" / "python")


class HomeAssistantCore:
    """A running Home Assistant that is connected to a broker."""

    def __init__(self, process: "subprocess.Popen[str]", broker: dict[str, Any]) -> None:
        self._process = process
        self._ask(json.dumps(broker))

    def look(self) -> dict[str, Any]:
        """Return all it knows: `entities` by id, `devices`, `notified`, `warnings`, states `written`."""
        self._ask("")
        return self.read()

    def render(self, template: str) -> str:
        """Return what a template gives, such as that of a card."""
        self._ask(json.dumps({"render": template}))
        return str(self.read()["answer"])

    def automate(self, automations: Path) -> None:
        """Start the automations of a file."""
        self._ask(json.dumps({"automate": str(automations)}))
        self.read()

    def read(self) -> dict[str, Any]:
        """Return the next line it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "Home Assistant ended"
        said: dict[str, Any] = json.loads(line)
        return said

    def _ask(self, question: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()


@contextmanager
def running_home_assistant(port: int, folder: Path, **credential: str) -> Iterator[HomeAssistantCore]:
    """Run Home Assistant on the broker at a port of this machine.

    `credential` is what its MQTT integration takes: `username`, `password`, the authority as `certificate`.
    """
    python = find_home_assistant()
    assert python is not None
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [python, _CORE, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"TMPDIR": str(folder)},  # where it keeps the authority for its own use
        ) as process,
    ):
        try:
            core = HomeAssistantCore(process, {"broker": "127.0.0.1", "port": port, **credential})
            ready = core.read()
            assert ready == {"ready": "LOADED"}, log.read_text()
            yield core
        finally:
            process.kill()
