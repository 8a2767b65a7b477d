"""Removes hosts from a broker: finds what each left retained, and clears it.

Bridges and Home Assistant forget a host once its retained messages are gone.
"""

import sys
import threading
import time as clocks
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from types import TracebackType
from typing import Final, NamedTuple, Self

from fleetglass.agent.home_assistant import discovery_topic
from fleetglass.agent.identity import new_session
from fleetglass.cli.retained_hosts import MAX_BYTES, RetainedHost, RetainedHosts
from fleetglass.cli.runtime.log import plain
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import Message, has_left
from fleetglass.mqtt.probe import probe
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire import Topics
from fleetglass.wire.errors import CommandError
from fleetglass.wire.topics import Leaf

MAX_CLEARED_TOPICS: Final = 500_000
"""Topics that are cleared in one run; a run that finds more says so."""
MAX_PACKET_BYTES: Final = 16 * 1024 * 1024
"""A larger retained message is not found, except on a topic that every host has."""
SHOWN_TOPICS: Final = 8

_LEAVES: Final[tuple[Leaf, ...]] = ("status", "info", "summary", "demand")
_ANSWER_SECONDS = 10.0
_ACKNOWLEDGED_TOPICS = 100
_TOPICS_PER_SECOND = 500  # a slow broker takes in so many


class Patience(NamedTuple):
    """How long to wait for messages, in seconds."""

    first: float = 2.0
    """For the first retained message: brokers send them at once."""
    quiet: float = 0.5
    """After the last retained message, before they count as complete."""
    pulse: float = 5.0
    """For a sign of life of a host that may run."""
    protest: float = 8.0
    """For an agent to publish its status again after it was cleared; one that has just done so waits 6 s."""


USUAL_PATIENCE: Final = Patience()


@dataclass(slots=True)
class ClearedTopics:
    """The topics of one host from which a retained message was cleared."""

    count: int = 0
    first: list[str] = field(default_factory=list)
    """Some of them, at most `SHOWN_TOPICS`."""

    def add(self, topics: Sequence[str]) -> None:
        """Count these topics as well."""
        self.count += len(topics)
        self.first += topics[: SHOWN_TOPICS - len(self.first)]


class Removal(NamedTuple):
    """What came of removing hosts."""

    cleared: Mapping[str, ClearedTopics]
    """By host."""
    running: Mapping[str, str]
    """The hosts that still publish, with the session of each."""
    doubtful: Sequence[str]
    """Topics that the user may neither clear nor read: a message may be there."""


class HostRemoval:
    """A connection to a broker that finds hosts and removes them. Entered, it is connected.

    Args:
        access: the broker.
        default_user: the user a password belongs to when the address names none.
        prefix: the topic prefix of the hosts.
        home_assistant_prefix: the topic prefix of Home Assistant's discovery.
        patience: how long to wait for messages.
        max_bytes: memory for the topics that are known at a time.

    Raises:
        CommandError: from every method: the broker does not answer, or does not let this user clear a topic.
    """

    def __init__(
        self,
        access: BrokerAccess,
        default_user: str | None,
        *,
        prefix: str,
        home_assistant_prefix: str,
        patience: Patience = USUAL_PATIENCE,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.doubtful: list[str] = []
        """Topics of the hosts cleared last that this user may neither clear nor read."""
        self.prefix = prefix
        self._url = access.url
        self._topics = Topics(prefix)
        self._home_assistant_prefix = home_assistant_prefix
        self._patience = patience
        self._changed = threading.Condition()
        self._hosts = RetainedHosts(self._topics, home_assistant_prefix, max_bytes)
        self._retained_at = 0.0
        self._connection_number = 0
        self._connection = ThreadedConnection(
            access,
            client_id=f"fleetglass-forget-{new_session()}",
            default_user=default_user,
            on_connected=lambda: None,
            on_message=self._hear,
            largest_packet_bytes=MAX_PACKET_BYTES,
            notices_every_refusal=True,
        )

    def __enter__(self) -> Self:
        self._connection.__enter__()
        deadline = clocks.monotonic() + _ANSWER_SECONDS
        while not self._connection.connected:
            if clocks.monotonic() > deadline:
                self._connection.__exit__(None, None, None)
                raise self._unanswered()
            clocks.sleep(0.01)
        self._connection_number = self._connection.number
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def known_hosts(self) -> list[RetainedHost]:
        """Return the hosts that left something and that this user may read, by id.

        A broker that sends a client a limited number of messages at once may keep back some of them.
        """
        self._read((), [self._topics.fleet_filter(leaf) for leaf in _LEAVES])
        with self._changed:
            if self._hosts.is_full:
                raise CommandError(
                    f"broker {self._url}: got more hosts under {self._topics.prefix}/ than can be listed, "
                    "expected the ids of those to remove"
                )
            return self._hosts.with_topics()

    def find(self, hosts: Iterable[str], first_seconds: float | None = None) -> list[RetainedHost]:
        """Return these hosts with their retained topics, as far as this user may read them.

        `first_seconds` is the time to wait for the first message, if not that of the patience.
        """
        ids = list(hosts)
        # Each known topic by itself as well: some brokers send nothing retained to a wildcard.
        filters = [one for host in ids for one in (self._own_filter(host), *self._known_topics(host))]
        return self._read(ids, filters, first_seconds)

    def listen(self, hosts: Sequence[RetainedHost]) -> None:
        """Wait for a sign of life of each host that may run, for at most `patience.pulse`."""
        self._wait(lambda: not _silent(hosts), self._patience.pulse if _silent(hosts) else 0.0)

    def challenge(self, hosts: Sequence[RetainedHost]) -> None:
        """Clear the status of each host that may run and is silent: its agent publishes it again.

        An agent may publish rarely, or what this user may not read.
        """
        if silent := _silent(hosts):
            self._clear([self._topics.leaf(host.id, "status") for host in silent])
            self._wait(lambda: not _silent(silent), self._patience.protest)

    def clear(self, hosts: Sequence[RetainedHost]) -> dict[str, ClearedTopics]:
        """Clear every retained message of these hosts, and return what was there, by host.

        Topics that every host has are cleared even where this user may not read them. A host that
        publishes meanwhile is left alone from then on.
        """
        cleared = {host.id: ClearedTopics() for host in hosts}
        self._clear_discovery(hosts)
        left = {host.id: host.topics | set(self._fleet_topics(host.id)) for host in hosts}
        before: set[str] = set()
        survivors: set[str] = set()
        while topics := set().union(*left.values()):
            for host in hosts:
                found = left.get(host.id, set()) & host.topics
                cleared[host.id].add(sorted(found - before, key=self._order))
            self._clear(sorted(topics, key=self._order))
            # Brokers acknowledge even what their rules forbid, and may have kept back some of many.
            again = self.find([host.id for host in hosts if not host.is_heard], self._patience.quiet)
            left = {host.id: set(host.topics) for host in again if not host.is_heard}
            stayed = topics.intersection(set().union(*left.values()))
            self._check_that_nothing_stayed(stayed & survivors)
            if any(left.values()):
                self._check_count(cleared)
            before, survivors = topics, stayed
        return cleared

    def _clear_discovery(self, hosts: Sequence[RetainedHost]) -> None:
        """Clear it first: Home Assistant should not see the status of a host that it knows go away."""
        discovery = {self._discovery_topic(host.id): host for host in hosts}
        refusal = self._send_empty(list(discovery))
        seen = [topic for topic, host in discovery.items() if topic in host.topics]
        if refusal is not None and seen:
            raise self._forbidden(refusal, seen[0])
        self.doubtful = list(discovery) if refusal is not None else []

    def _check_count(self, cleared: Mapping[str, ClearedTopics]) -> None:
        if (count := sum(one.count for one in cleared.values())) > MAX_CLEARED_TOPICS:
            raise CommandError(
                f"broker {self._url}: cleared {count} retained topics, and there are more; to clear those, "
                "run the command again"
            )

    def _check_that_nothing_stayed(self, topics: Iterable[str]) -> None:
        if stayed := sorted(topics):
            more = f" and {len(stayed) - 5} more" if len(stayed) > 5 else ""
            raise self._forbidden(f"it kept {plain(', '.join(stayed[:5]))}{more}", plain(stayed[0]))

    def _own_filter(self, host: str) -> str:
        # `fleet/web-1/#` would be `fleet/web-1` as well, which is of a site.
        return f"{self._topics.prefix}/{host}/+/#"

    def _known_topics(self, host: str) -> list[str]:
        return [self._discovery_topic(host), *self._fleet_topics(host)]

    def _fleet_topics(self, host: str) -> list[str]:
        return [self._topics.leaf(host, leaf) for leaf in _LEAVES]

    def _discovery_topic(self, host: str) -> str:
        return discovery_topic(self._home_assistant_prefix, host)

    def _order(self, topic: str) -> tuple[int, str]:
        if topic.startswith(f"{self._home_assistant_prefix}/device/"):
            return 0, topic
        return (1 if topic.endswith("/status") else 2), topic

    def _read(
        self, hosts: Iterable[str], filters: Sequence[str], first_seconds: float | None = None
    ) -> list[RetainedHost]:
        """Subscribe, wait until the retained messages have come, and return these hosts."""
        with self._changed:
            found = self._hosts.begin(hosts)
            self._retained_at = 0.0
        for start in range(0, len(filters), 100):
            self._connection.subscribe(filters[start : start + 100])
        first = self._patience.first if first_seconds is None else first_seconds
        if filters and self._wait(lambda: self._retained_at > 0, first):
            while self._wait(self._is_new_since(self._retained_at), self._patience.quiet):
                pass
        self._check_connection()
        return found

    def _is_new_since(self, moment: float) -> Callable[[], bool]:
        return lambda: self._retained_at > moment

    def _clear(self, topics: Sequence[str]) -> None:
        refusal = self._send_empty(topics)
        if refusal is not None:
            raise self._forbidden(refusal, topics[0])

    def _send_empty(self, topics: Sequence[str]) -> str | None:
        """Publish an empty retained message on each topic; return why the broker refused one, if it did."""
        self._connection.refusal = None
        # Of very many, each acknowledgement would cost milliseconds: that of the last message, which comes
        # when all of them were taken in, is enough.
        confirmed = {*topics[:_ACKNOWLEDGED_TOPICS], *topics[-1:]}
        sent = self._connection.send(
            [Message(topic, b"", qos=int(topic in confirmed), retain=True) for topic in topics]
        )
        deadline = clocks.monotonic() + max(_ANSWER_SECONDS, len(topics) / _TOPICS_PER_SECOND)
        for one in sent:
            while not has_left(one):
                self._check_connection()
                if one.rc or clocks.monotonic() > deadline:
                    raise self._unanswered()
                with suppress(RuntimeError, ValueError):
                    one.wait_for_publish(0.2)
        if len(sent) < len(topics):
            raise self._unanswered()
        return self._connection.refusal

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 - the message's flag
        with self._changed:
            if self._hosts.take(topic, payload, retained=retained):
                self._retained_at = clocks.monotonic()
            self._changed.notify_all()

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _check_connection(self) -> None:
        """A new connection has none of the subscriptions: nothing that is missing would be seen on it."""
        if not self._connection.connected or self._connection.number != self._connection_number:
            raise CommandError(f"broker {self._url}: the connection was lost; run the command again")

    def _unanswered(self) -> CommandError:
        return CommandError(f"broker {self._url}: no answer within {_ANSWER_SECONDS:g} s")

    def _forbidden(self, reason: str, topic: str) -> CommandError:
        return CommandError(f"broker {self._url}: {reason}; expected a user who may clear {topic}")


def remove_hosts(removal: HostRemoval, hosts: Iterable[str]) -> Removal:
    """Clear hosts that no longer publish.

    Raises:
        CommandError: other hosts are below the topics of one, so that it is a prefix and no host.
    """
    found = removal.find(hosts)
    for host in found:
        if host.host_below is not None:
            raise CommandError(
                f"{host.id}: got the prefix of other hosts, such as {host.host_below}, expected a host; "
                f"--prefix {removal.prefix}/{host.id} removes those"
            )
    removal.listen(found)
    removal.challenge(found)
    return _clear(removal, found)


def remove_revoked_hosts(removal: HostRemoval, hosts: Iterable[str]) -> Removal:
    """Clear hosts that may publish no more, whatever their last status says, and those below a site."""
    return _clear(removal, removal.find(hosts))


def _clear(removal: HostRemoval, found: Sequence[RetainedHost]) -> Removal:
    cleared = removal.clear([host for host in found if not host.is_heard])
    running = {host.id: host.session or "unknown" for host in found if host.is_heard}
    gone = {host: topics for host, topics in cleared.items() if host not in running}
    return Removal(gone, running, removal.doubtful)


def check_broker(access: BrokerAccess, default_user: str | None) -> None:
    """Check that one node of the broker lets this user in.

    Raises:
        CommandError: no node does; it gives the first node's reason.
    """
    nodes = access.nodes
    answers = (probe(node, default_user=default_user) for node in nodes)
    refusals = [answer.reason for answer in takewhile(lambda one: one.outcome != "accepted", answers)]
    if len(refusals) == len(nodes):
        raise CommandError(f"broker {access.url}: {refusals[0]}")


def report(removal: Removal, url: BrokerURL, prefix: str) -> int:
    """Print a line for each host, and return the exit code: 1 if a host still publishes."""
    for host, topics in removal.cleared.items():
        if topics.count:
            more = f" and {topics.count - len(topics.first)} more" if topics.count > len(topics.first) else ""
            print(f"forgot {host} at {url}: cleared {plain(', '.join(topics.first))}{more}")
        else:
            print(f"found no retained message of {host} at {url} under {prefix}/")
    for topic in removal.doubtful:
        print(f"fleetglass: this user may not clear {topic}, in case it is there", file=sys.stderr)
    for host, session in removal.running.items():
        print(
            f"fleetglass: {host} still publishes (session {session}); stop its agent first", file=sys.stderr
        )
    return 1 if removal.running else 0


def _silent(hosts: Iterable[RetainedHost]) -> list[RetainedHost]:
    """Return the hosts that may run and were not heard."""
    return [host for host in hosts if not host.is_heard and _may_run(host)]


def _may_run(host: RetainedHost) -> bool:
    # One that left something but no status may be about to publish it again.
    return host.state == "online" or (host.state is None and bool(host.topics))
