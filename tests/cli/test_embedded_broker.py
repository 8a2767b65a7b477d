import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from support.ports import free_port
from support.waiting import wait_for

pytestmark = pytest.mark.embedded


@pytest.fixture
def port(environment: dict[str, str]) -> Iterator[int]:
    """Give the port of a running embedded broker; it must end cleanly and without a word."""
    pytest.importorskip("amqtt", reason="needs amqtt, as `make test` installs it")
    number = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "fleetglass.cli.embedded_broker", str(number)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    access = BrokerAccess(url=BrokerURL("127.0.0.1", number))
    wait_for(lambda: probe(access).outcome == "accepted", "the embedded broker")
    yield number
    process.terminate()
    _, error = process.communicate()
    assert (process.returncode, error) == (0, "")


def test_retained_messages_and_wills(port: int) -> None:
    """What is retained reaches a later reader, and so does the retained will of a client that vanished."""
    vanishing = paho.Client(CallbackAPIVersion.VERSION2, client_id="vanishing")
    vanishing.will_set("test/will", "lost", qos=1, retain=True)
    vanishing.connect("127.0.0.1", port)
    vanishing.loop_start()
    vanishing.publish("test/kept", "fact", qos=1, retain=True).wait_for_publish(5)
    vanishing.loop_stop()
    connection = vanishing.socket()
    assert connection is not None
    connection.close()

    received: dict[str, tuple[bytes, bool]] = {}

    def note(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        received[message.topic] = (bytes(message.payload), message.retain)

    reader = paho.Client(CallbackAPIVersion.VERSION2, client_id="reader")
    reader.on_message = note
    reader.connect("127.0.0.1", port)
    reader.subscribe("test/#", 1)
    reader.loop_start()
    wait_for(lambda: len(received) == 2, "both messages")
    reader.disconnect()
    reader.loop_stop()
    assert received["test/kept"] == (b"fact", True)
    assert received["test/will"][0] == b"lost"


def test_taken_port(environment: dict[str, str], taken_port: int) -> None:
    """A port that another program holds is one line and exit code 1."""
    pytest.importorskip("amqtt", reason="needs amqtt, as `make test` installs it")
    result = subprocess.run(
        [sys.executable, "-m", "fleetglass.cli.embedded_broker", str(taken_port)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("fleetglass: embedded broker: ")
    assert result.stderr.count("\n") == 1
