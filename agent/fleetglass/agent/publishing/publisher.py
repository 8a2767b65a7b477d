"""What the agent says on its connection to the broker, and when it says it again."""

import contextlib
import itertools
import logging
import random
import threading
import time as clocks
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from fleetglass.agent.publishing.announcements import Announcements
from fleetglass.agent.publishing.backlog import STAMP_BYTES, Backlog, backfill_of
from fleetglass.agent.publishing.duplicate_host import Claim
from fleetglass.agent.publishing.echo_probe import EchoProbe
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.message import LeftOut, Message, Sent, has_left
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire import Topics, encode
from fleetglass.wire.errors import AgentError, CertificateError
from fleetglass.wire.payloads import State, Status
from fleetglass.wire.topics import STATUS_SECONDS
from fleetglass.wire.unexpected_errors import UnexpectedErrors

_log = logging.getLogger(__name__)

UNACKNOWLEDGED_TICKS = 2
READERS_SECONDS = 1.0
"""How long after a broker's return what was kept waits for those who read it."""
_GOODBYE_SECONDS = 1.5
_LEAVING_SECONDS = 0.4
_OWED_SECONDS = 120.0  # a chunk of what was kept takes half a minute over the slowest of links
_MAX_MESSAGES_PER_SECOND = 300
"""On a topic that an agent reads, a message a minute is usual. In a flood, the broker's acknowledgements of
pulses would wait behind it."""


class Tick(NamedTuple):
    """What one tick has to say; the pulse alone is kept while there is no broker."""

    time: float
    number: int
    pulse: bytes
    others: Sequence[Message]


class Publisher:
    """Keeps a connection to the broker for as long as it is entered, and says so in the host's status.

    Pulses go at QoS 1, and the broker's acknowledgement decides what has been delivered. Those without
    one are kept, at most 15 minutes of them, and sent as `backfill` before the next pulse. All else is
    dropped and counted when it cannot be sent at once.

    Raises:
        AgentError: a certificate or key file cannot be used.
    """

    def __init__(
        self,
        settings: AgentSettings,
        *,
        session: str,
        errors: UnexpectedErrors | None = None,
        clock: Callable[[], float] = clocks.monotonic,
        now: Callable[[], float] = clocks.time,
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._now = now
        topics = Topics(settings.prefix)
        self._status_topic = topics.leaf(settings.host_id, "status")
        self._pulse_topic = topics.leaf(settings.host_id, "pulse")
        self._backfill_topic = topics.leaf(settings.host_id, "backfill")
        self._heard: dict[str, Callable[[bytes, bool], None]] = {self._status_topic: self._hear_status}
        self._claim = Claim(session)
        self._status_due = 0.0
        self._stopping = False
        self._held: str | None = None  # why there is to be no connection
        self._suspended = self._was_suspended = False
        self._number_before_sleep = 0  # of the connection that was left then
        self._turn = threading.Lock()  # to say in which state the host is
        self._goodbye: list[Sent] = []
        self._leave_by = 0.0
        self._dropped_messages = 0
        self._backlog = Backlog(settings.interval)
        # Pulses and backfill on their way, in order; only the thread of the ticks touches them.
        self._unacknowledged: deque[tuple[Sent | None, list[bytes]]] = deque()
        self._acknowledged_at = clock()  # the last one, or when none was owed
        self._connection_of_those = 0
        self._last: list[Sent] = []
        try:
            self._connection = ThreadedConnection(
                settings.broker,
                client_id=f"fleetglass-{settings.host_id}-{session}",
                default_user=settings.host_id,
                will=lambda: self._status("lost"),
                on_connected=self._introduce,
                on_message=self._hear,
                max_messages_per_second=_MAX_MESSAGES_PER_SECOND,
                errors=errors,
                clock=clock,
            )
        except CertificateError as error:
            raise AgentError(str(error)) from error
        self._announcements = Announcements(self._connection.send, clock)
        self._echo = EchoProbe(topics.leaf(settings.host_id, "doctor"), session, self._connection, clock)

    def __enter__(self) -> Self:
        self._connection.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye and leave, in at most 2.5 s even when the broker answers nothing."""
        self._stopping = True
        if self.connected:
            for goodbye in self._connection.send([self._status("stopped")]):
                with contextlib.suppress(RuntimeError, ValueError):
                    goodbye.wait_for_publish(_GOODBYE_SECONDS)
        self._connection.__exit__(kind, error, trace)

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in, and we want to be there."""
        return self._connection.connected and self._is_wanted

    @property
    def doing(self) -> str:
        """How it stands with the broker, in one line."""
        if self._held is not None:
            return self._held
        if self._suspended:
            return "waiting for this host to sleep and wake"
        return f"{'connected to' if self.connected else 'waiting for broker'} {self._connection.url}"

    def hold(self, reason: str | None) -> None:
        """Stay away from the broker for a reason told in one line, or come back with None.

        To be called once per tick, and before entering. Nothing waits for the answer to the goodbye but
        the end of the connection: closed before, it may be reset, and the broker say `lost` for us.
        """
        if reason is None:
            if self._held is not None:
                self._held = None
                self._connection.pause()  # where it has not been left yet: it may have begun without a word
                self._come_back()
            return
        if self._held is None:
            _log.info("%s", reason)
            with self._turn:
                self._held = reason
                self._goodbye = [] if self._suspended else self._connection.send([self._status("stopped")])
            self._leave_by = self._clock() + _GOODBYE_SECONDS
        if all(map(has_left, self._goodbye)) or self._clock() >= self._leave_by:
            self._connection.pause()

    def suspend(self) -> None:
        """Say that the host goes to sleep, and leave the broker, in at most 2 s; may be called again.

        This and `resume` are for another thread than that of the ticks, which go on meanwhile: their pulses
        are kept.
        """
        with self._turn:
            if self._suspended:
                return
            sent: list[Sent] = []
            was_connected = self.connected
            self._suspended = self._was_suspended = True
            if was_connected:
                self._number_before_sleep = self._connection.number
                sent = self._connection.send([self._status("suspended")])
        for one in sent:
            with contextlib.suppress(RuntimeError, ValueError):
                one.wait_for_publish(_GOODBYE_SECONDS)
        self._connection.leave(_LEAVING_SECONDS)

    def resume(self) -> None:
        """Come back at once, as the host is awake; may be called again."""
        with self._turn:
            self._suspended = False
        self._come_back()

    def was_suspended(self) -> bool:
        """Return whether `suspend` was called since the last call, or still holds."""
        was, self._was_suspended = self._was_suspended, self._suspended
        return was

    @property
    def conflict(self) -> str | None:
        """The session of another agent that publishes under this host id now."""
        return self._claim.rival(self._clock())

    @property
    def dropped_messages(self) -> int:
        """Messages not sent since start, and never to be sent."""
        return self._dropped_messages + self._backlog.dropped

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload on a topic may be, as far as the broker has said so."""
        return self._connection.max_payload_bytes(topic)

    @property
    def max_pulse_bytes(self) -> int:
        """How large a pulse may be, so that it also fits into `backfill`."""
        return self._connection.max_payload_bytes(self._backfill_topic) - STAMP_BYTES

    def listen(self, topic: str, take: Callable[[bytes, bool], None]) -> None:
        """Subscribe before entering; `take` gets payload and whether it was retained, on another thread."""
        self._heard[topic] = take

    def announce(self, topic: str, payload: bytes) -> None:
        """Say something that stays: retained, said again after each connect and from time to time."""
        self._announcements.put(topic, payload)
        if self.connected:
            self._announcements.say_due()

    def announce_again(self, topic: str, *, after_seconds: float) -> None:
        """Say once more what was announced there, or nothing when nothing was."""
        self._announcements.repeat(topic, after_seconds=after_seconds)

    def withdraw(self, topic: str) -> None:
        """Clear at the first connection what an earlier run announced; to be called before entering."""
        self._announcements.withdraw(topic)

    def renew(self) -> None:
        """Connect anew: what we know of the connection may be out of date."""
        self._connection.renew()

    def publish_tick(self, tick: Tick) -> None:
        """Send one tick: first what was kept, then the pulse, then all else.

        A broker that has stopped reading would otherwise fill this machine's memory: while it owes us
        acknowledgements, the pulse is kept and all else is dropped.
        """
        self._settle()
        busy = len(self._unacknowledged) >= UNACKNOWLEDGED_TICKS or not all(map(has_left, self._last))
        if busy or not self.connected or self._readers_may_be_missing():
            self._backlog.append(tick.pulse)
            self._dropped_messages += len(tick.others)
            self._leave_who_owes_too_long()
            return
        largest = self._connection.max_payload_bytes(self._backfill_topic)
        kept = [
            (self._backfill(chunk, tick.time, tick.number), chunk)
            for chunk in self._backlog.take_chunks(largest)
        ]
        kept.append((Message(self._pulse_topic, tick.pulse, qos=1), [tick.pulse]))
        self._connection_of_those = self._connection.number
        sent = self._connection.send([*(message for message, _ in kept), *tick.others])
        for (_, pulses), one in itertools.zip_longest(kept, sent[: len(kept)]):
            self._unacknowledged.append((one, pulses))
        others = sent[len(kept) :]
        self._last = others[-1:]
        self._dropped_messages += len(tick.others) - len(others)
        # Pulses among them are from before the limit was known.
        self._dropped_messages += sum(isinstance(one, LeftOut) for one in sent)

    def refresh(self) -> None:
        """Say again what it is time to say again; to be called about once per tick."""
        now = self._clock()
        if not self.connected:
            return
        if now >= self._status_due:
            self._say_online()
        if self._claim.is_unheard(now):
            self._connection.tell_of_silence(self._status_topic)
        self._echo.look()
        self._announcements.say_due()

    def _readers_may_be_missing(self) -> bool:
        """After an outage bridges come back as we do, and what is sent before they are is lost to them.

        Where only this host was away, asleep, they are there.
        """
        is_first = self._connection.number == self._number_before_sleep + 1
        returned = not is_first and self._connection.connected_seconds < READERS_SECONDS
        return returned and len(self._backlog) > 0

    def _settle(self) -> None:
        """Let go of what was acknowledged; what an earlier connection left open is kept again."""
        while self._unacknowledged and _is_acknowledged(self._unacknowledged[0][0]):
            self._unacknowledged.popleft()
            self._acknowledged_at = self._clock()
        if not self._unacknowledged:
            self._acknowledged_at = self._clock()
        if self._connection_of_those != self._connection.number:
            self._last = []
            self._backlog.restore(pulse for _, pulses in self._unacknowledged for pulse in pulses)
            self._unacknowledged.clear()

    def _leave_who_owes_too_long(self) -> None:
        """A connection on which acknowledgements got lost would otherwise stay silent for ever."""
        now = self._clock()
        if self.connected and now - self._acknowledged_at > _OWED_SECONDS:
            self._acknowledged_at = now
            url, seconds = self._settings.broker.url, _OWED_SECONDS
            _log.warning("broker %s: nothing acknowledged for %.0f s; reconnecting", url, seconds)
            self._connection.renew()

    def _backfill(self, chunk: list[bytes], time: float, tick: int) -> Message:
        payload = backfill_of(chunk, time=time, tick=tick, session=self._session)
        return Message(self._backfill_topic, payload, qos=1)

    def _introduce(self) -> None:
        """Say who we are on a new connection, unless we are about to leave it."""
        if self._stopping or not self._say_online():
            return
        self._claim.said(self._clock())
        self._connection.subscribe(self._heard)
        self._announcements.say_all(self._connection.max_payload_bytes)

    def _say_online(self) -> bool:
        """Say that the host is online, and return that, unless we are about to leave the broker."""
        with self._turn:
            if not self._is_wanted:
                return False
            self._status_due = self._clock() + STATUS_SECONDS * random.uniform(0.85, 1.15)
            self._connection.send([self._status("online")])
        return True

    def _come_back(self) -> None:
        with self._turn:
            if self._is_wanted:
                self._connection.resume()

    @property
    def _is_wanted(self) -> bool:
        """Whether there is to be a connection."""
        return self._held is None and not self._suspended

    def _status(self, state: State) -> Message:
        status = Status(state=state, session=self._session, time=round(self._now(), 3))
        return Message(self._status_topic, encode(status), qos=1, retain=True)

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 -- as it comes
        if topic == self._echo.topic:
            self._echo.hear(payload)
        take = self._heard.get(topic)
        if take is not None and not self._stopping and self._is_wanted:
            take(payload, retained)

    def _hear_status(self, payload: bytes, retained: bool) -> None:  # noqa: FBT001 -- as it comes
        now = self._clock()
        due = self._claim.answer(payload, retained=retained, now=now, chance=random.random())
        if due is None:
            return
        if due > now:
            self._status_due = min(self._status_due, due)
        else:
            self._say_online()


def _is_acknowledged(sent: Sent | None) -> bool:
    return sent is not None and has_left(sent)
