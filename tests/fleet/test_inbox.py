import asyncio

from fleetglass.fleet.inbox import Inbox


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


async def _until_empty(inbox: Inbox) -> int:
    turns = 0
    inbox.take_in()
    while len(inbox):
        await asyncio.sleep(0)
        turns += 1
    return turns
