"""Brokers that take small packets only: those that say so, and those that do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.recording import recording
from support.bridge import running_bridge
from support.mosquitto import Mosquitto
from support.old_broker import Habit, OldBroker
from support.programs import Fleetglass
from support.waiting import wait_for

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


@pytest.mark.parametrize("habit", ["close", "drop"])
@pytest.mark.parametrize("most_bytes", [3000, 1100])
def test_what_an_old_broker_does_not_say_is_found_out(
    habit: Habit, most_bytes: int, mosquitto: Mosquitto, tmp_path: Path, prefix: str
) -> None:
    """Inventory, discovery and groups are shortened until they arrive; then nothing is refused any more."""
    with OldBroker(mosquitto.port, most_bytes, habit) as broker, recording(mosquitto.port, prefix) as witness:
        arguments = ("--broker", broker.url, "--prefix", prefix, "--host-id", "web-1", "--interval", "0.5")
        with Fleetglass("agent", *arguments, home=tmp_path) as agent:
            witness.wait("info")
            wait_for(lambda: "large messages: sending no packet above" in agent.output, "the line about it")
            refused, pulses = broker.refused, len(witness.of("pulse"))
            wait_for(lambda: len(witness.of("pulse")) > pulses + 6, "more pulses")
            assert broker.refused == refused
            lines = agent.output.splitlines()
    ticks = sorted(one.payload["tick"] for one in witness.of("pulse"))
    missed = [tick for one in witness.of("backfill") for tick in map(tick_of, one.payload["pulses"])]
    assert sorted({*ticks, *missed}) == list(range(1, ticks[-1] + 1))
    assert len([line for line in lines if "sending no packet above" in line]) == 1
    assert len([line for line in lines if "connection lost" in line]) <= 2


def test_a_broker_that_refuses_large_messages_is_not_left_again_and_again(
    tmp_path: Path, prefix: str
) -> None:
    """Mosquitto's other limit is answered by MQTT 5, and ends the connection in some versions."""
    broker = Mosquitto(tmp_path, "message_size_limit 3000").start()
    arguments = ("--broker", broker.url, "--prefix", prefix, "--host-id", "web-1", "--interval", "0.5")
    try:
        with (
            recording(broker.port, prefix) as witness,
            Fleetglass("agent", *arguments, home=tmp_path) as agent,
        ):
            witness.wait("info")
            wait_for(lambda: "sending no packet above" in agent.output, "the line about it")
            lines = agent.output.splitlines()
    finally:
        broker.kill()
    assert len([line for line in lines if "connection lost" in line]) <= 2


def test_a_limit_smaller_than_a_pulse_is_named_with_the_remedy(tmp_path: Path, prefix: str) -> None:
    """A part of each pulse arrives all the same, and the log says once what to raise."""
    broker = Mosquitto(tmp_path, "max_packet_size 340").start()
    arguments = ("--broker", broker.url, "--prefix", prefix, "--host-id", "web-1", "--interval", "0.5")
    try:
        with (
            recording(broker.port, prefix) as witness,
            Fleetglass("agent", *arguments, home=tmp_path) as agent,
        ):
            first, *_, last = witness.wait("pulse", 6)
            lines = agent.output.splitlines()
    finally:
        broker.kill()
    assert first.payload["tick"] == 1
    assert last.payload["tick"] == 6
    assert "cpu_percent" in last.payload
    assert "core_percents" not in last.payload
    [line] = [line for line in lines if "smaller than a pulse" in line]
    assert line.endswith("raise that limit (mosquitto: max_packet_size)")
    assert not [line for line in lines if "connection lost" in line or "unexpected" in line]


def tick_of(pulse: Any) -> int:
    tick: int = (json.loads(pulse) if isinstance(pulse, str) else pulse)["tick"]
    return tick
