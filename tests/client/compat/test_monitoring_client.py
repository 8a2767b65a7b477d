import asyncio
import inspect
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetglass.client import (
    LoggingHandler,
    MonitoringClient,
    MonitoringHandler,
    NotConnected,
    SimpleMonitoringClient,
    Unreachable,
    WebSocketClient,
)
from fleetglass.client.compat.loop_thread import LoopThread
from support.ports import free_port
from support.scripted_bridge import ScriptedBridge, scripted_bridge
from support.waiting import wait_for, wait_until


class ThreadedBridge:
    """A scripted bridge in another thread, for clients that block this one."""

    def __init__(self) -> None:
        self._thread = LoopThread("bridge of the test")
        self._context = scripted_bridge()
        self.bridge: ScriptedBridge = self._thread.run(self._context.__aenter__())
        self.url = self.bridge.url

    def pulses(self, *hosts: str, **values: Any) -> None:
        """Send one frame with a pulse of each host."""
        self._thread.run(self.bridge.pulses(*hosts, **values))

    def stop(self) -> None:
        """End it."""
        self._thread.run(self._context.__aexit__(None, None, None))
        self._thread.stop()


@pytest.fixture
def threaded() -> Iterator[ThreadedBridge]:
    """Give a bridge to programs without an event loop."""
    bridge = ThreadedBridge()
    yield bridge
    bridge.stop()


def test_parameters() -> None:
    """The constructor takes every promised parameter, with its promised default."""
    parameters = inspect.signature(MonitoringClient).parameters
    promised = {
        "format_type": "simple",
        "color": True,
        "reconnect": True,
        "reconnect_interval": 5.0,
        "max_reconnect_attempts": None,
        "ping_interval": 30.0,
        "ping_timeout": 10.0,
        "operation_timeout": 5.0,
        "save_data": None,
        "store_history": False,
        "sync_mode": False,
        "logger": None,
        "on_message": None,
        "on_error": None,
        "on_connect": None,
        "on_disconnect": None,
        "on_connection_event": None,
    }
    assert {name: parameters[name].default for name in promised} == promised
    assert next(iter(parameters)) == "uri"
    low = inspect.signature(WebSocketClient).parameters
    names = list(low)[:2] + [name for name in low if name in promised and name != "logger"]
    assert names == [
        "uri",
        "logger",
        "reconnect",
        "reconnect_interval",
        "max_reconnect_attempts",
        "ping_interval",
        "ping_timeout",
        "operation_timeout",
    ]


async def test_async_context() -> None:
    """`start_async` returns while messages come, and leaving disconnects."""
    async with scripted_bridge() as bridge:
        async with MonitoringClient(bridge.url) as client:
            assert not client.is_connected()
            assert client.get_last_data() is None
            await client.start_async()
            assert client.is_connected()
            await bridge.pulses("a")
            await wait_until(client.get_last_data, "a message")
        assert not client.is_connected()
        assert client.get_statistics()["current_state"] == "disconnected"


async def test_functions() -> None:
    """Each function, asynchronous or not, is told of what it is for."""
    told: list[tuple[str, Any]] = []

    async def on_connect() -> None:
        told.append(("connect", None))

    async with scripted_bridge() as bridge:
        async with MonitoringClient(
            bridge.url,
            reconnect_interval=0.02,
            on_message=lambda message: told.append(("message", message["host"])),
            on_error=lambda error: told.append(("error", type(error))),
            on_connect=on_connect,
            on_disconnect=lambda: told.append(("disconnect", None)),
            on_connection_event=lambda kind, text: told.append(("event", (kind, text))),
        ) as client:
            await client.start_async()
            await bridge.pulses("a")
            await wait_until(lambda: ("message", "a") in told, "the message")
            bridge.cut()
            await wait_until(lambda: ("error", Unreachable) in told, "the error")
            await wait_until(lambda: told.count(("connect", None)) == 2, "the second connection")
            assert told.count(("disconnect", None)) == 1
        assert told.count(("disconnect", None)) == 2
    kinds = [what[0] for name, what in told if name == "event"]
    assert kinds == ["connecting", "connected", "reconnecting", "connected", "disconnected"]
    assert ("event", ("connected", f"connected after connecting: {bridge.url}")) in told


async def test_a_raising_function_reaches_on_error() -> None:
    """What `on_message` raises is given to `on_error`, and messages go on."""
    errors: list[Exception] = []

    def on_message(message: Any) -> None:
        raise KeyError(message["host"])

    async with (
        scripted_bridge() as bridge,
        MonitoringClient(bridge.url, on_message=on_message, on_error=errors.append) as client,
    ):
        await client.start_async()
        await bridge.pulses("a", "b")
        await wait_until(lambda: len(errors) == 2, "both errors")
        assert client.is_connected()
    assert [repr(error) for error in errors] == ["KeyError('a')", "KeyError('b')"]


async def test_failures_to_start() -> None:
    """A start that fails raises, and reconnecting does not make it wait for ever."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    with pytest.raises(Unreachable, match="connection refused"):
        await MonitoringClient(url, reconnect=False).start_async()
    with pytest.raises(TimeoutError, match="connection refused"):
        await MonitoringClient(url, operation_timeout=0.1).start_async()


async def test_history_and_last_data() -> None:
    """The history is that of all hosts in order, the last data also of each."""
    async with scripted_bridge() as bridge, MonitoringClient(bridge.url, store_history=True) as client:
        await client.start_async()
        for _ in range(6):
            await bridge.pulses(*(f"host-{number}" for number in range(200)))
        await wait_until(lambda: client.monitoring_handler.message_count == 1200, "all messages")
        history = client.get_history()
        assert len(history) == 1000
        assert [message["host"] for message in history[:2]] == ["host-0", "host-1"]
        assert len(client.get_history("host-7")) == 5
        last = client.get_last_data()
        assert last is not None
        assert last["host"] == "host-199"
        assert client.get_last_data("host-3") is not None
        await bridge.say(type="host", id="host-3", removed=True)
        await wait_until(lambda: client.get_last_data("host-3") is None, "a host that is gone is forgotten")


async def test_no_history() -> None:
    """Without `store_history` nothing but the last message is kept, and asking is an error."""
    with pytest.raises(ValueError, match="expected store_history=True"):
        MonitoringClient().get_history()


async def test_statistics_and_handlers(tmp_path: Path) -> None:
    """Handlers are at hand, their statistics among those of the client."""

    class AlertHandler:
        """Counts messages from a use of CPU on."""

        def __init__(self, threshold: float = 80) -> None:
            self.threshold = threshold
            self.alerts = 0

        def handle_message(self, message: Any) -> None:
            if message["data"]["processor"]["usage_percent"] >= self.threshold:
                self.alerts += 1

        def get_stats(self) -> dict[str, int]:
            return {"alerts": self.alerts}

    path = tmp_path / "data.jsonl"
    async with scripted_bridge() as bridge:
        client = MonitoringClient(bridge.url, save_data=path)
        low, high = AlertHandler(40), AlertHandler()
        plain: list[Any] = []
        client.add_custom_handler("monitoring_data", low)
        client.add_custom_handler("monitoring_data", high)
        client.add_custom_handler("monitoring_data", plain.append)
        async with client:
            await client.start_async()
            await bridge.pulses("a", "b")
            await wait_until(lambda: len(plain) == 2 and low.alerts == 2, "the handlers")
    told = client.get_statistics()
    assert told["handlers"] == {
        "monitoring": {"message_count": 2, "hosts": 2, "history_size": 0},
        "logging": {"message_count": 2, "log_file": str(path)},
        "AlertHandler": {"alerts": 2},
        "AlertHandler-2": {"alerts": 0},
    }
    assert told["messages_received"] == 2
    assert [json.loads(line) for line in path.read_text().splitlines()] == plain
    assert isinstance(client.monitoring_handler, MonitoringHandler)
    assert isinstance(client.logging_handler, LoggingHandler)
    assert isinstance(client.ws_client, WebSocketClient)
    assert MonitoringClient().logging_handler is None


def test_unknown_formats() -> None:
    """A format that there is not is an error, at the start and later."""
    with pytest.raises(ValueError, match="got 'xml', expected"):
        MonitoringClient(format_type="xml")
    client = MonitoringClient()
    with pytest.raises(ValueError, match="got 'xml', expected"):
        client.set_formatter("xml")


async def test_display() -> None:
    """What is shown is formatted, connection and errors among it, and may change."""
    shown: list[str] = []
    async with (
        scripted_bridge() as bridge,
        MonitoringClient(bridge.url, color=False, show=shown.append) as client,
    ):
        await client.start_async()
        await bridge.pulses("a")
        await wait_until(lambda: len(shown) == 2, "the first message")
        client.set_formatter("json", False)
        await bridge.pulses("a")
        await bridge.say(type="error", code="too_many_viewers", text="at most 3")
        await wait_until(lambda: len(shown) == 4, "the second message, and the error")
    assert shown[0] == f"connected to {bridge.url}"
    assert shown[1].startswith("a  CPU: 45.2% |")
    assert json.loads(shown[2])["data"]["processor"] == {"usage_percent": 45.2}
    assert "bridge: at most 3" in shown[3]


async def test_a_logger_of_ones_own(caplog: pytest.LogCaptureFixture) -> None:
    """Connections and errors go to the logger that was given, by level."""
    logger = logging.getLogger("of-the-test")
    caplog.set_level(logging.DEBUG, "of-the-test")
    with pytest.raises(Unreachable):
        await MonitoringClient(
            f"ws://127.0.0.1:{free_port()}/ws", logger=logger, reconnect=False
        ).start_async()
    levels = {record.levelname for record in caplog.records if record.name == "of-the-test"}
    assert levels == {"DEBUG", "WARNING"}


async def test_send_async() -> None:
    """An object is sent as JSON; `send` is refused on an event loop, which it would block."""
    async with scripted_bridge() as bridge, MonitoringClient(bridge.url) as client:
        with pytest.raises(NotConnected):
            await client.send_async({"type": "ping", "id": 1})
        await client.start_async()
        await client.send_async({"type": "ping", "id": 7})
        await wait_until(lambda: bridge.heard[-1] == {"type": "ping", "id": 7}, "the message")
        with pytest.raises(TypeError):
            await client.send_async({"type": object()})
        for method, arguments in ((client.send, [{}]), (client.start, []), (client.stop, [])):
            with pytest.raises(RuntimeError, match=f"{method.__name__}_async"):
                method(*arguments)


async def test_stopped_by_its_own_function() -> None:
    """A function may stop its client, from the event loop."""
    async with scripted_bridge() as bridge:
        client = MonitoringClient(bridge.url)

        async def on_message(_: Any) -> None:
            await client.stop_async()

        client.ws_client.on("monitoring_data", on_message)
        await client.start_async()
        await bridge.pulses("a")
        await client.wait_async()
        await wait_until(lambda: not client.is_connected(), "stopped")


def test_sync_mode(threaded: ThreadedBridge) -> None:
    """Without an event loop, functions run in threads of the client."""
    told: list[tuple[str, Any]] = []

    def on_message(message: Any) -> None:
        told.append((threading.current_thread().name, message["host"]))

    async def asynchronous(_: Any) -> None:
        told.append((threading.current_thread().name, "asynchronous"))

    with MonitoringClient(threaded.url, sync_mode=True, on_message=on_message) as client:
        client.add_custom_handler("monitoring_data", asynchronous)
        client.start()
        assert client.is_connected()
        with pytest.raises(RuntimeError, match="got a client that runs"):
            client.start()
        threaded.pulses("a")
        wait_for(lambda: len(told) == 2, "both functions")
        client.send({"type": "ping", "id": 1})
        wait_for(lambda: threaded.bridge.heard[-1]["type"] == "ping", "the message")
        client.wait(0.01)
        assert client.get_last_data("a") is not None
    assert not client.is_connected()
    assert sorted(told) == [("fleetglass callback", "a"), ("fleetglass client", "asynchronous")]
    client.stop()
    with pytest.raises(NotConnected):
        client.send({})
    client.wait()


def test_sync_mode_from_a_function(threaded: ThreadedBridge) -> None:
    """A function may stop its client, from its thread; the client may be started again."""
    client = MonitoringClient(threaded.url, sync_mode=True, on_message=lambda _: client.stop())
    for _ in range(2):
        client.start()
        threaded.pulses("a")
        wait_for(lambda: not client.is_connected(), "stopped")
        client.stop()


def test_sync_mode_must_be_asked_for() -> None:
    """`start` without `sync_mode` is an error, and a start that fails raises as the other."""
    with pytest.raises(RuntimeError, match="expected it, or start_async"):
        MonitoringClient().start()
    with pytest.raises(RuntimeError, match="expected it, or async with"):
        MonitoringClient().__enter__()
    before = threading.active_count()
    client = MonitoringClient(f"ws://127.0.0.1:{free_port()}/ws", sync_mode=True, reconnect=False)
    with pytest.raises(Unreachable):
        client.start()
    assert threading.active_count() == before


def test_simple_client(threaded: ThreadedBridge, capsys: pytest.CaptureFixture[str]) -> None:
    """The simple client prints and tells of each message between `connect` and `disconnect`."""
    told: list[Any] = []
    client = SimpleMonitoringClient(threaded.url, told.append, format_type="compact")
    assert not client.is_connected()
    client.connect()
    assert client.is_connected()
    threaded.pulses("a")
    wait_for(lambda: told, "the message")
    client.wait(0.01)
    client.disconnect()
    assert not client.is_connected()
    out = capsys.readouterr().out
    assert out.startswith(f"connected to {threaded.url}\n")
    assert "CPU:45%" in out


def test_simple_client_that_prints_nothing(
    threaded: ThreadedBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `auto_print` nothing is printed."""
    told: list[Any] = []
    with SimpleMonitoringClient(threaded.url, told.append, auto_print=False):
        threaded.pulses("a")
        wait_for(lambda: told, "the message")
    assert capsys.readouterr().out == ""


async def test_many_clients_in_one_loop() -> None:
    """One client per bridge, and one dictionary of what all of them said last."""
    async with scripted_bridge() as one, scripted_bridge() as two:
        clients = {name: MonitoringClient(bridge.url) for name, bridge in (("one", one), ("two", two))}
        await asyncio.gather(*(client.start_async() for client in clients.values()))
        await one.pulses("a", cpu_percent=10.0)
        await two.pulses("b", cpu_percent=30.0)
        await wait_until(lambda: all(client.get_last_data() for client in clients.values()), "both")
        uses = [
            last["data"]["processor"]["usage_percent"]
            for client in clients.values()
            if (last := client.get_last_data())
        ]
        await asyncio.gather(*(client.stop_async() for client in clients.values()))
    assert sum(uses) / len(uses) == 20
