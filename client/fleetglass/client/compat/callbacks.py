"""Functions of a program that are told of events. A slow or raising one stops nothing but itself."""

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

BACKLOG: Final = 1000
"""Calls that may wait for one function."""
DRAIN_SECONDS: Final = 1.0

Function = Callable[..., Any]


class Callback:
    """One function, and the calls of it that wait.

    Calls are made in order and one at a time: of a coroutine function on the event loop, of any other in a
    thread of its own. While `BACKLOG` calls wait, the oldest is dropped for each new one, and counted.

    Args:
        function: what is called.
        failed: told on the event loop of what `function` raises.
    """

    def __init__(self, function: Function, failed: Callable[[Exception], None]) -> None:
        self.function = function
        self.dropped = 0
        self._ended = False
        self._failed = failed
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._worker: _Thread | _Task | None = None

    def put(self, *arguments: Any, room: int = 0) -> None:
        """Have the function called, on whose event loop this is; `room` adds to the backlog."""
        if self._ended:
            return
        if len(self._waiting) >= BACKLOG + room:
            with suppress(IndexError):  # the worker may just have taken it
                self._waiting.popleft()
                self.dropped += 1
        self._waiting.append(arguments)
        if self._worker is None:
            kind = _Task if _is_asynchronous(self.function) else _Thread
            self._worker = kind(self.function, self._waiting, self._failed)
        self._worker.wake()

    def begin(self) -> None:
        """Call the function again after `close`."""
        self._ended = False

    def end(self) -> None:
        """Drop what waits, and call the function no more."""
        self._ended = True
        self._waiting.clear()
        if self._worker is not None:
            self._worker.end()

    async def close(self, seconds: float = DRAIN_SECONDS) -> None:
        """Wait for the calls to be made, at most that long; those left and all later ones are dropped."""
        self._ended = True
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close(seconds)
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._waiting = deque()  # a thread that hangs may come back to the old one


class _Worker:
    """Makes the calls that wait, until it is ended and none is left."""

    def __init__(
        self,
        function: Function,
        waiting: deque[tuple[Any, ...]],
        failed: Callable[[Exception], None],
        wake: Callable[[], None],
    ) -> None:
        self._function = function
        self._waiting = waiting
        self._failed = failed
        self._closing = False
        self.wake = wake

    def end(self) -> None:
        self._closing = True
        self.wake()


class _Task(_Worker):
    """Calls on the event loop."""

    def __init__(
        self, function: Function, waiting: deque[tuple[Any, ...]], failed: Callable[[Exception], None]
    ) -> None:
        self._something = asyncio.Event()
        super().__init__(function, waiting, failed, self._something.set)
        self._task = asyncio.create_task(self._run(), name="fleetglass callback")

    async def close(self, seconds: float) -> None:
        self.end()
        if self._task is asyncio.current_task():
            return  # the function itself stops its client
        await asyncio.wait([self._task], timeout=seconds)
        self._task.cancel()
        await asyncio.wait([self._task], timeout=seconds)

    async def _run(self) -> None:
        while True:
            self._something.clear()
            while self._waiting:
                try:
                    await self._function(*self._waiting.popleft())
                except Exception as error:  # noqa: BLE001 - whatever a program's function may raise
                    self._failed(error)
            if self._closing:
                return
            await self._something.wait()


class _Thread(_Worker):
    """Calls in a thread that no exit of the program waits for."""

    def __init__(
        self, function: Function, waiting: deque[tuple[Any, ...]], failed: Callable[[Exception], None]
    ) -> None:
        self._something = threading.Event()
        super().__init__(function, waiting, failed, self._something.set)
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        threading.Thread(target=self._run, name="fleetglass callback", daemon=True).start()

    async def close(self, seconds: float) -> None:
        self.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._done.wait()

    def _run(self) -> None:
        while True:
            self._something.clear()
            while True:
                try:
                    arguments = self._waiting.popleft()
                except IndexError:
                    break
                self._call(arguments)
            if self._closing:
                self._tell(self._done.set)
                return
            self._something.wait()

    def _call(self, arguments: tuple[Any, ...]) -> None:
        try:
            result = self._function(*arguments)
            if inspect.iscoroutine(result):  # of a lambda, for one
                asyncio.run_coroutine_threadsafe(result, self._loop).result()
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(self._failed, error)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self._loop.call_soon_threadsafe(function, *arguments)


def _is_asynchronous(function: Function) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - whether its call is a coroutine, not whether it can be called
    )
