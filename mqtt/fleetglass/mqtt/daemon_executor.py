"""Threads for calls that block, such as the look-up of a name, that do not hold up the end of a program."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class DaemonExecutor(ThreadPoolExecutor):
    """Runs each call on a thread of its own, for which nobody waits at the end.

    A name server that does not answer may hold a look-up for half a minute, and nothing can stop that. As the
    default executor of an event loop, this one lets the program end all the same. An event loop only takes a
    `ThreadPoolExecutor`, of whose threads this one has none.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call, and return its future."""
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 -- the future raises it where it is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="fleetglass-blocking-call", daemon=True).start()
        return future
