"""Real agent, real broker, real bridge: what happened while the broker was away is seen afterwards."""

import time
from pathlib import Path
from typing import Any

import pytest

from agent.recording import agent_process
from support.bridge import Bridge, running_bridge
from support.mosquitto import Mosquitto
from support.waiting import wait_until

pytestmark = pytest.mark.broker

INTERVAL = 0.5
OUTAGE_SECONDS = 5.0


async def past(bridge: Bridge) -> list[int]:
    """Return the ticks that the bridge has in its history."""
    async with bridge.viewer(hosts={"web-1": []}, history=900) as viewer:
        history: dict[str, Any] = await viewer.next("history")
        return [pulse["tick"] for pulse in history["samples"].get("pulse", [])]


async def test_every_pulse_of_an_outage_is_in_the_history(
    own_mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """Killed and away for a while, the broker gets every pulse once, and the history has them in order."""
    async with running_bridge(own_mosquitto, prefix) as bridge:
        with agent_process(own_mosquitto.url, prefix, tmp_path / "log", interval=INTERVAL):
            await bridge.until_known("web-1")

            async def has_begun() -> bool:
                return len(await past(bridge)) >= 3

            await wait_until(has_begun, "the first pulses")
            own_mosquitto.kill()
            away = time.monotonic()
            await wait_until(lambda: time.monotonic() - away > OUTAGE_SECONDS, "the outage")
            last = (await past(bridge))[-1]
            own_mosquitto.start()
            ticks: list[int] = []

            async def is_whole() -> bool:
                ticks[:] = await past(bridge)
                return ticks[-1] > last + OUTAGE_SECONDS / INTERVAL

            await wait_until(is_whole, "the pulses of the outage")
    assert ticks == list(range(ticks[0], ticks[-1] + 1))
