"""The mosquitto that runs with a folder's configuration."""

import os
import signal

import psutil

from fleetglass.cli.enrollment.folder import Folder


def reload_broker(folder: Folder) -> str | None:
    """Have the broker read users, rules and certificates again.

    Returns:
        In one line what came of it, or None where no broker runs here with this folder.
    """
    pid = _pid(folder)
    if pid is None:
        return None
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        return f"the broker was not told ({error.strerror}): sudo kill -HUP {pid}"
    return f"the broker (process {pid}) reads it"


def _pid(folder: Folder) -> int | None:
    """Return the process, if it is still the one that wrote the number."""
    try:
        pid = int((folder.state / "mosquitto.pid").read_text("ascii"))
        words = psutil.Process(pid).cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if str(folder.configuration) in words else None
