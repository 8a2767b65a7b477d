"""A broker made by `fleetglass enroll`, and clients that try what they may do there."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fleetglass.cli.configuration.file import read_configuration
from fleetglass.cli.configuration.settings import broker_access
from fleetglass.cli.main import main
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from fleetglass.mqtt.tls import tls_context
from support.mosquitto import find_mosquitto
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for

MOSQUITTO_PROGRAMS = tuple(
    program for program in [find_mosquitto(), *os.environ.get("MOSQUITTO", "").split(os.pathsep)] if program
)
"""The one of this machine, and those that the environment names."""


class SecuredBroker:
    """The folder of a broker on free ports of loopback, and the mosquitto that runs with it."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.port = free_port(following=1)
        self.log = folder.parent / "mosquitto.log"
        self.revoked: BrokerAccess
        """Of a host that was revoked, whose file is gone."""
        self.still_open: Client
        """The connection that it still had."""
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def certificate_port(self) -> int:
        """Where a certificate is asked for."""
        return self.port + 1

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def enroll(self, *words: str) -> None:
        """Run `fleetglass enroll` on the folder; fail unless it succeeds."""
        assert main(["enroll", *words, "--folder", str(self.folder)]) == 0

    def start(self) -> Self:
        """Start mosquitto as its package's unit does."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        access = self.access("readers/bridge.yaml")
        wait_for(lambda: probe(access).outcome == "accepted", f"{self._program}, {self.log}")
        return self

    def kill(self) -> None:
        """End mosquitto."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def access(self, file: str) -> BrokerAccess:
        """Return what a file that enroll made says of the broker."""
        path = self.folder / file
        return broker_access(read_configuration({"config": str(path)}, {}), "agent")

    def host(self, name: str) -> BrokerAccess:
        """Return the access of a host."""
        return self.access(f"hosts/{name}.yaml")

    def reader(self, name: str) -> BrokerAccess:
        """Return the access of a reader."""
        return self.access(f"readers/{name}.yaml")


class Client:
    """One connection; the broker's answers and what comes are kept."""

    def __init__(self, access: BrokerAccess, *, mqtt_5: bool = True, **will: Any) -> None:
        version = MQTTProtocolVersion.MQTTv5 if mqtt_5 else MQTTProtocolVersion.MQTTv311
        self.received: list[tuple[str, bytes]] = []
        self.retained: set[str] = set()
        """Topics of which a retained message came."""
        self.answer: str | None = None
        self.ended = threading.Event()
        self._granted = threading.Event()
        self._access = access
        self._client = client = PahoClient(
            CallbackAPIVersion.VERSION2, protocol=version, reconnect_on_failure=False
        )
        if access.url.user is not None:
            client.username_pw_set(access.url.user, access.password)
        if access.url.tls:
            client.tls_set_context(tls_context(access))
        if will:
            client.will_set(**will)
        client.on_connect = self._answered
        client.on_disconnect = lambda *_: self.ended.set()
        client.on_subscribe = lambda *_: self._granted.set()
        client.on_message = self._take

    def __enter__(self) -> Self:
        self._client.connect(self._access.url.host, self._access.url.port, keepalive=60)
        self._client.loop_start()
        wait_for(lambda: self.answer is not None or self.ended.is_set(), "an answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def outcome(self) -> str:
        """What came of connecting."""
        return self.answer or "the connection is closed"

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> None:
        """Publish and wait until the broker confirms, which it also does with what it drops."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE_SECONDS)

    def say(self, topic: str, payload: bytes) -> None:
        """Publish without waiting."""
        self._client.publish(topic, payload, 1)

    def subscribe(self, *filters: str) -> None:
        """Subscribe and wait until the broker confirms, which it also does where nothing will come."""
        self._granted.clear()
        self._client.subscribe([(one, 1) for one in filters])
        assert self._granted.wait(PATIENCE_SECONDS)

    def drop(self) -> None:
        """Break the connection without a goodbye."""
        connection: Any = self._client.socket()
        connection.shutdown(socket.SHUT_RDWR)

    def has(self, topic: str) -> bool:
        """Whether something came on a topic."""
        return any(name == topic for name, _ in self.received)

    def _take(self, _client: object, _data: object, message: Any) -> None:
        self.received.append((message.topic, bytes(message.payload)))
        if message.retain:
            self.retained.add(message.topic)

    def _answered(self, _client: object, _data: object, _flags: object, reason: Any, *_: object) -> None:
        self.answer = str(reason).lower()


@contextmanager
def secured_broker(program: str, *first: str) -> Iterator[SecuredBroker]:
    """Give a folder with these first enrolled, in a place that mosquitto's own user can reach."""
    with tempfile.TemporaryDirectory(prefix="fleetglass-") as name:
        Path(name).chmod(0o755)
        broker = SecuredBroker(Path(name) / "broker", program)
        broker.enroll(*first, "--bridge", "--broker", f"mqtts://127.0.0.1:{broker.port}")
        try:
            yield broker
        finally:
            broker.kill()


def passwords_program() -> str | None:
    """Return mosquitto's own program for passwords, where it is installed."""
    return shutil.which("mosquitto_passwd")
