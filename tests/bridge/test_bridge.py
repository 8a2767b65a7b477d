"""The whole bridge between a real mosquitto and real WebSockets."""

import asyncio
import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fleetglass.bridge.bridge import serve_until
from fleetglass.bridge.http import connections as connections_module
from fleetglass.bridge.http import listener as listener_module
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.fleet import periodic_tasks
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import BridgeError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES
from support.bridge import Bridge, Viewer, publisher, pulse, running_bridge
from support.mosquitto import Mosquitto
from support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.broker

STATUS = '{"state":"%s","session":"%s","time":2000}'


async def test_a_viewer_is_told_of_the_fleet_and_then_of_every_pulse(
    mosquitto: Mosquitto, prefix: str
) -> None:
    """Welcome and fleet come first; with the fleet selected, pulses follow as they were published."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1, cpu_percent=3.5))
        await bridge.until_known("web-1")
        async with bridge.viewer(fleet=True) as viewer:
            welcome = await viewer.next("welcome")
            assert (welcome["protocol"], welcome["broker"]) == (1, "connected")
            fleet = await viewer.next("fleet")
            assert [(host["id"], host["state"]) for host in fleet["hosts"]] == [("web-1", "live")]
            assert fleet["hosts"][0]["pulse"]["cpu_percent"] == 3.5
            await agent.publish(f"{prefix}/web-1/pulse", pulse(2, anything={"new": 1}))
            frame = await viewer.next("pulse")
            assert frame["hosts"] == {"web-1": json.loads(pulse(2, anything={"new": 1}))}


async def test_who_watches_a_host_is_told_all_of_its_info(mosquitto: Mosquitto, prefix: str) -> None:
    """What is long in an info comes with the first selected group, and to its watchers when it changes."""
    short: dict[str, Any] = {"host_name": "w", "agent_version": "1", "interval_seconds": 1, "own": 2}
    short |= {"time": 1, "session": "s"}
    whole = short | {"groups": {"cpu": {"interval_seconds": 1}}, "devices": {"disk": ["sda"]}}
    changed = {"host_name": "x", "tags": ["new"]}
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/info", json.dumps(whole), retain=True)
        await bridge.until_known("web-1")
        async with bridge.viewer() as viewer, bridge.viewer(fleet=True) as other:
            assert (await viewer.next("fleet"))["hosts"][0]["info"] == short
            assert (await other.next("fleet"))["hosts"][0]["info"] == short
            await viewer.send(type="watch", fleet=False, hosts={"web-1": []}, history=0)
            await viewer.send(type="watch", fleet=False, hosts={"web-1": ["cpu"]}, history=0)
            assert (await viewer.next("host"))["info"] == whole
            await viewer.send(type="watch", fleet=False, hosts={"web-1": "*"}, history=0)
            await agent.publish(f"{prefix}/web-1/info", json.dumps(whole | changed), retain=True)
            assert (await viewer.next("host"))["info"] == whole | changed
            assert (await other.next("host"))["info"] == short | changed


async def test_a_list_of_expected_hosts_that_changes_is_told_to_viewers(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is added waits, who is taken off goes unless it was heard; a bad file changes nothing."""
    file = tmp_path / "hosts.yaml"
    write = file.write_text
    write("[web-1, db-2]\n")
    async with (
        running_bridge(mosquitto, prefix, hosts_file=str(file)) as bridge,
        publisher(mosquitto) as agent,
        bridge.viewer(hosts={"web-1": []}) as viewer,
    ):
        assert [host["id"] for host in (await viewer.next("fleet"))["hosts"]] == ["web-1", "db-2"]
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await viewer.next("host", id="web-1", state="live", expected={})
        write("[nas, \n")
        await wait_until(lambda: "the old list stays in use" in caplog.text, "the file was refused")
        assert {(await bridge.host(name)).get("state") for name in ("web-1", "db-2")} == {"live", "waiting"}
        write("- {id: nas, name: Backups}\n")
        await viewer.next("host", id="db-2", removed=True)
        await viewer.next("host", id="nas", state="waiting", expected={"name": "Backups"})
        assert "expected" not in await bridge.host("web-1")
        assert (await bridge.host("web-1"))["state"] in ("live", "late")


async def test_a_list_of_expected_hosts_must_be_good_at_the_start(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """Each bad item is one line."""
    (tmp_path / "hosts.yaml").write_text("[1, web-1, 2]\n")
    with pytest.raises(BridgeError) as refused:
        async with running_bridge(mosquitto, prefix, hosts_file=str(tmp_path / "hosts.yaml")):
            pass
    assert [line.partition(": got")[0] for line in refused.value.args] == [
        "hosts_file: item 1", "hosts_file: item 3"
    ]  # fmt: skip


async def test_the_detail_of_a_watched_host_comes_to_its_watchers(mosquitto: Mosquitto, prefix: str) -> None:
    """A viewer gets all groups of a host, or only those that it selected."""
    async with (
        running_bridge(mosquitto, prefix, history_all_hosts=0) as bridge,
        publisher(mosquitto) as agent,
    ):
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with (
            bridge.viewer(hosts={"web-1": "*"}) as whole,
            bridge.viewer(hosts={"web-1": ["cpu"]}) as part,
        ):
            await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/probe")
            for group in ("cpu", "memory", "collector"):
                await agent.publish(f"{prefix}/web-1/live/{group}", '{"time":7,"tick":7,"x":1}')
            got: set[str] = set()
            while not got >= {"cpu", "memory", "collector"}:
                got |= (await whole.next("live"))["samples"].keys()
            assert set((await _live_with(part, "cpu"))["samples"]) == {"cpu"}


async def test_backfill_takes_its_place_in_the_past(mosquitto: Mosquitto, prefix: str) -> None:
    """Pulses that come late are shown to who watches, and stand once and in order in the history."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for tick in (1, 2, 6):
            await agent.publish(f"{prefix}/web-1/pulse", pulse(tick))
        await bridge.until_known("web-1")
        async with bridge.viewer(hosts={"web-1": []}, history=60) as watching:
            await watching.next("history")
            late = [json.loads(pulse(tick)) for tick in (2, 3, 4, 5)]
            # Written as json.dumps does it, the late pulse is the same as the one that came in time.
            text = json.dumps({"time": 1006.0, "tick": 6, "session": "a", "pulses": late})
            await agent.publish(f"{prefix}/web-1/backfill", text, qos=1)
            told = await watching.next("history")
            assert [one["tick"] for one in told["samples"]["pulse"]] == [3, 4, 5]
        async with bridge.viewer(hosts={"web-1": []}, history=60) as viewer:
            past = await viewer.next("history")
            assert [one["tick"] for one in past["samples"]["pulse"]] == [1, 2, 3, 4, 5, 6]
        await agent.publish(f"{prefix}/web-1/backfill", '{"time":1,"tick":1,"session":"a","pulses":[7]}')
        await bridge.until_health(lambda health: health["messages_rejected"] == 1, "the refusal")


async def test_backfill_stands_in_order_though_a_clock_was_set(mosquitto: Mosquitto, prefix: str) -> None:
    """An agent's clock set back by an hour during the outage: its ticks tell the order, not its times."""

    def at(tick: int, time: float) -> dict[str, Any]:
        return {**json.loads(pulse(tick)), "time": time}

    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for tick in (1, 2):
            await agent.publish(f"{prefix}/web-1/pulse", json.dumps(at(tick, 9000.0 + tick)))
        await bridge.until_known("web-1")
        late = [at(3, 9003.0), at(4, 5404.0), at(5, 5405.0)]
        text = json.dumps({"time": 5406.0, "tick": 6, "session": "a", "pulses": late})
        await agent.publish(f"{prefix}/web-1/backfill", text, qos=1)
        await agent.publish(f"{prefix}/web-1/pulse", json.dumps(at(6, 5406.0)))
        await bridge.until_health(lambda health: health["messages_received"] == 4, "every message")
        async with bridge.viewer(hosts={"web-1": []}, history=60) as viewer:
            past = await viewer.next("history")
            assert [one["tick"] for one in past["samples"]["pulse"]] == [1, 2, 3, 4, 5, 6]


async def test_how_pulses_arrive_is_told_to_who_watches(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost ticks are counted, for a viewer of the host, in `/api/hosts/<id>` and for all in `/healthz`.

    With it the viewer gets the last pulse, as one who looks at one host gets no others.
    """
    monkeypatch.setattr(periodic_tasks, "DELIVERY_SECONDS", 0.05)
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for tick in (1, 2, 5):
            await agent.publish(f"{prefix}/web-1/pulse", pulse(tick))
        await bridge.until_known("web-1")
        async with bridge.viewer(hosts={"web-1": []}) as viewer, bridge.viewer(fleet=True) as other:
            while True:
                message = await viewer.next("host", id="web-1")
                delivery = message.get("delivery", {})
                if delivery.get("lost_total") == 2:  # the last pulse may come after the first telling
                    break
            assert delivery["clock_offset_seconds"] < -1e6
            assert message["pulse"]["tick"] == 5
            await other.send(type="ping", id=1)
            await other.next("pong")
        assert not [one for one in other.received if "delivery" in one]
        late = [json.loads(pulse(tick)) for tick in (2, 3)]
        text = json.dumps({"time": 1005.0, "tick": 5, "session": "a", "pulses": late})
        await agent.publish(f"{prefix}/web-1/backfill", text, qos=1)
        await bridge.until_health(lambda health: health["delivery"]["backfilled_total"] == 1, "the backfill")
        _, body, _ = await bridge.get("/api/hosts/web-1")
        delivery = json.loads(body)["delivery"]
        assert (delivery["received_total"], delivery["lost_total"], delivery["backfilled_total"]) == (3, 1, 1)


async def test_a_lease_is_held_while_a_host_is_watched(mosquitto: Mosquitto, prefix: str) -> None:
    """A host that takes leases gets one with its first viewer, and none is left after the last."""
    info = {"time": 1, "session": "a", "host_name": "web", "agent_version": "1", "interval_seconds": 1}
    groups = {"cpu": {"interval_seconds": 1}, "process": {"interval_seconds": 5}}
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for host, demand in (("web-1", {"demand": True}), ("web-2", {})):
            await agent.publish(f"{prefix}/{host}/info", json.dumps({**info, "groups": groups, **demand}))
            await bridge.until_known(host)
        await agent.subscribe(f"{prefix}/+/demand")
        async with bridge.viewer(hosts={"web-1": "*", "web-2": "*"}):
            async with asyncio.timeout(PATIENCE_SECONDS):
                lease = await anext(agent.messages)
        assert str(lease.topic) == f"{prefix}/web-1/demand"
        assert json.loads(lease.payload)["groups"] == ["process"]
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await anext(agent.messages)).payload == b""


async def test_a_group_of_anybodys_own_comes_to_its_watchers(mosquitto: Mosquitto, prefix: str) -> None:
    """What a user's script publishes beside the agent is relayed as it came, whatever its name."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as script:
        await script.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with bridge.viewer(hosts={"web-1": "*"}) as viewer:
            await _until_subscribed(bridge, script, f"{prefix}/web-1/live/probe")
            said = {"time": 1795271535, "tick": 3, "x_celsius": 3, "nested": {"y": [1, "two"]}}
            await script.publish(f"{prefix}/web-1/live/my-group", json.dumps(said))
            assert (await _live_with(viewer, "my-group"))["samples"]["my-group"] == said


async def test_the_past_is_there_when_a_host_is_opened(mosquitto: Mosquitto, prefix: str) -> None:
    """Pulses are kept of every host, and in a small fleet the live groups too, before anybody watches."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for tick in range(1, 6):
            await agent.publish(f"{prefix}/web-1/pulse", pulse(tick))
        await bridge.until_known("web-1")
        await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/cpu")
        async with bridge.viewer(hosts={"web-1": ["cpu"]}, history=60) as viewer:
            history = (await viewer.next("history", host="web-1"))["samples"]
            assert [sample["tick"] for sample in history["pulse"]] == [1, 2, 3, 4, 5]
            assert history["cpu"]
        async with bridge.viewer(hosts={"web-1": []}, history=60) as viewer:
            assert set((await viewer.next("history"))["samples"]) == {"pulse"}


async def test_of_a_past_only_what_is_added_is_sent(mosquitto: Mosquitto, prefix: str) -> None:
    """Who drops groups of a host gets no past again, and who adds some gets the past of these."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        for group in ("cpu", "disk"):
            await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/{group}")
        async with bridge.viewer(hosts={"web-1": "*"}, history=60) as viewer:
            assert {"cpu", "disk"} <= set((await viewer.next("history"))["samples"])
            await viewer.send(type="watch", hosts={"web-1": ["cpu"]}, history=60)
            await viewer.send(type="watch", hosts={"web-1": ["cpu", "disk"]}, history=60)
            past = (await viewer.next("history"))["samples"]
            assert "disk" in past
            assert "cpu" not in past


async def test_nobody_watching_means_no_detail_is_subscribed(mosquitto: Mosquitto, prefix: str) -> None:
    """In a larger fleet the bridge subscribes to live groups when a viewer comes, and not before."""
    async with (
        running_bridge(mosquitto, prefix, history_all_hosts=0) as bridge,
        publisher(mosquitto) as agent,
    ):
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        before = (await bridge.health())["messages_received"]
        for _ in range(20):
            await agent.publish(f"{prefix}/web-1/live/cpu", '{"time":7,"tick":7}', qos=1)
        await agent.publish(f"{prefix}/web-1/pulse", pulse(2), qos=1)
        await bridge.until_health(lambda health: health["messages_received"] > before, "the pulse came")
        assert (await bridge.health())["messages_received"] == before + 1


async def test_wills_and_goodbyes_reach_every_viewer(mosquitto: Mosquitto, prefix: str) -> None:
    """Lost, stopped and back again: each is told in a `host` message without being asked for."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        topic = f"{prefix}/web-1/status"
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with bridge.viewer() as viewer:
            await viewer.next("fleet")
            await agent.publish(topic, STATUS % ("lost", "older"))
            await agent.publish(topic, STATUS % ("lost", "a"))
            await viewer.next("host", id="web-1", state="lost")
            await agent.publish(topic, STATUS % ("online", "b"))
            await agent.publish(f"{prefix}/web-1/pulse", pulse(1, "b"))
            await viewer.next("host", id="web-1", state="live")
            await agent.publish(topic, STATUS % ("stopped", "b"))
            await viewer.next("host", id="web-1", state="stopped")
            await agent.publish(topic, b"")
            assert (await viewer.next("host", id="web-1"))["removed"]


async def test_the_broker_may_die_and_come_back(own_mosquitto: Mosquitto, prefix: str) -> None:
    """Viewers are told, no host changes its state meanwhile, and everything is subscribed again."""
    async with running_bridge(own_mosquitto, prefix) as bridge:
        async with publisher(own_mosquitto) as agent:
            await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
            await bridge.until_known("web-1")
        async with bridge.viewer(fleet=True, hosts={"web-1": "*"}) as viewer:
            own_mosquitto.kill()
            await viewer.next("broker", state="connecting")
            own_mosquitto.start()
            await viewer.next("broker", state="connected")
            async with publisher(own_mosquitto) as agent:
                await agent.publish(f"{prefix}/web-1/pulse", pulse(2))
                await viewer.next("pulse")
                await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/cpu")
                await viewer.next("live", host="web-1")
        assert not [m for m in viewer.received if m["type"] == "host" and m["state"] != "live"]


@pytest.mark.parametrize(
    "payload",
    [
        b"not JSON",
        b"x" * 10_000_000,
        b'{"time":NaN,"tick":1,"session":"a"}',
        b'{"time":1,"tick":"one","session":"a"}',
        b'{"time":1,"tick":1,"session":"a","cpu_percent":"<img onerror=alert(1)>"}',
        b'{"time":1,"tick":1,"session":"a","x":"\xff"}',
        b'{"time":1,"tick":1,"session":"a","x":"' + b"a" * MAX_PAYLOAD_BYTES + b'"}',
    ],
    ids=["text", "10 MB", "NaN", "tick", "type", "UTF-8", "64 KiB"],
)
async def test_garbage_is_counted_and_harms_nobody(mosquitto: Mosquitto, prefix: str, payload: bytes) -> None:
    """Garbage on any topic of one host neither ends the bridge nor reaches a viewer or another host."""
    topics = [f"{prefix}/evil/{leaf}" for leaf in ("pulse", "status", "info", "live/cpu")]
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/evil/pulse", pulse(1))
        await agent.publish(f"{prefix}/good/pulse", pulse(1))
        await bridge.until_known("good")
        async with bridge.viewer(fleet=True, hosts={"evil": "*", "good": "*"}) as viewer:
            await viewer.next("fleet")
            await _until_subscribed(bridge, agent, f"{prefix}/evil/live/probe")
            for topic in topics:
                await agent.publish(topic, payload)
            await _rejected(bridge, 3)
            await agent.publish(f"{prefix}/good/pulse", pulse(2))
            while "good" not in (frame := await viewer.next("pulse"))["hosts"]:
                pass
            assert frame["hosts"].get("evil") in (None, json.loads(pulse(1)))


async def test_hostile_topics_become_no_hosts(mosquitto: Mosquitto, prefix: str) -> None:
    """A level that is no host id is counted, whatever it says."""
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        for name in ("<img onerror=alert(1)>", "..", "A", "a" * 200, "__proto__", "ä"):
            await agent.publish(f"{prefix}/{name}/pulse", pulse(1))
        await _rejected(bridge, 6)
        assert (await bridge.health())["hosts"] == {}


async def test_a_host_belongs_to_one_prefix(mosquitto: Mosquitto, prefix: str) -> None:
    """Two hosts of one name under two prefixes are not mixed: the second is refused."""
    async with (
        running_bridge(mosquitto, f"{prefix}/a", f"{prefix}/b") as bridge,
        publisher(mosquitto) as agent,
    ):
        await agent.publish(f"{prefix}/a/web-1/pulse", pulse(1, cpu_percent=1))
        await agent.publish(f"{prefix}/b/web-1/pulse", pulse(2, cpu_percent=2))
        await agent.publish(f"{prefix}/b/web-2/pulse", pulse(2, cpu_percent=2))
        await bridge.until_known("web-2")
        _, body, _ = await bridge.get("/api/hosts/web-1")
        assert json.loads(body)["host"]["pulse"]["cpu_percent"] == 1
        await _rejected(bridge, 1)


@pytest.mark.parametrize(
    "message",
    [
        "rubbish",
        "[]",
        '{"type":"watch","hosts":{"#":"*"}}',
        '{"type":"nope"}',
        '{"type":"watch","x":1}',
        "x" * 20_000,
    ],
    ids=lambda message: message[:20],
)
async def test_a_bad_message_gets_an_error_and_repeated_a_close(
    mosquitto: Mosquitto, prefix: str, message: str
) -> None:
    """One slip is answered in words; a viewer that goes on is closed with 1008."""
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer() as viewer:
        await viewer.connection.send(message)
        assert (await viewer.next("error"))["code"] == "bad_message"
        for _ in range(10):
            with suppress(ConnectionClosed):
                await viewer.connection.send(message)
        with pytest.raises(ConnectionClosed) as caught:
            await viewer.next("never")
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008


async def test_ping_is_answered(mosquitto: Mosquitto, prefix: str) -> None:
    """The pong carries the id, so that a viewer can measure the way."""
    async with running_bridge(mosquitto, prefix) as bridge, bridge.viewer() as viewer:
        await viewer.send(type="ping", id=7)
        assert (await viewer.next("pong"))["id"] == 7


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"type": "hello", "protocol": 99}, "bad_protocol"),
        ({"type": "watch"}, "hello_expected"),
        ({"type": "hello"}, "hello_expected"),
    ],
)
async def test_a_viewer_that_does_not_fit_is_told_why(
    mosquitto: Mosquitto, prefix: str, hello: dict[str, Any], code: str
) -> None:
    """The first message must be a hello of this protocol."""
    async with running_bridge(mosquitto, prefix) as bridge, bridge.connect() as connection:
        await connection.send(json.dumps(hello))
        assert json.loads(await connection.recv())["code"] == code
        with pytest.raises(ConnectionClosed):
            await connection.recv()


async def test_off_loopback_a_viewer_needs_the_token(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """Without the token neither the WebSocket nor the API tells anything; with it, both do."""
    token_file = tmp_path / "token"
    token_file.write_text("secret\n")
    async with running_bridge(mosquitto, prefix, host="0.0.0.0", token_file=str(token_file)) as bridge:
        for token, answer in ((None, "bad_token"), ("wrong", "bad_token"), ("secret", None)):
            async with bridge.connect() as connection:
                await connection.send(json.dumps({"type": "hello", "protocol": 1, "token": token}))
                assert json.loads(await connection.recv()).get("code") == answer
        assert (await bridge.get("/api/hosts"))[0] == 401
        assert (await bridge.get("/api/hosts", Authorization="Bearer wrong"))[0] == 401
        assert (await bridge.get("/api/hosts", Authorization="Bearer secret"))[0] == 200
        assert (await bridge.get("/"))[0] == 200


async def test_pages_and_names_of_others_are_shut_out(mosquitto: Mosquitto, prefix: str) -> None:
    """A foreign Origin cannot open the WebSocket, a foreign Host gets no answer at all."""
    async with running_bridge(mosquitto, prefix) as bridge:
        with pytest.raises(InvalidStatus) as caught:
            async with bridge.connect(Origin="https://evil.example"):
                pass
        assert caught.value.response.status_code == 403
        assert (await bridge.get("/", Host="evil.example"))[0] == 403


async def test_the_page_is_served_with_its_rules(mosquitto: Mosquitto, prefix: str) -> None:
    """Every file comes with the content security policy, compressed, and once only while unchanged."""
    async with running_bridge(mosquitto, prefix) as bridge:
        status, body, headers = await bridge.get("/")
        assert status == 200
        assert body.lower().startswith(b"<!doctype html>")
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert (await bridge.get("/", If_None_Match=headers["ETag"]))[0] == 304
        _, compressed, headers = await bridge.get("/", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(compressed) == body
        head = await bridge.get("/", method="HEAD")
        assert (head[0], head[1], head[2]["Content-Length"]) == (200, b"", str(len(body)))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../pyproject.toml", 404),
        ("GET", "/%2e%2e/pyproject.toml", 404),
        ("GET", "/api/hosts/nobody", 404),
        ("DELETE", "/", 405),
        ("GET", "/ws", 426),
    ],
)
async def test_what_is_not_there_is_refused(
    mosquitto: Mosquitto, prefix: str, method: str, path: str, status: int
) -> None:
    """No folder is served, no path leads out of the page, and no method but GET and HEAD is known."""
    async with running_bridge(mosquitto, prefix) as bridge:
        assert (await bridge.get(path, method=method))[0] == status


async def test_a_taken_port_is_an_error_that_names_it(mosquitto: Mosquitto, prefix: str) -> None:
    """The message tells which port, and how to choose another."""
    async with running_bridge(mosquitto, prefix) as bridge:
        told = BridgeSettings(broker=BrokerAccess(url=BrokerURL.parse(mosquitto.url)), port=bridge.port)
        with pytest.raises(BridgeError, match=f"port {bridge.port} .*choose another with --port"):
            await serve_until(told, asyncio.Event())


async def test_a_frozen_viewer_delays_nobody(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A viewer that stops reading is closed after its time, and the others get every pulse meanwhile."""
    monkeypatch.setattr(connections_module, "SLOW_CLOSE_SECONDS", 0.5)
    filler = "x" * 60_000
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with (
            bridge.viewer(hosts={"web-1": "*"}) as frozen,
            bridge.viewer(hosts={"web-1": "*"}) as healthy,
        ):
            await frozen.next("fleet")
            frozen.connection.transport.pause_reading()
            await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/probe")
            tick = 10
            while (await bridge.health())["viewers_closed_slow"] == 0:
                tick += 1
                payload = json.dumps({"time": tick, "tick": tick, "filler": filler})
                await agent.publish(f"{prefix}/web-1/live/collector", payload)
                while (await _live_with(healthy, "collector"))["samples"]["collector"]["tick"] != tick:
                    pass
            frozen.connection.transport.abort()
        await bridge.until_health(lambda health: health["viewers"] == 0, "all left")


async def _rejected(bridge: Bridge, messages: int) -> None:
    await bridge.until_health(lambda health: health["messages_rejected"] >= messages, "garbage is counted")


async def _until_subscribed(bridge: Bridge, agent: aiomqtt.Client, topic: str) -> None:
    host, group = topic.split("/")[-3], topic.rsplit("/", maxsplit=1)[-1]

    async def arrives() -> bool:
        await agent.publish(topic, '{"time":1,"tick":1}', qos=1)
        _, body, _ = await bridge.get(f"/api/hosts/{host}")
        return group in json.loads(body)["live"]

    await wait_until(arrives, f"{topic} is subscribed")


async def _live_with(viewer: Viewer, group: str) -> dict[str, Any]:
    while group not in (frame := await viewer.next("live"))["samples"]:
        pass
    return frame


async def test_compressed_frames_carry_the_same(mosquitto: Mosquitto, prefix: str) -> None:
    """With compression on, viewers that offer it get compressed frames, and all get the same content."""
    async with (
        running_bridge(mosquitto, prefix, compress=True) as bridge,
        publisher(mosquitto) as agent,
    ):
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with bridge.viewer(fleet=True) as compressed, bridge.viewer(fleet=True, plain=True) as plain:
            assert compressed.connection.protocol.extensions
            assert not plain.connection.protocol.extensions
            for viewer in (compressed, plain):
                await viewer.next("fleet")
            for tick in (2, 3):
                await agent.publish(f"{prefix}/web-1/pulse", pulse(tick, filler="x" * 5000))
                for viewer in (compressed, plain):
                    frame = await viewer.next("pulse")
                    assert frame["hosts"] == {"web-1": json.loads(pulse(tick, filler="x" * 5000))}


async def test_a_viewer_that_was_slow_gets_the_newest_and_is_told(mosquitto: Mosquitto, prefix: str) -> None:
    """What it missed is not sent afterwards: the newest replaced it, and a notice says so."""
    filler = "x" * 60_000
    last = 100
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with (
            bridge.viewer(hosts={"web-1": "*"}) as slow,
            bridge.viewer(hosts={"web-1": "*"}) as healthy,
        ):
            await slow.next("fleet")
            slow.connection.transport.pause_reading()
            await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/probe")
            for tick in range(1, last + 1):
                payload = json.dumps({"time": tick, "tick": tick, "filler": filler})
                await agent.publish(f"{prefix}/web-1/live/collector", payload)
                while (await _live_with(healthy, "collector"))["samples"]["collector"]["tick"] != tick:
                    pass
            slow.connection.transport.resume_reading()
            got = []
            while last not in got:
                got.append((await _live_with(slow, "collector"))["samples"]["collector"]["tick"])
            assert len(got) < last
            kinds = [message["type"] for message in slow.received]
            assert "notice" in kinds


async def test_a_viewer_that_is_too_slow_is_told_why_it_is_closed(
    mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed with 1013, which it reads when it reads again."""
    monkeypatch.setattr(connections_module, "SLOW_CLOSE_SECONDS", 0.5)
    monkeypatch.setattr(listener_module, "SHUTDOWN_SECONDS", 30)
    filler = "x" * 60_000
    async with running_bridge(mosquitto, prefix) as bridge, publisher(mosquitto) as agent:
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        await bridge.until_known("web-1")
        async with bridge.viewer(hosts={"web-1": "*"}) as frozen:
            await frozen.next("fleet")
            frozen.connection.transport.pause_reading()
            await _until_subscribed(bridge, agent, f"{prefix}/web-1/live/probe")
            tick = 0
            while (await bridge.health())["viewers_closed_slow"] == 0:
                tick += 1
                payload = json.dumps({"time": tick, "tick": tick, "filler": filler})
                await agent.publish(f"{prefix}/web-1/live/collector", payload)
            frozen.connection.transport.resume_reading()
            with pytest.raises(ConnectionClosed) as caught:
                await frozen.next("never")
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1013, "too slow")
