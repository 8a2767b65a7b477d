"""What hosts left on a broker, as it is read. Bounded in memory, whatever was retained there."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from fleetglass.agent.home_assistant import discovery_topic
from fleetglass.wire import PayloadError, Topics, decode, is_host_id
from fleetglass.wire.payloads import State, Status

MAX_BYTES: Final = 32 * 1024 * 1024
"""Memory for the topics that are known at a time: about 100,000 of usual length."""

_ENTRY_BYTES: Final = 100  # of a topic in a set, beside the text
_HOST_BYTES: Final = 1000


@dataclass(slots=True)
class RetainedHost:
    """What one host left on the broker."""

    id: str
    topics: set[str] = field(default_factory=set)
    """Topics with a retained message."""
    state: State | None = None
    """The state in its retained status, if it has one."""
    session: str | None = None
    """The session in its last status."""
    is_heard: bool = False
    """Whether it has published since the connection began."""
    host_below: str | None = None
    """The id of another host whose status is below this one's topics, as if this one were a prefix."""


class RetainedHosts:
    """Takes in messages, and sorts what is retained by host.

    Args:
        topics: the topics of the fleet.
        home_assistant_prefix: the topic prefix of Home Assistant's discovery.
        max_bytes: memory for topics. What does not fit is left out, and `is_full` says so.
    """

    def __init__(self, topics: Topics, home_assistant_prefix: str, max_bytes: int = MAX_BYTES) -> None:
        self.is_full = False
        """Whether topics were left out."""
        self._topics = topics
        self._discovery_head = discovery_topic(home_assistant_prefix, "").removesuffix("/config")
        self._max_bytes = max_bytes
        self._bytes = 0
        self._hosts: dict[str, RetainedHost] = {}

    def begin(self, hosts: Iterable[str] = ()) -> list[RetainedHost]:
        """Forget which topics are retained, to read them again, and return these hosts."""
        self.is_full = False
        self._bytes = 0
        for host in self._hosts.values():
            host.topics.clear()
        return [self._hosts.setdefault(host, RetainedHost(host)) for host in hosts]

    def with_topics(self) -> list[RetainedHost]:
        """Return the hosts that left something, by id."""
        return [host for _, host in sorted(self._hosts.items()) if host.topics]

    def take(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """Take in a message, and return whether it is retained and was not known."""
        host_id = self._host_of(topic)
        if host_id is None or not payload:
            return False
        if not retained:
            self._hear(host_id, topic, payload)
            return False
        return self._keep(host_id, topic, payload)

    def _hear(self, host_id: str, topic: str, payload: bytes) -> None:
        host, address = self._hosts.get(host_id), self._topics.parse(topic)
        if host is None or address is None or address.leaf == "demand":
            return
        if address.leaf == "status":
            state, session = _state_of(payload)
            if state != "online":
                return  # a will is no sign of life
            host.session = session
        host.is_heard = True

    def _keep(self, host_id: str, topic: str, payload: bytes) -> bool:
        host = self._hosts.get(host_id)
        if host is not None and topic in host.topics:
            return False
        size = sys.getsizeof(topic) + _ENTRY_BYTES + (_HOST_BYTES if host is None else 0)
        if self._bytes + size > self._max_bytes:
            self.is_full = True
            return False
        self._bytes += size
        host = host or self._hosts.setdefault(host_id, RetainedHost(host_id))
        host.topics.add(topic)
        if topic.endswith("/status"):
            self._take_status(host, topic, payload)
        return True

    def _take_status(self, host: RetainedHost, topic: str, payload: bytes) -> None:
        if topic == self._topics.leaf(host.id, "status"):
            host.state, host.session = _state_of(payload)
            return
        below = topic.removeprefix(f"{self._topics.prefix}/{host.id}/").removesuffix("/status")
        if is_host_id(below) and _state_of(payload)[0] is not None:
            host.host_below = below

    def _host_of(self, topic: str) -> str | None:
        for head in (self._discovery_head, f"{self._topics.prefix}/"):
            if topic.startswith(head):
                host, _, rest = topic.removeprefix(head).partition("/")
                # Without a rest it is `fleet/site`, which no host publishes.
                return host if rest and is_host_id(host) else None
        return None


def _state_of(payload: bytes) -> tuple[State | None, str | None]:
    try:
        status = decode(payload, Status)
    except PayloadError:
        return None, None
    return status.state, status.session
