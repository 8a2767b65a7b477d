"""A connection to a broker, kept up on a thread of its own."""

import logging
import threading
import time as clocks
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.backoff import STABLE_SECONDS, Backoff
from fleetglass.mqtt.connection_log import ConnectionLog
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.flood_guard import PAUSE_SECONDS, FloodGuard
from fleetglass.mqtt.lazy_paho import MQTTMessage
from fleetglass.mqtt.message import LeftOut, Message, Sent
from fleetglass.mqtt.packet_limit import (
    TOO_LARGE,
    PacketLimit,
    filter_batches,
    packet_bytes,
)
from fleetglass.mqtt.paho_connection import MAX_PACKET_BYTES, PahoConnection
from fleetglass.mqtt.refusals import is_too_large, may_be_too_large, reason_text
from fleetglass.mqtt.socket_loop import Waker, serve
from fleetglass.mqtt.tls import TlsFiles
from fleetglass.mqtt.version_fallback import VersionFallback
from fleetglass.wire.unexpected_errors import UnexpectedErrors

_log = logging.getLogger(__name__)

MAX_WAIT_SECONDS: Final = 3.0  # what was missed is to be delivered 5 s after the broker returned
_ANSWER_SECONDS = 10.0
_NODE_ANSWER_SECONDS = 2.0
"""While a cluster elects leaders, the next node may well answer sooner than the one that was asked."""
_SMALL_BYTES = 1024
"""A packet that no broker is expected to find too large."""
_NAMED_TOPICS = 10
"""The log does not name more topics of which something is left out."""
_THREAD_END_SECONDS = 1.0
_GOODBYE_SECONDS = 1.0


class ThreadedConnection:
    """Connects for as long as it is entered, again and again, by MQTT 5 or, where refused, by 3.1.1.

    After a failed connection, the next node of a cluster is tried. Nothing is kept for another connection:
    the sender has to send again what is not acknowledged when one ends. Files for TLS are read for each
    connection, and one that was replaced leads to a new connection.

    Args:
        broker: where the broker is, and how to be let in.
        client_id: unique among all clients of the broker.
        default_user: who a password belongs to when the address names nobody.
        will: what the broker says for us when the connection breaks; asked for each connection.
        on_connected: called on the connection's thread for each connection; may send and subscribe.
        on_message: called on the connection's thread with topic, payload, and whether that was retained.
        max_messages_per_second: on one topic; when more come, the connection is left, and made anew without
            that topic, which is subscribed again after a minute, or later if that happens again. Without a
            limit, all is taken.
        largest_packet_bytes: what a broker with MQTT 5 may send at most.
        notices_every_refusal: whether `refusal` is set for as long as a connection lasts, not only in its
            first seconds.
        keeps_session: whether the broker keeps subscriptions, and what comes on them, while we are away.
        longest_wait_seconds: between two attempts.
        errors: counts what `on_connected` and `on_message` raise; the connection goes on.
        clock: seconds that never go back.

    Raises:
        CertificateError: a certificate or key file cannot be used.
    """

    def __init__(
        self,
        broker: BrokerAccess,
        *,
        client_id: str,
        on_connected: Callable[[], None],
        on_message: Callable[[str, bytes, bool], None],
        default_user: str | None = None,
        will: Callable[[], Message] | None = None,
        max_messages_per_second: int | None = None,
        largest_packet_bytes: int = MAX_PACKET_BYTES,
        notices_every_refusal: bool = False,
        keeps_session: bool = False,
        longest_wait_seconds: float = MAX_WAIT_SECONDS,
        errors: UnexpectedErrors | None = None,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.number = 0
        """Of the connection, or of the last one: the first is 1."""
        self.refusal: str | None = None
        """Why the broker refused a message, as far as it says so."""
        self.limit = PacketLimit(clock)
        """The largest packet that the broker takes, as far as it is known."""
        self._broker = broker
        self._client_id = client_id
        self._default_user = default_user
        self._will = will
        self._on_connected = on_connected
        self._on_message = on_message
        self._errors = errors or UnexpectedErrors()
        self._largest_packet_bytes = largest_packet_bytes
        self._notices_every_refusal = notices_every_refusal
        self._keeps_session = keeps_session
        self._longest_wait = longest_wait_seconds
        self._clock = clock
        self._versions = VersionFallback()
        self._log = ConnectionLog()
        self._files = TlsFiles(broker)
        self._floods = FloodGuard(max_messages_per_second, clock) if max_messages_per_second else None
        self._too_large: set[str] = set()  # topics of messages that were left out
        self._told_limit: int | None = None
        self._left_out: set[str] = set()  # topics that this connection does not subscribe to yet
        self._is_renewed = self._is_flooded = False  # whether this connection has been left for that reason
        self._connection: PahoConnection | None = None
        self._closing = threading.Event()
        self._allowed = threading.Event()  # cleared while paused
        self._allowed.set()
        self._hurry = threading.Event()  # ends the wait between two attempts
        self._left = threading.Event()  # set while there is neither a connection nor an attempt
        self._left.set()
        self._waker = Waker()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._log.started(self._broker, self._default_user)
        self._thread = threading.Thread(target=self._run, name="fleetglass-broker", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave, in at most a second even while a name server or the broker answers nothing."""
        self._closing.set()
        self._allowed.set()
        self._hurry.set()
        self.renew()
        if self._thread is not None:
            self._thread.join(_THREAD_END_SECONDS)

    @property
    def url(self) -> BrokerURL:
        """The broker, or the node of it, that is connected or being tried."""
        return self._broker.url

    @property
    def version(self) -> MQTTProtocolVersion:
        """The version of MQTT that is spoken, or tried next."""
        return self._versions.version

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        connection = self._connection
        return connection is not None and connection.connected

    @property
    def connected_seconds(self) -> float:
        """How long the broker has been there; 0 while it is not."""
        connection = self._connection
        return connection.connected_seconds if connection is not None else 0.0

    def send(self, messages: Iterable[Message]) -> list[Sent]:
        """Hand messages over in order; those that come back with an error are not on their way.

        A message that is larger than the broker takes is left out, which is said once for each topic.
        """
        connection = self._connection
        if connection is None:
            return []
        return [self._send(one, connection) for one in messages]

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload on a topic may be, for the contract and for the broker."""
        return self.limit.payload_bytes(topic)

    def subscribe(self, topics: Iterable[str], qos: int = 1) -> None:
        """Subscribe until the connection ends; to be called after each `on_connected`, or in it."""
        connection = self._connection  # its thread may take it away meanwhile
        if connection is None:
            return
        wanted = list(topics)
        self._left_out.update(topic for topic in wanted if self._pause_of(topic))
        filters = [topic for topic in wanted if topic not in self._left_out]
        for batch in filter_batches(filters, self.limit.told):
            connection.client.subscribe([(topic, qos) for topic in batch])

    def tell_of_silence(self, topic: str) -> None:
        """Say that what we published did not come back; by MQTT 3.1.1 a broker refuses without a word."""
        if topic in self._left_out:
            return
        text = "broker %s: what is published on %s does not come back; may this user write and read it?"
        self._log.tell("unheard", text, self._broker.url, topic)

    def renew(self) -> None:
        """Leave the broker, and come back with files read again."""
        self._is_renewed = True
        connection = self._connection
        if connection is not None:
            connection.client.disconnect()
        self._waker.wake()

    def pause(self) -> None:
        """Leave the broker and stay away until `resume`; may be called before entering, and again."""
        if self._allowed.is_set():
            self._allowed.clear()
            self.renew()

    def leave(self, seconds: float) -> None:
        """Pause, and return when the broker was told so; a connection that takes longer is broken off."""
        self.pause()
        connection = self._connection
        if not self._left.wait(seconds) and connection is not None and connection.socket is not None:
            connection.socket.break_off()

    def resume(self) -> None:
        """Come back after `pause`, at once; may be called again."""
        self._allowed.set()
        self._hurry.set()

    def _run(self) -> None:
        with self._waker:
            self._keep_connected()

    def _send(self, message: Message, connection: PahoConnection) -> Sent:
        size, limit = packet_bytes(message), self.limit
        limit.largest = max(limit.largest, size)
        most = limit.most
        if most is not None and size > most:
            self._leave_out(message.topic, most)
            return LeftOut()
        is_doubtful = size > _SMALL_BYTES and limit.told is None and limit.is_unproven(size)
        if is_doubtful and self._versions.is_mqtt_5:
            # Of a message with QoS 0 that is too large, a broker says nothing.
            connection.notice_refusals()
            message = message._replace(qos=1)
        sent = connection.publish(message)
        limit.sent(size, sent, message.qos)
        return sent

    def _leave_out(self, topic: str, most: int) -> None:
        if topic in self._too_large or len(self._too_large) >= _NAMED_TOPICS:
            return
        self._too_large.add(topic)
        _log.warning(TOO_LARGE, self._broker.url, most, topic)

    def _keep_connected(self) -> None:
        backoff = Backoff(self._longest_wait)
        while self._allowed.wait():
            self._hurry.clear()
            if self._closing.is_set():
                return
            self._left.clear()
            began, connection = self._clock(), None
            try:
                connection = self._make_connection()
                self._serve(connection)
            except Exception as error:  # noqa: BLE001 -- whatever it is, the agent must not stay without its broker
                self._log.tell(
                    "failed", "broker %s: the connection failed; trying again", self._broker.url, cause=error
                )
            finally:
                self._connection = None
                self._left.set()
            if not self._allowed.is_set():
                backoff = Backoff(self._longest_wait)
                continue
            if connection is not None and self._versions.after(connection.end):
                _log.debug("broker %s: trying MQTT 3.1.1", self._broker.url)
                continue
            self._broker = self._broker.following
            if self._hurry.wait(backoff.after(self._clock() - began)):
                backoff = Backoff(self._longest_wait)

    def _make_connection(self) -> PahoConnection:
        connection = PahoConnection(
            self._broker,
            client_id=self._client_id,
            versions=self._versions,
            default_user=self._default_user,
            will=self._will() if self._will is not None else None,
            keeps_session=self._keeps_session,
            answer_seconds=_NODE_ANSWER_SECONDS if self._broker.others else _ANSWER_SECONDS,
            on_connected=self._let_in,
            on_message=self._message_came,
            largest_packet_bytes=self._largest_packet_bytes,
            on_refused=self._message_refused,
            notices_every_refusal=self._notices_every_refusal,
            clock=self._clock,
        )
        # Without it paho writes on the thread that sends, beside ours, which mixes packets that go in parts.
        connection.client.on_socket_register_write = lambda *_: self._waker.wake()
        return connection

    def _serve(self, connection: PahoConnection) -> None:
        self._is_renewed = self._is_flooded = False
        self._left_out = set()
        self._files.remember()
        is_trial = self._versions.is_trial
        if connection.connect():
            self._connection = connection
            try:
                if self._is_leaving:
                    connection.client.disconnect()
                serve(connection.client, self._waker, lambda: self._patience_seconds(connection))
            finally:
                connection.close()
        is_refusal_of_5 = is_trial and connection.end in ("unanswered", "version")
        reason = connection.reason_code
        if reason is not None and may_be_too_large(reason) and not (self._is_leaving or self._is_renewed):
            self.limit.end(is_certain=is_too_large(reason))
        if not (self._is_leaving or self._is_renewed or is_refusal_of_5):
            self._log.ended(self._broker.url, connection.end, connection.reason)

    def _patience_seconds(self, connection: PahoConnection) -> float:
        """Return how long to wait yet; asked every two seconds, it looks after the connection."""
        if connection.connected:
            self._look_after(connection)
        return connection.patience_seconds

    def _look_after(self, connection: PahoConnection) -> None:
        if connection.connected_seconds >= STABLE_SECONDS:
            self._log.lasted(self._broker.url)
            self._tell_learned()
        if self._files.were_replaced_by(self._clock()):
            self.renew()
        if self._left_out and (due := {one for one in self._left_out if not self._pause_of(one)}):
            self._left_out -= due
            self.subscribe(due)

    def _tell_learned(self) -> None:
        if self.limit.learned is None or self.limit.learned == self._told_limit:
            return
        self._told_limit = self.limit.learned
        _log.warning(
            "broker %s does not take large messages: sending no packet above %d bytes for now; "
            "raise its limit (mosquitto: max_packet_size and message_size_limit)",
            self._broker.url,
            self._told_limit,
        )

    def _pause_of(self, topic: str) -> float:
        return self._floods.left_out_seconds(topic) if self._floods is not None else 0.0

    @property
    def _is_leaving(self) -> bool:
        return self._closing.is_set() or not self._allowed.is_set()

    def _let_in(self) -> None:
        self._log.connected(self._broker.url)
        if self._connection is not None:
            self.limit.begin(self._connection.max_packet_bytes)
        self.number += 1
        with self._errors.caught("starting on a new connection to the broker"):
            self._on_connected()

    def _message_came(self, message: MQTTMessage) -> None:
        if self._is_flooded:
            return
        if self._floods is not None and self._floods.is_flood(message.topic):
            self._leave_flood(message.topic)
        else:
            with self._errors.caught("taking a message from the broker"):
                self._on_message(message.topic, bytes(message.payload), message.retain)

    def _leave_flood(self, topic: str) -> None:
        """Leave: what waits before the broker's acknowledgements would take minutes to read."""
        pause = self._pause_of(topic)
        if pause <= PAUSE_SECONDS:
            _log.warning(
                "broker %s: a flood of messages on %s; leaving it out for %.0f s, or longer while it goes on",
                self._broker.url,
                topic,
                pause,
            )
        self._is_flooded = True
        if self._connection is not None and self._connection.socket is not None:
            self._connection.socket.linger_seconds = _GOODBYE_SECONDS
        self.renew()

    def _message_refused(self, reason: ReasonCode) -> None:
        if is_too_large(reason):
            self.limit.refuse()
            return
        self.refusal = reason_text(reason)
        self._log.tell(
            "forbidden",
            "broker %s refuses what is published: %s (are host id and user the same? "
            "fleetglass doctor says more)",
            self._broker.url,
            self.refusal,
        )
