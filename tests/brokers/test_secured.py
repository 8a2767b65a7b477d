"""The secured configurations of `deploy/brokers/` in the real brokers: what they let through."""

import base64
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from support.bridge import Bridge
from support.broker import Broker
from support.brokers import Nats, RabbitMQ
from support.certificates import Authority
from support.ports import free_port
from support.programs import REPOSITORY, Fleetglass
from support.waiting import wait_for

RECIPES = REPOSITORY / "deploy" / "brokers"
PASSWORDS = {"web-1": "w", "bridge": "b", "home-assistant": "h"}
REFUSED_SECONDS = 2.0
"""A broker that refuses without a word has not answered by then."""


def _filled(name: str, **words: str) -> str:
    text = (RECIPES / name).read_text()
    for old, new in words.items():
        assert old in text, f"the recipe no longer says {old}"
        text = text.replace(old, new)
    return text


class _Secured(Broker):
    """A broker with the recipe beside it; `port` speaks TLS."""

    def answers(self) -> bool:
        """Whether it listens."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            return True
        return False

    def access(self, user: str | None, password: str | None, authority: Authority) -> BrokerAccess:
        """Return how a user reaches it."""
        url = BrokerURL("127.0.0.1", self.port, tls=True, user=user)
        return BrokerAccess(url=url, password=password, ca_file=str(authority.own.certificate))


class SecuredNats(_Secured, Nats):
    """NATS by `nats.conf`."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        certificate, key = authority.issue("broker")
        words = {
            "127.0.0.1:4222": f"127.0.0.1:{free_port()}",
            "/var/lib/nats": str(folder / "jetstream"),
            "0.0.0.0:8883": f"127.0.0.1:{self.port}",
            "/etc/nats/broker.crt": str(certificate),
            "/etc/nats/broker.key": str(key),
        } | {f"PASSWORD-OF-{user.upper()}": password for user, password in PASSWORDS.items()}
        self._configuration.write_text(_filled("nats.conf", **words))


class SecuredRabbitMQ(_Secured, RabbitMQ):
    """RabbitMQ by `rabbitmq.conf` and `rabbitmq-fleet.json`."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        certificate, key = authority.issue("broker")
        definitions = folder / "fleet.json"
        hashes = {f"HASH-OF-{user.upper()}": _hash(password) for user, password in PASSWORDS.items()}
        definitions.write_text(_filled("rabbitmq-fleet.json", **hashes))
        words = {
            "127.0.0.1:5672": f"127.0.0.1:{self._ports['amqp']}",
            "0.0.0.0:8883": f"127.0.0.1:{self.port}",
            "/etc/rabbitmq/ca.crt": str(authority.own.certificate),
            "/etc/rabbitmq/broker.crt": str(certificate),
            "/etc/rabbitmq/broker.key": str(key),
            "/etc/rabbitmq/fleet.json": str(definitions),
        }
        (folder / "rabbitmq.conf").write_text(_filled("rabbitmq.conf", **words))


def _hash(password: str) -> str:
    """Return what `rabbitmqctl hash_password` prints."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


KINDS = (SecuredNats, pytest.param(SecuredRabbitMQ, marks=pytest.mark.slow))


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[SecuredNats | SecuredRabbitMQ]:
    """Give each broker in turn, with its recipe."""
    kind: type[SecuredNats | SecuredRabbitMQ] = request.param
    if remedy := kind.missing():
        pytest.skip(f"needs {kind.name}: {remedy}")
    broker = kind(tmp_path_factory.mktemp(f"secured-{kind.name}"), authority)
    try:
        yield broker.start()
    finally:
        broker.kill()


@contextmanager
def _client(broker: SecuredNats | SecuredRabbitMQ, authority: Authority, user: str) -> Iterator[Client]:
    """Connect as a user of the recipe; whatever comes is in the client's `userdata`, as a list."""
    client = Client(CallbackAPIVersion.VERSION2, userdata=[])
    connected: list[bool] = []
    client.on_connect = lambda *_: connected.append(True)
    client.on_message = lambda _, heard, message: heard.append((message.topic, message.payload))
    client.tls_set(str(authority.own.certificate))
    client.username_pw_set(user, PASSWORDS[user])
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        wait_for(lambda: connected, f"{user} is connected")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _publish(client: Client, topic: str, payload: bytes, seconds: float = 10) -> None:
    """Publish, and wait until the broker has answered; some end the connection instead."""
    with suppress(RuntimeError, ValueError):
        client.publish(topic, payload, qos=1).wait_for_publish(seconds)


def _subscribe(client: Client, *topics: str) -> None:
    """Subscribe, and wait until the broker has answered."""
    answered: list[bool] = []
    client.on_subscribe = client.on_disconnect = lambda *_: answered.append(True)
    client.subscribe([(topic, 1) for topic in topics])
    wait_for(lambda: answered, f"an answer to {topics}")


def test_nobody_comes_in_without_tls_and_password(
    broker: SecuredNats | SecuredRabbitMQ, authority: Authority
) -> None:
    """In clear, without a name and with a wrong password there is no connection."""
    clear = BrokerAccess(url=BrokerURL("127.0.0.1", broker.port, user="web-1"), password="w")
    assert probe(clear, REFUSED_SECONDS).outcome != "accepted"
    for user, password, outcome in (
        (None, None, "refused"),
        ("web-1", "wrong", "refused"),
        ("web-1", "w", "accepted"),
    ):
        assert probe(broker.access(user, password, authority), REFUSED_SECONDS).outcome == outcome


@pytest.mark.parametrize(
    ("user", "forged", "reader", "own"),
    [
        ("web-1", "fleet/web-2/status", "bridge", "fleet/web-1/status"),
        ("web-1", "fleet/web-2/live/cpu", "bridge", "fleet/web-1/live/cpu"),
        ("web-1", "homeassistant/device/web-2/config", "home-assistant", "homeassistant/device/web-1/config"),
        ("bridge", "fleet/web-2/pulse", "bridge", "fleet/web-1/pulse"),
    ],
)
def test_what_one_may_not_write_reaches_nobody(
    broker: SecuredNats | SecuredRabbitMQ, authority: Authority, user: str, forged: str, reader: str, own: str
) -> None:
    """A host writes its own topics only, a bridge none but leases: whatever is answered, nothing arrives."""
    with _client(broker, authority, reader) as witness:
        _subscribe(witness, forged, own)
        with _client(broker, authority, user) as intruder:
            _publish(intruder, forged, b"forged", REFUSED_SECONDS)
        with _client(broker, authority, "web-1") as host:
            _publish(host, own, b"own")
        heard = wait_for(witness.user_data_get, "the host's own message")
    assert heard == [(own, b"own")]


@pytest.mark.parametrize("topic", ["fleet/#", "fleet/web-2/demand", "#", "$MQTT/#", "$MQTT/sub/#"])
def test_a_host_reads_nothing_of_others(
    broker: SecuredNats | SecuredRabbitMQ, authority: Authority, topic: str
) -> None:
    """It is refused, or gets nothing, while others do."""
    with _client(broker, authority, "web-1") as host, _client(broker, authority, "bridge") as bridge:
        _subscribe(host, topic)
        _subscribe(bridge, "fleet/web-2/demand")
        _publish(bridge, "fleet/web-2/demand", b"not yours")
        wait_for(bridge.user_data_get, "what the bridge said")
        wait_for(host.is_connected, "the host is connected again, if it was thrown out")
        _subscribe(host, "fleet/web-1/doctor")
        _publish(host, "fleet/web-1/doctor", b"own")
        wait_for(lambda: ("fleet/web-1/doctor", b"own") in host.user_data_get(), "what the host may read")
        assert host.user_data_get() == [("fleet/web-1/doctor", b"own")]


async def test_agent_and_bridge_work_with_these_rules(
    broker: SecuredNats | SecuredRabbitMQ, authority: Authority, tmp_path: Path
) -> None:
    """A real agent is live and, when it ends, stopped at a real bridge."""
    bridge = Bridge(free_port())
    with (
        Fleetglass(
            "bridge", *_as("bridge", broker, authority, tmp_path), "--port", str(bridge.port), home=tmp_path
        ),
        Fleetglass(
            "agent", *_as("web-1", broker, authority, tmp_path), "--host-id", "web-1", home=tmp_path
        ) as agent,
    ):
        await bridge.until_health(lambda health: health["status"] == "ok", "the bridge is ready")
        await bridge.until_state("web-1", "live")
        await bridge.until_info("web-1")
        assert agent.interrupt() == 0
        await bridge.until_state("web-1", "stopped")


def _as(user: str, broker: SecuredNats | SecuredRabbitMQ, authority: Authority, folder: Path) -> list[str]:
    """Return the arguments with which a program is a user of the recipe."""
    file = folder / f"password-of-{user}"
    file.write_text(PASSWORDS[user])
    file.chmod(0o600)
    return [
        *("--broker", f"mqtts://{user}@127.0.0.1:{broker.port}"),
        *("--ca-file", str(authority.own.certificate), "--password-file", str(file)),
    ]
