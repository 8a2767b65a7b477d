"""What goes wrong inside a bridge costs one item, is seen in `/healthz`, and heals by itself."""

import asyncio
import json
import logging
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from fleetglass.bridge import bridge as bridge_module
from fleetglass.bridge.health import STALLED_LOOKS, Health
from fleetglass.bridge.http.api import Web
from fleetglass.bridge.metrics import Metrics
from fleetglass.bridge.viewers.shared_frames import SharedFrames
from fleetglass.fleet import fanout as fanout_module
from fleetglass.fleet import periodic_tasks
from fleetglass.fleet.fanout import Fanout, Subscriber
from fleetglass.fleet.hosts import KnownFleet
from fleetglass.fleet.inbox import Inbox
from fleetglass.fleet.relay import Relay
from fleetglass.history.store import HistoryStore
from fleetglass.mqtt import feed as feed_module
from fleetglass.mqtt.asyncio_connection import AsyncioConnection
from fleetglass.wire import Topics
from fleetglass.wire.protocol import Host
from support.bridge import Bridge, publisher, pulse, running_bridge
from support.mosquitto import Mosquitto
from support.waiting import wait_until


def make_relay() -> Relay:
    return Relay((Topics("fleet"),), history=HistoryStore(1_000_000), history_all_hosts=0)


def look(health: Health, relay: Relay, looks: int) -> str | None:
    """Return the reason after so many seconds in which the periodic tasks run."""
    for _ in range(looks):
        relay.advance()
        relay.send_pulses()
        health.look()
    return health.reason


def test_messages_that_wait_while_none_is_taken_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    """Some seconds without progress are a stall, one message taken is its end, and each is said once."""
    relay = make_relay()
    health = Health(relay)
    assert look(health, relay, 100) is None
    relay.inbox.put("fleet/a/pulse", pulse(1))
    assert look(health, relay, STALLED_LOOKS - 1) is None
    assert look(health, relay, 100) == "messages_not_taken"
    relay.inbox.take_in()
    assert look(health, relay, 1) is None
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the bridge is degraded: messages_not_taken"),
        (logging.WARNING, "the bridge works again"),
    ]


def test_a_flood_is_no_stall() -> None:
    """While messages are taken in, more may come than that; a restart would only lose them."""
    relay = make_relay()
    health = Health(relay)
    for _ in range(3 * STALLED_LOOKS):
        for _ in range(10):
            relay.inbox.put("fleet/a/pulse", pulse(1))
        relay.on_message("fleet/a/pulse", pulse(1))
        assert look(health, relay, 1) is None


async def test_frames_that_wait_while_none_is_sent_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live frames of single hosts are no progress of those that are for all."""
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", -1)
    relay = make_relay()
    health = Health(relay)
    for _ in range(2):
        relay.join(Subscriber())
    relay.fanout.host_changed(Host(id="a", state="live"))
    assert look(health, relay, STALLED_LOOKS + 1) == "frames_not_sent"
    await wait_until(lambda: not relay.fanout.waiting, "the frames are sent")
    assert look(health, relay, 1) is None


@pytest.mark.parametrize(
    ("part", "step", "reason"),
    [(KnownFleet, "advance", "states_not_updated"), (Fanout, "send_pulses", "fleet_frames_not_made")],
)
def test_a_task_that_fails_every_time_is_seen(
    part: type, step: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted each time; that it succeeds once is the end of it."""
    relay = make_relay()
    health = Health(relay)
    assert look(health, relay, 3) is None
    with monkeypatch.context() as patch:
        patch.setattr(part, step, _fail)
        assert look(health, relay, STALLED_LOOKS) == reason
    assert relay.errors.total == STALLED_LOOKS
    assert look(health, relay, 1) is None


def test_a_task_that_ended_is_seen() -> None:
    """Whether it hangs or is gone: nothing is done any more."""
    relay = make_relay()
    health = Health(relay)
    assert look(health, relay, 3) is None
    for _ in range(STALLED_LOOKS):
        health.look()
    assert health.reason == "states_not_updated"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give what a test patches, in a bridge that looks at itself every 50 ms."""
    monkeypatch.setattr(periodic_tasks, "ADVANCE_SECONDS", 0.01)
    monkeypatch.setattr(periodic_tasks, "PULSE_SECONDS", 0.02)
    monkeypatch.setattr(bridge_module, "PROGRESS_SECONDS", 0.05)
    return monkeypatch


@pytest.mark.broker
async def test_a_stall_is_told_to_all_who_ask_and_ends_by_itself(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch
) -> None:
    """`/healthz` says 503, `degraded` and why; systemd gets no sign of life until messages are taken in."""
    reports: list[str | None] = []
    async with (
        running_bridge(mosquitto, prefix, progress=reports.append) as bridge,
        publisher(mosquitto) as agent,
    ):
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        with quick.context() as patch:
            patch.setattr(Inbox, "_take_slice", lambda _: None)
            await agent.publish(f"{prefix}/web-1/pulse", pulse(2), qos=1)
            await _until(bridge, 503, status="degraded", reason="messages_not_taken", messages_waiting=1)
            told = len(reports)
            await asyncio.sleep(0.3)
            assert len(reports) == told
        await agent.publish(f"{prefix}/web-1/pulse", pulse(3))
        await _until(bridge, 200, status="ok", messages_waiting=0)
        assert "reason" not in await bridge.health()
        await wait_until(lambda: len(reports) > told, "systemd hears of it")
        assert await bridge.ticks("web-1") == [1, 2, 3]


@pytest.mark.broker
async def test_without_the_token_a_stall_is_told_as_well(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch
) -> None:
    """A load balancer learns that the bridge is degraded and why, and nothing else."""
    async with running_bridge(mosquitto, prefix, trusted_proxy=True) as bridge:
        quick.setattr(KnownFleet, "advance", _fail)
        await _until(bridge, 503, status="degraded")
        assert json.loads((await bridge.get("/healthz"))[1]) == {
            "status": "degraded",
            "reason": "states_not_updated",
        }


@pytest.mark.broker
async def test_a_message_that_raises_costs_itself_alone(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a burst all others are taken in and sent, and so is what comes after."""
    append = HistoryStore.append

    def faulty(self: HistoryStore, host: str, group: str, payload: bytes, now: float) -> None:
        if b'"tick": 7,' in payload:
            raise KeyError("nobody foresaw it")
        append(self, host, group, payload, now)

    quick.setattr(HistoryStore, "append", faulty)
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for tick in range(300):
            await agent.publish(f"{prefix}/web-{tick % 2}/pulse", pulse(tick % 10))
        await agent.publish(f"{prefix}/web-0/pulse", pulse(1000))
        await bridge.until_health(lambda health: health["messages_received"] == 301, "all are taken in")
        health = await bridge.health()
        assert (health["status"], health["messages_waiting"]) == ("ok", 0)
        assert health["unexpected_errors"] == 30
        assert (await bridge.ticks("web-0"))[-1] == 1000
    assert caplog.text.count("unexpected error while taking in a message") == 1
    assert "nobody foresaw it" in caplog.text


@pytest.mark.broker
async def test_a_viewer_that_cannot_be_written_to_is_closed_and_the_others_go_on(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It gets 1011 with a reason; every other viewer gets every frame, and may come back."""
    send = SharedFrames.send
    faulty: set[Any] = set()

    def sometimes(self: SharedFrames, connection: Any, text: bytes) -> None:
        if connection.remote_address in faulty:
            raise RuntimeError("the socket is odd")
        send(self, connection, text)

    quick.setattr(SharedFrames, "send", sometimes)
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with (
            bridge.viewer(fleet=True, hosts={"web-1": "*"}) as good,
            bridge.viewer(fleet=True, hosts={"web-1": "*"}) as bad,
        ):
            for viewer in (good, bad):
                await viewer.next("fleet")
                await viewer.send(type="ping", id=1)
                await viewer.next("pong")
            faulty.add(bad.connection.local_address)
            for tick in range(2, 30):
                await agent.publish(f"{prefix}/web-1/pulse", pulse(tick))
                while (await good.next("pulse"))["hosts"]["web-1"]["tick"] != tick:
                    pass
            with pytest.raises(ConnectionClosed) as caught:
                await bad.next("never")
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1011, "internal_error")
            await bridge.until_health(lambda health: health["viewers"] == 1, "it is gone")
            health = await bridge.health()
            assert (health["status"], health["unexpected_errors"]) == ("ok", 1)
            assert (health["refused"], health["watched_hosts"]) == ({"internal_error": 1}, 1)
            async with bridge.viewer(fleet=True) as again:
                await again.next("fleet")
    assert caplog.text.count("unexpected error while serving a viewer") == 1
    assert "connection handler failed" not in caplog.text


@pytest.mark.broker
async def test_a_task_that_raises_goes_on_and_the_bridge_is_degraded_meanwhile(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again and again, logged once, and its success makes the bridge well."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        with quick.context() as patch:
            patch.setattr(Fanout, "send_pulses", _fail)
            await _until(bridge, 503, reason="fleet_frames_not_made")
        await _until(bridge, 200, status="ok")
        assert (await bridge.health())["unexpected_errors"] > 1
        async with bridge.viewer(fleet=True) as viewer:
            await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
            await viewer.next("pulse")
    assert caplog.text.count("unexpected error while") == 1


@pytest.mark.broker
async def test_a_broker_connection_that_raises_is_made_anew(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch
) -> None:
    """An error that is none of MQTT ends neither the bridge nor its tries."""
    quick.setattr(bridge_module, "FEED_AGAIN_SECONDS", 0.01)
    tries = iter(range(3))

    def sometimes(*arguments: Any, **options: Any) -> Any:
        if next(tries, None) is not None:
            raise UnicodeError("label empty or too long")
        return connected(*arguments, **options)

    connected = AsyncioConnection
    quick.setattr(feed_module, "AsyncioConnection", sometimes)
    async with running_bridge(mosquitto, prefix) as bridge:
        assert (await bridge.health())["unexpected_errors"] == 3


@pytest.mark.broker
async def test_a_host_or_a_request_that_raises_costs_its_answer_alone(
    mosquitto: Mosquitto, prefix: str, quick: pytest.MonkeyPatch
) -> None:
    """`/metrics` has the other hosts, a request that fails is answered with 500, and both are counted."""
    add_host = Metrics._add_host

    def faulty(self: Metrics, lines: Any, host: Any) -> None:
        if host.id == "web-1":
            raise KeyError(host.id)
        add_host(self, lines, host)

    quick.setattr(Metrics, "_add_host", faulty)
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for host in ("web-1", "web-2"):
            await agent.publish(f"{prefix}/{host}/pulse", pulse(1, cpu_percent=5))
            await bridge.until_known(host)
        status, body, _ = await bridge.get("/metrics")
        assert (status, b'{host="web-1"}' in body) == (200, False)
        assert b'fleetglass_host_cpu_percent{host="web-2"} 5' in body
        with quick.context() as patch:
            patch.setattr(Web, "_host", _fail)
            assert (await bridge.get("/api/hosts/web-2"))[0] == 500
        assert (await bridge.get("/api/hosts/web-2"))[0] == 200
        asyncio.get_running_loop().call_soon(_fail)
        await bridge.until_health(lambda health: health["unexpected_errors"] == 3, "all are counted")
        assert b"fleetglass_unexpected_errors_total 4.0" in (await bridge.get("/metrics"))[1]


def _fail(*_: object) -> None:
    raise RuntimeError("nobody foresaw it")


async def _until(bridge: Bridge, code: int, **expected: Any) -> None:
    async def is_so() -> bool:
        got, body, _ = await bridge.get("/healthz")
        return got == code and expected.items() <= json.loads(body).items()

    await wait_until(is_so, f"/healthz says {code} {expected}")
