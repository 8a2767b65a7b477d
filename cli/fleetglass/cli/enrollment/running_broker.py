"""The mosquitto that runs with a folder's configuration."""

import os
import signal
import stat
from pathlib import Path
from typing import Final

import psutil

from fleetglass.cli.enrollment.folder import Folder

_MAX_CHARACTERS: Final = 32


def reload_broker(folder: Folder) -> str | None:
    """Have the broker read users, rules and certificates again.

    Returns:
        In one line what came of it, or None where no broker runs here with this folder.
    """
    path = folder.state / "mosquitto.pid"
    try:
        pid = int(_read(path, {0, *folder.broker_users}))
        words = psutil.Process(pid).cmdline()
    except PermissionError:
        return (
            f"the broker was not told: got {path}, expected a file of the broker's own; "
            "send SIGHUP to its process"
        )
    except (OSError, ValueError, OverflowError, psutil.Error):
        return None
    # The number may be of a process that came later.
    if str(folder.configuration) not in words:
        return None
    if not hasattr(signal, "SIGHUP"):  # Windows
        return f"the broker (process {pid}) was not told: start it again"
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        return f"the broker was not told ({error.strerror}): sudo kill -HUP {pid}"
    return f"the broker (process {pid}) reads it"


def _read(path: Path, users: set[int]) -> str:
    """Return the text of a small file in a folder of another user, who may put anything there.

    Raises:
        PermissionError: it is a link, no plain file, or of none of these users.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    if path.is_symlink():
        raise PermissionError(path)
    with open(os.open(path, flags), encoding="ascii") as file:  # noqa: PTH123 - it is open already
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or (os.name == "posix" and found.st_uid not in users):
            raise PermissionError(path)
        return file.read(_MAX_CHARACTERS)
