import selectors
import threading

from fleetglass.mqtt.socket_loop import Waker


def test_another_thread_ends_the_waiting() -> None:
    """Who waits is woken from elsewhere, once for any number of calls."""
    with Waker() as waker, selectors.DefaultSelector() as selector:
        selector.register(waker, selectors.EVENT_READ)
        assert not selector.select(0)
        for _ in range(3):
            thread = threading.Thread(target=waker.wake)
            thread.start()
            thread.join()
        assert selector.select(10)
        waker.rest()
        assert not selector.select(0)


def test_waking_never_blocks_and_never_fails() -> None:
    """Nobody who wakes waits for a thread that does not rest, or minds one that is not there."""
    waker = Waker()
    waker.wake()
    with waker:
        for _ in range(10_000):
            waker.wake()
    waker.wake()
