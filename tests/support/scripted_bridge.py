"""A bridge that says what the test wants, to clients in the same event loop."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from fleetglass.wire.protocol import SUBPROTOCOL
from support.waiting import wait_until

WELCOME: dict[str, Any] = {
    "type": "welcome",
    "version": "1",
    "time": 1.0,
    "broker": "connected",
    "broker_since": 1.0,
    "viewers": 1,
    "limits": {},
}


class ScriptedBridge:
    """Welcomes whoever says hello and watches; `heard` holds all that it was told."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}
        self.connections = 0
        self.welcomes = True
        """Whether it answers at all."""
        self._now: list[ServerConnection] = []

    async def say(self, **message: Any) -> None:
        """Send one message to all that are connected."""
        for connection in self._now:
            await connection.send(json.dumps(message))

    async def pulses(self, *hosts: str, **values: Any) -> None:
        """Send one frame with a pulse of each host."""
        pulse = {"time": 5.0, "tick": 1, "session": "a", "cpu_percent": 45.2} | values
        await self.say(type="pulse", time=6.0, hosts=dict.fromkeys(hosts, pulse))

    async def close(self) -> None:
        """Close all connections as a bridge does that stops."""
        for connection in list(self._now):
            await connection.close(1001, "going away")

    def cut(self) -> None:
        """Break all connections."""
        for connection in self._now:
            connection.transport.abort()

    async def until_connected(self, count: int = 1) -> None:
        """Wait until so many connections were made, and one is there."""
        await wait_until(lambda: self.connections >= count and self._now, f"{count} connections")

    async def serve(self, connection: ServerConnection) -> None:
        """Talk with one client."""
        assert connection.request is not None
        self.headers = dict(connection.request.headers.raw_items())
        self.heard += [json.loads(await connection.recv()), json.loads(await connection.recv())]
        if self.welcomes:
            await connection.send(json.dumps(WELCOME))
        self.connections += 1
        self._now.append(connection)
        try:
            async for text in connection:
                self.heard.append(json.loads(text))
        finally:
            self._now.remove(connection)


@asynccontextmanager
async def scripted_bridge(port: int = 0) -> AsyncIterator[ScriptedBridge]:
    """Run one on a free port."""
    bridge = ScriptedBridge()
    async with serve(bridge.serve, "127.0.0.1", port, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
        bridge.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws"
        yield bridge
