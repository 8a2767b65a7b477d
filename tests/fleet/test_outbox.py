import asyncio
from typing import NoReturn

import pytest

from fleetglass.fleet.outbox import Outbox


async def _drain(outbox: Outbox) -> list[bytes]:
    return [await outbox.take() for _ in range(len(outbox))]


async def test_a_newer_sample_takes_the_place_of_an_unsent_one() -> None:
    """A viewer that does not keep up gets the newest of each host, and no host waits for ever."""
    outbox = Outbox()
    for number in range(3):
        outbox.put("live", "a", b"a%d" % number)
        outbox.put("live", "b", b"b%d" % number)
    assert await _drain(outbox) == [b"a2", b"b2"]
    assert outbox.replaced == 4


async def test_the_last_word_on_a_host_is_read_last() -> None:
    """A state that is put again moves behind what was put since, or an old one would have the last word."""
    outbox = Outbox()
    outbox.put("host", "a", b"lost")
    outbox.put("info", "a", b"live with info")
    outbox.put("host", "a", b"late")
    assert await _drain(outbox) == [b"live with info", b"late"]
    assert outbox.replaced == 0


async def test_taking_waits_for_a_frame() -> None:
    """An empty outbox costs nothing until something is put."""
    outbox = Outbox()
    taking = asyncio.ensure_future(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    outbox.put("pulse", "", b"x")
    assert await taking == b"x"


def _fail(_: bytes) -> NoReturn:
    raise RuntimeError("the socket is odd")


async def test_what_its_write_raises_goes_to_who_puts() -> None:
    """The frame does not wait either, and the next one is tried."""
    outbox = Outbox(_fail)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            outbox.put("pulse", "", b"x")
    assert len(outbox) == 0


async def test_after_a_failure_nothing_is_kept_and_who_takes_is_told() -> None:
    """Frames are let go of, whoever waits for one gets the error, and nobody waits for room."""
    outbox = Outbox()
    outbox.put("history", "a", b"x")
    room = asyncio.ensure_future(outbox.until_fewer("history", 1))
    await asyncio.sleep(0)
    outbox.fail(RuntimeError("the socket is odd"))
    await room
    for _ in range(2):
        outbox.put("pulse", "", b"x")
        with pytest.raises(RuntimeError):
            await outbox.take()
    other = Outbox()
    taking = asyncio.ensure_future(other.take())
    await asyncio.sleep(0)
    other.fail(RuntimeError("the socket is odd"))
    with pytest.raises(RuntimeError):
        await taking
