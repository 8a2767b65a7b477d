"""Clients of a real bridge with a real broker."""

import json
import ssl
import time
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from fleetglass.client import MonitoringClient, Refused
from support.bridge import publisher, running_bridge
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.samples import MadeUpHost
from support.waiting import wait_until

pytestmark = pytest.mark.broker


async def tell(client: aiomqtt.Client, prefix: str, host: MadeUpHost) -> None:
    """Publish a tick of a host, as an agent does."""
    now = time.time()
    await tell_state(client, prefix, host, "online")
    for leaf, payload in (("info", host.info(now)), ("pulse", host.pulse(now))):
        await client.publish(f"{prefix}/{host.id}/{leaf}", json.dumps(payload), qos=1)
    for group, payload in host.live(now).items():
        await client.publish(f"{prefix}/{host.id}/live/{group}", json.dumps(payload), qos=1)


async def tell_state(client: aiomqtt.Client, prefix: str, host: MadeUpHost, state: str) -> None:
    status = {"state": state, "session": "k3f9q2", "time": time.time()}
    await client.publish(f"{prefix}/{host.id}/status", json.dumps(status), qos=1)


async def test_the_whole_fleet(mosquitto: Mosquitto, prefix: str) -> None:
    """One client follows all hosts, knows each one's state, and has a mean of them."""
    hosts = [MadeUpHost(f"web-{number}", number, busy=10.0 * number) for number in (1, 2, 3)]
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agents:
        client = MonitoringClient(f"ws://127.0.0.1:{bridge.port}/ws")
        async with client:
            await client.start_async()

            async def all_told() -> bool:
                for host in hosts:
                    await tell(agents, prefix, host)
                states = [client.hosts.get(host.id, {}).get("state") for host in hosts]
                return states == ["live"] * 3 and all(client.get_last_data(host.id) for host in hosts)

            await wait_until(all_told, "a message of each host")
            last = [client.get_last_data(host.id) for host in hosts]
            uses = [one["data"]["processor"]["usage_percent"] for one in last if one]
            assert sum(uses) / len(uses) == 20
            data = last[0]["data"] if last[0] else {}
            assert data["memory"]["total_gb"] == 16
            assert data["system"]["architecture"] == "x86_64"
            changes: list[Any] = []
            client.add_custom_handler("host_state", changes.append)
            await tell_state(agents, prefix, hosts[2], "stopped")
            await wait_until(lambda: client.hosts["web-3"]["state"] == "stopped", "a host that stops")
            await wait_until(
                lambda: ("web-3", "stopped") in [(one["host"], one["new_state"]) for one in changes],
                "its change",
            )


async def test_one_host_with_its_groups(mosquitto: Mosquitto, prefix: str) -> None:
    """Of a named host the messages tell what only its groups do, even if it comes last."""
    named, other = MadeUpHost("web-1", 1), MadeUpHost("web-2", 2)
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agents:
        url = f"ws://127.0.0.1:{bridge.port}/ws"
        async with MonitoringClient(url, hosts=["web-1"]) as client:
            await client.start_async()

            async def detailed() -> bool:
                await tell(agents, prefix, named)
                await tell(agents, prefix, other)
                last = client.get_last_data()
                return last is not None and "total_gb" in last["data"].get("disk", {})

            await wait_until(detailed, "a message with the detail of its groups")
            last = client.get_last_data()
            assert last is not None
            assert last["data"]["processor"]["frequency_mhz"] == 2894
            assert last["data"]["disk"]["path"] == "/var/lib/docker"
            assert client.get_last_data("web-2") is None
            assert list(client.hosts) == ["web-1"]


async def test_a_bridge_that_comes_back(mosquitto: Mosquitto, prefix: str) -> None:
    """When the bridge stops and another takes its place, messages go on by themselves."""
    host = MadeUpHost("web-1", 1)
    connections: list[str] = []
    async with publisher(mosquitto) as agents:
        async with running_bridge(mosquitto, prefix) as bridge:
            client = MonitoringClient(
                f"ws://127.0.0.1:{bridge.port}/ws",
                reconnect_interval=0.05,
                on_connect=lambda: connections.append("there"),
                on_disconnect=lambda: connections.append("gone"),
            )
            await client.start_async()
        await wait_until(lambda: not client.is_connected(), "the bridge is gone")
        async with running_bridge(mosquitto, prefix, port=bridge.port), client:

            async def told() -> bool:
                await tell(agents, prefix, host)
                return client.get_last_data() is not None

            await wait_until(told, "a message of the second bridge")
    assert connections == ["there", "gone", "there", "gone"]
    assert client.get_statistics()["total_disconnections"] == 2


async def test_tls_and_token(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """Over TLS with an authority of one's own, and with the bridge's token."""
    authority = Authority(tmp_path)
    server = authority.issue("bridge")
    trusted = ssl.create_default_context(cafile=authority.own.certificate)
    token_file = tmp_path / "token"
    token_file.write_text("secret\n")
    async with running_bridge(
        mosquitto,
        prefix,
        tls=trusted,
        host="0.0.0.0",
        cert=str(server.certificate),
        key=str(server.key),
        token_file=str(token_file),
    ) as bridge:
        url = f"wss://127.0.0.1:{bridge.port}/ws"
        async with MonitoringClient(url, ca_file=authority.own.certificate, token="secret") as client:
            await client.start_async()
            assert client.is_connected()
        with pytest.raises(Refused, match="expected the viewer token"):
            await MonitoringClient(url, ca_file=authority.own.certificate, token="wrong").start_async()
        with pytest.raises(Refused, match="a certificate that is not trusted"):
            await MonitoringClient(url, token="secret").start_async()
