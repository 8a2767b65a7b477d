"""Runs programs, bounded in time and output. Only groups that a user asks for run any."""

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

from fleetglass.agent.readings.files import read_file
from fleetglass.wire.errors import CollectionError

_MAX_ERROR_BYTES = 4096
_MARK = "RUN_BY_FLEETGLASS"
_SWEEP_SECONDS = 0.5
_END_SECONDS = 2.0


class Program:
    """Runs one program at a time, in a session of its own.

    Nothing of it is left afterwards: neither in its session, nor, on Linux, in any other. A process that
    left the session is known by a variable in its environment, so one that was started with another
    environment, or that runs as another user, is not found.
    """

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None
        self._cancelled = False
        self._mark = ""  # of this run
        self._left: subprocess.Popen[bytes] | None = None  # killed, but not ended

    def run(
        self,
        arguments: Sequence[str],
        *,
        seconds: float,
        most_bytes: int,
        environment: Mapping[str, str],
        folder: Path | None = None,
        good_codes: Container[int] = (0,),
    ) -> bytes:
        """Return what a program prints. It has no input, and no shell is involved.

        It succeeds with one of the `good_codes`.

        Raises:
            CollectionError: it cannot be started, fails, takes too long or prints too much; or `cancel`
                was called.
        """
        if sys.platform == "win32":
            raise CollectionError("programs run on POSIX systems only; use a .json file")
        if self.left_over is not None:
            raise CollectionError(f"process {self.left_over} was killed, but does not end")
        deadline = time.monotonic() + seconds
        process = self._start(arguments, environment, folder)
        try:
            output, errors = _printed(process, deadline, most_bytes)
            code = process.wait(max(deadline - time.monotonic(), 0.001))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise CollectionError(f"took more than {seconds:g} s") from error
        finally:
            self._end(process)
            self._running = None
        if code not in good_codes:
            lines = errors.decode(errors="replace").strip().splitlines()
            how = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise CollectionError(f"{how}: {lines[-1]}" if lines else how)
        return output

    @property
    def left_over(self) -> int | None:
        """The process of an earlier run that was killed and does not end: a device keeps it waiting."""
        if self._left is not None and self._left.poll() is not None:
            self._left = None
        return None if self._left is None else self._left.pid

    def cancel(self) -> None:
        """Kill what runs, and run nothing more. May be called from another thread."""
        self._cancelled = True
        if (running := self._running) is not None:
            self._kill(running)

    def _start(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None
    ) -> "subprocess.Popen[bytes]":
        if self._cancelled:
            raise CollectionError("not run: the agent is stopping")
        self._mark = os.urandom(8).hex()
        try:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**environment, _MARK: self._mark},
                cwd=folder,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "; a script begins with #!" if getattr(error, "errno", None) == errno.ENOEXEC else ""
            raise CollectionError(f"cannot be run: {reason}{hint}") from error
        # No lock is held while a file system may let the start wait: `cancel` looks in the other order.
        self._running = process
        if self._cancelled:
            self._kill(process)
        return process

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        self._kill(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._left = process

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill a program and all that it started, those left behind by one that has ended among them."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if sys.platform != "linux":
            return
        # One that is being killed may start another meanwhile.
        until = time.monotonic() + _SWEEP_SECONDS
        while (left := _marked(f"{_MARK}={self._mark}".encode(), process.pid)) and time.monotonic() < until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)


def _printed(process: "subprocess.Popen[bytes]", deadline: float, most_bytes: int) -> tuple[bytes, bytes]:
    """Return output and errors, when both are closed."""
    assert process.stdout is not None  # noqa: S101 -- it was started so
    assert process.stderr is not None  # noqa: S101 -- as above
    output, errors = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output)
        selector.register(process.stderr, selectors.EVENT_READ, errors)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65536)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if len(output) > most_bytes or len(errors) > max(most_bytes, _MAX_ERROR_BYTES):
                raise CollectionError(f"printed more than {most_bytes} bytes")
    return bytes(output), bytes(errors)


def _marked(mark: bytes, first: int) -> list[int]:
    """Return the processes younger than the first that have this variable in their environment."""
    try:
        last = int(read_file("/proc/loadavg").split()[-1])
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names are what is wanted
    except OSError:
        return []
    # Pids are given out in order, and from the lowest again after the highest.
    younger = [pid for pid in pids if (first < pid <= last if first <= last else pid > first or pid <= last)]
    return [pid for pid in younger if mark in _environment(pid)]


def _environment(pid: int) -> list[bytes]:
    """Return the variables with which a process was started; none of one that has ended or is another's."""
    try:
        return read_file(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return []
