"""Subscriptions that a broker refuses."""

import asyncio
import logging

import pytest

from fleetglass.fleet.inbox import Inbox
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.feed import Feed
from support.waiting import wait_until

FILTERS = [("fleet/+/pulse", 0), ("fleet/+/info", 1)]
_CONNECT, _SUBSCRIBE = 1, 8


class Refusing:
    """A broker that grants `fleet/+/info` only when it is asked for the third time."""

    def __init__(self) -> None:
        self.asked = 0
        self.granted = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves."""
        try:
            while True:
                kind, length = await reader.readexactly(2)
                body = await reader.readexactly(length)
                if kind >> 4 == _CONNECT:
                    writer.write(b"\x20\x02\x00\x00")
                elif kind >> 4 == _SUBSCRIBE:
                    codes = b"".join(self._answer(name) for name, _ in FILTERS if name.encode() in body)
                    writer.write(bytes([0x90, 2 + len(codes)]) + body[:2] + codes)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    def _answer(self, name: str) -> bytes:
        if not name.endswith("info"):
            return b"\x00"
        self.asked += 1
        self.granted += self.asked >= 3
        return b"\x01" if self.asked >= 3 else b"\x80"


@pytest.mark.parametrize("is_cluster", [False, True])
async def test_what_is_refused_is_asked_for_again(caplog: pytest.LogCaptureFixture, is_cluster: bool) -> None:  # noqa: FBT001
    """A cluster without a leader refuses for a while; the connection stays and gets all in the end."""
    caplog.set_level(logging.INFO)
    broker = Refusing()
    connected: list[bool] = []
    async with await asyncio.start_server(broker.serve, "127.0.0.1", 0) as server:
        url = BrokerURL("127.0.0.1", server.sockets[0].getsockname()[1])
        access = BrokerAccess(url=url, others=(url,) if is_cluster else ())
        feed = Feed(access, FILTERS, Inbox(lambda *_: None), connected.append, name="test")
        task = asyncio.create_task(feed.run())
        await wait_until(lambda: broker.granted, "the grant")
        await wait_until(lambda: connected and not feed._missing, "all subscriptions")
        assert connected == [True]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    refusals = [record.message for record in caplog.records if "refused" in record.message]
    assert len(refusals) <= 1
