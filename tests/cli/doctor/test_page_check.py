import http.server
import socket
import threading
import time
from pathlib import Path

import pytest

from cli.conftest import Start
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.page_check import check_own_page, check_url
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.proxies import running_proxy
from support.waiting import PATIENCE_SECONDS, wait_for


def settings(port: int, **more: object) -> BridgeSettings:
    return BridgeSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1)), port=port, **more)  # type: ignore[arg-type]


def own(told: BridgeSettings) -> list[Finding]:
    return list(check_own_page(told))


def states(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.what, one.state) for one in findings]


def serve(start: Start, broker: str, *words: str) -> int:
    port = free_port()
    program = start("bridge", "--broker", broker, "--port", str(port), *words)
    wait_for(lambda: "serving" in program.err, "the bridge")
    return port


@pytest.mark.broker
def test_a_bridge_that_is_well(start: Start, mosquitto: Mosquitto, prefix: str) -> None:
    """The WebSocket opens, by the settings of the own bridge and by an address."""
    port = serve(start, mosquitto.url, "--prefix", prefix)

    def is_well() -> bool:
        return states(own(settings(port))) == [("page", "ok")]

    wait_for(is_well, "the bridge has its broker")
    url = f"ws://localhost:{port}/ws"
    assert states(list(check_url(url, None, None))) == [("page", "ok")]


@pytest.mark.broker
def test_a_bridge_behind_a_proxy(start: Start, mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """The WebSocket is opened through the proxy; where a login is asked for, that is said."""
    bridge = serve(start, mosquitto.url, "--prefix", prefix)
    with running_proxy("nginx", "basic-auth", tmp_path, bridge=bridge, auth=False) as port:
        found = check_url(f"ws://127.0.0.1:{port}/ws", None, None)
        assert states(list(found)) == [("page", "ok")]
    folder = tmp_path / "with-login"
    folder.mkdir()
    with running_proxy("nginx", "basic-auth", folder, bridge=bridge) as port:
        [finding] = check_url(f"ws://127.0.0.1:{port}/ws", None, None)
    assert finding.state == "note"
    assert "asks for a login: not checked (HTTP 401)" in finding.text


def test_a_bridge_without_broker(start: Start) -> None:
    """It serves, and that it has no broker is wrong."""
    port = serve(start, f"mqtt://127.0.0.1:{free_port()}")
    [page] = own(settings(port))
    assert page.state == "wrong"
    assert page.text.endswith("served, but the bridge has lost its broker")


def test_a_bridge_with_a_token(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The own token is read from its file and never shown; without it, what needs it is not checked."""
    token = tmp_path / "token"
    token.write_text("geheim\n")
    token.chmod(0o600)
    dead = f"mqtt://127.0.0.1:{free_port()}"
    port = serve(start, dead, "--host", "0.0.0.0", "--token-file", str(token))
    with_token = own(settings(port, host="0.0.0.0", token_file=str(token)))
    assert states(with_token) == [("page", "wrong")]
    assert "lost its broker" in with_token[0].text
    monkeypatch.delenv("FLEETGLASS_TOKEN", raising=False)
    without = own(settings(port, host="0.0.0.0", token_file=str(tmp_path / "nothing")))
    assert states(without) == [("page", "note")]
    assert without[0].remedy == "sudo fleetglass doctor"
    refused = list(check_url(f"ws://127.0.0.1:{port}/ws", "falsch", None))[-1]
    assert (refused.what, refused.state) == ("page", "wrong")
    assert "FLEETGLASS_TOKEN or --token-file" in refused.remedy
    assert not any(
        "geheim" in one.text + one.remedy or "falsch" in one.text for one in [*with_token, refused]
    )


def test_a_bridge_at_a_socket(start: Start, tmp_path: Path) -> None:
    """A Unix socket is looked at as well."""
    path = tmp_path / "page.socket"
    program = start("bridge", "--broker", f"mqtt://127.0.0.1:{free_port()}", "--socket", str(path))
    wait_for(lambda: "serving" in program.err, "the bridge")
    assert states(own(settings(1, socket=str(path)))) == [("page", "wrong")]


def test_no_bridge(http_port: int) -> None:
    """None is no trouble on a host that shows nothing; another program on its port is."""
    [none] = own(settings(free_port()))
    assert (none.state, none.remedy) == ("note", "start it: fleetglass up, or bridge")
    [other] = own(settings(http_port))
    assert other.state == "wrong"
    assert other.text.endswith("another program listens there")
    assert "--port" in other.remedy


def test_an_address_that_does_not_answer() -> None:
    """What was named must be there."""
    [finding] = check_url(f"ws://127.0.0.1:{free_port()}/ws", None, None)
    assert finding.state == "wrong"
    assert "connection refused" in finding.text


@pytest.mark.parametrize(
    ("status", "state", "remedy"),
    [
        (200, "wrong", "let the proxy pass on Upgrade and Connection: deploy/nginx/README.md"),
        (401, "note", "open the page in a browser"),
        (403, "wrong", "fleetglass bridge --allowed-host NAME"),
        (502, "wrong", "start it: fleetglass service start bridge"),
    ],
)
def test_what_a_proxy_answers_instead(status: int, state: str, remedy: str) -> None:
    """Each answer that is no WebSocket has a remedy of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        [finding] = check_url(f"ws://127.0.0.1:{server.server_port}/fleet/ws", None, None)
        server.shutdown()
        thread.join()
    assert (finding.what, finding.state) == ("page", state)
    assert finding.remedy.startswith(remedy)


def test_a_program_that_is_silent() -> None:
    """It is given up after two seconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        finding = list(check_url(f"ws://127.0.0.1:{server.getsockname()[1]}/ws", None, None))[-1]
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert finding.state == "wrong"
