import asyncio
import subprocess
import sys
import threading

import pytest

from fleetglass.mqtt.daemon_executor import DaemonExecutor

PROGRAM = """
import asyncio, threading
from fleetglass.mqtt.daemon_executor import DaemonExecutor

async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonExecutor())
    loop.run_in_executor(None, threading.Event().wait)
    print("done")

asyncio.run(main())
"""


async def test_a_call_gives_its_result_or_its_error() -> None:
    """What a call returns or raises comes to where it is awaited, and it runs beside the event loop."""
    loop = asyncio.get_running_loop()
    executor = DaemonExecutor()
    assert await loop.run_in_executor(executor, threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(executor, lambda: 1 / 0)


def test_a_call_that_does_not_return_is_left_behind() -> None:
    """The program ends while a call blocks for ever."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=50
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
