"""Removes what a host left on the broker, so that bridges and Home Assistant forget it."""

import threading
import time as clocks
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, Self

from fleetglass.agent.home_assistant import config_topic
from fleetglass.agent.identity import new_session
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.threaded_connection import Message, ThreadedConnection
from fleetglass.wire import PayloadError, Topics, decode
from fleetglass.wire.errors import AgentError
from fleetglass.wire.payloads import Status

_ANSWER_SECONDS = 10.0
_STATUS_SECONDS = 2.0  # for the retained status, which a broker sends at once

_Heard = tuple[str, bytes, bool]


class Patience(NamedTuple):
    """How long to wait for signs of life of a host that is said to be online, in seconds."""

    pulse: float
    protest: float


USUAL_PATIENCE: Final = Patience(
    pulse=5.0,
    protest=8.0,  # an agent that has just defended its status does so again after 6 s at the latest
)


def retained_topics(settings: AgentSettings) -> list[str]:
    """Return every topic on which a host's agent leaves something behind.

    Home Assistant's comes first, so that it does not see the status of a host it still knows go away.
    """
    topics = Topics(settings.prefix)
    leaves: Final = ("status", "info", "summary", "demand")
    return [config_topic(settings), *(topics.leaf(settings.host_id, leaf) for leaf in leaves)]


def forget(settings: AgentSettings, patience: Patience = USUAL_PATIENCE) -> list[str]:
    """Clear every retained message of a host, wait until that is confirmed, and return their topics.

    There are none when the broker knew nothing of the host, or nothing that this user may read.

    Raises:
        AgentError: the host's agent runs, the broker does not answer, or it keeps a message.
    """
    with _Clearing(settings) as clearing:
        clearing.check_that_it_is_gone(patience)
        clearing.clear(clearing.topics)
        found = [topic for topic in clearing.topics if topic in clearing.held]
        clearing.check_that_nothing_stayed()
    return found


class _Clearing:
    """One connection that clears topics and reads what is on them."""

    def __init__(self, settings: AgentSettings) -> None:
        topics = Topics(settings.prefix)
        self.topics = retained_topics(settings)
        self.held: set[str] = set()
        """Topics on which something was retained."""
        self._host_id = settings.host_id
        self._url = settings.broker.url
        self._status = topics.leaf(settings.host_id, "status")
        self._pulse = topics.leaf(settings.host_id, "pulse")
        self._heard: SimpleQueue[_Heard] = SimpleQueue()
        self._connected = threading.Event()
        self._connection = ThreadedConnection(
            settings.broker,
            client_id=f"fleetglass-forget-{new_session()}",
            default_user=settings.host_id,
            on_connected=self._introduce,
            on_message=self._hear,
        )

    def __enter__(self) -> Self:
        self._connection.__enter__()
        if not self._connected.wait(_ANSWER_SECONDS):
            self.__exit__()
            raise self._unanswered()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def check_that_it_is_gone(self, patience: Patience) -> None:
        """Raise when the host's agent runs: it would only say everything again."""
        found = self._wait(lambda topic, _, retained: topic == self._status and retained, _STATUS_SECONDS)
        if found is None or _online_session(found) is None:
            return
        alive = self._wait(lambda topic, *_: topic == self._pulse, patience.pulse)
        if alive is None:  # with a slow interval, or because these credentials may not read pulses
            self.clear([self._status])
            alive = self._wait(
                lambda topic, payload, _: topic == self._status and bool(_online_session(payload)),
                patience.protest,
            )
        if alive is not None:
            session = _online_session(found)
            raise AgentError(f"an agent publishes as {self._host_id} now (session {session}); stop it first")

    def clear(self, topics: Sequence[str]) -> None:
        """Send empty retained messages and wait until each is confirmed."""
        deadline = clocks.monotonic() + _ANSWER_SECONDS
        sent = self._connection.send([Message(topic, b"", qos=1, retain=True) for topic in topics])
        try:
            for one in sent:
                one.wait_for_publish(max(0.0, deadline - clocks.monotonic()))
            confirmed = len(sent) == len(topics) and all(one.is_published() for one in sent)
        except (RuntimeError, ValueError) as error:
            raise self._unanswered() from error
        if not confirmed:
            raise self._unanswered()
        if self._connection.refusal is not None:
            raise self._forbidden(self._connection.refusal)

    def check_that_nothing_stayed(self) -> None:
        """Ask for the topics again: brokers confirm even what their rules forbid."""
        while not self._heard.empty():
            self._heard.get()
        self._connection.subscribe(self.topics)
        self.clear([self._status])  # confirmed after what is retained has come
        stayed = set()
        while not self._heard.empty():
            topic, payload, retained = self._heard.get()
            if retained and payload:
                stayed.add(topic)
        if stayed:
            raise self._forbidden(f"kept {', '.join(sorted(stayed))}")

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 -- as it comes
        if retained and payload:
            self.held.add(topic)
        self._heard.put((topic, payload, retained))

    def _introduce(self) -> None:
        self._connection.subscribe([self._pulse, *self.topics])
        self._connected.set()

    def _wait(self, wanted: Callable[[str, bytes, bool], bool], seconds: float) -> bytes | None:
        """Return the payload of the first message that is wanted, or None when none comes in time."""
        deadline = clocks.monotonic() + seconds
        while (left := deadline - clocks.monotonic()) > 0:
            try:
                message = self._heard.get(timeout=left)
            except Empty:
                return None
            if wanted(*message):
                return message[1]
        return None

    def _unanswered(self) -> AgentError:
        return AgentError(f"broker {self._url}: no answer within {_ANSWER_SECONDS:g} s")

    def _forbidden(self, reason: str) -> AgentError:
        return AgentError(f"broker {self._url}: {reason}; expected a user who may clear {self.topics[-1]}")


def _online_session(payload: bytes) -> str | None:
    """Return whose `online` a status is."""
    try:
        status = decode(payload, Status)
    except PayloadError:
        return None
    return status.session if status.state == "online" else None
