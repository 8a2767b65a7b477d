"""What systemd is told by a program that it runs: sd_notify(3), sd_watchdog_enabled(3)."""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)

_PATIENCE_PERIODS = 3
"""A watchdog waits for at least so many calls; two of them may come late."""


class Notifier:
    """Tells systemd how this program gets on; does nothing where no systemd asked for it.

    To be called about every `period_seconds`, from the work that must not hang, with one line that says
    what the program is doing, and once with None when it begins to end. The first call says that the
    program is ready. Nothing here blocks or raises: what systemd does not take now is said again later.
    """

    def __init__(
        self,
        *,
        period_seconds: float,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._clock = clock
        self._status: str | None = None  # what was said last; None before systemd knows of readiness
        self._due = float("-inf")
        self._failed = False
        asked = _watchdog_seconds(environment)
        patience = _PATIENCE_PERIODS * period_seconds
        self._watchdog_seconds = None if asked is None else max(asked, patience)
        self._first = ["READY=1"]
        if asked is not None and asked < patience:
            self._first.append(f"WATCHDOG_USEC={round(patience * 1e6)}")

    def __call__(self, doing: str | None) -> None:
        """Say what changed, and that the program is alive when it is time for that."""
        if not self._address:
            return
        if doing is None:
            self._send(["STOPPING=1", "STATUS=stopping"])
            return
        doing = " ".join(doing.split())
        lines = list(self._first) if self._status is None else []
        if doing != self._status:
            lines.append(f"STATUS={doing}")
        now = self._clock()
        alive = self._watchdog_seconds is not None and now >= self._due
        if alive:
            lines.append("WATCHDOG=1")
        if lines and self._send(lines):
            self._status = doing
            if alive and self._watchdog_seconds is not None:
                self._due = now + self._watchdog_seconds / 2

    def _send(self, lines: list[str]) -> bool:
        # A name that begins with @ is of Linux's abstract namespace, unix(7).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), address)
        except (OSError, AttributeError) as error:  # Windows has no AF_UNIX
            if not self._failed:
                _log.warning("cannot notify systemd at NOTIFY_SOCKET=%s: %s", self._address, error)
            self._failed = True
            return False
        self._failed = False
        return True


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return how long systemd waits for a sign of life of this process, or None when it does not."""
    text = environment.get("WATCHDOG_USEC", "")
    if not (text.isascii() and text.isdigit() and int(text)):
        return None
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(text) / 1e6
