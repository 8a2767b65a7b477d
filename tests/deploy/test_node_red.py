"""The flow for Node-RED, in the real Node-RED, beside real agents."""

import http.server
import json
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from paho.mqtt.publish import single

from support.consumers import NO_NODE_PACKAGES, NODE_PACKAGES, Fleet, recipe, running
from support.node import NODE
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for

RED = NODE_PACKAGES / "node-red" / "red.js"

pytestmark = [
    pytest.mark.broker,
    pytest.mark.slow,  # needs 120 MB of npm packages
    pytest.mark.skipif(not (NODE_PACKAGES / "complete").exists(), reason=NO_NODE_PACKAGES),
]

SETTINGS = """
module.exports = {
    httpAdminRoot: false, httpNodeRoot: false, disableEditor: true, credentialSecret: false,
    telemetry: { enabled: false }, externalModules: { autoInstall: false },
};
"""


class Listener(NamedTuple):
    """Where the flow tells, and what it told."""

    port: int
    told: "queue.Queue[str]"


@contextmanager
def listening() -> Iterator[Listener]:
    told: queue.Queue[str] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Listener(server.server_port, told)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def listener(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """Give what the flow tells; it runs and is connected to the broker."""
    folder = tmp_path_factory.mktemp("node-red")
    (folder / "settings.js").write_text(SETTINGS)
    with listening() as listener:
        flow = recipe(
            "node-red/flow.json",
            folder,
            {'"1883"': f'"{fleet.broker.port}"', "127.0.0.1:8080": f"127.0.0.1:{listener.port}"},
        )
        log = folder / "log"
        with running(
            *(NODE, RED, "--userDir", folder, "--settings", folder / "settings.js"),
            *("--port", str(free_port()), flow),
            folder=folder,
            ready=lambda: "Connected to broker" in log.read_text(),
            **os.environ | {"HOME": str(folder)},
        ):
            yield listener
            assert "error" not in log.read_text().lower()


def test_a_host_that_is_lost_and_back_is_told_of(fleet: Fleet, listener: Listener) -> None:
    """When a real agent is killed its host is told of once, and again when it is back; nothing else is."""
    with fleet.agent("fallen") as agent:
        wait_for(lambda: fleet.state("fallen") == "live", "the host is live")
        agent.kill()
        assert listener.told.get(timeout=PATIENCE_SECONDS) == "fallen is lost"
        agent.start()
        assert listener.told.get(timeout=PATIENCE_SECONDS) == "fallen is back"


def test_a_full_filesystem_is_told_of_once(fleet: Fleet, listener: Listener) -> None:
    """At 90 % a host is told of, not again while it stays there, and again after it was below."""
    for percent in (50.0, 90.0, 95.5, 89.9, 91.5):
        payload = json.dumps({"time": 1.0, "tick": 1, "filesystem_percent": percent})
        single("fleet/full/summary", payload, qos=1, hostname="127.0.0.1", port=fleet.broker.port)
    said = iter(lambda: listener.told.get(timeout=PATIENCE_SECONDS), None)
    told = (text for text in said if "of full" in text)  # the disk of this machine may be full as well
    assert next(told) == "A filesystem of full is 90 % full"
    assert next(told) == "A filesystem of full is 91.5 % full"
