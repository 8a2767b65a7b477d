"""Standard output of a command that prints for long, and the signals that end it."""

import asyncio
import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Any, Final

PATIENCE_SECONDS: Final = 0.5
"""For this long a reader may take what is being printed when the end is asked for."""


class Output:
    """Prints texts, and ends a task at SIGINT or SIGTERM even while nobody reads what was printed."""

    def __init__(self) -> None:
        self._is_printing = False
        # A terminal without such a character shows a question mark, rather than ending the program.
        if reconfigure := getattr(sys.stdout, "reconfigure", None):
            reconfigure(errors="replace")

    def show(self, text: str) -> None:
        """Print a text and a newline.

        Raises:
            BrokenPipeError: whoever read has gone.
        """
        self._is_printing = True
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        finally:
            self._is_printing = False

    def end_at_signals(self, task: "asyncio.Task[Any]") -> None:
        """Have SIGINT and SIGTERM cancel a task of the running loop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows, where Ctrl-C raises instead
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
                # The loop is woken up all the same, but this one is called while it waits for a reader, too.
                signal.signal(number, self._hurry)

    def _hurry(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_printing and hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._give_up)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)

    def _give_up(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_printing:  # which goes on there when this returns
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
