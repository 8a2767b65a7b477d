"""The Unix socket and the TCP port on which a bridge serves."""

import asyncio
import socket
import stat
import sys
from pathlib import Path

import pytest

from fleetglass.bridge.bridge import serve_until
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import BridgeError
from support.bridge import running_bridge
from support.mosquitto import Mosquitto

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(sys.platform == "win32", reason="needs Unix sockets"),
]


async def test_a_unix_socket_is_for_its_group_and_gone_in_the_end(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """Page and viewers come through it, without a token; the file is removed with the bridge."""
    path = tmp_path / "s"
    async with running_bridge(mosquitto, prefix, socket=str(path)) as bridge:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert set(tmp_path.glob("*")) == {path}  # noqa: ASYNC240 - one entry
        assert (await bridge.get("/"))[0] == 200
        assert (await bridge.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")).startswith(
            b"HTTP/1.1 200"
        )
        async with bridge.viewer() as viewer:
            await viewer.next("welcome")
    assert not path.exists()


async def test_a_socket_left_behind_is_replaced_and_one_in_use_is_not(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """A killed bridge stands in nobody's way, a living one keeps its place, and no other file is touched."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with running_bridge(mosquitto, prefix, socket=str(path)) as bridge:
        with pytest.raises(BridgeError, match="another program serves there"):
            await serve_until(_told(socket=str(path)), asyncio.Event())
        assert (await bridge.get("/healthz"))[0] == 200
    path.write_text("precious")
    with pytest.raises(BridgeError, match="got another file of that name"):
        await serve_until(_told(socket=str(path)), asyncio.Event())
    assert path.read_text() == "precious"
    for name in ("x" * 200, "no/such/folder"):
        with pytest.raises(BridgeError, match=r"socket .*expected"):
            await serve_until(_told(socket=str(tmp_path / name)), asyncio.Event())


async def test_a_taken_port_is_refused(mosquitto: Mosquitto, prefix: str) -> None:
    """The message names the port and asks for another one."""
    async with running_bridge(mosquitto, prefix) as bridge:
        with pytest.raises(BridgeError, match=f"port {bridge.port} .*choose another"):
            await serve_until(_told(port=bridge.port), asyncio.Event())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
async def test_a_thousand_viewers_find_open_files(mosquitto: Mosquitto, prefix: str) -> None:
    """The limit of open files, which many systems set to 1024, is raised as far as it may be."""
    import resource  # not on Windows

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    try:
        async with running_bridge(mosquitto, prefix):
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            assert soft == (4096 if hard == resource.RLIM_INFINITY else min(4096, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _told(**settings: object) -> BridgeSettings:
    return BridgeSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1)), **settings)  # type: ignore[arg-type]
