"""Broker, bridge and network fail, and when they are back all is well again."""

import time

import pytest

from chaos.scene import HOSTS, Scene
from support.bridge import running_bridge
from support.faulty_proxy import Fault
from support.waiting import wait_until

pytestmark = pytest.mark.broker

FAULT_SECONDS = 1.5


async def passed(seconds: float = FAULT_SECONDS) -> None:
    """Let a fault last."""
    until = time.monotonic() + seconds
    await wait_until(lambda: time.monotonic() > until, "the fault")


async def test_a_killed_broker(scene: Scene, prefix: str) -> None:
    """It comes back empty: no host was `lost`, and a bridge that starts only then has every info."""
    scene.broker.kill()
    await passed()
    scene.broker.start()
    await scene.until_right_again()
    assert "lost" not in scene.viewer.states
    async with running_bridge(scene.broker, prefix) as later:
        for host in HOSTS:
            await later.until_info(host)


async def test_a_frozen_broker(scene: Scene) -> None:
    """It answers nothing for a while and then everything at once."""
    scene.broker.freeze()
    await passed()
    scene.broker.thaw()
    await scene.until_right_again()
    assert "lost" not in scene.viewer.states


async def test_a_killed_bridge(scene: Scene) -> None:
    """Viewers find the new one as they left the old one."""
    scene.process.kill()
    scene.process.start()
    await scene.bridge.until_health(lambda health: health["broker"]["state"] == "connected", "the new bridge")
    await scene.until_right_again(is_same_process=False)


@pytest.mark.parametrize("fault", ["stall", "cut", "half-close", "corrupt", "delay"])
async def test_a_bad_network(scene: Scene, fault: Fault) -> None:
    """Whatever the network did between broker and bridge, it is over when it is over."""
    scene.proxy.set(fault)
    await passed()
    scene.proxy.set("none")
    await scene.until_right_again()
    assert "lost" not in scene.viewer.states
