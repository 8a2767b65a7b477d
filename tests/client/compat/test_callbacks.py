import asyncio
import threading
from typing import Any

from fleetglass.client.compat.callbacks import BACKLOG, Callback
from support.waiting import wait_until


async def test_a_function_runs_in_a_thread_of_its_own() -> None:
    """A function that blocks keeps only itself waiting, and gets all in order afterwards."""
    go = threading.Event()
    heard: list[int] = []
    threads: set[str] = set()

    def slow(number: int) -> None:
        go.wait(10)
        heard.append(number)
        threads.add(threading.current_thread().name)

    slow_one, quick_one = Callback(slow, print), Callback(heard.append, print)
    for number in range(5):
        slow_one.put(number)
    quick_one.put(99)
    await wait_until(lambda: heard == [99], "the quick one is told meanwhile")
    go.set()
    await slow_one.close()
    await quick_one.close()
    assert heard == [99, 0, 1, 2, 3, 4]
    assert threads == {"fleetglass callback"}


async def test_a_coroutine_function_runs_on_the_event_loop() -> None:
    """Coroutine functions are detected, also objects with such a call, and lambdas."""
    heard: list[tuple[str, int, bool]] = []
    main = threading.current_thread()

    async def take(name: str, number: int) -> None:
        await asyncio.sleep(0)
        heard.append((name, number, threading.current_thread() is main))

    class Taker:
        async def __call__(self, number: int) -> None:
            await take("object", number)

    callbacks = [
        Callback(lambda number: take("lambda", number), print),
        Callback(Taker(), print),
    ]
    for callback in callbacks:
        callback.put(1)
        callback.put(2)
    for callback in callbacks:
        await callback.close()
    assert sorted(heard) == [(name, number, True) for name in ("lambda", "object") for number in (1, 2)]


async def test_what_is_raised_is_told_and_ends_nothing() -> None:
    """Each error of a function is reported, and the calls after it are made."""
    errors: list[str] = []
    heard: list[int] = []

    def odd_only(number: int) -> None:
        if number % 2 == 0:
            raise ValueError(str(number))
        heard.append(number)

    async def asynchronous(number: int) -> None:
        odd_only(number)

    for function in (odd_only, asynchronous):
        callback = Callback(function, lambda error: errors.append(repr(error)))
        for number in range(4):
            callback.put(number)
        await callback.close()
    assert heard == [1, 3, 1, 3]
    assert errors == ["ValueError('0')", "ValueError('2')"] * 2


async def test_the_oldest_is_dropped_when_too_many_wait() -> None:
    """The backlog of a function is bounded: the newest stay, and what was dropped is counted."""
    go = asyncio.Event()
    heard: list[int] = []

    async def slow(number: int) -> None:
        await go.wait()
        heard.append(number)

    callback = Callback(slow, print)
    for number in range(BACKLOG + 50):
        callback.put(number)
    assert callback.dropped == 50
    go.set()
    await callback.close()
    assert heard == list(range(50, BACKLOG + 50))
    heard.clear()
    callback.begin()
    for number in range(BACKLOG + 50):
        callback.put(number, room=50)
    await callback.close()
    assert callback.dropped == 50
    assert heard == list(range(BACKLOG + 50))


async def test_a_function_that_hangs_delays_the_end_no_longer_than_said() -> None:
    """Closing waits only so long, for a thread as for a task, and drops what is left."""
    go = threading.Event()
    cancelled: list[str] = []

    def hangs(_: int) -> None:
        go.wait(10)

    async def hangs_too(_: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("yes")
            raise

    for function in (hangs, hangs_too):
        callback = Callback(function, print)
        callback.put(1)
        await asyncio.sleep(0)
        callback.put(2)
        started_at = asyncio.get_running_loop().time()
        await callback.close(0.05)
        assert asyncio.get_running_loop().time() - started_at < 5
        assert callback.dropped == 1
    assert cancelled == ["yes"]
    go.set()


async def test_ended() -> None:
    """One that is ended is called no more, and leaves neither thread nor task."""
    heard: list[Any] = []

    async def take(number: int) -> None:
        heard.append(number)

    for function in (heard.append, take):
        callback = Callback(function, print)
        callback.put(1)
        await wait_until(lambda: heard == [1], "the first call")
        callback.end()
        callback.put(2)
        await callback.close()
        assert heard.pop() == 1
        assert not heard
