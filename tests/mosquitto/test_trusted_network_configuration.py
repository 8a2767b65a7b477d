"""The broker's configuration for a trusted network, as it stands in the repository."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.mosquitto import find_mosquitto
from support.waiting import wait_for

FOLDER = Path(__file__).parents[2] / "mosquitto"
CONFIGURATION = FOLDER / "mosquitto.conf"

# In a network of its own the configuration's port is free, whatever else runs on this machine. Only root can
# let mosquitto become the user that its package made.
AS_USER = ["--user", "--map-current-user", "--keep-caps"]
NETWORK = ["unshare", *([] if os.geteuid() == 0 else AS_USER), "--net"]

FIRST_PULSE = """
import sys
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

def hear(client, _data, message):
    print(message.topic, flush=True)
    client.disconnect()

client = Client(CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: client.subscribe("fleet/+/pulse")
client.on_message = hear
client.connect("127.0.0.1", 1883)
client.loop_forever()
"""


def test_every_line_is_explained() -> None:
    """The README explains each line, with its value, in the section of this configuration."""
    section = (
        (FOLDER / "README.md").read_text("utf-8").partition("## A trusted network")[2].partition("\n## ")[0]
    )
    lines = [line for line in CONFIGURATION.read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines
    assert not [line for line in lines if f"`{line}`" not in section]


@pytest.mark.broker
def test_an_agent_publishes_through_it(tmp_path: Path) -> None:
    """Started as the README says, the broker takes an agent's pulses and gives them to a reader."""
    with _network(f"exec {find_mosquitto()} -c {CONFIGURATION}") as inside:

        def listens() -> bool:
            script = "import socket; socket.create_connection(('127.0.0.1', 1883), 1).close()"
            command = [*inside, sys.executable, "-c", script]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0

        wait_for(listens, "the broker to listen on port 1883")
        words = ["agent", "--broker", "mqtt://127.0.0.1", "--host-id", "web-1"]
        command = [*inside, sys.executable, "-m", "fleetglass.cli", *words]
        agent = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)})
        try:
            command = [*inside, sys.executable, "-c", FIRST_PULSE]
            heard = subprocess.run(command, capture_output=True, text=True, timeout=40, check=True)
        finally:
            agent.terminate()
            agent.wait(20)
    assert heard.stdout == "fleet/web-1/pulse\n"


@contextmanager
def _network(command: str) -> Iterator[list[str]]:
    """Run a command in a network of its own; give the words that run another command in it."""
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if missing or subprocess.run([*NETWORK, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a network namespace: Linux, util-linux, iproute2 and unprivileged user namespaces")
    process = subprocess.Popen([*NETWORK, "sh", "-c", f"ip link set lo up && {command}"])
    try:
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        yield ["nsenter", f"--target={process.pid}", *user, "--net"]
    finally:
        process.terminate()
        process.wait()
