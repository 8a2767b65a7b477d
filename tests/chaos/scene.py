"""A healthy fleet and a healthy viewer around a real bridge process, to which something bad happens."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from websockets.exceptions import ConnectionClosed

from support.bridge import Bridge
from support.faulty_proxy import FaultyProxy
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass
from support.waiting import wait_until

HOSTS = ("web-1", "web-2")
MORE_MEMORY = 1.1
MEMORY_FLOOR_BYTES = 6 * 1024 * 1024
"""What allocators keep and the history of a few more seconds takes; small bridges are few times larger."""


class HealthyViewer:
    """Watches everything, and comes again when its connection ends, as the page does."""

    def __init__(self, bridge: Bridge) -> None:
        self.pulses: dict[str, tuple[float, float]] = {}
        """Of each host, when the last new pulse came, and that pulse's own time."""
        self.live: dict[str, float] = {}
        """Of each host, when the last frame came."""
        self.states: list[str] = []
        """That healthy hosts were in, in order."""
        self._bridge = bridge

    async def watch(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                async with self._bridge.viewer() as viewer:
                    known: set[str] = set()
                    async for text in viewer.connection:
                        message = json.loads(text)
                        self._take(message)
                        told = _ids(message)
                        if new := told & set(HOSTS) - known:
                            known |= new
                            await viewer.send(type="watch", fleet=True, hosts=dict.fromkeys(known, "*"))
            except (OSError, ConnectionClosed, TimeoutError, EOFError):
                pass
            await asyncio.sleep(0.05)

    def _take(self, message: dict[str, Any]) -> None:
        now = time.monotonic()
        match message:
            case {"type": "pulse", "hosts": hosts}:
                for host, pulse in hosts.items():
                    if self.pulses.get(host, (0.0, None))[1] != pulse["time"]:
                        self.pulses[host] = (now, pulse["time"])
            case {"type": "live", "host": host}:
                self.live[host] = now
            case {"type": "host", "id": host, "state": state} if host in HOSTS:
                self.states.append(state)


def _ids(message: dict[str, Any]) -> set[str]:
    match message:
        case {"type": "fleet", "hosts": hosts}:
            return {entry["id"] for entry in hosts}
        case {"type": "host", "id": host}:
            return {host}
    return set()


class Scene:
    """What there is while something bad happens."""

    def __init__(self, broker: Mosquitto, proxy: FaultyProxy, bridge: Bridge, process: Fleetglass) -> None:
        self.broker = broker
        self.proxy = proxy
        self.bridge = bridge
        self.process = process
        self.viewer = HealthyViewer(bridge)
        self._memory_bytes = 0

    async def settle(self) -> None:
        """Wait until all is well, and note what the bridge takes then."""
        await self._until_right()
        self._memory_bytes = self.memory_bytes()

    def memory_bytes(self) -> int:
        """Return the resident memory of the bridge."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    async def until_right_again(self, *, is_same_process: bool = True) -> None:
        """Wait until every healthy host and viewer is as before, and so is the bridge's memory.

        Memory may be 10 % larger, plus a floor.
        """
        await self._until_right()
        if is_same_process:
            most = self._memory_bytes * MORE_MEMORY + MEMORY_FLOOR_BYTES
            await wait_until(lambda: self.memory_bytes() <= most, f"at most {most / 2**20:.1f} MiB")
        assert "Traceback" not in self.process.output

    async def _until_right(self) -> None:
        since = time.monotonic()

        async def is_right() -> bool:
            states = await self._states()
            return all(
                states.get(host) == "live"
                and self.viewer.pulses.get(host, (0.0,))[0] > since
                and self.viewer.live.get(host, 0.0) > since
                for host in HOSTS
            )

        await wait_until(is_right, f"all well again ({await self._states()})")

    async def _states(self) -> dict[str, str]:
        try:
            told = json.loads((await self.bridge.get("/api/hosts"))[1])["hosts"]
        except (OSError, EOFError):
            return {}
        return {entry["id"]: entry["state"] for entry in told}


@asynccontextmanager
async def staged(broker: Mosquitto, prefix: str, home: Path) -> AsyncIterator[Scene]:
    """Run two real agents and a real bridge behind a proxy, and give them when all is well."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultyProxy(broker.port))
        port = free_port()
        process = Fleetglass(
            *("bridge", "--broker", proxy.url, "--prefix", prefix, "--port", str(port)), home=home
        )
        stack.enter_context(process)
        for host in HOSTS:
            stack.enter_context(
                Fleetglass(
                    *("agent", "--broker", broker.url, "--prefix", prefix, "--host-id", host),
                    *("--interval", "0.5", "--no-home-assistant"),
                    home=home,
                )
            )
        scene = Scene(broker, proxy, Bridge(port), process)
        watching = asyncio.create_task(scene.viewer.watch(), name="healthy viewer")
        try:
            await scene.settle()
            yield scene
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
