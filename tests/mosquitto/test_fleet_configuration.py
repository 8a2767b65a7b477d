"""Attempts against the real broker of `fleetglass enroll`: `docs/security.md` has them as a table."""

import re
import socket
import ssl
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from fleetglass.mqtt.tls import tls_context
from support.certificates import Authority
from support.secured_broker import MOSQUITTO_PROGRAMS, Client, SecuredBroker, secured_broker
from support.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.broker

PAGE = Path(__file__).resolve().parents[2] / "docs/security.md"
Attempt = Callable[[SecuredBroker, Path], str]
ATTEMPTS: dict[str, Attempt] = {}

REFUSED = "refused: not authorized"
CLOSED = "the connection is closed"
DROPPED = "dropped"
ARRIVES = "arrives"


@pytest.fixture(scope="module", params=MOSQUITTO_PROGRAMS or ["mosquitto"])
def broker(request: pytest.FixtureRequest) -> Iterator[SecuredBroker]:
    with secured_broker(request.param, "web-1", "web-2", "site") as made:
        made.enroll("web-3", "web-4", "--certificate")
        made.enroll("--home-assistant", "--reader", "telegraf")
        made.start()
        made.revoked = made.host("web-4")
        with Client(made.revoked) as made.still_open:
            made.enroll("--revoke", "web-4")
            yield made


def attempt(what: str) -> Callable[[Attempt], Attempt]:
    def add(function: Attempt) -> Attempt:
        ATTEMPTS[what] = function
        return function

    return add


def rows() -> dict[str, str]:
    """Return the page's table."""
    found = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \|$", PAGE.read_text("utf-8").partition("## Attempts")[2], re.MULTILINE
    )
    return dict(found[1:])


def connecting(access: BrokerAccess) -> str:
    """Return what comes of connecting, by MQTT 5."""
    try:
        with Client(access) as client:
            if client.answer == "success":
                return "let in"
            return f"refused: {client.answer}" if client.answer else CLOSED
    except OSError:
        return CLOSED


def at(access: BrokerAccess, port: int, *, tls: bool = True, user: str | None = None) -> BrokerAccess:
    return replace(access, url=BrokerURL("127.0.0.1", port, tls=tls, user=user))


def writing(broker: SecuredBroker, access: BrokerAccess, *topics: str) -> str:
    """Return whether the broker keeps what is written to any topic, by either version of MQTT."""
    kept = set()
    for mqtt_5 in (True, False):
        payload = f"forged {uuid.uuid4()}".encode()
        with Client(access, mqtt_5=mqtt_5) as client:
            for topic in topics:
                client.publish(topic, payload, retain=True)
        kept |= {is_retained(broker, topic, payload) for topic in topics}
    assert len(kept) == 1
    return ARRIVES if kept.pop() else DROPPED


def is_retained(broker: SecuredBroker, topic: str, payload: bytes) -> bool:
    """Whether the broker kept it; it sends that before what is published afterwards."""
    is_of_home = topic.startswith("homeassistant/")
    own = "homeassistant/marker" if is_of_home else "fleet/web-1/demand"
    with Client(broker.reader("home-assistant" if is_of_home else "bridge")) as client:
        client.subscribe(topic, own)
        client.publish(own, b"marker")
        wait_for(lambda: (own, b"marker") in client.received, "the marker")
        return (topic, payload) in client.received


@attempt("Connect without a user name")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(replace(at(broker.host("web-1"), broker.port), password=None))


@attempt("Connect with a wrong password")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(replace(broker.host("web-1"), password="wrong"))


@attempt("Connect as another host with web-1's password")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(at(broker.host("web-1"), broker.port, user="web-2"))


@attempt("Connect as a host that was never enrolled")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(at(broker.host("web-1"), broker.port, user="web-9"))


@attempt("Connect in clear to the port for passwords")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(at(BrokerAccess(url=broker.host("web-1").url), broker.port, tls=False))


@attempt("Connect in clear to the port for certificates")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(at(BrokerAccess(url=broker.host("web-1").url), broker.certificate_port, tls=False))


@attempt("Find a port of the broker without TLS")
def _(broker: SecuredBroker, _: Path) -> str:
    listening = {
        connection.laddr.port
        for connection in psutil.Process(broker.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    return "none" if listening == {broker.port, broker.certificate_port} else f"listens on {listening}"


@attempt("Connect by TLS 1.1")
def _(broker: SecuredBroker, _: Path) -> str:
    tried = subprocess.run(
        [
            "openssl",
            "s_client",
            "-tls1_1",
            "-cipher",
            "ALL:@SECLEVEL=0",
            "-connect",
            f"127.0.0.1:{broker.port}",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return "refused: protocol version" if "alert protocol version" in tried.stderr else tried.stderr


@attempt("Connect with a password to the port for certificates")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(at(broker.host("web-1"), broker.certificate_port, user="web-1"))


@attempt("Connect with a certificate to the port for passwords")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(at(broker.host("web-3"), broker.port, user="web-3"))


@attempt("Connect with a certificate of another authority")
def _(broker: SecuredBroker, folder: Path) -> str:
    stranger = Authority(folder).issue("web-3")
    access = broker.host("web-3")
    return connecting(
        replace(access, certificate=stranger.certificate.read_text(), private_key=stranger.key.read_text())
    )


@attempt("Connect with the broker's own certificate")
def _(broker: SecuredBroker, _: Path) -> str:
    both = (broker.folder / "broker.pem").read_text()
    return connecting(replace(broker.host("web-3"), certificate=both, private_key=both))


@attempt("Connect with a revoked certificate")
def _(broker: SecuredBroker, _: Path) -> str:
    return connecting(broker.revoked)


@attempt("Pose as the broker with a host's certificate")
def _(broker: SecuredBroker, folder: Path) -> str:
    access = broker.host("web-3")
    (folder / "own.pem").write_text(f"{access.certificate}{access.private_key}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(outgoing, incoming, server_side=True)
    client = tls_context(access).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    for _step in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return f"the host refuses: {error.verify_message}"
    return "believed"


WRITING = {
    "web-1 writes its own pulse": ("hosts/web-1", "fleet/web-1/pulse"),
    "web-1 writes its own discovery": ("hosts/web-1", "homeassistant/device/web-1/config"),
    "web-1 writes the status of web-2": ("hosts/web-1", "fleet/web-2/status"),
    "web-1 writes the pulse of web-2": ("hosts/web-1", "fleet/web-2/pulse"),
    "web-1 writes as a host that does not exist": ("hosts/web-1", "fleet/web-9/status"),
    "A host named site says that the site is cut off, on `fleet/site`": ("hosts/site", "fleet/site"),
    "web-1 writes the discovery of web-2": ("hosts/web-1", "homeassistant/device/web-2/config"),
    "web-1 writes discovery of another form": ("hosts/web-1", "homeassistant/sensor/web-1/config"),
    "web-1 says that Home Assistant has started": ("hosts/web-1", "homeassistant/status"),
    "web-3, by certificate, writes its own status": ("hosts/web-3", "fleet/web-3/status"),
    "web-3, by certificate, writes the status of web-1": ("hosts/web-3", "fleet/web-1/status"),
    "A bridge writes a demand to web-1": ("readers/bridge", "fleet/web-1/demand"),
    "A bridge writes status or discovery of web-1": (
        "readers/bridge",
        "fleet/web-1/status",
        "homeassistant/device/web-1/config",
    ),
    "Home Assistant says that it has started": ("readers/home-assistant", "homeassistant/status"),
    "Home Assistant writes status or demand of web-1": (
        "readers/home-assistant",
        "fleet/web-1/status",
        "fleet/web-1/demand",
    ),
    "Another reader writes status, demand or discovery": (
        "readers/telegraf",
        "fleet/web-1/status",
        "fleet/web-1/demand",
        "homeassistant/device/web-1/config",
    ),
}
for _what, (_file, *_topics) in WRITING.items():
    ATTEMPTS[_what] = lambda broker, _, file=_file, topics=tuple(_topics): writing(  # type: ignore[misc]
        broker, broker.access(f"{file}.yaml"), *topics
    )


@attempt("web-1 leaves a will on the status of web-2")
def _(broker: SecuredBroker, _: Path) -> str:
    with Client(broker.reader("bridge")) as bridge:
        bridge.subscribe("fleet/#")
        forged: dict[str, Any] = {
            "topic": "fleet/web-2/status",
            "payload": b"forged will",
            "qos": 1,
            "retain": True,
        }
        own: dict[str, Any] = {
            "topic": "fleet/web-1/status",
            "payload": b"own will",
            "qos": 1,
            "retain": False,
        }
        for will in (forged, own):
            client = Client(broker.host("web-1"), **will)
            with client:
                client.drop()
        wait_for(lambda: ("fleet/web-1/status", b"own will") in bridge.received, "its own will")
        return ARRIVES if ("fleet/web-2/status", b"forged will") in bridge.received else DROPPED


@attempt("web-3 names itself web-1 beside its certificate")
def _(broker: SecuredBroker, _: Path) -> str:
    access = at(broker.host("web-3"), broker.certificate_port, user="web-1")
    return f"it is web-3 all the same: {writing(broker, access, 'fleet/web-1/status')}"


@attempt("web-1 reads everything that web-2 says")
def _(broker: SecuredBroker, _: Path) -> str:
    topics = ["status", "doctor", "info", "pulse", "live/cpu", "demand"]
    return reading(
        broker, "hosts/web-1", "fleet/web-1/doctor", "hosts/web-2", [f"fleet/web-2/{one}" for one in topics]
    )


@attempt("web-1 reads back its own pulse")
def _(broker: SecuredBroker, _: Path) -> str:
    return reading(broker, "hosts/web-1", "fleet/web-1/doctor", "hosts/web-1", ["fleet/web-1/pulse"])


@attempt("web-1 reads back its own status and doctor")
def _(broker: SecuredBroker, _: Path) -> str:
    topics = ["fleet/web-1/status", "fleet/web-1/doctor"]
    return reading(broker, "hosts/web-1", "fleet/web-1/doctor", "hosts/web-1", topics)


@attempt("web-1 reads the broker's own numbers")
def _(broker: SecuredBroker, _: Path) -> str:
    return "nothing" if not received_by(broker, "hosts/web-1", "fleet/web-1/doctor", "$SYS/#") else "all"


@attempt("web-1 reads when Home Assistant starts")
def _(broker: SecuredBroker, _: Path) -> str:
    return reading(
        broker, "hosts/web-1", "fleet/web-1/doctor", "readers/home-assistant", ["homeassistant/status"]
    )


@attempt("Home Assistant reads status, info and summary of web-1")
def _(broker: SecuredBroker, _: Path) -> str:
    topics = ["fleet/web-1/status", "fleet/web-1/info", "fleet/web-1/summary"]
    return reading(broker, "readers/home-assistant", "homeassistant/marker", "hosts/web-1", topics)


@attempt("Home Assistant reads the detail of web-1")
def _(broker: SecuredBroker, _: Path) -> str:
    topics = ["fleet/web-1/pulse", "fleet/web-1/live/process", "fleet/web-1/backfill"]
    return reading(broker, "readers/home-assistant", "homeassistant/marker", "hosts/web-1", topics)


@attempt("A bridge reads all of web-1")
def _(broker: SecuredBroker, _: Path) -> str:
    topics = ["fleet/web-1/status", "fleet/web-1/live/cpu", "fleet/web-1/backfill"]
    return reading(broker, "readers/bridge", "fleet/web-2/demand", "hosts/web-1", topics)


def reading(broker: SecuredBroker, reader: str, own: str, writer: str, topics: list[str]) -> str:
    """Return how much of what one writes the other receives, who subscribes to everything."""
    with Client(broker.access(f"{reader}.yaml")) as client, Client(broker.access(f"{writer}.yaml")) as other:
        client.subscribe("#", *topics)
        for topic in topics:
            other.publish(topic, b"secret")
        client.publish(own, b"marker")  # what is sent to a client keeps its order
        wait_for(lambda: (own, b"marker") in client.received, "what it may read")
        got = {topic for topic, payload in client.received if payload == b"secret"}
    return "nothing" if not got else "all" if got == set(topics) else f"only {sorted(got)}"


def received_by(broker: SecuredBroker, reader: str, own: str, topic_filter: str) -> list[tuple[str, bytes]]:
    with Client(broker.access(f"{reader}.yaml")) as client:
        client.subscribe(topic_filter, own)
        client.publish(own, b"marker")
        wait_for(lambda: (own, b"marker") in client.received, "what it may read")
        return [one for one in client.received if one[0] != own]


@attempt("web-1 sends 300 KB at once")
def _(broker: SecuredBroker, _: Path) -> str:
    with Client(broker.reader("bridge")) as bridge, Client(broker.host("web-1"), mqtt_5=False) as client:
        bridge.subscribe("fleet/web-1/live/large", "fleet/web-2/demand")
        client.say("fleet/web-1/live/large", bytes(300_000))
        assert client.ended.wait(PATIENCE_SECONDS)
        bridge.publish("fleet/web-2/demand", b"marker")
        wait_for(lambda: bridge.has("fleet/web-2/demand"), "the marker")
        return ARRIVES if bridge.has("fleet/web-1/live/large") else CLOSED


@attempt("web-4, revoked, keeps writing over a certificate connection that is still open")
def _(broker: SecuredBroker, _: Path) -> str:
    broker.still_open.publish("fleet/web-4/status", b"forged", retain=True)
    return ARRIVES if is_retained(broker, "fleet/web-4/status", b"forged") else DROPPED


@pytest.mark.parametrize("what", ATTEMPTS)
def test_attempt(broker: SecuredBroker, tmp_path: Path, what: str) -> None:
    """What happens at this attempt is what the page on security says."""
    assert ATTEMPTS[what](broker, tmp_path) == rows().get(what)


def test_the_page_has_every_attempt() -> None:
    """The table of the page has the attempts that are made here, and no others."""
    assert list(rows()) == list(ATTEMPTS)


def test_a_revoked_password_ends_its_connection(broker: SecuredBroker) -> None:
    """A connection with a password ends by itself as soon as its host is revoked; the others stay."""
    broker.enroll("web-7")
    wait_for(lambda: probe(broker.host("web-7")).outcome == "accepted", "the broker to read its password")
    with Client(broker.host("web-7")) as gone, Client(broker.host("web-2")) as stays:
        broker.enroll("--revoke", "web-7")
        wait_for(gone.ended.is_set, "the end of the connection, which would last for ever otherwise")
        assert not stays.ended.is_set()
    assert probe(broker.host("web-2")).outcome == "accepted"


@pytest.mark.parametrize("program", MOSQUITTO_PROGRAMS or ["mosquitto"])
def test_from_the_first_start_to_the_last_host(program: str) -> None:
    """Mosquitto starts without a complaint, not as root, and with nobody enrolled nobody may do anything."""
    with secured_broker(program, "web-1", "--certificate") as broker:
        broker.start()
        log = broker.log.read_text().lower()
        assert not [word for word in ("error", "warning", "deprecated", "unable") if word in log]
        assert psutil.Process(broker.pid).username() != "root"
        assert (broker.folder / "state/mosquitto.pid").exists()
        with Client(broker.host("web-1")) as client:
            client.subscribe("#")
            assert is_echoed(client)
            broker.enroll("--revoke", "web-1", "reader.bridge")
            wait_for(lambda: not is_echoed(client), "the end of all rights")


@pytest.mark.parametrize("program", MOSQUITTO_PROGRAMS or ["mosquitto"])
def test_without_discovery_a_host_reaches_home_assistant_by_its_numbers_only(program: str) -> None:
    """A stolen credential puts no entity, template or button into Home Assistant; all else goes on."""
    with secured_broker(program, "web-1", "--home-assistant", "--no-discovery") as broker:
        broker.start()
        access = broker.host("web-1")
        discovery = "homeassistant/device/web-1/config"
        assert writing(broker, access, discovery) == DROPPED
        with Client(access) as client:
            client.subscribe("homeassistant/#")
            with Client(broker.reader("home-assistant")) as home:
                home.publish("homeassistant/status", b"online")
            client.publish("fleet/web-1/doctor", b"x")
            assert not client.received
        assert writing(broker, access, "fleet/web-1/summary") == ARRIVES
        broker.enroll("--discovery")
        wait_for(lambda: writing(broker, access, discovery) == ARRIVES, "the right")


def is_echoed(client: Client) -> bool:
    """Whether what a client writes on its own topic comes back to it."""
    client.received.clear()
    client.publish("fleet/web-1/doctor", b"x")
    client.publish("fleet/web-1/doctor", b"y")  # what came back of the first is here before this is confirmed
    return bool(client.received)


def test_a_renewed_certificate_is_taken_up(broker: SecuredBroker) -> None:
    """A renewed certificate of the broker is served without a restart, and hosts trust it as before."""
    before = served_certificate(broker)
    broker.enroll("--renew")
    wait_for(lambda: served_certificate(broker) != before, "another certificate")
    assert probe(broker.host("web-1")).outcome == "accepted"


def served_certificate(broker: SecuredBroker) -> bytes:
    context = tls_context(broker.host("web-1"))
    with (
        socket.create_connection(("127.0.0.1", broker.port)) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def test_every_line_is_explained() -> None:
    """The README has a row for each line of both configurations, and none for a line that is gone."""
    folder = PAGE.parents[1] / "mosquitto"
    readme = (folder / "README.md").read_text()
    for name in ("private.conf", "fleet.conf"):
        text = (folder / name).read_text()
        lines = {line for line in text.splitlines() if line and not line.startswith("#")}
        assert not [line for line in lines if f"`{line}`" not in readme]
