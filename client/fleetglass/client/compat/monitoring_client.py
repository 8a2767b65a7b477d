"""Following hosts from a program, with or without an event loop of its own."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fleetglass.client.bridge_source import DEFAULT_URL, PING_INTERVAL, PING_TIMEOUT
from fleetglass.client.compat.callbacks import Function
from fleetglass.client.compat.handlers import Handler, LoggingHandler, Message, MonitoringHandler
from fleetglass.client.compat.loop_thread import LoopThread
from fleetglass.client.compat.websocket_client import (
    OPERATION_TIMEOUT,
    RECONNECT_INTERVAL,
    Arguments,
    WebSocketClient,
    data_alone,
)
from fleetglass.client.formatting.formatters import Formatter, formatter
from fleetglass.client.statistics import ConnectionState
from fleetglass.wire.errors import NotConnected


class MonitoringClient:
    """Follows one host, several, or the whole fleet of a bridge.

    With an event loop of the program's own: `async with MonitoringClient() as client: await
    client.start_async()`. Without one: `with MonitoringClient(sync_mode=True) as client: client.start()`.
    Both connect and return; what comes then goes to the functions `on_…`. A coroutine function is called on
    the event loop, any other in a thread of its own, in order; a slow one misses the oldest messages and
    nothing else, and what one raises goes to `on_error`. In `sync_mode` the event loop is a thread of the
    client.

    Args:
        uri: the address of the bridge's WebSocket.
        format_type: how `show` is given messages: `simple`, `detailed`, `compact`, `json`, or a formatter.
        color: whether it is given colours.
        reconnect: whether a broken connection is tried again.
        reconnect_interval: seconds before the second try; they double, with jitter.
        max_reconnect_attempts: tries in vain after which it gives up; without it, never.
        ping_interval: seconds between two signs of life that are asked of the bridge.
        ping_timeout: seconds that each may take.
        operation_timeout: seconds that connecting, and sending, may take.
        save_data: a file to which every message is appended, one JSON object a line, begun anew at 10 MiB.
        store_history: whether the last 1000 messages are kept.
        sync_mode: whether `start` is used instead of `start_async`.
        logger: told of errors and connections.
        on_message: called with each message, the envelope `{"timestamp", "type", "host", "data"}`.
        on_error: called with each exception: of the connection, of the bridge, of the other functions.
        on_connect: called without arguments when a connection is there.
        on_disconnect: called without arguments when one is not there any more, whether lost or left.
        on_connection_event: called with the name of each new state, and a text.
        show: called with the text of each message, of each error and of what happens to the connection; for
            one, `print`.
        hosts: the ids of hosts to follow; without them, the whole fleet.
        token: the viewer token, where the bridge asks for one.
        headers: HTTP headers of the handshake.
        ca_file: certificates (PEM) to trust of a `wss` address, instead of the system's.

    Raises:
        ValueError: there is no such format, a host id is none, or a number of seconds is not above 0.
        OSError: `save_data` or `ca_file` cannot be opened.
    """

    def __init__(
        self,
        uri: str = DEFAULT_URL,
        *,
        format_type: str | Formatter = "simple",
        color: bool = True,
        reconnect: bool = True,
        reconnect_interval: float = RECONNECT_INTERVAL,
        max_reconnect_attempts: int | None = None,
        ping_interval: float = PING_INTERVAL,
        ping_timeout: float = PING_TIMEOUT,
        operation_timeout: float = OPERATION_TIMEOUT,
        save_data: str | Path | None = None,
        store_history: bool = False,
        sync_mode: bool = False,
        logger: logging.Logger | None = None,
        on_message: Function | None = None,
        on_error: Function | None = None,
        on_connect: Function | None = None,
        on_disconnect: Function | None = None,
        on_connection_event: Function | None = None,
        show: Callable[[str], Any] | None = None,
        hosts: Collection[str] = (),
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        ca_file: str | Path | None = None,
    ) -> None:
        self.set_formatter(format_type, color)
        self._ws_client = WebSocketClient(
            uri,
            logger,
            reconnect=reconnect,
            reconnect_interval=reconnect_interval,
            max_reconnect_attempts=max_reconnect_attempts,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            hosts=hosts,
            token=token,
            headers=headers,
            ca_file=ca_file,
            operation_timeout=operation_timeout,
        )
        self._monitoring_handler = MonitoringHandler(store_history=store_history)
        self._logging_handler = LoggingHandler(save_data) if save_data is not None else None
        self._handlers: dict[str, Any] = {"monitoring": self._monitoring_handler}
        self._sync_mode = sync_mode
        self._thread: LoopThread | None = None
        inline = self._monitoring_handler  # first, so that functions find there what they are told
        self._ws_client.subscribe("monitoring_data", inline.handle_message, data_alone, inline=True)
        self._ws_client.subscribe("host_state", inline.forget, _gone_host, inline=True)
        if self._logging_handler is not None:
            self.add_custom_handler("monitoring_data", self._logging_handler)
        told: tuple[tuple[str, Function | None, Arguments], ...] = (
            ("monitoring_data", on_message, data_alone),
            ("error", on_error, data_alone),
            ("state_change", on_connect, _became_connected),
            ("state_change", on_disconnect, _was_connected),
            ("state_change", on_connection_event, self._connection_event),
            ("*", show, self._shown),
        )
        for event, function, arguments in told:
            if function is not None:
                self._ws_client.subscribe(event, function, arguments)

    @property
    def ws_client(self) -> WebSocketClient:
        """The connection, for its other events."""
        return self._ws_client

    @property
    def monitoring_handler(self) -> MonitoringHandler:
        """What keeps the messages."""
        return self._monitoring_handler

    @property
    def logging_handler(self) -> LoggingHandler | None:
        """What writes the messages to `save_data`."""
        return self._logging_handler

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """`state` and `since` (UTC, seconds) of each host, as the bridge last told."""
        return self._ws_client.hosts

    def is_connected(self) -> bool:
        """Return whether the bridge answers."""
        return self._ws_client.is_connected()

    def get_last_data(self, host: str | None = None) -> Message | None:
        """Return the last message, of one host or of all; None when there was none."""
        return self._monitoring_handler.get_last_data(host)

    def get_history(self, host: str | None = None) -> list[Message]:
        """Return the last 1000 messages, oldest first, those of one host or all.

        Raises:
            ValueError: the client was made without `store_history`.
        """
        return self._monitoring_handler.get_history(host)

    def get_statistics(self) -> dict[str, Any]:
        """Return the counts of the connection, and under `handlers` those of each handler that has some."""
        stats = {name: one.get_stats() for name, one in self._handlers.items() if hasattr(one, "get_stats")}
        return self._ws_client.get_statistics() | {"handlers": stats}

    def set_formatter(
        self,
        format_type: str | Formatter,
        color: bool = True,  # noqa: FBT001, FBT002 - as promised
    ) -> None:
        """Show messages otherwise from now on.

        Raises:
            ValueError: there is no such format.
        """
        if isinstance(format_type, str):
            format_type = formatter(format_type, color=color)
        self._formatter = format_type

    def add_custom_handler(self, event: str, handler: Handler | Function) -> None:
        """Give each event of a type to a function, or to the `handle_message` of an object.

        `event` is one of `WebSocketClient`. What the object's `get_stats` returns is in `get_statistics`,
        under its `name` or that of its class.
        """
        if not isinstance(handler, Handler):
            self._ws_client.on(event, handler)
            return
        self._ws_client.on(event, handler.handle_message)
        name = str(getattr(handler, "name", type(handler).__name__))
        number = sum(other.partition("-")[0] == name for other in self._handlers)
        self._handlers[f"{name}-{number + 1}" if number else name] = handler

    async def start_async(self) -> None:
        """Connect, and return when the bridge has answered; from then on messages come.

        Raises:
            Refused: the address is wrong, or the bridge does not accept what we say.
            Unreachable: no bridge answers, and it is not, or not any more, to be tried again.
            TimeoutError: no bridge answered within `operation_timeout`.
            RuntimeError: it was started already.
        """
        await self._ws_client.start()

    async def stop_async(self) -> None:
        """Disconnect. What waits for the functions is given to them, at most for a second."""
        await self._ws_client.stop()
        if self._logging_handler is not None:
            self._logging_handler.close()

    async def wait_async(self, seconds: float | None = None) -> None:
        """Return when the client is stopped or has given up, or after so many seconds."""
        await self._ws_client.wait(seconds)

    async def send_async(self, data: Any) -> None:
        """Send a message of the viewer protocol, as JSON.

        Raises:
            NotConnected: there is no connection now.
            TypeError: it cannot be expressed as JSON.
            TimeoutError: it could not be sent within `operation_timeout`.
        """
        await self._ws_client.send(data)

    def start(self) -> None:
        """As `start_async`, from a program without an event loop; the client was made with `sync_mode`."""
        _refuse_on_event_loop("start")
        if not self._sync_mode:
            raise RuntimeError("start: got a client without sync_mode=True; expected it, or start_async")
        if self._thread is not None:
            raise RuntimeError("start: got a client that runs, expected one that was stopped")
        thread = LoopThread("fleetglass client")
        try:
            thread.run(self.start_async())
        except BaseException:
            thread.stop()
            raise
        self._thread = thread

    def stop(self) -> None:
        """As `stop_async`; repeating it does nothing."""
        _refuse_on_event_loop("stop")
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.run(self.stop_async())
            thread.stop()

    def wait(self, seconds: float | None = None) -> None:
        """As `wait_async`."""
        _refuse_on_event_loop("wait")
        if self._thread is not None:
            self._thread.run(self.wait_async(seconds))

    def send(self, data: Any) -> None:
        """As `send_async`.

        Raises:
            RuntimeError: it was called on an event loop, which it would block.
        """
        _refuse_on_event_loop("send")
        if self._thread is None:
            raise NotConnected("send: got a client that does not run, expected one that was started")
        self._thread.run(self.send_async(data))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop_async()

    def __enter__(self) -> Self:
        if not self._sync_mode:
            raise RuntimeError("with: got a client without sync_mode=True; expected it, or async with")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _connection_event(self, _event: str, change: Any) -> tuple[str, str]:
        new, old = change["new_state"], change["old_state"]
        return new, f"{new} after {old}: {self._ws_client.uri}"

    def _shown(self, event: str, data: Any) -> tuple[str] | None:
        match event:
            case "monitoring_data":
                return (self._formatter.format_monitoring_data(data),)
            case "connection_message":
                return (self._formatter.format_connection_message(data),)
            case "error":
                return (self._formatter.format_error(str(data)),)
        return None


def _gone_host(_event: str, change: Any) -> tuple[str] | None:
    return (change["host"],) if change["new_state"] is None else None


def _became_connected(_event: str, change: Any) -> tuple[()] | None:
    return () if change["new_state"] == ConnectionState.CONNECTED else None


def _was_connected(_event: str, change: Any) -> tuple[()] | None:
    return () if change["old_state"] == ConnectionState.CONNECTED else None


def _refuse_on_event_loop(name: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"{name}: got a call on an event loop, which it would block; expected {name}_async")
