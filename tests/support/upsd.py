"""A real upsd of Network UPS Tools, whose UPS does what a test says."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from support.ports import free_port

_FOLDERS = (Path("/lib/nut"), Path("/usr/lib/nut"))


def find_nut() -> Path | None:
    """Return the folder of upsd and of the driver dummy-ups, if they are installed."""
    return next((one for one in _FOLDERS if (one / "upsd").exists() and (one / "dummy-ups").exists()), None)


class Upsd:
    """A upsd on loopback with one UPS, `rack`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "ups.conf").write_text(
            "[rack]\n driver = dummy-ups\n port = rack.dev\n mode = dummy-once\n"
        )
        (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {self.port}\n")
        (folder / "upsd.users").touch()

    def say(self, **variables: str) -> None:
        """Let the UPS say this from now on; `_` in a name is a dot."""
        text = "".join(f"{name.replace('_', '.')}: {value}\n" for name, value in variables.items())
        (self._folder / "new").write_text(text)
        (self._folder / "new").rename(self._folder / "rack.dev")

    def end_driver(self) -> None:
        """Unplug the UPS, as it were."""
        self._processes[0].terminate()

    def __enter__(self) -> Self:
        programs = find_nut()
        assert programs is not None
        folder = str(self._folder)
        variables = dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH", "NUT_PIDPATH"), folder)
        user = ["-u", "root"] if os.getuid() == 0 else []
        for program in (["dummy-ups", "-a", "rack", "-F"], ["upsd", "-F"]):
            command = [str(programs / program[0]), *program[1:], *user]
            log = (self._folder / f"{program[0]}.log").open("wb")
            self._processes.append(
                subprocess.Popen(command, env=os.environ | variables, stdout=log, stderr=log, cwd=folder)
            )
            log.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
            process.wait()
