import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest

from fleetglass.client import Interrupted, Refused, Unreachable
from fleetglass.client.broker_source import BrokerSource
from fleetglass.fleet.expected_host_list import ExpectedHostList
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import BrokerURLError, PrefixError
from fleetglass.wire.protocol import (
    ExpectedFacts,
    Fleet,
    History,
    Host,
    LiveFrame,
    PulseFrame,
    Watch,
    Welcome,
)
from support.bridge import publisher, pulse
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.replaceable_tls import ReplaceableTls
from support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.broker


def status(state: str, session: str = "a") -> bytes:
    return json.dumps({"state": state, "session": session, "time": 1000.0}).encode()


def info(**values: Any) -> bytes:
    facts = {
        "time": 1000.0,
        "session": "a",
        "host_name": "web-1",
        "agent_version": "1",
        "interval_seconds": 1.0,
        "groups": {},
    }
    return json.dumps(facts | values).encode()


@asynccontextmanager
async def pulsing(client: aiomqtt.Client, prefix: str, *hosts: str) -> AsyncIterator[None]:
    """Publish hosts that live, ten pulses and groups per second, until the block is left."""

    async def beat() -> None:
        for tick in range(1, 10_000):
            for host in hosts:
                await client.publish(f"{prefix}/{host}/pulse", pulse(tick, cpu_percent=tick))
                for group in ("cpu", "memory", "collector"):
                    await client.publish(f"{prefix}/{host}/live/{group}", pulse(tick))
            await asyncio.sleep(0.1)

    for host in hosts:
        await client.publish(f"{prefix}/{host}/status", status("online"), qos=1, retain=True)
        await client.publish(f"{prefix}/{host}/info", info(host_name=host), qos=1, retain=True)
    task = asyncio.create_task(beat(), name="pulses")
    try:
        yield
    finally:
        task.cancel()


async def until(source: BrokerSource, *kinds: type) -> list[Any]:
    """Return all that comes until one of each kind has come."""
    found: list[Any] = []
    async with aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
        async for message in messages:
            found.append(message)
            if set(kinds) <= {type(one) for one in found}:
                return found
    raise AssertionError


async def test_says_what_a_bridge_says(mosquitto: Mosquitto, prefix: str) -> None:
    """Welcome, then the fleet with the states that a bridge would give, then a frame of pulses."""
    async with publisher(mosquitto) as client, pulsing(client, prefix, "web-1", "web-2"):
        await client.publish(f"{prefix}/web-3/status", status("stopped"), qos=1, retain=True)
        found = await until(BrokerSource(mosquitto.url, prefix=prefix), PulseFrame)
    welcome, fleet, *_ = found
    assert isinstance(welcome, Welcome)
    assert isinstance(fleet, Fleet)
    assert {host.id: host.state for host in fleet.hosts} == {
        "web-1": "live",
        "web-2": "live",
        "web-3": "stopped",
    }
    told = {
        host.id: json.loads(bytes(host.info)) for host in fleet.hosts if isinstance(host.info, msgspec.Raw)
    }
    assert told["web-1"]["host_name"] == "web-1"
    assert set(found[-1].hosts) == {"web-1", "web-2"}


async def test_expected_hosts_that_were_not_heard_wait(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """From the start, and as the list says later: who is added waits, and who is taken off is gone."""
    file = tmp_path / "hosts.yaml"
    write = file.write_text
    write("[{id: db-2, name: Orders}]\n")
    listed = ExpectedHostList([ExpectedHost("web-1")], file)
    source = BrokerSource(mosquitto.url, prefix=prefix, expected=listed)
    async with publisher(mosquitto) as client, pulsing(client, prefix, "web-1"):
        found: dict[str, tuple[Any, Any]] = {}
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
            async for message in messages:
                if isinstance(message, Fleet):
                    found = {host.id: (host.state, host.expected) for host in message.hosts}
                    assert found == {
                        "web-1": ("live", ExpectedFacts()),
                        "db-2": ("waiting", ExpectedFacts(name="Orders")),
                    }
                    write("[nas]\n")
                elif isinstance(message, Host) and message.removed:
                    del found[message.id]
                elif isinstance(message, Host) and isinstance(message.state, str):
                    found[message.id] = (message.state, message.expected)
                if found.keys() == {"web-1", "nas"}:
                    break
        assert found["nas"] == ("waiting", ExpectedFacts())


async def test_detail_of_the_selected_only(mosquitto: Mosquitto, prefix: str) -> None:
    """Live frames come of the hosts and groups that are selected, and of these hosts the whole info."""
    async with publisher(mosquitto) as client, pulsing(client, prefix, "web-1", "web-2"):
        source = BrokerSource(mosquitto.url, prefix=prefix)
        live: list[LiveFrame] = []
        infos: list[str] = []
        async with aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
            async for message in messages:
                if isinstance(message, Fleet):
                    await source.select(Watch(hosts={"web-2": ["cpu"]}))
                elif isinstance(message, Host) and isinstance(message.info, msgspec.Raw):
                    infos.append(message.id)
                elif isinstance(message, LiveFrame):
                    live.append(message)
                    if len(live) == 3:
                        break
    assert {(frame.host, *frame.samples) for frame in live} == {("web-2", "cpu")}
    assert "web-2" in infos


async def test_a_host_that_comes_later_is_selected_as_well(mosquitto: Mosquitto, prefix: str) -> None:
    """Of a host that was selected before it was heard of, the detail comes as soon as it does."""
    source = BrokerSource(mosquitto.url, Watch(fleet=True, hosts={"web-1": "*"}), prefix=prefix)
    async with (
        publisher(mosquitto) as client,
        asyncio.timeout(PATIENCE_SECONDS),
        aclosing(source.messages()) as messages,  # type: ignore[type-var] # it is a generator
    ):
        assert isinstance(await anext(messages), Welcome)
        fleet = await anext(messages)
        assert isinstance(fleet, Fleet)
        assert fleet.hosts == []
        async with pulsing(client, prefix, "web-1"):
            async for message in messages:
                if isinstance(message, LiveFrame):
                    assert (message.host, "cpu" in message.samples) == ("web-1", True)
                    break


async def test_history_of_what_came(mosquitto: Mosquitto, prefix: str) -> None:
    """Who asks for the past of a host gets what came since the start, one pulse of every tick."""
    async with publisher(mosquitto) as client, pulsing(client, prefix, "web-1"):
        source = BrokerSource(mosquitto.url, prefix=prefix)
        frames = 0
        async with aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
            async for message in messages:
                if isinstance(message, PulseFrame):
                    frames += 1
                    if frames == 2:
                        await source.select(Watch(hosts={"web-1": "*"}, history=60))
                elif isinstance(message, History):
                    break
    assert isinstance(message, History)
    ticks = [json.loads(bytes(one))["tick"] for one in message.samples["pulse"]]
    assert len(ticks) > 2
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))


async def test_says_nothing_on_the_broker(mosquitto: Mosquitto, prefix: str) -> None:
    """A host that takes leases gets none: who only reads at the broker need not be allowed to write."""
    async with publisher(mosquitto) as client, pulsing(client, prefix, "web-1"):
        takes = info(demand=True, groups={"process": {"interval_seconds": 5}})
        await client.publish(f"{prefix}/web-1/info", takes, qos=1, retain=True)
        await client.subscribe(f"{prefix}/web-1/demand")
        await until(BrokerSource(mosquitto.url, Watch(hosts={"web-1": "*"}), prefix=prefix), LiveFrame)
        await client.publish(f"{prefix}/web-1/demand", b"the end")
        assert (await anext(client.messages)).payload == b"the end"


async def test_broker_that_comes_back(own_mosquitto: Mosquitto, prefix: str) -> None:
    """A broker that was killed interrupts; after it returned, welcome and fleet come anew."""
    source = BrokerSource(own_mosquitto.url, prefix=prefix)
    kinds: list[type] = []
    async with asyncio.timeout(PATIENCE_SECONDS), aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
        async for message in messages:
            kinds.append(type(message))
            if kinds == [Welcome, Fleet]:
                own_mosquitto.kill()
            elif kinds == [Welcome, Fleet, Interrupted]:
                own_mosquitto.start()
            elif kinds[-1] is Fleet:
                break
    assert [kind for kind in kinds if kind is not Interrupted] == [Welcome, Fleet, Welcome, Fleet]


async def test_nothing_there() -> None:
    """Without a broker the single try says why, in one line; otherwise it interrupts and goes on."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=rf"^broker: .+ \({url}\)$"):
        await until(BrokerSource(url, reconnect=False), Welcome)
    first = (await until(BrokerSource(url), Interrupted))[0]
    assert first.reason.endswith(f"({url})")
    assert first.delay > 0


async def test_who_is_not_let_in(tmp_path: Path) -> None:
    """A broker that wants a user is not tried for ever."""
    (tmp_path / "passwords").touch()
    broker = Mosquitto(tmp_path, "user root", f"password_file {tmp_path / 'passwords'}")
    broker._configuration.write_text(
        broker._configuration.read_text().replace("anonymous true", "anonymous false")
    )
    try:
        broker.start()
        with pytest.raises(Refused, match="broker: refused: "):
            await until(BrokerSource(broker.url), Welcome)
    finally:
        broker.kill()


async def test_next_node_of_a_cluster(mosquitto: Mosquitto, prefix: str) -> None:
    """When the first node is away, the next one is asked."""
    away, there = BrokerURL("127.0.0.1", free_port()), BrokerURL("127.0.0.1", mosquitto.port)
    found = await until(BrokerSource(BrokerAccess(url=away, others=(there,)), prefix=prefix), Welcome)
    assert [type(one) for one in found] == [Interrupted, Welcome]


async def test_wrong_address_and_prefix() -> None:
    """What breaks a rule is told when the source is made."""
    with pytest.raises(BrokerURLError, match="expected mqtt://"):
        BrokerSource("ws://127.0.0.1/ws")
    with pytest.raises(PrefixError, match="prefix: got"):
        BrokerSource("mqtt://127.0.0.1", prefix="a//b")


async def test_files_for_tls(tmp_path: Path) -> None:
    """A file for TLS that cannot be used is told in one line."""
    access = BrokerAccess(url=BrokerURL.parse("mqtts://127.0.0.1"), ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(Refused, match=r"none\.pem.*expected certificates in PEM"):
        await until(BrokerSource(access), Welcome)


async def test_a_wrong_authority_can_be_put_right(tmp_path: Path, prefix: str) -> None:
    """One that was wrong at the start is named, and the right one is used without a restart."""
    tls = ReplaceableTls(tmp_path)
    tls.use(0)
    tls.trust(1)
    tls.broker.start()
    try:
        async with aclosing(BrokerSource(tls.access, prefix=prefix).messages()) as messages:  # type: ignore[type-var] # it is a generator
            first = await anext(messages)
            assert isinstance(first, Interrupted)
            assert "certificate verify failed" in first.reason
            tls.trust(0)
            while not isinstance(await anext(messages), Welcome):
                pass
    finally:
        tls.broker.kill()


async def test_tls_both_ways(tmp_path: Path, prefix: str) -> None:
    """With the authority's and its own certificate it is let in, and without them it is not."""
    authority = Authority(tmp_path)
    own = authority.issue("viewer")
    broker = Mosquitto(tmp_path)
    broker.use_tls(authority, "require_certificate true")
    url = BrokerURL("127.0.0.1", broker.port, tls=True)
    access = BrokerAccess(
        url=url,
        ca_file=str(authority.own.certificate),
        certificate_file=str(own.certificate),
        key_file=str(own.key),
    )
    try:
        broker.start()
        await until(BrokerSource(access, prefix=prefix), Welcome)
        with pytest.raises(Unreachable):
            await until(BrokerSource(BrokerAccess(url=url), prefix=prefix, reconnect=False), Welcome)
    finally:
        broker.kill()
