"""Real brokers for tests, each on free ports of loopback with a folder of its own."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Self

from support.broker import Broker
from support.ports import free_port


class Amqtt(Broker):
    """The embedded broker."""

    name: ClassVar[str] = "amqtt"

    @classmethod
    def missing(cls) -> str | None:
        """Return what to install where the package is not there."""
        return None if find_spec("amqtt") else "make test"

    def command(self) -> list[str]:
        """Return what starts it."""
        return [sys.executable, "-m", "fleetglass.cli.embedded_broker", str(self.port)]


class Nats(Broker):
    """A NATS server with JetStream and its MQTT listener; alone, or one node of a cluster."""

    name: ClassVar[str] = "nats"
    keeps_retained: ClassVar[bool] = True

    def __init__(self, folder: Path, *, routes: tuple[int, ...] = (), own_route: int | None = None) -> None:
        super().__init__(folder)
        client_port = free_port()
        lines = [
            f"listen: 127.0.0.1:{client_port}",
            f"server_name: node-{self.port}",
            f'jetstream {{ store_dir: "{folder}/jetstream-{self.port}" }}',
            f"mqtt {{ listen: 127.0.0.1:{self.port} }}",
        ]
        if own_route is not None:
            peers = ", ".join(f"nats://127.0.0.1:{route}" for route in routes)
            lines.append(f"cluster {{ name: fleet, listen: 127.0.0.1:{own_route}, routes: [{peers}] }}")
        self._configuration = folder / f"nats-{self.port}.conf"
        self._configuration.write_text("\n".join(lines) + "\n")

    @classmethod
    def missing(cls) -> str | None:
        """Return what to install where the program is not there."""
        return None if _program("nats-server") else "apt-get install nats-server"

    def command(self) -> list[str]:
        """Return what starts it."""
        return [_program("nats-server") or "", "-c", str(self._configuration)]


class NatsCluster:
    """Three NATS servers that keep what is retained on all of them."""

    def __init__(self, folder: Path) -> None:
        routes = tuple(free_port() for _ in range(3))
        self.nodes = [Nats(folder, routes=routes, own_route=route) for route in routes]

    @property
    def url(self) -> str:
        """The addresses as `--broker` takes them."""
        return ",".join(node.url for node in self.nodes)

    def start(self) -> Self:
        """Start every node, and wait until each lets clients in: the cluster has then found itself."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait()
        return self

    def kill(self) -> None:
        """End all of it."""
        for node in self.nodes:
            node.kill()


class RabbitMQ(Broker):
    """A RabbitMQ node with its MQTT plugin, apart from any that the system runs."""

    name: ClassVar[str] = "rabbitmq"
    keeps_retained: ClassVar[bool] = True
    sends_retained_to_wildcards: ClassVar[bool] = False
    start_seconds: ClassVar[float] = 60.0
    _SCRIPT: ClassVar[str] = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ports = {name: str(free_port()) for name in ("amqp", "distribution", "epmd")}
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._ports['amqp']}\n"
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "mqtt.allow_anonymous = true\n"
        )
        (folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")

    @classmethod
    def missing(cls) -> str | None:
        """Return what to install where the program is not there."""
        return None if os.access(cls._SCRIPT, os.X_OK) else "apt-get install rabbitmq-server"

    def command(self) -> list[str]:
        """Return what starts it: Debian's own script would change to another user."""
        return [self._SCRIPT]

    def environment(self) -> dict[str, str]:
        """Return where it keeps everything."""
        folder = str(self.folder)
        return {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_NODENAME": f"test-{self.port}@localhost",
            "RABBITMQ_NODE_PORT": self._ports["amqp"],
            "RABBITMQ_DIST_PORT": self._ports["distribution"],
            "ERL_EPMD_PORT": self._ports["epmd"],
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def launch(self) -> None:
        """Start Erlang's own name server as well, which would otherwise outlive the node."""
        self._names = subprocess.Popen(
            ["epmd"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment()
        )
        super().launch()

    def kill(self) -> None:
        """End it and the name server."""
        running = self._process is not None
        super().kill()
        if running:
            self._names.kill()
            self._names.wait()


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
