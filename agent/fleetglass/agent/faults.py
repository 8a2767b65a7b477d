"""Keeps the agent going when one of its own parts has a bug."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Faults:
    """Runs parts of the agent that may fail without ending it, and counts the errors of all of them.

    Each kind of error of a part is logged once, with its traceback. May be used from several threads.
    """

    def __init__(self) -> None:
        self.count = 0
        """Unexpected errors since the start."""
        self._lock = threading.Lock()
        self._logged: set[tuple[str, type[Exception]]] = set()

    def attempt(self, part: str, act: Callable[[], T]) -> T | None:
        """Return the result of `act`, or None where it raises an Exception."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001 -- that is the purpose
            kind = (part, type(error))
            with self._lock:
                self.count += 1
                is_known = kind in self._logged
                self._logged.add(kind)
            if not is_known:
                _log.exception("unexpected error in %s; the agent goes on without it", part)
            return None
