"""An event loop in a thread, for programs that have none."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from fleetglass.mqtt.daemon_executor import DaemonExecutor

T = TypeVar("T")


class LoopThread:
    """Runs an event loop from now until `stop`; no exit of the program waits for it."""

    def __init__(self, name: str) -> None:
        self._leave = asyncio.Event()
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._live(started)), name=name, daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns, or raise what it raises, as it runs on the event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def stop(self) -> None:
        """End the event loop and all that runs on it."""
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()

    async def _live(self, started: "Future[asyncio.AbstractEventLoop]") -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonExecutor())  # the end does not wait for a name server
        started.set_result(loop)
        await self._leave.wait()
