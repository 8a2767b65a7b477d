"""A cluster of three brokers: agents and bridge go to another node when theirs ends."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.bridge import running_bridge
from support.brokers import Nats, NatsCluster
from support.programs import Fleetglass
from support.waiting import wait_until


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    """Give three NATS servers, of which the test may end one."""
    if remedy := Nats.missing():
        pytest.skip(f"needs nats: {remedy}")
    cluster = NatsCluster(tmp_path)
    try:
        yield cluster.start()
    finally:
        cluster.kill()


async def test_the_end_of_a_node_loses_no_host(cluster: NatsCluster, prefix: str, tmp_path: Path) -> None:
    """The node of the bridge and of one agent ends: every stream goes on, and no host turns `lost`.

    How soon is the cluster's own: NATS takes up to 9 s to elect a leader.
    """
    urls = [node.url for node in cluster.nodes]
    hosts = [f"web-{number}" for number in range(3)]
    async with running_bridge(cluster, prefix) as bridge:
        with ExitStack() as agents:
            for number, host in enumerate(hosts):
                nodes = ",".join(urls[number:] + urls[:number])
                agents.enter_context(
                    Fleetglass(
                        *("agent", "--broker", nodes, "--prefix", prefix, "--host-id", host),
                        *("--interval", "0.5", "--no-home-assistant"),
                        home=tmp_path,
                    )
                )
            for host in hosts:
                await bridge.until_state(host, "live")
            async with bridge.viewer() as viewer:
                at_the_end = {host: (await bridge.ticks(host))[-1] for host in hosts}
                cluster.nodes[0].kill()
                await viewer.next("broker", state="connecting")
                await viewer.next("broker", state="connected")
                for host, last in at_the_end.items():

                    async def goes_on(host: str = host, last: int = last) -> bool:
                        ticks = await bridge.ticks(host)
                        return ticks[-1] > last + 10 and ticks == sorted(set(ticks))

                    await wait_until(goes_on, f"the pulses of {host}")
                    await bridge.until_state(host, "live")
                await viewer.send(type="ping", id=1)
                await viewer.next("pong")
                assert "lost" not in viewer.states()
