"""A real bridge inside the test's event loop, and viewers that talk with it."""

import asyncio
import http.client
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import aiomqtt
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from fleetglass.bridge.bridge import Progress, serve_until
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.protocol import SUBPROTOCOL
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_until


class HasURL(Protocol):
    """A broker or a cluster of them."""

    @property
    def url(self) -> str:
        """The address as `--broker` takes it."""


class Bridge:
    """Where a running bridge is."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, path: str | None = None) -> None:
        self.port = port
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._tls = tls
        self._path = path

    def connect(self, *, compression: str | None = "deflate", **headers: str) -> connect:
        """Return a WebSocket that has said nothing yet; it takes compressed frames unless told otherwise."""
        way: dict[str, Any] = {"ssl": self._tls} if self._tls else {}
        if self._path:
            way |= {"unix": True, "path": self._path}
        return connect(
            f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.port}/ws",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=None,
            open_timeout=PATIENCE_SECONDS,
            ping_timeout=PATIENCE_SECONDS,
            compression=compression,
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
            proxy=None,
            **way,
        )

    @asynccontextmanager
    async def viewer(
        self,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        plain: bool = False,
        **watch: Any,
    ) -> AsyncIterator["Viewer"]:
        """Connect, say hello, and watch when a selection is given."""
        async with self.connect(compression=None if plain else "deflate", **(headers or {})) as connection:
            viewer = Viewer(connection)
            await viewer.send(type="hello", protocol=1, token=token)
            if watch:
                await viewer.send(type="watch", **watch)
            yield viewer

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of one request."""
        return await asyncio.to_thread(self._get, path, method, headers)

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return all that comes back until the bridge closes."""
        if self._path:
            reader, writer = await asyncio.open_unix_connection(self._path)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self._tls)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def health(self, **headers: str) -> dict[str, Any]:
        """Return what `/healthz` says."""
        status, body, _ = await self.get("/healthz", **headers)
        assert status == 200
        health: dict[str, Any] = json.loads(body)
        return health

    async def until_health(
        self, condition: Callable[[dict[str, Any]], bool], what: str, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until what `/healthz` says fulfils a condition."""

        async def fulfilled() -> bool:
            try:
                return condition(await self.health())
            except (ConnectionRefusedError, FileNotFoundError):
                return False

        await wait_until(fulfilled, what, seconds)

    async def until_known(self, host: str) -> None:
        """Wait until the bridge has heard of a host."""

        async def known() -> bool:
            return (await self.get(f"/api/hosts/{host}"))[0] == 200

        await wait_until(known, f"{host} is known")

    async def host(self, host: str) -> dict[str, Any]:
        """Return what the bridge tells of a host; nothing while it is unknown."""
        told: list[dict[str, Any]] = json.loads((await self.get("/api/hosts"))[1])["hosts"]
        return next((entry for entry in told if entry["id"] == host), {})

    async def until_state(self, host: str, state: str) -> None:
        """Wait until a host is in a state."""

        async def is_there() -> bool:
            return (await self.host(host)).get("state") == state

        await wait_until(is_there, f"{host} is {state}")

    async def ticks(self, host: str) -> list[int]:
        """Return the ticks of a host's pulses in the history, in its order."""
        async with self.viewer(hosts={host: []}, history=900) as viewer:
            past = await viewer.next("history")
            return [pulse["tick"] for pulse in past["samples"].get("pulse", [])]

    async def until_info(self, host: str) -> None:
        """Wait until the bridge has the facts of a host."""

        async def is_there() -> bool:
            return "info" in await self.host(host)

        await wait_until(is_there, f"info of {host}")

    def _get(self, path: str, method: str, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        if self._tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls)
            connection.timeout = PATIENCE_SECONDS
        try:
            if self._path:
                connection.sock = socket.socket(socket.AF_UNIX)
                connection.sock.connect(self._path)
            connection.request(method, path, headers=names)
            response = connection.getresponse()
            return response.status, response.read(), dict(response.headers)
        finally:
            connection.close()


class Viewer:
    """A viewer that remembers all it was sent."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.received: list[dict[str, Any]] = []

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.connection.send(json.dumps(message))

    async def next(self, kind: str, **expected: Any) -> dict[str, Any]:
        """Return the next message of a kind with these values; what comes before it is remembered."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                self.received.append(message)
                if message["type"] == kind and expected.items() <= message.items():
                    return message

    def states(self) -> list[str]:
        """Return the states of hosts that it was told of, in order."""
        told = [message for message in self.received if message["type"] == "host"]
        return [message["state"] for message in told if "state" in message]


@asynccontextmanager
async def running_bridge(
    broker: HasURL,
    *prefixes: str,
    tls: ssl.SSLContext | None = None,
    progress: Progress = lambda _: None,
    **settings: Any,
) -> AsyncIterator[Bridge]:
    """Run a bridge on a free port; ready when the broker has its subscriptions."""
    bridge = Bridge(settings.pop("port", None) or free_port(), tls=tls, path=settings.get("socket"))
    stop = asyncio.Event()
    url, *others = (BrokerURL.parse(one) for one in broker.url.split(","))
    told = BridgeSettings(
        broker=BrokerAccess(url=url, others=tuple(others)),
        prefixes=prefixes,
        port=bridge.port,
        **settings,
    )
    task = asyncio.create_task(serve_until(told, stop, progress=progress), name="bridge")
    try:
        ready = asyncio.create_task(
            bridge.until_health(lambda health: health["status"] == "ok", "the bridge is ready"), name="ready"
        )
        await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
        await (task if task.done() else ready)
        yield bridge
    finally:
        stop.set()
        await task


@asynccontextmanager
async def publisher(mosquitto: Mosquitto) -> AsyncIterator[aiomqtt.Client]:
    """Connect to the broker as an agent or anybody else would."""
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        yield client


def pulse(tick: int, session: str = "a", **values: Any) -> bytes:
    """Return a pulse."""
    return json.dumps({"time": 1000.0 + tick, "tick": tick, "session": session} | values).encode()
