"""What viewers may do to the bridge, and what of it the healthy viewer notices: nothing."""

import asyncio
import json
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from chaos.scene import HOSTS, Scene
from support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.broker

CONNECTIONS = 1000
AT_ONCE = 50


async def test_a_thousand_connections_opened_and_dropped(scene: Scene) -> None:
    """Half say goodbye and half just vanish, before, within and after the hello."""

    async def open_and_drop(number: int) -> None:
        connection = await scene.bridge.connect()
        if number % 4:
            await connection.send(json.dumps({"type": "hello", "protocol": 1}))
        if number % 4 > 1:
            await connection.send(json.dumps({"type": "watch", "hosts": {HOSTS[0]: "*"}, "history": 60}))
            await connection.recv()
        if number % 2:
            connection.transport.abort()
        await connection.close()

    for first in range(0, CONNECTIONS, AT_ONCE):
        await asyncio.gather(*(open_and_drop(number) for number in range(first, first + AT_ONCE)))
    await scene.bridge.until_health(lambda health: health["viewers"] <= 1, "all have left")
    await scene.until_right_again()


async def test_a_viewer_that_floods(scene: Scene) -> None:
    """Thousands of pings, selections and nonsense in a row delay nobody else."""
    async with scene.bridge.viewer() as viewer:
        with suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE_SECONDS):
                for number in range(5000):
                    hosts = {HOSTS[number % 2]: "*"}
                    await viewer.send(type="watch", fleet=True, hosts=hosts, history=900)
                    await viewer.send(type="ping", id=number)
        viewer.connection.transport.abort()  # having read nothing, it could say no goodbye
    async with scene.bridge.viewer() as viewer:
        with suppress(ConnectionClosed):
            for _ in range(1000):
                await viewer.connection.send('{"type":"nonsense"}')
            await viewer.connection.wait_closed()
        assert viewer.connection.close_code == 1008
    await scene.until_right_again()


async def test_a_viewer_that_freezes(scene: Scene) -> None:
    """It reads nothing more of what it asked for, without closing."""
    async with scene.bridge.viewer(fleet=True, hosts=dict.fromkeys(HOSTS, "*"), history=900) as viewer:
        await viewer.next("history")
        viewer.connection.transport.pause_reading()
        with suppress(ConnectionClosed):
            for number in range(200):
                hosts = {HOSTS[number % 2]: "*"}
                await viewer.send(type="watch", fleet=True, hosts=hosts, history=900)
        frozen = time.monotonic()
        await wait_until(lambda: time.monotonic() - frozen > 3, "it is frozen")
        await scene.until_right_again()
        viewer.connection.transport.abort()
    await scene.until_right_again()


async def test_a_viewer_that_sends_a_megabyte(scene: Scene) -> None:
    """It is cut off, whole or in fragments, and nothing of it is kept."""
    async with scene.bridge.viewer() as viewer:
        with suppress(ConnectionClosed):
            await viewer.connection.send("x" * 2**20)
            await viewer.connection.wait_closed()
        assert viewer.connection.close_code in {1008, 1009}
    async with scene.bridge.viewer() as viewer:
        with suppress(ConnectionClosed):
            await viewer.connection.send("x" * 2**14 for _ in range(2**6))
            await viewer.connection.wait_closed()
        assert viewer.connection.close_code in {1008, 1009}
    await scene.until_right_again()
