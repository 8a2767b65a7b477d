import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.fleet.inbox import Inbox
from fleetglass.wire.unexpected_errors import UnexpectedErrors


async def test_messages_are_taken_in_soon_and_in_order() -> None:
    """What is put is handed over when it is time, nothing lost."""
    got: list[str] = []
    inbox = Inbox(lambda topic, _: got.append(topic))
    for number in range(100):
        inbox.put(str(number), b"x")
    assert got == []
    await _until_empty(inbox)
    assert got == [str(number) for number in range(100)]
    inbox.put("again", b"x")
    inbox.take_in()
    assert got[-1] == "again"
    assert inbox.dropped == 0


async def test_beyond_its_bound_the_oldest_are_dropped_and_counted() -> None:
    """A flood costs old messages, never memory, and the newest is there."""
    got: list[bytes] = []
    inbox = Inbox(lambda _, payload: got.append(payload), most_bytes=11_000)
    for number in range(100):
        inbox.put("a", b"%04d" % number * 200)
    assert (len(inbox), inbox.dropped) == (10, 90)
    await _until_empty(inbox)
    assert got[-1][:4] == b"0099"


async def test_who_floods_delays_only_itself() -> None:
    """Each sender has its turn, and room is made by dropping the oldest of the one with most."""
    got: list[tuple[str, bytes]] = []
    inbox = Inbox(lambda *one: got.append(one), sender=lambda topic: topic[0], most_bytes=12_000)
    inbox.put("b/1", b"first")
    for number in range(100):
        inbox.put(f"a/{number}", bytes(800))
    inbox.put("b/2", b"second")
    assert inbox.dropped == 91
    await _until_empty(inbox)
    assert [topic for topic, _ in got[:4]] == ["b/1", "a/91", "b/2", "a/92"]
    assert len(got) == 11
    assert [topic for topic, _ in got[4:]] == [f"a/{number}" for number in range(93, 100)]


async def test_when_the_heaviest_sender_is_drained_the_next_heaviest_loses() -> None:
    """Who has the next turn loses nothing while others hold more."""
    got: list[str] = []
    inbox = Inbox(lambda topic, _: got.append(topic), sender=lambda topic: topic, most_bytes=40_000)
    inbox.put("calm", bytes(1000))  # from here on there is much
    inbox.put("first", bytes(800))
    for _ in range(12):
        inbox.put("second", bytes(800))
    inbox.put("heaviest", bytes(17_000))
    assert inbox.dropped == 0
    for number in range(14):
        inbox.put(f"other {number}", bytes(800))
    assert inbox.dropped > 2
    await _until_empty(inbox)
    left = Counter(got)
    assert left["heaviest"] == 0
    assert left["first"] == 1
    assert left["second"] == 12 + 1 - inbox.dropped
    assert all(left[f"other {number}"] == 1 for number in range(14))


senders = st.sampled_from("abcdefgh")
puts = st.tuples(senders, st.sampled_from([0, 10, 500, 3000, 9000]))


@given(st.lists(puts | puts | puts | st.none(), min_size=10, max_size=80))
async def test_each_message_that_is_dropped_is_of_the_sender_with_most(
    steps: list[tuple[str, int] | None],
) -> None:
    """Whatever is put and taken in which order, nobody loses a message while another holds more."""
    inbox = Inbox(lambda *_: None, sender=lambda topic: topic, most_bytes=12_000, slice_seconds=0)
    for step in steps:
        if step is None:
            inbox._take_slice()
            continue
        sender, size = step
        dropped = inbox.dropped
        before = {one.sender: [len(payload) for _, payload in one.messages] for one in _waiting(inbox)}
        before.setdefault(sender, []).append(size)
        inbox.put(sender, bytes(size))
        after = {one.sender: one for one in _waiting(inbox)}
        most = max((one.size for one in after.values()), default=0)
        for name, sizes in before.items():
            left = len(after[name].messages) if name in after else 0
            if inbox.dropped > dropped and left < len(sizes):
                # What it held when it lost the last one: the others have only lost since.
                held = sum(size + 200 for size in sizes[len(sizes) - left - 1 :])
                assert held >= most
    await _until_empty(inbox)


async def test_what_one_message_raises_costs_that_message_alone(caplog: pytest.LogCaptureFixture) -> None:
    """In the calm and in turns, all others are taken in; the error is counted, and logged once."""
    for most_bytes in (1_000_000, 5_000):
        got: list[bytes] = []
        errors = UnexpectedErrors()

        def take(_: str, payload: bytes, got: list[bytes] = got) -> None:
            if payload == b"bad":
                raise KeyError(payload)
            got.append(payload)

        inbox = Inbox(take, errors=errors, most_bytes=most_bytes, slice_seconds=0)
        for payload in (b"a", b"b", b"bad", b"c", b"bad", b"d"):
            inbox.put("x", payload)
        await _until_empty(inbox)
        inbox.put("x", b"later")
        inbox.take_in()
        assert got == [b"a", b"b", b"c", b"d", b"later"]
        assert errors.total == 2
    assert caplog.text.count("unexpected error while taking in a message") == 2


async def test_an_error_that_ends_a_slice_does_not_end_the_taking() -> None:
    """After what no handler may swallow, the rest is taken in though nothing more comes."""
    got: list[bytes] = []

    def take(_: str, payload: bytes) -> None:
        if payload == b"bad":
            raise asyncio.CancelledError
        got.append(payload)

    inbox = Inbox(take, slice_seconds=0.001)
    for payload in (b"bad", b"a", b"b"):
        inbox.put("x", payload)
    with pytest.raises(asyncio.CancelledError):
        inbox.take_in()
    for _ in range(3):
        await asyncio.sleep(0)
    assert got == [b"a", b"b"]


faults = st.sampled_from([None, None, None, KeyError("x"), RecursionError(), MemoryError(), AssertionError()])


@given(st.lists(st.tuples(senders, st.integers(0, 2000), faults, faults), max_size=60), st.integers(1, 9))
async def test_whatever_its_callbacks_raise_every_message_is_taken_in_once(
    messages: list[tuple[str, int, Exception | None, Exception | None]], often: int
) -> None:
    """Errors of the handler, of the name of a sender and of a refusal are counted; nothing waits for ever."""
    errors = UnexpectedErrors()
    taken = raised = 0
    faulty: Exception | None = None

    def raise_or_not(fault: Exception | None) -> None:
        nonlocal raised
        if fault is not None:
            raised += 1
            raise fault

    def take(topic: str, _: bytes) -> None:
        nonlocal taken
        taken += 1
        raise_or_not(messages[int(topic[1:])][2])

    def sender(topic: str) -> str:
        raise_or_not(faulty)
        return topic[0]

    inbox = Inbox(
        take,
        lambda *_: raise_or_not(faulty),
        errors=errors,
        sender=sender,
        most_bytes=30_000,
        slice_seconds=0,
    )
    for number, (name, size, _, fault) in enumerate(messages):
        faulty = fault
        inbox.put(f"{name}{number}", bytes(size))
        inbox.refuse(name, size)
        if number % often == 0:
            inbox.take_in()
            await asyncio.sleep(0)
    await _until_empty(inbox)
    assert taken + inbox.dropped == len(messages)
    assert (len(inbox), inbox._bytes, errors.total) == (0, 0, raised)


async def test_the_order_of_a_sender_is_kept() -> None:
    """Whether little waits or much, and while one becomes the other, no message overtakes one of its host."""
    got: list[tuple[str, bytes]] = []
    inbox = Inbox(
        lambda *one: got.append(one), sender=lambda topic: topic, most_bytes=100_000, slice_seconds=0
    )
    for round_ in range(3):
        for number in range(40):
            for sender in "abc":
                inbox.put(sender, b"%d" % (100 * round_ + number))
            if number % 3 == 0:
                inbox.take_in()
        await _until_empty(inbox)
    assert inbox.dropped == 0
    for sender in "abc":
        numbers = [int(payload) for topic, payload in got if topic == sender]
        assert numbers == sorted(numbers)
        assert len(numbers) == 120


async def test_a_flood_leaves_the_loop_time_for_others() -> None:
    """Messages are taken in slices; what else is ready runs in between."""
    inbox = Inbox(lambda *_: None, slice_seconds=0)
    for _ in range(10):
        inbox.put("a", b"")
    assert await _until_empty(inbox) >= 9


def _waiting(inbox: Inbox) -> list[Any]:
    return list(inbox._turns.values())


async def _until_empty(inbox: Inbox) -> int:
    turns = 0
    inbox.take_in()
    while len(inbox):
        await asyncio.sleep(0)
        turns += 1
    return turns
