"""Child processes that never outlive this one, and are started again when they die."""

import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from fleetglass.cli.runtime.stop_signals import StopSignals
from fleetglass.mqtt.backoff import backoff_seconds
from fleetglass.wire.errors import UsageError

STEADY_SECONDS: Final = 30.0
"""A child that ran this long has recovered: its next restart is quick again."""
STOP_SECONDS: Final = 2.0
"""Children get this long to end by themselves, unless more is said; without a large demo, `up` has 3 s."""

_PR_SET_PDEATHSIG: Final = 1


@dataclass(slots=True)
class _Child:
    name: str
    command: Sequence[str]
    dies_by_term: bool
    """Whether the kernel sends it SIGTERM when this process dies, instead of SIGKILL."""
    serves_others: bool
    """Whether it is ended only after the children that need it."""
    stop_seconds: float
    process: "subprocess.Popen[bytes] | None" = None
    attempts: int = 0
    started_at: float = 0.0
    due_at: float | None = None
    """When it is started again."""


class Supervisor:
    """Starts children, starts them again when they die, and ends them on the way out."""

    def __init__(self, stop: StopSignals, say: Callable[[str], None]) -> None:
        self._stop = stop
        self._say = say
        self._children: list[_Child] = []

    def __enter__(self) -> Self:
        # A handler, whatever it does, lets a child's end wake up who sleeps.
        if sys.platform != "win32":
            signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_children()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        dies_by_term: bool = False,
        serves_others: bool = False,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        """Start a child and keep it running; one that serves others is ended after them.

        Should this process die, the kernel kills the child, or sends it SIGTERM where that is wanted.
        """
        child = _Child(name, command, dies_by_term, serves_others, stop_seconds)
        self._children.append(child)
        self._spawn(child)

    def watch(self, seconds: float) -> None:
        """Look after the children for that long, or until a signal asks for the end.

        Raises:
            UsageError: a child ended with exit code 2; it has said why.
        """
        deadline = time.monotonic() + seconds
        while not self._stop.requested:
            self._look_after_children()
            now = time.monotonic()
            if deadline <= now:
                return
            due = [child.due_at for child in self._children if child.due_at is not None]
            self._stop.sleep(min([deadline, *due]) - now)

    def _look_after_children(self) -> None:
        for child in self._children:
            if child.process is not None and (code := child.process.poll()) is not None:
                self._lost(child, code)
            elif child.due_at is not None and child.due_at <= time.monotonic():
                self._spawn(child)

    def _lost(self, child: _Child, code: int) -> None:
        child.process = None
        if code == UsageError.exit_code:
            raise ChildUsageError
        if time.monotonic() - child.started_at > STEADY_SECONDS:
            child.attempts = 0
        delay = backoff_seconds(child.attempts, random.random())
        child.attempts += 1
        child.due_at = time.monotonic() + delay
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self._say(f"{child.name} {how}; starting it again in {delay:.1f} s")

    def _spawn(self, child: _Child) -> None:
        child.due_at = None
        child.started_at = time.monotonic()
        # A group of its own: Ctrl-C reaches this process only, which ends the children in order,
        # so that an agent can still say goodbye to a broker that lives.
        child.process = subprocess.Popen(
            child.command,
            stdin=subprocess.DEVNULL,
            process_group=0 if sys.platform != "win32" else None,
            preexec_fn=tether(by_term=child.dies_by_term),  # noqa: PLW1509 - this program has one thread
        )

    def _end_children(self) -> None:
        began = time.monotonic()
        for serving in (False, True):
            running = [
                (child.process, began + child.stop_seconds)
                for child in self._children
                if child.process is not None and child.serves_others is serving
            ]
            for process, _ in running:
                process.terminate()
            for process, deadline in running:
                try:
                    process.wait(max(0.2, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class ChildUsageError(UsageError):
    """A child refused its configuration and has said so itself: there is nothing to add."""


def tether(*, by_term: bool) -> Callable[[], None] | None:
    """Return what a child runs before its program starts, so that it dies with its parent (Linux only)."""
    if sys.platform != "linux":
        return None
    death_signal = signal.SIGTERM if by_term else signal.SIGKILL
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            # The parent died before the kernel was asked; nobody will tell us any more.
            os._exit(1)

    return prepare
