"""What the recipes of `deploy/` read, and the programs that read it."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import REPOSITORY, Fleetglass, wait_for_page
from support.waiting import PATIENCE_SECONDS, wait_for

DEPLOY = REPOSITORY / "deploy"
NODE_PACKAGES = REPOSITORY / "tests" / "deploy" / "node_modules"
NO_NODE_PACKAGES = "needs npm's Node-RED and Grafana's schema: scripts/install-npm-packages tests/deploy"
TREES = {"laptop": "laptop", "workstation": "workstation-amd"}
"""Hosts that are trees of files: with sensors and batteries, and with a GPU."""
HOSTS = ("web-1", *TREES)


class Fleet(NamedTuple):
    """A broker, agents of the host `web-1`, which is this machine, and of `TREES`, and a bridge."""

    broker: Mosquitto
    bridge_port: int
    folder: Path

    def agent(self, host: str, *arguments: str) -> Fleetglass:
        """Return one more agent, still to be started."""
        arguments = ("--broker", self.broker.url, "--host-id", host, "--interval", "0.5", *arguments)
        return Fleetglass("agent", *arguments, home=self.folder)

    def state(self, host: str) -> str | None:
        """Return the state in which the bridge has a host."""
        told = get(f"http://127.0.0.1:{self.bridge_port}/api/hosts")["hosts"]
        return next((one["state"] for one in told if one["id"] == host), None)


@contextmanager
def running_fleet(folder: Path) -> Iterator[Fleet]:
    """Run all of it until the block is left; it starts when all hosts are live."""
    with ExitStack() as stack:
        broker = Mosquitto(folder).start()
        stack.callback(broker.kill)
        fleet = Fleet(broker, free_port(), folder)
        stack.enter_context(fleet.agent("web-1"))
        for host, tree in TREES.items():
            root = REPOSITORY / "tests" / "fixtures" / tree
            stack.enter_context(fleet.agent(host, "--root", str(root)))
        port = str(fleet.bridge_port)
        stack.enter_context(Fleetglass("bridge", "--broker", broker.url, "--port", port, home=folder))
        wait_for_page(fleet.bridge_port)
        wait_for(lambda: {fleet.state(host) for host in HOSTS} == {"live"}, "the hosts")
        yield fleet


def find(program: str, package: str) -> str:
    """Return where a program is; the test is skipped where it is not."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None:
        pytest.skip(f"needs {program}: apt-get install {package}")
    return found


def recipe(name: str, folder: Path, places: Mapping[str, str]) -> Path:
    """Copy a file of `deploy/` as it is, but for the ports and paths that it names."""
    text = (DEPLOY / name).read_text()
    for old, new in places.items():
        assert old in text, f"{name} no longer says {old}"
        text = text.replace(old, new)
    copy = folder / Path(name).name
    copy.write_text(text)
    return copy


@contextmanager
def running(
    *command: str | Path, folder: Path, ready: Callable[[], object], **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the block is left, from when the condition is true. Its log is in the folder."""
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env=environment or None
        ) as process,
    ):
        try:
            wait_for(lambda: ready() or process.poll() is not None, f"{command[0]} is ready")
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether an address is answered with success."""
    try:
        urllib.request.urlopen(url, timeout=PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True


def get(url: str, **parameters: str) -> Any:
    """Return the JSON of an address."""
    if parameters:
        url += "?" + urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as response:
        return json.load(response)


def query(base: str, expression: str) -> list[dict[str, Any]]:
    """Return what Prometheus, or who speaks like it, answers to an expression."""
    result: list[dict[str, Any]] = get(f"{base}/api/v1/query", query=expression)["data"]["result"]
    return result
