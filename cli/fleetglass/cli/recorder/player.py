"""Plays a recording on a connection: at the pace at which it came or faster, and clears up behind it."""

import time
from collections.abc import Iterable
from typing import Final

from fleetglass.cli.recorder.recording import Header, Recorded
from fleetglass.cli.recorder.replaying import CONFIRMED, RETAINED, PlaybackMoment, replayed
from fleetglass.cli.runtime.stop_signals import StopSignals
from fleetglass.mqtt.message import Message, Sent, has_left
from fleetglass.mqtt.threaded_connection import ThreadedConnection
from fleetglass.wire import PayloadError, Topics, decode, decode_stamp, encode
from fleetglass.wire.errors import CommandError
from fleetglass.wire.payloads import Status

CONNECT_SECONDS: Final = 15.0
STOPPED_SECONDS: Final = 0.5
"""Between the goodbye and the clearing, so that who watches sees it."""

_CONFIRM_SECONDS = 0.7
_CONFIRMED_PER_SECOND = 500  # by a slow broker
_UNSENT_SECONDS = 10.0
_BATCH = 500


class Player:
    """Publishes a recording once. Nothing waits for a broker that is away: the clock goes on."""

    def __init__(self, topics: Topics, header: Header, speed: float, stop: StopSignals) -> None:
        self._topics = topics
        self._started = header.started
        self._speed = speed
        self._stop = stop
        self._connection: ThreadedConnection | None = None
        self._sessions: dict[str, str] = {}
        """Of the hosts that are not said to have ended, the session."""
        self._hosts: set[str] = set()
        self._retained: dict[str, Message] = {}
        self._last: Sent | None = None
        self._count = 0
        self._recorded_seconds = self._played_seconds = 0.0

    def introduce(self) -> None:
        """Say again what a broker keeps, on a new connection."""
        if self._connection is not None:
            self._connection.send(list(self._retained.values()))

    def play(self, messages: Iterable[Recorded], connection: ThreadedConnection) -> None:
        """Publish all messages, until the end or a signal.

        Raises:
            CommandError: there is no connection.
        """
        self._connect(connection)
        start = time.monotonic()
        batch: list[Message] = []
        for message in messages:
            due = start + message.after / self._speed
            if due > time.monotonic() or len(batch) >= _BATCH:
                self._send(connection, batch)
                batch = []
                self._sleep_until(due)
            if self._stop.requested:
                break
            if (one := self._message(message)) is not None:
                batch.append(one)
                self._recorded_seconds = message.after
        self._send(connection, batch)
        self._played_seconds = time.monotonic() - start

    def leave(self, connection: ThreadedConnection, *, keep: bool) -> bool:
        """Let every host say goodbye, and clear what the broker keeps unless told otherwise.

        Returns whether the broker confirmed it.
        """
        now = round(time.time(), 3)
        goodbyes = [
            self._keep(self._topics.leaf(host, "status"), encode(Status("stopped", session, now)))
            for host, session in self._sessions.items()
        ]
        if keep:
            return self._confirmed(connection, goodbyes)
        self._confirmed(connection, goodbyes)
        self._sleep_until(time.monotonic() + STOPPED_SECONDS, even_if_stopped=True)
        # The status first: with it a bridge forgets the host.
        topics = sorted(self._retained, key=lambda topic: not topic.endswith("/status"))
        self._retained.clear()
        return self._confirmed(connection, [Message(topic, b"", 1, retain=True) for topic in topics])

    def summary(self) -> str:
        """Return in one line what was played."""
        return (
            f"replayed {self._count} messages of {len(self._hosts)} hosts in {self._played_seconds:.1f} s "
            f"(they came within {self._recorded_seconds:.1f} s)"
        )

    def _connect(self, connection: ThreadedConnection) -> None:
        until = time.monotonic() + CONNECT_SECONDS
        while not connection.connected and not self._stop.requested:
            if time.monotonic() > until:
                raise CommandError(f"broker: got no answer within {CONNECT_SECONDS:g} s ({connection.url})")
            self._stop.sleep(0.02)
        self._connection = connection

    def _message(self, message: Recorded) -> Message | None:
        address = self._topics.parse(f"{self._topics.prefix}/{message.topic}")
        if address is None or address.leaf == "demand":
            return None  # a lease asks an agent for something, and here is none
        self._note(address.host, message)
        self._count += 1
        moment = PlaybackMoment(recorded=self._started + message.after, played=time.time(), speed=self._speed)
        payload = replayed(address.leaf, message.payload, moment)
        topic = f"{self._topics.prefix}/{message.topic}"
        if address.leaf in RETAINED:
            return self._keep(topic, payload, int(address.leaf in CONFIRMED))
        return Message(topic, payload, int(address.leaf in CONFIRMED))

    def _note(self, host: str, message: Recorded) -> None:
        self._hosts.add(host)
        if message.topic.endswith("/status"):
            self._sessions.pop(host, None)
            try:
                status = decode(message.payload, Status)
            except PayloadError:
                return  # an empty one: the host was forgotten
            if status.state in ("online", "suspended"):
                self._sessions[host] = status.session
        elif message.topic.endswith("/pulse"):
            try:
                session = decode_stamp(message.payload).session
            except PayloadError:
                return
            if isinstance(session, str):
                self._sessions[host] = session

    def _keep(self, topic: str, payload: bytes, qos: int = 1) -> Message:
        message = Message(topic, payload, qos, retain=True)
        if payload:
            self._retained[topic] = message
        else:
            self._retained.pop(topic, None)
        return message

    def _send(self, connection: ThreadedConnection, batch: list[Message]) -> None:
        """Hand over a batch when the last one has been written out: no more than two wait."""
        number, until = connection.number, time.monotonic() + _UNSENT_SECONDS
        while (
            self._last is not None
            and not has_left(self._last)
            and connection.connected
            and connection.number == number
            and time.monotonic() < until
            and not self._stop.requested
        ):
            self._stop.sleep(0.005)
        self._last = None
        if batch and connection.connected and (sent := connection.send(batch)):
            self._last = sent[-1]

    def _confirmed(self, connection: ThreadedConnection, messages: list[Message]) -> bool:
        sent = connection.send(messages) if connection.connected else []
        until = time.monotonic() + _CONFIRM_SECONDS + len(sent) / _CONFIRMED_PER_SECOND
        while connection.connected and not all(map(has_left, sent)) and time.monotonic() < until:
            time.sleep(0.01)
        return len(sent) == len(messages) and all(map(has_left, sent))

    def _sleep_until(self, moment: float, *, even_if_stopped: bool = False) -> None:
        while (left := moment - time.monotonic()) > 0 and (even_if_stopped or not self._stop.requested):
            self._stop.sleep(left)
