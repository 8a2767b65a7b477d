import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.recording import recording
from fleetglass.mqtt import feed as feed_module
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.feed import MAX_UNSAID, Feed
from fleetglass.wire import CertificateError
from support.mosquitto import Mosquitto
from support.replaceable_tls import ReplaceableTls
from support.waiting import wait_until

pytestmark = pytest.mark.broker


class Nobody:
    """A sink that keeps nothing."""

    def put(self, topic: str, payload: bytes) -> None:
        """Pass it over."""

    def refuse(self, topic: str, size: int) -> None:
        """Pass it over."""

    def take_in(self) -> None:
        """Have nothing to do."""


@contextlib.asynccontextmanager
async def running(access: BrokerAccess, prefix: str) -> AsyncIterator[list[bool]]:
    """Run a feed, and give whether it was connected, change by change."""
    connected: list[bool] = []
    feed = Feed(access, [(f"{prefix}/+", 0)], Nobody(), connected.append, name="test")
    task = asyncio.create_task(feed.run())
    try:
        yield connected
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def secured(tmp_path: Path) -> ReplaceableTls:
    return ReplaceableTls(tmp_path)


async def test_a_new_authority_is_used_for_the_next_connection(secured: ReplaceableTls, prefix: str) -> None:
    """A bridge that runs for years comes back to a broker whose certificates were all replaced."""
    secured.use(0)
    secured.trust(0)
    secured.broker.start()
    try:
        async with running(secured.access, prefix) as connected:
            await wait_until(lambda: connected == [True], "the connection")
            secured.broker.kill()
            secured.use(1)
            secured.trust(1)
            secured.broker.start()
            await wait_until(
                lambda: connected == [True, False, True], "the connection with the new authority"
            )
    finally:
        secured.broker.kill()


async def test_a_wrong_authority_can_be_put_right(
    secured: ReplaceableTls, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was wrong at the start is named once, and the right one is used without a restart."""
    secured.use(0)
    secured.trust(1)
    secured.broker.start()
    try:
        async with running(secured.access, prefix) as connected:
            await wait_until(lambda: caplog.messages, "the refusal")
            secured.trust(0)
            await wait_until(lambda: connected == [True], "the connection")
    finally:
        secured.broker.kill()
    [line] = [message for message in caplog.messages if "trying again" in message]
    assert "cannot be reached: certificate verify failed" in line


async def test_a_replaced_file_leads_to_a_new_connection(
    secured: ReplaceableTls, prefix: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection of an old certificate does not stay after it was replaced."""
    monkeypatch.setattr(feed_module, "STABLE_SECONDS", 0.1)
    monkeypatch.setattr(feed_module, "REPLACED_SECONDS", 0.1)
    caplog.set_level(logging.INFO)
    secured.use(0)
    secured.trust(0)
    secured.broker.start()
    try:
        async with running(secured.access, prefix) as connected:
            await wait_until(lambda: connected == [True], "the connection")
            os.utime(secured.ca_file, (99, 99))
            await wait_until(lambda: connected == [True, False, True], "another connection")
    finally:
        secured.broker.kill()
    assert any("TLS files were replaced; connecting anew" in message for message in caplog.messages)


async def test_a_file_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    """Nothing is tried with a file that was misspelt."""
    url = BrokerURL("127.0.0.1", 8883, tls=True)
    with pytest.raises(CertificateError, match=r"ca\.crt"):
        Feed(BrokerAccess(url=url, ca_file=str(tmp_path / "ca.crt")), [], Nobody(), print, name="test")


async def test_a_password_without_a_user_is_named_and_harms_nobody(
    mosquitto: Mosquitto, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that asks for nothing lets us in all the same; the log says that the password is not used."""
    access = BrokerAccess(url=BrokerURL("127.0.0.1", mosquitto.port), password="hunter2")
    async with running(access, prefix) as connected:
        await wait_until(lambda: connected == [True], "the connection")
    [line] = caplog.messages
    assert line.endswith("the password is not used: got no user, expected one in the address")


async def test_many_filters_go_in_packets_that_the_broker_takes(tmp_path: Path, prefix: str) -> None:
    """A broker that takes small packets only grants all that is wanted, and takes it back again."""
    broker = Mosquitto(tmp_path, "max_packet_size 3000").start()
    wanted = frozenset(f"{prefix}/a-host-with-a-rather-long-name-{number}/live/#" for number in range(300))
    connected: list[bool] = []
    feed = Feed(
        BrokerAccess(url=BrokerURL("127.0.0.1", broker.port)), [], Nobody(), connected.append, name="test"
    )
    task = asyncio.create_task(feed.run())
    try:
        for filters in (wanted, frozenset[str](), wanted):
            feed.want(filters)
            await wait_until(lambda filters=filters: feed._subscribed == filters, "the subscriptions")  # type: ignore[misc]
        assert connected == [True]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        broker.kill()


async def test_what_is_too_large_to_be_said_is_left_out(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that takes small packets only is not left because of that; it is named once."""
    broker = Mosquitto(tmp_path, "max_packet_size 400").start()
    connected: list[bool] = []
    feed = Feed(
        BrokerAccess(url=BrokerURL("127.0.0.1", broker.port)), [], Nobody(), connected.append, name="test"
    )
    task = asyncio.create_task(feed.run())
    try:
        with recording(broker.port, prefix) as witness:
            await wait_until(lambda: connected, "the connection")
            for size in (500, 500, 10):
                feed.say(f"{prefix}/web-1/demand", bytes(size))
            await asyncio.to_thread(witness.wait, "demand")
        assert connected == [True]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        broker.kill()
    [line] = [line for line in caplog.messages if "leaving out" in line]
    assert f"accepts no packet above 400 bytes: leaving out larger messages on {prefix}/web-1/demand" in line


async def test_trouble_is_told_once(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """A port at which no broker answers is named once, however often it is tried."""
    caplog.set_level(logging.INFO)
    came: list[int] = []

    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with running(BrokerAccess(url=BrokerURL("127.0.0.1", port)), prefix):
            await wait_until(lambda: len(came) >= 7, "the fourth attempt")
    [line] = caplog.messages
    assert line.startswith(f"broker mqtt://127.0.0.1:{port}: no answer such as a broker gives; trying again")


async def test_what_waits_to_be_said_is_bounded(prefix: str) -> None:
    """To a broker that acknowledges nothing, only so much is kept; without a broker nothing is."""

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"\x20\x03\x00\x00\x00")
        while await reader.read(1000):
            pass
        writer.close()

    async with await asyncio.start_server(let_in, "127.0.0.1", 0) as server:
        url = BrokerURL("127.0.0.1", server.sockets[0].getsockname()[1])
        connected: list[bool] = []
        feed = Feed(BrokerAccess(url=url), [], Nobody(), connected.append, name="test")
        feed.say(f"{prefix}/a", b"")
        assert not feed._saying
        task = asyncio.create_task(feed.run())
        await wait_until(lambda: connected, "the connection")
        for _ in range(2 * MAX_UNSAID):
            feed.say(f"{prefix}/a", b"")
        assert len(feed._saying) == MAX_UNSAID
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not feed._saying
