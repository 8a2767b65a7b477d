import json

import pytest

from fleetglass.cli.retained_hosts import RetainedHosts
from fleetglass.wire import Topics

ONLINE = json.dumps({"state": "online", "session": "a", "time": 1}).encode()
LOST = json.dumps({"state": "lost", "session": "a", "time": 1}).encode()


@pytest.fixture
def hosts() -> RetainedHosts:
    return RetainedHosts(Topics("fleet"), "homeassistant")


@pytest.mark.parametrize(
    ("topic", "is_of_web_1"),
    [
        ("fleet/web-1/status", True),
        ("fleet/web-1/live/cpu", True),
        ("fleet/web-1//a", True),
        ("homeassistant/device/web-1/config", True),
        ("fleet/web-1", False),
        ("fleet/Web-1/status", False),
        ("fleets/web-1/status", False),
        ("homeassistant/sensor/web-1/config", False),
    ],
)
def test_topics_of_a_host(hosts: RetainedHosts, topic: str, *, is_of_web_1: bool) -> None:
    """All that is below its id is the host's, whatever it is called, and its discovery."""
    assert hosts.take(topic, b"x", retained=True) is is_of_web_1
    assert [(host.id, host.topics) for host in hosts.with_topics()] == (
        [("web-1", {topic})] if is_of_web_1 else []
    )
    assert not hosts.take(topic, b"x", retained=True), "it is known"


@pytest.mark.parametrize(
    ("topic", "payload", "is_heard"),
    [
        ("fleet/web-1/pulse", b"{}", True),
        ("fleet/web-1/live/cpu", b"{}", True),
        ("fleet/web-1/status", ONLINE, True),
        ("fleet/web-1/status", LOST, False),
        ("fleet/web-1/status", b"", False),
        ("fleet/web-1/demand", b"{}", False),
        ("fleet/web-1/a/b", b"{}", False),
    ],
)
def test_signs_of_life(hosts: RetainedHosts, topic: str, payload: bytes, *, is_heard: bool) -> None:
    """What only an agent that runs publishes is one; a will, or what a bridge asks for, is not."""
    [host] = hosts.begin(["web-1"])
    hosts.take(topic, payload, retained=False)
    assert host.is_heard is is_heard
    assert not host.topics


def test_state_of_a_host(hosts: RetainedHosts) -> None:
    """State and session are those of its own status; that of a host below it is not its own."""
    [host] = hosts.begin(["paris"])
    hosts.take("fleet/paris/web-1/status", ONLINE, retained=True)
    assert (host.state, host.session, host.host_below) == (None, None, "web-1")
    hosts.take("fleet/paris/status", LOST, retained=True)
    assert (host.state, host.session, host.is_heard) == ("lost", "a", False)


@pytest.mark.parametrize("topic", ["fleet/web-1/a/b/status", "fleet/web-1/A/status", "fleet/web-1//status"])
def test_what_is_no_host_below(hosts: RetainedHosts, topic: str) -> None:
    """A topic that only looks like the status of a host makes no prefix of this one."""
    [host] = hosts.begin(["web-1"])
    hosts.take(topic, ONLINE, retained=True)
    assert host.host_below is None


def test_memory_is_bounded() -> None:
    """What does not fit is left out, and is taken in when the topics are read again."""
    hosts = RetainedHosts(Topics("fleet"), "homeassistant", max_bytes=4000)
    for number in range(100):
        hosts.take(f"fleet/web-1/{number}", b"x", retained=True)
    [host] = hosts.with_topics()
    known = set(host.topics)
    assert hosts.is_full
    assert 10 < len(known) < 30
    hosts.begin(["web-1"])
    assert not hosts.is_full
    assert hosts.take("fleet/web-1/99", b"x", retained=True)
