"""Removes hosts from a broker: finds what each left retained, and clears it.

Bridges and Home Assistant forget a host once its retained messages are gone.
"""

import sys
import threading
import time as clocks
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from types import TracebackType
from typing import Final, NamedTuple, Self

from fleetglass.agent.home_assistant import discovery_topic
from fleetglass.agent.identity import new_session
from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.mqtt.probe import probe
from fleetglass.mqtt.threaded_connection import Message, ThreadedConnection
from fleetglass.wire import PayloadError, Topics, decode, is_host_id
from fleetglass.wire.errors import CommandError
from fleetglass.wire.payloads import State, Status
from fleetglass.wire.topics import Leaf

MAX_TOPICS: Final = 500_000
"""Topics that are cleared in one run; a run that finds more says so."""

_LEAVES: Final[tuple[Leaf, ...]] = ("status", "info", "summary", "demand")
_ANSWER_SECONDS = 10.0


class Patience(NamedTuple):
    """How long to wait for messages, in seconds."""

    first: float = 2.0
    """For the first retained message: brokers send them at once."""
    quiet: float = 0.5
    """After the last retained message, before they count as complete."""
    pulse: float = 5.0
    """For a sign of life of a host whose status is `online`."""
    protest: float = 8.0
    """For an agent to publish its status again after it was cleared; one that has just done so waits 6 s."""


USUAL_PATIENCE: Final = Patience()


@dataclass(slots=True)
class RetainedHost:
    """What one host left on the broker."""

    id: str
    topics: set[str] = field(default_factory=set)
    """Topics with a retained message."""
    state: State | None = None
    """The state in its retained status, if it has one."""
    session: str | None = None
    """The session in that status."""
    is_heard: bool = False
    """Whether it has published since this connection began."""


class HostRemoval:
    """A connection to a broker that finds hosts and removes them. Entered, it is connected.

    Args:
        access: the broker.
        default_user: the user a password belongs to when the address names none.
        prefix: the topic prefix of the hosts.
        home_assistant_prefix: the topic prefix of Home Assistant's discovery.
        patience: how long to wait for messages.

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
    ) -> None:
        self._url = access.url
        self._topics = Topics(prefix)
        self._home_assistant_prefix = home_assistant_prefix
        self._patience = patience
        self._hosts: dict[str, RetainedHost] = {}
        self._count = 0
        self._changed = threading.Condition()
        self._retained_at = 0.0
        self._connected = threading.Event()
        self._connection = ThreadedConnection(
            access,
            client_id=f"fleetglass-forget-{new_session()}",
            default_user=default_user,
            on_connected=self._connected.set,
            on_message=self._hear,
        )

    def __enter__(self) -> Self:
        self._connection.__enter__()
        if not self._connected.wait(_ANSWER_SECONDS):
            self._connection.__exit__(None, None, None)
            raise self._unanswered()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def known_hosts(self) -> list[RetainedHost]:
        """Return every host that left something behind and that this user may read, by id."""
        self._subscribe([self._topics.fleet_filter(leaf) for leaf in _LEAVES])
        return [self._hosts[host] for host in sorted(self._hosts)]

    def examine(self, hosts: Iterable[str]) -> list[RetainedHost]:
        """Return these hosts with every retained topic of theirs, and whether they publish.

        A host whose status is `online` is waited for, up to `patience.pulse`.
        """
        found = [self._hosts.setdefault(host, RetainedHost(host)) for host in hosts]
        self._subscribe(
            [
                one
                for host in found
                for one in (f"{self._topics.prefix}/{host.id}/#", self._discovery_topic(host.id))
            ]
        )
        online = [host for host in found if host.state == "online"]
        self._wait(lambda: all(host.is_heard for host in online), self._patience.pulse)
        self._challenge([host for host in online if not host.is_heard])
        return found

    def clear(self, hosts: Sequence[RetainedHost]) -> dict[str, list[str]]:
        """Clear every retained message of these hosts, and return the topics that had one, by host.

        Known topics are cleared even where this user may not read them.
        """
        cleared = {host.id: sorted(host.topics, key=self._order) for host in hosts}
        self._clear([topic for host in hosts for topic in self._all_topics(host)])
        self._check_that_nothing_stayed(hosts)
        return cleared

    def _challenge(self, silent: Sequence[RetainedHost]) -> None:
        """Clear the status of hosts whose pulses are not heard: an agent that runs publishes it again."""
        if silent:
            statuses = [self._topics.leaf(host.id, "status") for host in silent]
            self._clear(statuses)
            self._wait(lambda: all(host.is_heard for host in silent), self._patience.protest)

    def _check_that_nothing_stayed(self, hosts: Sequence[RetainedHost]) -> None:
        """Ask for the topics again: brokers acknowledge even what their rules forbid."""
        asked = {topic for host in hosts for topic in (*self._known_topics(host.id), *host.topics)}
        for host in hosts:
            host.topics.clear()
        self._subscribe(sorted(asked), first=self._patience.quiet)
        stayed = sorted(topic for host in hosts for topic in host.topics)
        if stayed:
            more = f" and {len(stayed) - 5} more" if len(stayed) > 5 else ""
            raise self._forbidden(f"it kept {', '.join(stayed[:5])}{more}", stayed[0])

    def _all_topics(self, host: RetainedHost) -> list[str]:
        return sorted({*self._known_topics(host.id), *host.topics}, key=self._order)

    def _known_topics(self, host: str) -> list[str]:
        return [self._discovery_topic(host), *(self._topics.leaf(host, leaf) for leaf in _LEAVES)]

    def _discovery_topic(self, host: str) -> str:
        return discovery_topic(self._home_assistant_prefix, host)

    def _order(self, topic: str) -> tuple[int, str]:
        # Discovery first: Home Assistant should not see the status of a host that it still knows go away.
        if topic.startswith(f"{self._home_assistant_prefix}/device/"):
            return 0, topic
        return (1 if topic.endswith("/status") else 2), topic

    def _subscribe(self, filters: Sequence[str], first: float | None = None) -> None:
        """Subscribe, and wait until the retained messages have come."""
        with self._changed:
            self._retained_at = 0.0
        for start in range(0, len(filters), 100):
            self._connection.subscribe(filters[start : start + 100])
        if self._wait(lambda: self._retained_at > 0, self._patience.first if first is None else first):
            while self._wait(self._is_new_since(self._retained_at), self._patience.quiet):
                pass
        if self._count >= MAX_TOPICS:
            raise CommandError(
                f"broker {self._url}: got over {MAX_TOPICS} retained topics, expected fewer; "
                "name fewer hosts at a time"
            )

    def _is_new_since(self, moment: float) -> Callable[[], bool]:
        return lambda: self._retained_at > moment

    def _clear(self, topics: Sequence[str]) -> None:
        sent = self._connection.send([Message(topic, b"", qos=1, retain=True) for topic in topics])
        deadline = clocks.monotonic() + max(_ANSWER_SECONDS, len(topics) / 500)
        try:
            for one in sent:
                one.wait_for_publish(max(0.0, deadline - clocks.monotonic()))
            is_confirmed = len(sent) == len(topics) and all(one.is_published() for one in sent)
        except (RuntimeError, ValueError) as error:
            raise self._unanswered() from error
        if not is_confirmed:
            raise self._unanswered()
        if self._connection.refusal is not None:
            raise self._forbidden(self._connection.refusal, topics[-1])

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 - the message's flag
        host = self._host_of(topic)
        if host is None or (not payload and not retained):
            return
        with self._changed:
            one = self._hosts.setdefault(host, RetainedHost(host))
            if not retained:
                one.is_heard = one.is_heard or self._is_of_an_agent(topic, payload)
            elif self._count < MAX_TOPICS:
                self._count += topic not in one.topics
                one.topics.add(topic)
                self._retained_at = clocks.monotonic()
            if retained and topic == self._topics.leaf(host, "status"):
                one.state, one.session = _state_of(payload)
            self._changed.notify_all()

    def _is_of_an_agent(self, topic: str, payload: bytes) -> bool:
        address = self._topics.parse(topic)
        if address is None or address.leaf == "demand":
            return False
        return address.leaf != "status" or _state_of(payload)[0] == "online"  # a will is no sign of life

    def _host_of(self, topic: str) -> str | None:
        for head in (f"{self._home_assistant_prefix}/device/", f"{self._topics.prefix}/"):
            if topic.startswith(head):
                host = topic[len(head) :].partition("/")[0]
                return host if is_host_id(host) else None
        return None

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _unanswered(self) -> CommandError:
        return CommandError(f"broker {self._url}: no answer within {_ANSWER_SECONDS:g} s")

    def _forbidden(self, reason: str, topic: str) -> CommandError:
        return CommandError(f"broker {self._url}: {reason}; expected a user who may clear {topic}")


def remove_hosts(
    removal: HostRemoval, hosts: Iterable[str]
) -> tuple[dict[str, list[str]], Mapping[str, str]]:
    """Clear hosts that no longer publish.

    Returns:
        The cleared topics by host, and the hosts that still publish with the session of each.
    """
    found = removal.examine(hosts)
    running = {host.id: host.session or "unknown" for host in found if host.is_heard}
    return removal.clear([host for host in found if host.id not in running]), running


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


def report(
    cleared: Mapping[str, Sequence[str]], running: Mapping[str, str], url: BrokerURL, prefix: str
) -> int:
    """Print a line for each host, and return the exit code: 1 if a host still publishes."""
    for host, topics in cleared.items():
        if topics:
            shown = ", ".join(topics[:8]) + (f" and {len(topics) - 8} more" if len(topics) > 8 else "")
            print(f"forgot {host} at {url}: cleared {shown}")
        else:
            print(f"nothing of {host} was at {url} under {prefix}/")
    for host, session in running.items():
        print(
            f"fleetglass: {host} still publishes (session {session}); stop its agent first", file=sys.stderr
        )
    return 1 if running else 0


def _state_of(payload: bytes) -> tuple[State | None, str | None]:
    try:
        status = decode(payload, Status)
    except PayloadError:
        return None, None
    return status.state, status.session
