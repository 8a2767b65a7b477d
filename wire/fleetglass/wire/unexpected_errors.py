"""Exceptions that nobody foresaw: each costs the one thing that was being done, and is counted."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import format_exception
from types import CodeType
from typing import TypeVar

MAX_KINDS = 100
"""So many kinds are logged. More of them would fill a log, and say nothing new."""
MAX_FRAMES = 20

T = TypeVar("T")

_log = logging.getLogger(__name__)


class UnexpectedErrors:
    """Counts all of them, and logs each kind once, with its traceback.

    Errors of one kind have the same type and come from the same line of code, whatever was being done.
    May be used from several threads.
    """

    def __init__(self) -> None:
        self.total = 0
        self._lock = threading.Lock()
        self._logged: set[tuple[type[BaseException], CodeType | None, int]] = set()

    def count(self, doing: str, error: BaseException) -> None:
        """Count one. `doing` says in the log what failed, such as `sending a frame`."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        kind = (type(error), *_raised_at(error))
        with self._lock:
            self.total += 1
            if kind in self._logged or len(self._logged) >= MAX_KINDS:
                return
            self._logged.add(kind)
        _log.error("unexpected error while %s, logged once:", doing)
        # Line by line, as the text of an error may come from elsewhere, and must not look like our own.
        for line in "".join(format_exception(error, limit=-MAX_FRAMES)).splitlines():
            _log.error("  %s", line)

    @contextmanager
    def caught(self, doing: str) -> Iterator[None]:
        """Count what the block raises, and go on behind it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not to go further
            self.count(doing, error)

    def attempt(self, doing: str, act: Callable[[], T]) -> T | None:
        """Return the result of `act`, or None where it raises an Exception, which is counted."""
        with self.caught(doing):
            return act()
        return None


def _raised_at(error: BaseException) -> tuple[CodeType | None, int]:
    """Return the code and the line that raised an error."""
    trace = error.__traceback__
    if trace is None:
        return None, 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code, trace.tb_lineno
