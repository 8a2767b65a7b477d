import logging

import pytest

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.connection_log import ConnectionLog

URL = BrokerURL("127.0.0.1", 1883)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_each_kind_is_told_once(lines: pytest.LogCaptureFixture) -> None:
    """Troubles that take turns do not repeat each other."""
    log = ConnectionLog()
    for _ in range(3):
        log.tell("unreachable", "no %s", "broker")
        log.tell("refused", "not welcome")
    assert lines.messages == ["no broker", "not welcome"]


def test_a_broker_that_returns_is_told_of_at_once(lines: pytest.LogCaptureFixture) -> None:
    """After a connection that had lasted, each outage and each return gives a line."""
    log = ConnectionLog()
    for _ in range(2):
        log.connected(URL)
        log.lasted(URL)
        log.ended(URL, "lost", "gone")
    lost = f"broker {URL}: connection lost (gone); trying again"
    assert lines.messages == [f"connected to broker {URL}", lost, f"broker {URL}: connected", lost]


def test_a_broker_that_comes_and_goes_is_told_of_once(lines: pytest.LogCaptureFixture) -> None:
    """Of connections that do not last there is a line at the second, and one when one does."""
    log = ConnectionLog()
    for _ in range(5):
        log.connected(URL)
        log.ended(URL, "lost", "gone")
    log.connected(URL)
    log.lasted(URL)
    log.lasted(URL)
    assert lines.messages == [
        f"connected to broker {URL}",
        f"broker {URL}: connection lost (gone); trying again",
        f"broker {URL}: connected",
        f"broker {URL}: connection lost again at once (gone); see the broker's log",
        f"broker {URL}: the connection is stable again",
    ]
