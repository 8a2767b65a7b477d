"""The events of a bridge for a program: one connection with its state, statistics and handlers."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from fleetglass.client.bridge_source import DEFAULT_URL, PING_INTERVAL, PING_TIMEOUT, BridgeSource
from fleetglass.client.compat.callbacks import Callback, Function
from fleetglass.client.compat.followed_hosts import FollowedHosts
from fleetglass.client.connection_notices import ConnectionNotices
from fleetglass.client.source import Interrupted
from fleetglass.client.statistics import ConnectionState, Statistics
from fleetglass.wire.errors import ClientError, Refused, Unreachable
from fleetglass.wire.hosts import check_host_id
from fleetglass.wire.protocol import BridgeMessage, BrokerChange, Error, Notice, PulseFrame, Welcome

RECONNECT_INTERVAL: Final = 5.0
OPERATION_TIMEOUT: Final = 5.0

Arguments = Callable[[str, Any], tuple[Any, ...] | None]
"""From the name of an event and what is told of it to the arguments of a function; None calls nothing."""


def data_alone(_event: str, data: Any) -> tuple[Any]:
    """Return what is told as the only argument."""
    return (data,)


class WebSocketClient:
    """Follows hosts over one WebSocket that finds its way back, and tells functions of what happens.

    | event | told |
    |---|---|
    | `monitoring_data` | the envelope of one host and tick |
    | `host_state` | `{"host", "old_state", "new_state", "since"}`; None is the state of a host that is gone |
    | `connection_message` | a text |
    | `error_message` | a text |
    | `error` | the exception: of the connection, of the bridge, or of a function of the program |
    | `state_change` | `{"old_state", "new_state"}`, lower-case names of `ConnectionState` |
    | `*` | the name of any event, and what is told of it |

    Functions are called as `Callback` describes. All methods belong to the event loop that runs `start`.

    Args:
        uri: the address of the bridge's WebSocket.
        logger: told of errors and connections; without one, that of this module.
        reconnect: whether a broken connection is tried again.
        reconnect_interval: seconds before the second try; they double, with jitter.
        max_reconnect_attempts: tries in vain after which it gives up; without it, never.
        ping_interval: seconds between two signs of life that are asked of the bridge.
        ping_timeout: seconds that each may take.
        hosts: the ids of hosts to follow; without them, the whole fleet.
        token: the viewer token, where the bridge asks for one.
        headers: HTTP headers of the handshake.
        ca_file: certificates (PEM) to trust of a `wss` address, instead of the system's.
        operation_timeout: seconds that connecting, and sending, may take.

    Raises:
        ValueError: a host id is none, or a number of seconds is not above 0.
        OSError: `ca_file` cannot be read; an `ssl.SSLError` when it holds no certificate.
    """

    def __init__(
        self,
        uri: str = DEFAULT_URL,
        logger: logging.Logger | None = None,
        *,
        reconnect: bool = True,
        reconnect_interval: float = RECONNECT_INTERVAL,
        max_reconnect_attempts: int | None = None,
        ping_interval: float = PING_INTERVAL,
        ping_timeout: float = PING_TIMEOUT,
        hosts: Collection[str] = (),
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        ca_file: str | Path | None = None,
        operation_timeout: float = OPERATION_TIMEOUT,
    ) -> None:
        seconds = {
            "reconnect_interval": reconnect_interval,
            "ping_interval": ping_interval,
            "ping_timeout": ping_timeout,
            "operation_timeout": operation_timeout,
        }
        for name, value in seconds.items():
            if not value > 0:
                raise ValueError(f"{name}: got {value}, expected seconds above 0")
        for host in hosts:
            check_host_id(host)
        self.uri = uri
        self.operation_timeout = operation_timeout
        self._logger = logger or logging.getLogger(__name__)
        self._hosts = FollowedHosts(hosts)
        self._make_source = partial(
            BridgeSource,
            uri,
            self._hosts.watch,
            token=token,
            headers=headers,
            tls=ssl.create_default_context(cafile=ca_file) if ca_file else None,
            reconnect=reconnect,
            reconnect_interval=reconnect_interval,
            max_reconnects=max_reconnect_attempts,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
        )
        self._source = self._make_source()
        self._statistics = Statistics(self._source.traffic)
        self._listeners: dict[str, tuple[_Listener, ...]] = {}
        self._task: asyncio.Task[None] | None = None
        self._asked_to_reconnect = False
        self._way = ConnectionNotices()

    @property
    def state(self) -> ConnectionState:
        """Where the connection is."""
        return self._statistics.state

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """`state` and `since` (UTC, seconds) of each host that is followed."""
        return self._hosts.states

    def is_connected(self) -> bool:
        """Return whether the bridge answers."""
        return self.state is ConnectionState.CONNECTED

    def get_statistics(self) -> dict[str, Any]:
        """Return the counts of `Statistics.as_dict`, and `dropped_calls` of functions that were too slow."""
        dropped = sum(one.callback.dropped for one in self._all_listeners())
        return self._statistics.as_dict() | {"uri": self.uri, "dropped_calls": dropped}

    def on(self, event: str, function: Function) -> None:
        """Call a function, or a coroutine function, of each such event from now on."""
        self.subscribe(event, function, _both if event == "*" else data_alone)

    def subscribe(
        self, event: str, function: Function, arguments: Arguments, *, inline: bool = False
    ) -> None:
        """As `on`, with arguments of choice.

        `inline` calls it at once on the event loop, without a queue: for what takes microseconds.
        """
        failed = partial(self._function_failed, event, function)
        listener = _Listener(Callback(function, failed), arguments, inline, failed)
        # Replaced, not changed: an event may be on its way to the functions.
        self._listeners[event] = (*self._listeners.get(event, ()), listener)

    def off(self, event: str, function: Function | None = None) -> None:
        """Call a function no more of such events; without a function, none at all. What waits is dropped."""
        listeners = self._listeners.pop(event, ())
        if kept := tuple(one for one in listeners if function not in (None, one.callback.function)):
            self._listeners[event] = kept
        for one in listeners:
            if one not in kept:
                one.callback.end()

    def remove_handler(self, event: str, function: Function) -> None:
        """As `off`."""
        self.off(event, function)

    def emit(self, event: str, data: Any) -> None:
        """Tell the functions of an event, be it one of the program's own."""
        self._tell((*self._listeners.get(event, ()), *self._listeners.get("*", ())), event, data)

    async def start(self) -> None:
        """Connect, and return when the bridge has answered; from then on events come.

        Raises:
            Refused: the address is wrong, or the bridge does not accept what we say.
            Unreachable: no bridge answers, and it is not, or not any more, to be tried again.
            TimeoutError: no bridge answered within `operation_timeout`.
            RuntimeError: it was started already.
        """
        if self._task is not None:
            raise RuntimeError("start: got a client that runs, expected one that was stopped")
        for listener in self._all_listeners():
            listener.callback.begin()
        self._source = self._make_source()
        self._source.traffic = self._statistics.traffic
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(answered), name="fleetglass client")
        try:
            async with asyncio.timeout(self.operation_timeout):
                await answered
        except TimeoutError as error:
            last = self._statistics.as_dict()["last_error"]
            reason = last or f"bridge: no answer ({self.uri})"
            raise TimeoutError(f"{reason}, expected one within {self.operation_timeout:g} s") from error
        finally:
            if not answered.done() or answered.cancelled() or answered.exception() is not None:
                await self.stop()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when it is stopped or has given up, or after so many seconds."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def stop(self) -> None:
        """Disconnect, and give each function a second to take what waits for it; again, do nothing."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        last = self._listeners.get("error", ())  # as the others may yet fail
        others = (one for one in self._all_listeners() if one not in last)
        await asyncio.gather(*(one.callback.close() for one in others))
        await asyncio.gather(*(one.callback.close() for one in last))

    async def reconnect(self) -> None:
        """Leave the connection, or the pause before the next try, and connect anew at once."""
        if self._task is not None:
            self._asked_to_reconnect = self.is_connected()
            await self._source.reconnect()

    async def send(self, data: Any) -> None:
        """Send a message of the viewer protocol, as JSON; a refusal by the bridge is an `error_message`.

        Raises:
            NotConnected: there is no connection now.
            TypeError: it cannot be expressed as JSON.
            TimeoutError: it could not be sent within `operation_timeout`.
        """
        text = msgspec.json.encode(data).decode()
        async with asyncio.timeout(self.operation_timeout):
            await self._source.send(text)

    async def _run(self, answered: asyncio.Future[None]) -> None:
        self._enter(ConnectionState.CONNECTING)
        try:
            async with aclosing(self._source.messages()) as messages:  # type: ignore[type-var] # it is a generator
                async for message in messages:
                    self._take(message, answered)
                    # Once a second, however many hosts have just come.
                    if isinstance(message, PulseFrame) and (watch := self._hosts.watch_again()) is not None:
                        await self._source.select(watch)
        except Exception as error:  # noqa: BLE001 - whoever waits for an answer must learn of any end
            self._enter(ConnectionState.ERROR)
            self._connection_failed(error)
            if not answered.done():
                answered.set_exception(error)
        finally:
            self._enter(ConnectionState.DISCONNECTED)

    def _take(self, message: BridgeMessage | Interrupted, answered: asyncio.Future[None]) -> None:
        match message:
            case Welcome() if not self.is_connected():
                self._enter(ConnectionState.CONNECTED)
                self.emit("connection_message", f"connected to {self.uri}")
                self._tell_way(message)
                if not answered.done():
                    answered.set_result(None)
            case Interrupted(reason=reason, delay=delay):
                if self.is_connected():
                    self._enter(ConnectionState.RECONNECTING)
                if not self._asked_to_reconnect:
                    self._connection_failed(Unreachable(reason))
                self._asked_to_reconnect = False
                self._statistics.tried_again()
                self.emit("connection_message", f"trying again in {delay:.1f} s")
            case Error(text=text):
                self._connection_failed(Refused(f"bridge: {text} ({self.uri})"))
            case Notice(text=text):
                self.emit("connection_message", text)
            case Welcome() | BrokerChange():
                self._tell_way(message)
            case _:
                for event, data in self._hosts.take(message):
                    self.emit(event, data)

    def _tell_way(self, message: Welcome | BrokerChange) -> None:
        for text in self._way.take(message):
            self.emit("connection_message", text)

    def _all_listeners(self) -> "list[_Listener]":
        return [one for many in list(self._listeners.values()) for one in many]

    def _enter(self, state: ConnectionState) -> None:
        before = self._statistics.enter(state)
        self._logger.debug("%s: %s after %s", self.uri, state, before)
        self.emit("state_change", {"old_state": before.value, "new_state": state.value})

    def _connection_failed(self, error: Exception) -> None:
        self._statistics.failed(str(error), type(error).__name__)
        self._logger.warning("%s", error, exc_info=None if isinstance(error, ClientError) else error)
        self.emit("error_message", str(error))
        self.emit("error", error)

    def _function_failed(self, event: str, function: Function, error: Exception) -> None:
        self._statistics.failed(f"{_name(function)}: {error}", type(error).__name__)
        self._logger.error("%s failed on the event %s: %s", _name(function), event, error, exc_info=error)
        # A function that fails to take errors is not told of that, or it would never end.
        if event != "error":
            everything = () if event == "*" else self._listeners.get("*", ())
            self._tell((*self._listeners.get("error", ()), *everything), "error", error)

    def _tell(self, listeners: Iterable["_Listener"], event: str, data: Any) -> None:
        for one in listeners:
            try:
                arguments = one.arguments(event, data)
                if arguments is None:
                    continue
                if one.inline:
                    one.callback.function(*arguments)
                else:
                    one.callback.put(*arguments, room=2 * self._hosts.count)
            except Exception as error:  # noqa: BLE001 - whatever a program's function may raise
                one.failed(error)


@dataclass(frozen=True, slots=True)
class _Listener:
    callback: Callback
    arguments: Arguments
    inline: bool
    failed: Callable[[Exception], None]


def _both(event: str, data: Any) -> tuple[str, Any]:
    return (event, data)


def _name(function: Function) -> str:
    return getattr(function, "__qualname__", None) or type(function).__name__
