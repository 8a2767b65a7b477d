import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.agent.own_container import own_container
from fleetglass.agent.wait_for_link import GRACE_SECONDS, InterfaceGate
from support.mosquitto import find_mosquitto
from support.waiting import PATIENCE_SECONDS, wait_for

_PORT = 1883  # of a network namespace that nobody else uses


def test_without_an_interface_nothing_is_waited_for() -> None:
    """Nobody asks the system for an interface that was not named."""

    def fail(_: str) -> bool:
        raise AssertionError

    assert InterfaceGate(None, has_address=fail).reason_to_wait() is None


def test_an_interface_that_goes_and_comes() -> None:
    """Closed until it has an address and soon after it lost it, but not while it is away for a moment."""
    now, present = [0.0], [False]
    gate = InterfaceGate("wlan0", has_address=lambda _: present[0], clock=lambda: now[0])
    assert gate.reason_to_wait() == "waiting for interface wlan0"
    present[0] = True
    assert gate.reason_to_wait() is None
    present[0] = False
    now[0] = GRACE_SECONDS - 0.1
    assert gate.reason_to_wait() is None
    now[0] = GRACE_SECONDS
    assert gate.reason_to_wait() == "waiting for interface wlan0"


class Namespace:
    """A network of its own with a broker in it, which is heard through a socket file."""

    def __init__(self, folder: Path) -> None:
        socket_file, configuration = folder / "mqtt", folder / "mosquitto.conf"
        configuration.write_text(
            f"user root\nallow_anonymous true\nlistener {_PORT} 127.0.0.1\nlistener 0 {socket_file}\n"
        )
        start = f"ip link set lo up && exec {find_mosquitto()} -c {configuration}"
        self._broker = subprocess.Popen(["unshare", "--net", "sh", "-c", start], stderr=subprocess.DEVNULL)
        wait_for(socket_file.exists, "the broker's socket")
        self.states: list[str] = []
        self.pulses = 0
        self._witness = Client(CallbackAPIVersion.VERSION2, transport="unix")
        self._witness.on_message = self._hear
        self._witness.connect(str(socket_file))
        self._witness.subscribe("fleet/#", 1)
        self._witness.loop_start()

    def ip(self, *words: str) -> None:
        """Change the network."""
        subprocess.run(self.command("ip", *words), check=True, timeout=10)

    def command(self, *words: str) -> list[str]:
        """Return what runs a command in this network."""
        return ["nsenter", f"--target={self._broker.pid}", "--net", *words]

    def has_connections(self) -> bool:
        """Whether any TCP connection is established in this network, proc(5)."""
        rows = Path(f"/proc/{self._broker.pid}/net/tcp").read_text().splitlines()
        return any(row.split()[3] == "01" for row in rows[1:])

    def close(self) -> None:
        """Take it all away."""
        self._witness.disconnect()
        self._witness.loop_stop()
        self._broker.kill()
        self._broker.wait()

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic.endswith("/status"):
            state = json.loads(message.payload)["state"]
            if self.states[-1:] != [state]:
                self.states.append(state)
        self.pulses += message.topic.endswith("/pulse")


def may_make_namespaces() -> bool:
    """Whether this machine lets us, which takes root."""
    programs = all(shutil.which(name) for name in ("unshare", "nsenter", "ip"))
    return programs and subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[Namespace]:
    if sys.platform != "linux" or not may_make_namespaces():
        pytest.skip("needs root and iproute2: apt-get install iproute2")
    place = Namespace(tmp_path)
    yield place
    place.close()


@pytest.mark.broker
def test_a_real_agent_follows_its_interface(namespace: Namespace, tmp_path: Path) -> None:
    """It waits for the interface, publishes while that has an address, stops when it is lost
    with a goodbye as the broker can still be reached, and goes on when it is back. Each is one line.
    """  # noqa: D205 - one sentence
    log = tmp_path / "log"
    words = ["agent", "--interface", "veth1", "--interval", "0.5", "--host-id", "web-1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETGLASS_")}
    with log.open("w") as output:
        agent = subprocess.Popen(
            namespace.command(sys.executable, "-m", "fleetglass.cli", *words),
            stderr=output,
            env=environment | {"HOME": str(tmp_path)},
        )
    try:
        wait_for(said(log, "waiting for interface veth1"), "the first line")
        namespace.ip("link", "add", "veth1", "type", "veth", "peer", "name", "veth2")
        namespace.ip("link", "set", "veth2", "up")
        namespace.ip("link", "set", "veth1", "up")
        assert namespace.states == []
        namespace.ip("address", "add", "10.0.0.1/24", "dev", "veth1")
        wait_for(lambda: namespace.states == ["online"] and namespace.pulses, "pulses")
        namespace.ip("link", "delete", "veth1")
        wait_for(lambda: namespace.states == ["online", "stopped"], "goodbye")
        wait_for(lambda: not namespace.has_connections(), "end of the connection")
        heard = namespace.pulses
        namespace.ip("link", "add", "veth1", "type", "veth", "peer", "name", "veth2")
        namespace.ip("link", "set", "veth2", "up")
        namespace.ip("link", "set", "veth1", "up")
        namespace.ip("address", "add", "fd00::1/64", "dev", "veth1")
        wait_for(lambda: namespace.states == ["online", "stopped", "online"], "return")
        wait_for(lambda: namespace.pulses > heard, "pulses again")
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(PATIENCE_SECONDS) == 0
        wait_for(lambda: namespace.states[-1] == "stopped", "the last goodbye")
    finally:
        agent.kill()
        agent.wait()
    lines = [line.split(": ", 1)[1] for line in log.read_text().splitlines()]
    connected = f"connected to broker mqtt://127.0.0.1:{_PORT}"
    waiting = "waiting for interface veth1"
    assert lines[own_container() is not None :] == [waiting, connected, waiting, connected, "stopped"]


def said(log: Path, text: str) -> Callable[[], bool]:
    return lambda: text in log.read_text()
