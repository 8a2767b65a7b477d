from collections.abc import Iterable
from typing import cast

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.agent.publishing.echo_probe import EchoProbe
from fleetglass.mqtt.message import Message
from fleetglass.mqtt.packet_limit import PacketLimit, packet_bytes
from fleetglass.mqtt.threaded_connection import ThreadedConnection


class Line:
    """A connection to a broker that returns packets of up to so many bytes."""

    def __init__(self, most_bytes: int, version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311) -> None:
        self.now = 100.0
        self.most_bytes = most_bytes
        self.version = version
        self.number = 1
        self.connected_seconds = 10.0
        self.url = "mqtt://broker.example"
        self.limit = PacketLimit(lambda: self.now)
        self.limit.largest = 5000
        self.sent: list[Message] = []
        self.probe = EchoProbe(
            "fleet/web-1/doctor", "abc", cast("ThreadedConnection", self), clock=lambda: self.now
        )

    def subscribe(self, topics: Iterable[str], qos: int) -> None:
        """Grant it."""
        assert (list(topics), qos) == (["fleet/web-1/doctor"], 0)

    def send(self, messages: Iterable[Message]) -> None:
        """Return what is not too large."""
        for message in messages:
            self.sent.append(message)
            if packet_bytes(message) <= self.most_bytes:
                self.probe.hear(message.payload)

    def pass_time(self, seconds: float = 6.0) -> int:
        """Look, and again after a while; return how many messages that took."""
        before = len(self.sent)
        self.probe.look()
        self.now += seconds
        self.probe.look()
        return len(self.sent) - before


def test_a_broker_that_returns_all_is_asked_once() -> None:
    """Up to the largest message, and again only when messages have grown."""
    line = Line(100_000)
    assert line.pass_time() == 6
    assert [packet_bytes(one) for one in line.sent] == [256, 512, 1024, 2048, 4096, 5000]
    line.limit.largest = 6000
    line.number += 1
    assert line.pass_time() == 0
    line.limit.largest = 8000
    assert line.pass_time() == 6
    assert line.limit.most is None


def test_what_does_not_come_back_is_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again on a new connection: somebody may have raised it."""
    line = Line(3000)
    line.pass_time()
    assert line.limit.most == 2048
    assert line.pass_time() == 0
    line.number += 1
    line.most_bytes = 10_000
    line.pass_time()
    assert line.limit.most is None
    [message] = caplog.messages
    assert message.startswith(
        "broker mqtt://broker.example drops large messages: sending no packet above 2048"
    )


def test_a_host_that_may_not_read_it_learns_nothing() -> None:
    """Neither what does not come at all nor a connection that ends is tried more than twice."""
    line = Line(0)
    assert [line.pass_time() for _ in range(4)] == [6, 6, 0, 0]
    line = Line(0)
    for _ in range(4):
        line.probe.look()
        line.number += 1
        line.probe.look()
    assert len(line.sent) == 12
    assert line.limit.most is None


@pytest.mark.parametrize("reason", ["MQTT 5", "told", "fresh"])
def test_nothing_is_asked_where_that_is_not_needed(reason: str) -> None:
    """By MQTT 5 a broker says what it refuses; and a connection has to last first."""
    line = Line(3000, MQTTProtocolVersion.MQTTv5 if reason == "MQTT 5" else MQTTProtocolVersion.MQTTv311)
    line.limit.told = 4000 if reason == "told" else None
    line.connected_seconds = 1.0 if reason == "fresh" else 10.0
    assert line.pass_time() == 0
