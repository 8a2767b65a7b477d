"""The signals that ask a program to end, for a loop that sleeps in `select`."""

import contextlib
import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Self


class StopSignals:
    """Takes note of SIGINT, SIGTERM and SIGHUP, and wakes up who sleeps. For the main thread, once."""

    def __init__(self) -> None:
        self.requested = False
        """Whether the end was asked for."""
        self._previous: dict[signal.Signals, Any] = {}
        """What these signals did before."""
        self._reading, self._writing = socket.socketpair()
        for end in (self._reading, self._writing):
            end.setblocking(False)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is None or (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
                continue  # nohup ignores it on purpose
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._reading.close()
        self._writing.close()

    def fileno(self) -> int:
        """Return what becomes readable when a signal comes."""
        return self._reading.fileno()

    def drain(self) -> None:
        """Make ready for the next signal."""
        with contextlib.suppress(BlockingIOError):
            self._reading.recv(4096)

    def sleep(self, seconds: float) -> None:
        """Sleep, until a signal comes at the latest."""
        if select.select([self], [], [], max(0.0, seconds))[0]:
            self.drain()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
