import asyncio
import threading

from fleetglass.client.compat.loop_thread import LoopThread


def test_it_ends_while_a_call_blocks() -> None:
    """A look-up of a name that nobody answers does not hold up who stops the loop."""
    loop_thread, asked, answer = LoopThread("test"), threading.Event(), threading.Event()

    def look_up() -> None:
        asked.set()
        answer.wait()

    async def begin() -> None:
        asyncio.get_running_loop().run_in_executor(None, look_up)

    loop_thread.run(begin())
    assert asked.wait(20)
    loop_thread.stop()
    answer.set()
