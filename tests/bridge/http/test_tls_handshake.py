"""Connections to a bridge with a certificate, from their first moment."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from fleetglass.bridge.http import connections as module
from support.bridge import Bridge, running_bridge
from support.certificates import Authority
from support.mosquitto import Mosquitto
from support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.every_loop]


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Any]:
    """Give what a bridge with a certificate is told, and what its clients trust."""
    made = Authority(tmp_path).issue("page")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    return {"tls": trusted, "cert": str(made.certificate), "key": str(made.key)}


@pytest.fixture(autouse=True)
def no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail where anything was logged as an error, as an exception in a callback of the loop is."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_connections_that_begin_no_tls_make_room(
    mosquitto: Mosquitto, prefix: str, tls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count among those that wait: the one that has waited the longest goes, and a viewer is let in."""
    monkeypatch.setattr(module, "MAX_WAITING", 20)
    async with running_bridge(mosquitto, prefix, **tls) as bridge, _silent(bridge, 100) as silent:
        for reader in silent[:80]:
            with suppress(ConnectionError):
                assert await reader.read() == b""
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")
        assert (await bridge.health())["refused"]["waited_too_long"] >= 80


async def test_connections_that_begin_no_tls_count_for_their_address(
    mosquitto: Mosquitto, prefix: str, tls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than an address may open is cut off at once; when they are gone, it may open others."""
    async with running_bridge(mosquitto, prefix, **tls) as bridge:
        with monkeypatch.context() as patch:
            patch.setattr(module, "is_local", lambda _: False)
            patch.setattr(module, "MAX_PER_ADDRESS", 3)
            async with _silent(bridge, 4) as silent:
                with suppress(ConnectionError):
                    assert await silent[3].read() == b""
                assert not any(reader.at_eof() for reader in silent[:3])
        await bridge.until_health(
            lambda health: health["refused"] == {"too_many_connections": 1}, "only that one was refused"
        )
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01", None],
    ids=["nothing", "plain HTTP", "no handshake", "the beginning of one", "a whole one"],
)
@pytest.mark.parametrize("leave", [False, True], ids=["stays", "leaves"])
async def test_a_connection_that_asks_for_nothing_leaves_nothing(
    mosquitto: Mosquitto,
    prefix: str,
    tls: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    sent: bytes | None,
    *,
    leave: bool,
) -> None:
    """However far it comes with TLS, and whoever ends it: it is gone in time, and not counted any more."""
    monkeypatch.setattr("fleetglass.bridge.http.listener.HELLO_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr("fleetglass.bridge.http.connections.HELLO_TIMEOUT_SECONDS", 0.3)
    counted = module.Connections()
    monkeypatch.setattr("fleetglass.bridge.bridge.Connections", lambda: counted)
    async with running_bridge(mosquitto, prefix, **tls) as bridge:
        for _ in range(20 if leave else 1):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", bridge.port, ssl=tls["tls"] if sent is None else None
            )
            writer.write(sent or b"")
            if leave:
                writer.transport.abort()
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        await wait_until(lambda: not (counted._waiting or counted._per_address), "all are forgotten")


async def test_an_end_of_the_bridge_waits_for_no_handshake(
    mosquitto: Mosquitto, prefix: str, tls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that never begins one is dropped then."""
    monkeypatch.setattr("fleetglass.bridge.http.listener.HELLO_TIMEOUT_SECONDS", 3600)
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(running_bridge(mosquitto, prefix, **tls))
        async with _silent(bridge, 3):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await stack.aclose()


async def test_requests_sent_with_the_end_of_the_handshake_are_answered(
    mosquitto: Mosquitto, prefix: str, tls: dict[str, Any]
) -> None:
    """As clients of TLS 1.3 do; each is answered once, in whatever pieces it comes."""
    async with running_bridge(mosquitto, prefix, **tls) as bridge:
        answers = await asyncio.gather(
            *(bridge.raw(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") for _ in range(50))
        )
        assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}


@asynccontextmanager
async def _silent(bridge: Bridge, number: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open connections that say nothing, not even TLS."""
    opened = [await asyncio.open_connection("127.0.0.1", bridge.port) for _ in range(number)]
    try:
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
