"""The recipes for nginx and Caddy, in the real programs, before a real bridge."""

import asyncio
import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from fleetglass.wire.protocol import SUBPROTOCOL
from support.bridge import publisher, pulse, running_bridge
from support.mosquitto import Mosquitto
from support.proxies import SECRET, running_login, running_proxy
from support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.broker, pytest.mark.parametrize("name", ["nginx", "caddy"])]

ADA = {"Authorization": "Basic " + base64.b64encode(b"ada:secret").decode()}
CLAIM = {
    "X-Forwarded-User": "mallory",
    "X-Forwarded-For": "203.0.113.9",
    "X-Fleetglass-Proxy-Secret": "a guess of mallory",
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    token_file = tmp_path / "token"
    token_file.write_text("the token\n")
    hosts = ("fleet.example.org", "www.example.org")
    return {
        "trusted_proxy": True,
        "proxy_user_header": "X-Forwarded-User",
        "proxy_secret": SECRET,
        "token_file": str(token_file),
        "allowed_hosts": hosts,
    }


async def test_with_names_and_passwords(
    mosquitto: Mosquitto,
    prefix: str,
    tmp_path: Path,
    stack: ExitStack,
    settings: dict[str, Any],
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Page, data and WebSocket come through the proxy for who has a password; others are refused."""
    caplog.set_level("INFO")
    async with running_bridge(mosquitto, prefix, **settings) as bridge, publisher(mosquitto) as agent:
        proxy = stack.enter_context(running_proxy(name, "basic-auth", tmp_path, bridge=bridge.port))
        assert (await _get(proxy, "/"))[0] == 401
        status, body = await _get(proxy, "/", **ADA)
        assert (status, body[:15].lower()) == (200, b"<!doctype html>")
        assert (await _get(proxy, "/api/hosts", **ADA))[0] == 200
        await agent.publish(f"{prefix}/web-1/pulse", pulse(1))
        async with _connect(proxy, origin=f"http://fleet.example.org:{proxy}", **ADA) as viewer:
            await viewer.send(json.dumps({"type": "hello", "protocol": 1}))
            assert json.loads(await viewer.recv())["type"] == "welcome"
            assert json.loads(await viewer.recv())["type"] == "fleet"
        with pytest.raises(InvalidStatus) as caught:
            async with _connect(proxy, origin="https://evil.example", **ADA):
                pass
        assert caught.value.response.status_code == 403
    assert "viewer 'ada' at 127.0.0.1 connected" in caplog.text


async def test_what_a_browser_claims_is_not_believed(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, stack: ExitStack, settings: dict[str, Any], name: str
) -> None:
    """Without users at the proxy, a user named from outside is nobody, and the token is asked for."""
    async with running_bridge(mosquitto, prefix, **settings) as bridge:
        proxy = stack.enter_context(
            running_proxy(name, "basic-auth", tmp_path, bridge=bridge.port, auth=False)
        )
        assert (await _get(proxy, "/", **CLAIM))[0] == 200
        assert (await _get(proxy, "/api/hosts", **CLAIM))[0] == 401
        assert (await _get(proxy, "/api/hosts", Authorization="Bearer the token"))[0] == 200
        async with _connect(proxy, **CLAIM) as viewer:
            await viewer.send(json.dumps({"type": "hello", "protocol": 1}))
            assert json.loads(await viewer.recv())["code"] == "bad_token"


async def test_through_a_plain_proxy_a_claimed_user_is_nobody(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, stack: ExitStack, settings: dict[str, Any], name: str
) -> None:
    """S2-23: a proxy that passes on all headers and knows no secret lets in nobody without the token."""
    claim = {"X-Forwarded-User": "mallory"}
    async with running_bridge(mosquitto, prefix, **settings) as bridge:
        proxy = stack.enter_context(running_proxy(name, "plain", tmp_path, bridge=bridge.port))
        assert (await _get(proxy, "/", **claim))[0] == 200
        assert (await _get(proxy, "/api/hosts", **claim))[0] == 401
        assert (await _get(proxy, "/api/hosts", **CLAIM))[0] == 403
        assert (await _get(proxy, "/api/hosts", Authorization="Bearer the token", **claim))[0] == 200


async def test_under_a_path_with_a_login_service(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, stack: ExitStack, settings: dict[str, Any], name: str
) -> None:
    """Under `/fleet/` everything is found, for whom the login service names, and for nobody else."""
    async with running_bridge(mosquitto, prefix, **settings) as bridge:
        login = stack.enter_context(running_login())
        proxy = stack.enter_context(
            running_proxy(name, "forward-auth", tmp_path, bridge=bridge.port, login=login.port)
        )
        known = {"Cookie": "login=ada", **CLAIM}
        nameless = {"Cookie": "login=", **CLAIM}
        assert (await _get(proxy, "/fleet", host="www.example.org"))[0] == 308
        assert (await _get(proxy, "/fleet/api/hosts", host="www.example.org", **CLAIM))[0] == 401
        assert (await _get(proxy, "/fleet/api/hosts", host="www.example.org", **nameless))[0] == 401
        for path in ("/fleet/", "/fleet/src/main.js", "/fleet/api/hosts"):
            assert (await _get(proxy, path, host="www.example.org", **known))[0] == 200
        origin = f"http://www.example.org:{proxy}"
        async with _connect(proxy, "www.example.org", "/fleet/ws", origin=origin, **known) as viewer:
            await viewer.send(json.dumps({"type": "hello", "protocol": 1}))
            assert json.loads(await viewer.recv())["type"] == "welcome"


async def test_a_viewer_whose_bridge_ends_finds_another(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path, stack: ExitStack, settings: dict[str, Any], name: str
) -> None:
    """Of two bridges with one token file the viewer's ends: at the next try it is with the other."""
    async with AsyncExitStack() as one, AsyncExitStack() as two:
        bridges = [
            await each.enter_async_context(running_bridge(mosquitto, prefix, **settings))
            for each in (one, two)
        ]
        ports = [bridge.port for bridge in bridges]
        proxy = stack.enter_context(
            running_proxy(name, "basic-auth", tmp_path, bridge=ports[0], others=(ports[1],))
        )
        async with _connect(proxy, **ADA) as viewer:
            await _greet(viewer)
            viewers = [
                (await bridge.health(Authorization="Bearer the token"))["viewers"] for bridge in bridges
            ]
            assert sorted(viewers) == [0, 1]
            await (one if viewers[0] else two).aclose()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await viewer.wait_closed()
        for _ in range(4):
            assert (await _get(proxy, "/api/hosts", **ADA))[0] == 200
            async with asyncio.timeout(PATIENCE_SECONDS), _connect(proxy, **ADA) as viewer:
                await _greet(viewer)


async def _greet(viewer: ClientConnection) -> None:
    await viewer.send(json.dumps({"type": "hello", "protocol": 1}))
    assert json.loads(await viewer.recv())["type"] == "welcome"


async def _get(port: int, path: str, host: str = "fleet.example.org", **headers: str) -> tuple[int, bytes]:
    return await asyncio.to_thread(_get_blocking, port, path, {"Host": f"{host}:{port}", **headers})


def _get_blocking(port: int, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _connect(
    port: int,
    host: str = "fleet.example.org",
    path: str = "/ws",
    *,
    origin: str | None = None,
    **headers: str,
) -> connect:
    return connect(
        f"ws://{host}:{port}{path}",
        host="127.0.0.1",
        port=port,
        open_timeout=PATIENCE_SECONDS,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        additional_headers=headers | ({"Origin": origin} if origin else {}),
        proxy=None,
    )
