"""States of hosts in a real bridge, over everything that may happen to it and to a real mosquitto."""

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.fleet import listening
from fleetglass.fleet.presence import LATE_MIN_SECONDS
from support.bridge import Bridge, running_bridge
from support.faulty_proxy import FaultyProxy
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass
from support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(60)]

GRACE_SECONDS = 1.0
AGO_SECONDS = 3600.0


class Agents:
    """Three hosts: `lost` and `stopped` have been away for an hour, `living` speaks whenever it can."""

    def __init__(self, broker: Mosquitto, prefix: str) -> None:
        self.went_at = time.time() - AGO_SECONDS
        self._broker = broker
        self._prefix = prefix

    def leave(self, client: Client) -> None:
        """Publish what a host that crashed and one that said goodbye leave on the broker."""
        went = self.went_at
        self._say(client, "lost", "status", state="lost", time=went - 86_400)
        self._say(client, "lost", "summary", tick=7, time=went)
        self._say(client, "stopped", "status", state="stopped", time=went)

    async def live(self) -> None:
        """Publish what is retained, and speak as `living`, through every outage, until cancelled."""
        client = Client(CallbackAPIVersion.VERSION2)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: self._say(client, "living", "status", state="online")
        client.connect("127.0.0.1", self._broker.port)
        self.leave(client)
        client.loop_start()
        try:
            for tick in itertools.count():
                self._say(client, "living", "pulse", tick=tick)
                await asyncio.sleep(0.25)
        finally:
            client.disconnect()
            client.loop_stop()

    def _say(self, client: Client, host: str, leaf: str, **values: Any) -> None:
        payload = json.dumps({"time": time.time(), "session": host} | values)
        client.publish(f"{self._prefix}/{host}/{leaf}", payload, qos=leaf != "pulse", retain=leaf != "pulse")


@asynccontextmanager
async def agents_of(broker: Mosquitto, prefix: str) -> AsyncIterator[Agents]:
    """Give the agents, at work."""
    agents = Agents(broker, prefix)
    task = asyncio.create_task(agents.live(), name="living host")
    try:
        yield agents
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(bridge: Bridge) -> dict[str, tuple[str, Any]]:
    """Return state and `since` of every host."""
    hosts = json.loads((await bridge.get("/api/hosts"))[1])["hosts"]
    return {host["id"]: (host["state"], host["since"]) for host in hosts}


async def until_settled(bridge: Bridge, agents: Agents) -> dict[str, tuple[str, Any]]:
    """Return what is told of the hosts once each is in its state, and since when it really is."""
    went = pytest.approx(agents.went_at, abs=0.01)

    async def is_settled() -> bool:
        hosts = await told(bridge)
        return (
            hosts.get("lost") == ("lost", went)
            and hosts.get("stopped") == ("stopped", went)
            and hosts.get("living", ("",))[0] == "live"
        )

    await wait_until(is_settled, "each host in its state")
    return await told(bridge)


async def stays(bridge: Bridge, expected: dict[str, tuple[str, Any]], seconds: float) -> None:
    """Fail as soon as anything else is told of a host."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert await told(bridge) == expected
        await asyncio.sleep(0.05)


def _persistent(folder: Path) -> tuple[str, ...]:
    return ("user root", "persistence true", f"persistence_location {folder}/", "autosave_on_changes true")


@pytest.mark.parametrize("more", [lambda _: (), _persistent], ids=["without persistence", "with persistence"])
async def test_after_a_restart_of_the_broker_hosts_that_were_gone_stay_gone(
    more: Callable[[Path], tuple[str, ...]], tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it forgets or repeats what it retained, neither state nor `since` changes for a moment."""
    monkeypatch.setattr(listening, "GRACE_SECONDS", GRACE_SECONDS)
    broker = Mosquitto(tmp_path, *more(tmp_path), "autosave_interval 1").start()
    try:
        async with agents_of(broker, prefix) as agents, running_bridge(broker, prefix) as bridge:
            before = await until_settled(bridge, agents)
            broker.kill()
            await bridge.until_health(lambda health: health["status"] == "broker away", "the outage")
            broker.start()
            await bridge.until_health(lambda health: health["status"] == "ok", "the return")
            await stays(bridge, before, GRACE_SECONDS + 1.5)
    finally:
        broker.kill()


async def test_after_an_outage_of_the_bridges_connection_hosts_that_were_gone_stay_gone(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker repeats each goodbye and will, from which the bridge learns nothing new."""
    monkeypatch.setattr(listening, "GRACE_SECONDS", GRACE_SECONDS)
    async with (
        FaultyProxy(mosquitto.port) as proxy,
        agents_of(mosquitto, prefix) as agents,
        running_bridge(proxy, prefix) as bridge,
    ):
        before = await until_settled(bridge, agents)
        proxy.set("cut")
        await bridge.until_health(lambda health: health["status"] == "broker away", "the outage")
        proxy.set("none")
        await bridge.until_health(lambda health: health["status"] == "ok", "the return")
        await stays(bridge, before, GRACE_SECONDS + 1.5)


async def test_a_bridge_that_starts_later_tells_when_each_host_went(
    mosquitto: Mosquitto, prefix: str
) -> None:
    """A goodbye says when it was said; of a will, which is older, the last retained summary tells."""
    async with agents_of(mosquitto, prefix) as agents:
        for _ in range(2):
            async with running_bridge(mosquitto, prefix) as bridge:
                await until_settled(bridge, agents)


async def test_a_bridge_that_was_stopped_calls_no_host_late(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """What waits for the bridge when it runs again shows that the host lived all the time."""
    port = free_port()
    bridge = Bridge(port)
    arguments = ("bridge", "--broker", mosquitto.url, "--prefix", prefix, "--port", str(port))
    with Fleetglass(*arguments, home=tmp_path) as process:
        await bridge.until_health(lambda health: health["status"] == "ok", "the bridge is ready")
        async with agents_of(mosquitto, prefix) as agents:
            before = await until_settled(bridge, agents)
            async with bridge.viewer() as viewer:
                await viewer.next("fleet")
                os.kill(process.pid, signal.SIGSTOP)
                await asyncio.sleep(LATE_MIN_SECONDS + 2)
                os.kill(process.pid, signal.SIGCONT)
                await viewer.send(type="watch", fleet=True, hosts={})
                for _ in range(2):
                    await viewer.next("pulse")
                assert viewer.states() == []
                assert await told(bridge) == before
