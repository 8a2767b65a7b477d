"""The programs of systemd, run without a shell."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetglass.wire.errors import CommandError

BOOTED: Final = Path("/run/systemd/system")
"""Exists where systemd runs: sd_booted(3)."""


@dataclass(frozen=True, slots=True)
class Systemd:
    """The systemd of the machine, or the one of this user."""

    system: bool

    def change(self, *words: str) -> None:
        """Run systemctl and say so.

        Raises:
            CommandError: it failed.
        """
        command = self._systemctl(*words)
        done = _run(command, captured=True)
        if done.returncode:
            reason = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
            raise CommandError(f"{' '.join(command)}: {reason}")
        print(f"ran {' '.join(command)}", flush=True)

    def knows(self, unit: str) -> bool:
        """Whether there is a unit of this name, whoever wrote it."""
        return _run(self._systemctl("cat", unit), captured=True).returncode == 0

    def show_status(self, unit: str) -> bool:
        """Print how a unit is and return whether it runs."""
        return _run(self._systemctl("status", "--no-pager", "--lines=0", unit)).returncode == 0

    def show_logs(self, unit: str, *, lines: int, follow: bool) -> bool:
        """Print the last lines of a unit's log, and those that come; return whether that was possible."""
        kind = "--unit" if self.system else "--user-unit"
        more = ["--follow"] if follow else []
        return _run(["journalctl", "--no-pager", f"{kind}={unit}", f"--lines={lines}", *more]).returncode == 0

    def _systemctl(self, *words: str) -> list[str]:
        return ["systemctl", *([] if self.system else ["--user"]), *words]


def check_systemd_runs() -> None:
    """Raise where there is no systemd.

    Raises:
        CommandError: this machine was not booted by systemd.
    """
    if not BOOTED.is_dir():
        raise CommandError(
            "service: this machine does not run systemd; start `fleetglass agent` or `fleetglass bridge` "
            "with its own service manager"
        )


def systemd_version() -> int:
    """Return the version of systemd, 0 when it does not say."""
    found = re.match(r"systemd (\d+)", _run(["systemctl", "--version"], captured=True).stdout)
    return int(found[1]) if found else 0


def _run(command: list[str], *, captured: bool = False) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            check=False,
            text=True,
            errors="replace",
            capture_output=captured,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise CommandError(f"{command[0]}: {error.strerror or error}; expected it on PATH") from error
