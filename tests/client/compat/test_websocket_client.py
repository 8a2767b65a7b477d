import asyncio
import logging
import threading
import time
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from fleetglass.client import NotConnected, Refused, Unreachable, WebSocketClient
from support.ports import free_port
from support.scripted_bridge import WELCOME, scripted_bridge
from support.waiting import wait_until

Events = list[tuple[str, Any]]


def listen(client: WebSocketClient) -> Events:
    """Return what becomes of all events of a client."""
    events: Events = []
    client.on("*", lambda event, data: events.append((event, data)))
    return events


def states(events: Events) -> list[str]:
    return [data["new_state"] for event, data in events if event == "state_change"]


async def test_events() -> None:
    """Each event has its promised signature, and `*` gets the name and what is told of any."""
    told: dict[str, list[Any]] = {}
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url)
        names = ("monitoring_data", "connection_message", "error_message", "state_change", "host_state")
        for name in names:
            client.on(name, told.setdefault(name, []).append)
        events = listen(client)
        await client.start()
        await bridge.say(type="fleet", time=1.0, hosts=[{"id": "a", "state": "live", "since": 2.0}])
        await bridge.pulses("a")
        await bridge.say(type="error", code="too_many_viewers", text="at most 3")
        await wait_until(lambda: len(told["error_message"]) == 1, "all events")
        await client.stop()
    [data] = told["monitoring_data"]
    assert (data["host"], data["data"]["processor"]) == ("a", {"usage_percent": 45.2})
    assert told["connection_message"] == [f"connected to {bridge.url}"]
    assert told["error_message"] == [f"bridge: at most 3 ({bridge.url})"]
    assert told["state_change"][0] == {"old_state": "disconnected", "new_state": "connecting"}
    assert told["host_state"] == [{"host": "a", "old_state": None, "new_state": "live", "since": 2.0}]
    assert {name: [data for event, data in events if event == name] for name in names} == told
    assert [type(data) for event, data in events if event == "error"] == [Refused]


async def test_states_of_a_connection_that_breaks() -> None:
    """The link comes back by itself, and the statistics tell all of it."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url, reconnect_interval=0.02)
        events = listen(client)
        assert client.state == "disconnected"
        await client.start()
        assert client.is_connected()
        bridge.cut()
        await bridge.until_connected(2)
        await wait_until(client.is_connected, "connected again")
        told = client.get_statistics()
        await client.stop()
        assert not client.is_connected()
    assert states(events) == ["connecting", "connected", "reconnecting", "connected", "disconnected"]
    assert (told["reconnect_attempts"], told["total_disconnections"], told["error_count"]) == (1, 1, 1)
    assert told["last_error"].startswith("bridge: connection lost: no goodbye")
    assert told["error_history"][0]["type"] == "Unreachable"
    assert (told["messages_received"], told["messages_sent"]) == (2, 4)
    assert told["bytes_received"] > 200
    assert told["bytes_sent"] > 100
    assert told["current_state"] == "connected"
    assert told["uptime_seconds"] > 0


async def test_gives_up() -> None:
    """After the last try in vain it goes by `error` to `disconnected`, and says why."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url, reconnect_interval=0.01, max_reconnect_attempts=2)
        events = listen(client)
        await client.start()
    await client.wait()
    await client.stop()
    assert states(events) == ["connecting", "connected", "reconnecting", "error", "disconnected"]
    errors = [data for event, data in events if event == "error"]
    assert [type(error) for error in errors] == [Unreachable] * 3
    assert client.get_statistics()["reconnect_attempts"] == 2


async def test_clean_close_does_not_spin() -> None:
    """A bridge that closes each connection at once is tried again after pauses that grow."""
    tries: list[float] = []

    async def handle(connection: ServerConnection) -> None:
        tries.append(time.monotonic())
        await connection.close()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        client = WebSocketClient(f"ws://127.0.0.1:{port}/ws", reconnect_interval=0.2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.start(), 1.0)
    assert 2 <= len(tries) <= 5
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2


async def test_a_bridge_that_does_not_answer() -> None:
    """A start ends with an error after the operation's timeout, and leaves nothing behind."""
    async with scripted_bridge() as bridge:
        bridge.welcomes = False
        client = WebSocketClient(bridge.url, operation_timeout=0.2)
        with pytest.raises(TimeoutError, match=r"^bridge: no answer \(ws://.*\), expected one within 0.2 s$"):
            await client.start()
        assert client.state == "disconnected"
        bridge.welcomes = True
        await client.start()
        assert client.is_connected()
        with pytest.raises(RuntimeError, match="got a client that runs"):
            await client.start()
        await client.stop()
        await client.stop()


async def test_failures_to_start() -> None:
    """What another try cannot help is raised at once; without reconnecting, so is all."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    with pytest.raises(Unreachable, match="connection refused"):
        await WebSocketClient(url, reconnect=False).start()
    with pytest.raises(Refused, match="expected ws://"):
        await WebSocketClient("http://127.0.0.1").start()
    with pytest.raises(TimeoutError, match=r"connection refused \(.*\), expected one within 0.1 s"):
        await WebSocketClient(url, operation_timeout=0.1).start()


async def test_reconnect() -> None:
    """Asked to reconnect it does so at once, and counts that as no error."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url, reconnect=False)
        events = listen(client)
        await client.start()
        await client.reconnect()
        await bridge.until_connected(2)
        await wait_until(client.is_connected, "connected again")
        assert client.get_statistics()["error_count"] == 0
        await client.stop()
    assert states(events) == ["connecting", "connected", "reconnecting", "connected", "disconnected"]


async def test_off_and_remove_handler() -> None:
    """A function that was taken off is told no more, nor is any without naming one."""
    client = WebSocketClient()
    heard: list[str] = []

    async def one(data: str) -> None:
        heard.append("one " + data)

    async def two(data: str) -> None:
        heard.append("two " + data)

    client.on("mine", one)
    client.on("mine", two)
    client.emit("mine", "a")
    await wait_until(lambda: len(heard) == 2, "both are told")
    client.off("mine", one)
    client.emit("mine", "b")
    await wait_until(lambda: heard[2:] == ["two b"], "one is told")
    client.remove_handler("mine", two)
    client.on("mine", one)
    client.off("mine")
    client.emit("mine", "c")
    client.off("never")
    await asyncio.sleep(0)
    assert heard[3:] == []


async def test_raising_functions_stop_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A function that raises loses no connection; the error is counted, logged and told."""
    async with scripted_bridge() as bridge:
        logger = logging.getLogger("mine")
        client = WebSocketClient(bridge.url, logger)
        errors: list[Exception] = []

        def fails(*_: Any) -> None:
            raise ValueError("no good")

        client.on("monitoring_data", fails)
        client.on("*", fails)
        client.on("error", fails)
        client.on("error", errors.append)
        client.subscribe("monitoring_data", fails, lambda _event, data: (data,), inline=True)
        await client.start()
        await bridge.pulses("a", "b")
        # State changes and messages of the connection count as well, for the function of all events.
        await wait_until(lambda: len(errors) >= 6, "errors of all functions but that of errors")
        assert client.is_connected()
        assert {repr(error) for error in errors} == {"ValueError('no good')"}
        await client.stop()
    history = client.get_statistics()["error_history"]
    assert len(history) == 5
    assert history[-1]["type"] == "ValueError"
    assert "no good" in history[-1]["error"]
    assert any(record.name == "mine" and record.exc_info for record in caplog.records)


async def test_a_blocking_function_never_stops_receiving() -> None:
    """While a function blocks its thread all others are told; what it misses is counted."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url)
        heard: list[Any] = []
        done = threading.Event()
        client.on("monitoring_data", lambda _: done.wait(30))
        client.on("monitoring_data", heard.append)
        await client.start()
        for _ in range(12):
            await bridge.pulses(*(f"host-{number}" for number in range(100)))
        await wait_until(lambda: len(heard) == 1200, "all messages")
        assert client.is_connected()
        await client.stop()
        done.set()
    assert client.get_statistics()["dropped_calls"] == 1199


async def test_send() -> None:
    """An object is sent as JSON; without a connection, or what is no JSON, is an error."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url)
        with pytest.raises(NotConnected):
            await client.send({"type": "ping", "id": 1})
        await client.start()
        await client.send({"type": "ping", "id": 7})
        await wait_until(lambda: bridge.heard[-1] == {"type": "ping", "id": 7}, "the message")
        with pytest.raises(TypeError):
            await client.send({"type": object()})
        await client.stop()


async def test_what_a_bridge_is_told() -> None:
    """Headers and token go to the bridge, with the hosts that are followed."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(
            bridge.url, hosts=["a"], token="secret", headers={"Authorization": "Bearer x", "X-API-Key": "y"}
        )
        await client.start()
        await client.stop()
    assert (bridge.headers["Authorization"], bridge.headers["X-API-Key"]) == ("Bearer x", "y")
    assert bridge.heard[0]["token"] == "secret"
    assert bridge.heard[1]["hosts"] == {"a": ["cpu", "memory", "filesystem", "gpu"]}
    assert client.hosts == {"a": {"state": "waiting", "since": None}}


async def test_messages_of_the_bridge() -> None:
    """What the bridge says of its broker and of a slow viewer is a connection message."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url)
        events = listen(client)
        await client.start()
        await bridge.say(type="broker", state="connecting", since=1.0)
        await bridge.say(type="broker", state="connected", since=1.0)
        await bridge.say(type="notice", code="slow", text="you are slow")
        await wait_until(lambda: ("connection_message", "you are slow") in events, "the notice")
        await client.stop()
    assert [data for event, data in events if event == "connection_message"][1:] == [
        "the bridge has no broker at present; waiting",
        "the bridge has its broker again",
        "you are slow",
    ]


def test_promised_methods() -> None:
    """All promised methods are there."""
    names = [
        "on",
        "off",
        "emit",
        "remove_handler",
        "start",
        "stop",
        "reconnect",
        "is_connected",
        "get_statistics",
    ]
    assert [name for name in names if not callable(getattr(WebSocketClient, name))] == []
    assert WebSocketClient().state == "disconnected"


async def test_a_second_welcome_changes_nothing() -> None:
    """What a bridge says out of turn ends no connection."""
    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url)
        events = listen(client)
        await client.start()
        await bridge.say(**WELCOME)
        await bridge.pulses("a")
        await wait_until(lambda: any(event == "monitoring_data" for event, _ in events), "a message")
        await client.stop()
    assert states(events) == ["connecting", "connected", "disconnected"]


@pytest.mark.parametrize("name", ["reconnect_interval", "ping_interval", "ping_timeout", "operation_timeout"])
def test_seconds_that_are_none(name: str) -> None:
    """A pause of nothing, which would spin, is refused, and so are other times of nothing."""
    options: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"^{name}: got 0, expected seconds above 0$"):
        WebSocketClient(**options)


def test_what_is_no_host() -> None:
    """A text that is no host id is refused before anything is sent."""
    with pytest.raises(ValueError, match="host id: got 'Web 1'"):
        WebSocketClient(hosts=["Web 1"])


async def test_no_thread_is_left() -> None:
    """Functions that fail while the client stops are told of, and start nothing anew; a new start does."""
    before = threading.active_count()
    errors: list[Exception] = []

    def fails(_: Any) -> None:
        raise ValueError("no good")

    async with scripted_bridge() as bridge:
        client = WebSocketClient(bridge.url)
        client.on("error", errors.append)
        client.on("state_change", fails)
        for number in (1, 2):
            await client.start()
            await client.stop()
            assert len(errors) == 3 * number
    await wait_until(lambda: threading.active_count() == before, "the end of all threads")
