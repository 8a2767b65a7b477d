"""What publishers may do to the bridge, and what of it the healthy hosts notice: nothing."""

import json
import random
import time

import pytest

from chaos.scene import HOSTS, Scene
from support.bridge import publisher, pulse
from support.waiting import wait_until

pytestmark = pytest.mark.broker

GARBAGE = 10_000
LEAVES = ("status", "info", "pulse", "summary", "backfill", "live/cpu", "live/x/y", "live/", "", "demand")


def garbage(chance: random.Random) -> tuple[str, bytes]:
    """Return the rest of a topic and a payload that make no sense, or too much of it."""
    host = chance.choice(["evil", "EVIL", "..", "a b", "x" * 80, "é", *HOSTS, f"evil-{chance.randrange(50)}"])
    payload = chance.choice(
        [
            chance.randbytes(chance.randrange(200)),
            b"[" * 5000,
            b'{"time":1e999,"tick":1,"session":"a"}',
            b'{"time":1,"tick":-1,"session":"a"}',
            b'{"time":1,"tick":' + b"9" * 400 + b"}",
            b'{"time":null,"tick":1,"session":"\\ud800"}',
            b'{"state":"lost","session":"?","time":1}',
            b'{"time":1,"pulses":[1,2,{}]}',
            b"x" * 70_000,
        ]
    )
    return f"{host}/{chance.choice(LEAVES)}", payload


async def test_ten_thousand_garbage_messages(scene: Scene, prefix: str) -> None:
    """All are counted, none ends or slows the bridge, and none changes what is known of a healthy host."""
    chance = random.Random(1)

    async def received() -> int:
        return int((await scene.bridge.health())["messages_received"])

    before = await received()
    async with publisher(scene.broker) as client:
        for _ in range(GARBAGE):
            topic, payload = garbage(chance)
            await client.publish(f"{prefix}/{topic}", payload)

    sent = time.monotonic()

    async def is_through() -> bool:
        now = await received()
        quiet = time.monotonic() - sent > 1
        return now > before and quiet and scene.viewer.pulses[HOSTS[0]][0] > sent

    await wait_until(is_through, "the garbage went through")
    await scene.until_right_again()
    assert "lost" not in scene.viewer.states
    assert scene.process.output.count("dropped a message") < 100


async def test_a_host_whose_clock_jumps(scene: Scene, prefix: str) -> None:
    """Times an hour ahead and an hour behind move no host out of `live`, and its past stays in order."""
    async with publisher(scene.broker) as client, scene.bridge.viewer(fleet=True) as viewer:
        now = time.time()
        for tick in range(1, 31):
            jump = (0.0, 3600.0, -3600.0)[tick // 5 % 3]
            message = json.loads(pulse(tick)) | {"time": now + tick / 10 + jump}
            await client.publish(f"{prefix}/jumper/pulse", json.dumps(message))
            sent = time.monotonic()
            await wait_until(lambda sent=sent: time.monotonic() - sent > 0.1, "the next tick")  # type: ignore[misc]
        await scene.bridge.until_state("jumper", "live")
        assert await scene.bridge.ticks("jumper") == list(range(1, 31))
        await viewer.send(type="ping", id=1)
        await viewer.next("pong")
        told = [m.get("state") for m in viewer.received if m["type"] == "host" and m["id"] == "jumper"]
        assert set(told) == {"live"}
    await scene.until_right_again()


async def test_a_host_that_publishes_a_hundred_times_per_second(scene: Scene, prefix: str) -> None:
    """It gets what it asks for in the history's bounds, and the fleet's frames stay at one per second."""
    async with publisher(scene.broker) as client, scene.bridge.viewer(fleet=True) as viewer:
        began = time.monotonic()
        tick = 0
        while (elapsed := time.monotonic() - began) < 3:
            while tick < elapsed * 100:
                tick += 1
                await client.publish(f"{prefix}/hasty/pulse", pulse(tick))
                await client.publish(
                    f"{prefix}/hasty/live/cpu", json.dumps({"time": time.time(), "tick": tick})
                )
            await viewer.next("pulse")
        frames = [message for message in viewer.received if message["type"] == "pulse"]
        assert len(frames) <= elapsed + 3
        await scene.bridge.until_state("hasty", "live")
    await scene.until_right_again()
