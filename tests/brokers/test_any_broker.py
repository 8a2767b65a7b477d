"""The same chain on every broker: a real agent, the broker, a real bridge and a viewer."""

import time
from pathlib import Path

from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.cli.host_removal import HostRemoval, remove_hosts
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from support.bridge import running_bridge
from support.broker import Broker
from support.programs import Fleetglass
from support.waiting import wait_for, wait_until

INTERVAL = "0.5"
LEAVES = ("status", "info", "summary")
OUTAGE_SECONDS = 3.0


def agent(broker: Broker, prefix: str, home: Path, *more: str) -> Fleetglass:
    """Return a real agent of the host `web-1`, to be entered."""
    return Fleetglass(
        *("agent", "--broker", broker.url, "--prefix", prefix, "--host-id", "web-1"),
        *("--interval", INTERVAL, "--no-home-assistant", *more),
        home=home,
    )


async def test_frames_flow_and_the_past_comes_on_opening(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """A host appears with its info; its frames come; a viewer who comes later gets the past in order."""
    async with running_bridge(broker, prefix) as bridge:
        with agent(broker, prefix, tmp_path):
            await bridge.until_known("web-1")
            async with bridge.viewer(fleet=True, hosts={"web-1": "*"}, history=900) as viewer:
                groups: set[str] = set()
                while not {"cpu", "memory", "network", "collector"} <= groups:
                    groups |= set((await viewer.next("live", host="web-1"))["samples"])
                await viewer.next("pulse")
                assert "web-1" in (await viewer.next("pulse"))["hosts"]
                await bridge.until_info("web-1")
            async with bridge.viewer(hosts={"web-1": "*"}, history=900) as later:
                past = (await later.next("history", host="web-1"))["samples"]
            assert {"pulse", "cpu", "memory"} <= set(past)
            ticks = [pulse["tick"] for pulse in past["pulse"]]
            assert ticks == list(range(ticks[0], ticks[-1] + 1))


async def test_a_killed_agent_is_lost(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """The will tells of the crash, long before silence would."""
    async with running_bridge(broker, prefix) as bridge:
        with agent(broker, prefix, tmp_path) as process:
            await bridge.until_state("web-1", "live")
            async with bridge.viewer() as viewer:
                process.kill()
                await viewer.next("host", id="web-1", state="lost")


async def test_a_goodbye_is_no_loss(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """An agent that ends cleanly is `stopped`, and was never `lost`."""
    async with running_bridge(broker, prefix) as bridge:
        with agent(broker, prefix, tmp_path) as process:
            await bridge.until_state("web-1", "live")
            async with bridge.viewer() as viewer:
                assert process.interrupt() == 0
                await viewer.next("host", id="web-1", state="stopped")
                assert "lost" not in viewer.states()


async def test_a_broker_that_comes_back_brings_all_that_was_missed(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Killed, away and back: no host turns `lost`, and the history has every pulse once, in order."""
    async with running_bridge(broker, prefix) as bridge:
        with agent(broker, prefix, tmp_path):
            await bridge.until_state("web-1", "live")
            async with bridge.viewer() as viewer:
                broker.kill()
                try:
                    await viewer.next("broker", state="connecting")
                    away = time.monotonic()
                    await wait_until(lambda: time.monotonic() - away > OUTAGE_SECONDS, "the outage")
                    last = (await bridge.ticks("web-1"))[-1]
                finally:
                    broker.start()
                ticks: list[int] = []

                async def is_whole() -> bool:
                    ticks[:] = await bridge.ticks("web-1")
                    return ticks[-1] > last + OUTAGE_SECONDS / float(INTERVAL) and ticks == sorted(ticks)

                await viewer.next("broker", state="connected")
                await wait_until(is_whole, "the pulses of the outage")
                await viewer.send(type="ping", id=1)
                await viewer.next("pong")
                assert "lost" not in viewer.states()
    assert ticks == list(range(ticks[0], ticks[-1] + 1))


async def test_a_new_bridge_knows_what_was_said_before(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """A bridge that starts after the agent has its info in a moment, on each broker by its own way."""
    with agent(broker, prefix, tmp_path):
        async with running_bridge(broker, prefix) as first:
            await first.until_info("web-1")
        async with running_bridge(broker, prefix) as second:
            await second.until_info("web-1")
            await second.until_state("web-1", "live")


async def test_two_agents_of_one_id_are_told_of(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """Both publish the conflict in their info, so that the page can show it."""
    async with running_bridge(broker, prefix) as bridge:
        with agent(broker, prefix, tmp_path):
            await bridge.until_state("web-1", "live")
            with agent(broker, prefix, tmp_path):

                async def is_told() -> bool:
                    return "conflict" in (await bridge.host("web-1")).get("info", {})

                await wait_until(is_told, "the conflict")


async def test_a_lease_makes_costly_groups_come_more_often(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """While somebody watches, the processes come at every tick and not every five seconds."""
    async with running_bridge(broker, prefix) as bridge:
        with agent(broker, prefix, tmp_path, "--demand"):
            await bridge.until_info("web-1")
            async with bridge.viewer(hosts={"web-1": ["process"]}) as viewer:
                ticks = [-10, 0]
                while ticks[-1] - ticks[-2] > 2:
                    frame = await viewer.next("live", host="web-1")
                    if sample := frame["samples"].get("process"):
                        ticks.append(sample["tick"])


def test_a_host_is_forgotten_once_its_agent_has_ended(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """While its agent runs it is left alone; afterwards nothing of it is retained."""
    with Fleetglass(
        *("agent", "--broker", broker.url, "--prefix", prefix, "--host-id", "web-1"),
        *("--home-assistant-prefix", f"{prefix}/ha", "--interval", INTERVAL),
        home=tmp_path,
    ) as process:
        topics = {f"{prefix}/ha/device/web-1/config", *(f"{prefix}/web-1/{leaf}" for leaf in LEAVES)}
        wait_for(lambda: retained(broker, prefix) == topics, "all that it retains")
        with removal(broker, prefix) as removing:
            assert remove_hosts(removing, ["web-1"]).running.keys() == {"web-1"}
        assert retained(broker, prefix) == topics
        assert process.interrupt() == 0
    with removal(broker, prefix) as removing:
        assert remove_hosts(removing, ["web-1"]).cleared["web-1"].count == len(topics)
    assert retained(broker, prefix) == set()


def removal(broker: Broker, prefix: str) -> HostRemoval:
    access = BrokerAccess(url=BrokerURL("127.0.0.1", broker.port))
    return HostRemoval(access, None, prefix=prefix, home_assistant_prefix=f"{prefix}/ha")


def retained(broker: Broker, prefix: str) -> set[str]:
    """Return the topics of web-1 that have a retained message, as a new client sees them."""
    with removal(broker, prefix) as removing:
        [host] = removing.find(["web-1"])
        return set(host.topics)


def test_the_newest_version_of_mqtt_that_the_broker_knows_is_used(broker: Broker, prefix: str) -> None:
    """MQTT 5 where it is offered; where it is refused, with or without a word, 3.1.1."""
    connection = ThreadedConnection(
        BrokerAccess(url=BrokerURL("127.0.0.1", broker.port)),
        client_id=f"test-{prefix}",
        on_connected=lambda: None,
        on_message=lambda *_: None,
    )
    with connection:
        wait_for(lambda: connection.connected, "connection")
        assert (connection.version is MQTTProtocolVersion.MQTTv5) is broker.has_mqtt_5
