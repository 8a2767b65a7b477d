"""A file that shows a health check that an agent works."""

import logging
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from fleetglass.wire.errors import UsageError

PERIOD_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class Heartbeat:
    """Writes what the agent is doing into a file, every 10 s while its samples reach a broker.

    To be called after every tick as `fleetglass.agent.agent.Progress` says. A file that was not written for
    half a minute is that of an agent which hangs, is gone, or has no broker.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._due = float("-inf")
        self._failed = False
        try:
            path.unlink(missing_ok=True)  # the file of a run before
            with tempfile.TemporaryFile(dir=path.parent):
                pass  # the file itself appears with the first heartbeat only
        except OSError as error:
            raise UsageError(
                f"heartbeat_file: got {str(path)!r} ({error.strerror}), expected a file this user can write"
            ) from error

    def __call__(self, doing: str | None) -> None:
        """Write the file when it is time; remove it with None, when the agent begins to end."""
        if doing is None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return
        now = self._clock()
        if now < self._due or not doing.startswith("connected"):
            return
        self._due = now + PERIOD_SECONDS
        try:
            self._path.write_text(doing + "\n", "utf-8")
        except OSError as error:
            if not self._failed:
                _log.warning("heartbeat_file %s cannot be written: %s", self._path, error.strerror)
            self._failed = True
        else:
            self._failed = False
