"""A broker that takes small packets only, which MQTT 5 lets it say."""

from pathlib import Path

import pytest

from support.bridge import running_bridge
from support.mosquitto import Mosquitto
from support.programs import Fleetglass

pytestmark = pytest.mark.broker


async def test_a_host_is_live_with_what_fits(tmp_path: Path, prefix: str) -> None:
    """Its pulses and the most important part of its inventory arrive, on one connection."""
    broker = Mosquitto(tmp_path, "max_packet_size 3000").start()
    arguments = ("--broker", broker.url, "--prefix", prefix, "--host-id", "web-1", "--no-home-assistant")
    try:
        async with running_bridge(broker, prefix) as bridge:
            with Fleetglass("agent", *arguments, "--interval", "0.5", home=tmp_path) as agent:
                await bridge.until_info("web-1")
                await bridge.until_state("web-1", "live")
                lines = agent.output.splitlines()
    finally:
        broker.kill()
    assert len([line for line in lines if "connected to broker" in line]) == 1
    assert not [line for line in lines if "connection lost" in line]
