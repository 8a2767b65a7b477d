"""The signals that ask a program to end, for a loop that sleeps in `select`."""

import contextlib
import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Self


class StopSignals:
    """Takes note of SIGINT, SIGTERM and SIGHUP, and wakes up who sleeps. For the main thread, once."""

    def __init__(self) -> None:
        self.requested = False
        """Whether the end was asked for."""
        self._reading, self._writing = socket.socketpair()
        for end in (self._reading, self._writing):
            end.setblocking(False)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup ignores it on purpose
            signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
