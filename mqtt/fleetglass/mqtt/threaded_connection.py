"""A connection to a broker, kept up on a thread of its own."""

import logging
import threading
import time as clocks
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.mqtt.backoff import STABLE_SECONDS, Backoff
from fleetglass.mqtt.bulk_socket import BulkSocket
from fleetglass.mqtt.connection_log import ConnectionLog
from fleetglass.mqtt.flood_guard import PAUSE_SECONDS, FloodGuard
from fleetglass.mqtt.lazy_paho import Client, MQTTMessage, MQTTMessageInfo
from fleetglass.mqtt.paho_client import paho_client
from fleetglass.mqtt.refusals import error_text, is_version_refusal, reason_text
from fleetglass.mqtt.socket_loop import serve
from fleetglass.mqtt.tls import tls_context
from fleetglass.mqtt.tls_files import TlsFiles
from fleetglass.mqtt.version_fallback import TRIAL_ANSWER_SECONDS, VersionFallback
from fleetglass.mqtt.waker import Waker
from fleetglass.wire.errors import CertificateError, ConnectionEnd
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    import socket
    import ssl

_log = logging.getLogger(__name__)

KEEPALIVE_SECONDS: Final = 15
LONGEST_WAIT_SECONDS: Final = 3.0  # what was missed is to be delivered 5 s after the broker returned
RETAINED_EXPIRY_SECONDS: Final = 7 * 86_400
"""A broker with MQTT 5 forgets what a host that never came back left behind."""
LARGEST_PACKET_BYTES: Final = 2 * MAX_PAYLOAD_BYTES
"""A broker with MQTT 5 sends nothing larger: whoever may write on a topic that is read here could otherwise
fill this machine's memory."""
_ANSWER_SECONDS = 10.0
_NODE_ANSWER_SECONDS = 2.0
"""While a cluster elects leaders, the next node may well answer sooner than the one that was asked."""
_HEAD_BYTES = 16
"""Of a packet, before its topic and between that and its payload: lengths, packet id, and expiry."""
_RULES_SECONDS = 5.0
_FILES_SECONDS = 30.0
_THREAD_END_SECONDS = 1.0
_GOODBYE_SECONDS = 1.0


class Message(NamedTuple):
    """What is to be published."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class LeftOut:
    """Stands for a message that was not sent, since the broker takes none so large: it is done with."""

    rc = MQTTErrorCode.MQTT_ERR_SUCCESS

    def is_published(self) -> bool:
        """Return that nobody has to wait for it."""
        return True

    def wait_for_publish(self, timeout: float | None = None) -> None:
        """Return at once."""


Sent = MQTTMessageInfo | LeftOut


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
        largest_packet_bytes: int = LARGEST_PACKET_BYTES,
        notices_every_refusal: bool = False,
        keeps_session: bool = False,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.connected = False
        """Whether the broker has let us in."""
        self.number = 0
        """Of the connection, or of the last one: the first is 1."""
        self.refusal: str | None = None
        """Why the broker refused a message, as far as it says so."""
        self.max_packet_bytes: int | None = None
        """The largest packet that the broker takes, as far as it says so."""
        self._broker = broker
        self._client_id = client_id
        self._default_user = default_user
        self._will = will
        self._on_connected = _guarded(on_connected)
        self._on_message = _guarded(on_message)
        self._largest_packet_bytes = largest_packet_bytes
        self._notices_every_refusal = notices_every_refusal
        self._keeps_session = keeps_session
        self._longest_wait = longest_wait_seconds
        self._clock = clock
        self._versions = VersionFallback()
        self._log = ConnectionLog()
        self._end: ConnectionEnd = "unreachable"
        self._reason = ""
        self._connected_at = 0.0
        self._files = TlsFiles(broker)
        self._files_due = 0.0
        self._floods = FloodGuard(max_messages_per_second, clock) if max_messages_per_second else None
        self._too_large: set[str] = set()  # topics of messages that were left out
        self._left_out: set[str] = set()  # topics that this connection does not subscribe to yet
        self._is_renewed = self._is_flooded = False  # whether this connection has been left for that reason
        if broker.url.tls:
            tls_context(broker)  # a file that cannot be used is told at once
        self._client: Client | None = None
        self._socket: BulkSocket | None = None
        self._closing = threading.Event()
        self._allowed = threading.Event()  # cleared while paused
        self._allowed.set()
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
    def connected_seconds(self) -> float:
        """How long the broker has been there; 0 while it is not."""
        return self._clock() - self._connected_at if self.connected else 0.0

    def send(self, messages: Iterable[Message]) -> list[Sent]:
        """Hand messages over in order; those that come back with an error are not on their way.

        A message that is larger than the broker takes is left out, which is said once for each topic.
        """
        client = self._client
        if client is None:
            return []
        sent = [
            LeftOut()
            if self._is_too_large(one)
            else client.publish(
                one.topic, one.payload, one.qos, one.retain, self._expiry(one.retain, PacketTypes.PUBLISH)
            )
            for one in messages
        ]
        self._waker.wake()
        return sent

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload on a topic may be, for the contract and for the broker."""
        if self.max_packet_bytes is None:
            return MAX_PAYLOAD_BYTES
        return min(MAX_PAYLOAD_BYTES, self.max_packet_bytes - len(topic.encode()) - _HEAD_BYTES)

    def subscribe(self, topics: Iterable[str], qos: int = 1) -> None:
        """Subscribe until the connection ends; to be called after each `on_connected`, or in it."""
        client = self._client  # the thread of the connection may take it away meanwhile
        if client is None:
            return
        wanted = list(topics)
        self._left_out.update(topic for topic in wanted if self._pause_of(topic))
        if filters := [(topic, qos) for topic in wanted if topic not in self._left_out]:
            client.subscribe(filters)
            self._waker.wake()

    def tell_of_silence(self, topic: str) -> None:
        """Say that what we published did not come back; by MQTT 3.1.1 a broker refuses without a word."""
        text = "broker %s: what is published on %s does not come back; may this user write and read it?"
        self._log.tell("unheard", text, self._broker.url, topic)

    def renew(self) -> None:
        """Leave the broker, and come back with files read again."""
        self._is_renewed = True
        client = self._client
        if client is not None:
            client.disconnect()
        self._waker.wake()

    def pause(self) -> None:
        """Leave the broker and stay away until `resume`; may be called before entering, and again."""
        if self._allowed.is_set():
            self._allowed.clear()
            self.renew()

    def resume(self) -> None:
        """Come back after `pause`; may be called again."""
        self._allowed.set()

    def _run(self) -> None:
        with self._waker:
            self._keep_connected()

    def _is_too_large(self, message: Message) -> bool:
        if self.max_packet_bytes is None or len(message.payload) <= self.max_payload_bytes(message.topic):
            return False
        if message.topic not in self._too_large:
            self._too_large.add(message.topic)
            _log.warning(
                "broker %s accepts no packet above %d bytes: leaving out larger messages on %s",
                self._broker.url,
                self.max_packet_bytes,
                message.topic,
            )
        return True

    def _keep_connected(self) -> None:
        backoff = Backoff(self._longest_wait)
        while self._allowed.wait() and not self._closing.is_set():
            began = self._clock()
            try:
                self._connect_once()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the agent must not stay without its broker
                self._log.tell(
                    "failed", "broker %s: the connection failed; trying again", self._broker.url, cause=error
                )
            finally:
                self.connected = False
                self._client = self._socket = None
            if not self._allowed.is_set():
                continue
            if self._versions.after(self._end):
                _log.debug("broker %s: trying MQTT 3.1.1", self._broker.url)
                continue
            self._broker = self._broker.following
            self._closing.wait(backoff.after(self._clock() - began))

    def _connect_once(self) -> None:
        url = self._broker.url
        self._end, self._reason = "unreachable", ""
        self._is_renewed = self._is_flooded = False
        self._left_out = set()
        is_trial = self._versions.is_trial
        client = self._make_client()
        try:
            self._connect(client)
        except CertificateError as error:
            self._end, self._reason = "files", str(error)
        except (OSError, ValueError) as error:
            self._reason = error_text(error)
        else:
            self._end = "unanswered"
            self._client = client
            try:
                if self._is_leaving:
                    client.disconnect()
                answer_by = self._clock() + self._answer_seconds()
                serve(client, self._waker, lambda: self._patience_seconds(answer_by))
                if self._end == "unanswered":
                    self._reason = self._reason or self._failure_text or "no MQTT"
            finally:
                _close_socket(client)
        is_refusal_of_5 = is_trial and self._end in ("unanswered", "version")
        if not (self._is_leaving or self._is_renewed or is_refusal_of_5):
            self._log.ended(url, self._end, self._reason)

    def _connect(self, client: Client) -> None:
        url = self._broker.url
        if self._versions.is_mqtt_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = self._largest_packet_bytes
            if self._keeps_session:
                properties.SessionExpiryInterval = RETAINED_EXPIRY_SECONDS
            client.connect(
                url.host,
                url.port,
                KEEPALIVE_SECONDS,
                clean_start=not self._keeps_session,
                properties=properties,
            )
        else:
            client.connect(url.host, url.port, KEEPALIVE_SECONDS)

    def _patience_seconds(self, answer_by: float) -> float:
        """Return how long to wait yet; asked every two seconds, it looks after the connection."""
        now = self._clock()
        if self.connected:
            self._look_after(now)
        if self._end != "unanswered":
            return float("inf")
        if now >= answer_by:
            self._reason = f"silent for {self._answer_seconds():g} s"
        return answer_by - now

    def _look_after(self, now: float) -> None:
        if now - self._connected_at >= STABLE_SECONDS:
            self._log.lasted(self._broker.url)
        if now >= self._files_due:
            self._files_due = now + _FILES_SECONDS
            if self._files.have_changed():
                self.renew()
        if self._left_out and (due := {one for one in self._left_out if not self._pause_of(one)}):
            self._left_out -= due
            self.subscribe(due)

    def _pause_of(self, topic: str) -> float:
        return self._floods.left_out_seconds(topic) if self._floods is not None else 0.0

    def _answer_seconds(self) -> float:
        # Some brokers wait for the rest of what they take for a longer CONNECT of version 3.1.1.
        if self._versions.is_trial:
            return TRIAL_ANSWER_SECONDS
        return _NODE_ANSWER_SECONDS if self._broker.others else _ANSWER_SECONDS

    @property
    def _is_leaving(self) -> bool:
        return self._closing.is_set() or not self._allowed.is_set()

    def _make_client(self) -> Client:
        client = paho_client(
            self._broker,
            client_id=self._client_id,
            version=self._versions.version,
            default_user=self._default_user,
            clean_session=not self._keeps_session,
            wrap=self._wrap,
        )
        if self._will is not None:
            will = self._will()
            expiry = self._expiry(will.retain, PacketTypes.WILLMESSAGE)
            client.will_set(will.topic, will.payload, will.qos, will.retain, expiry)
        client.on_connect = self._connect_answered
        client.on_disconnect = self._disconnected
        client.on_message = self._message_came
        client.on_publish = self._publish_answered
        # With this set, paho leaves all writing to this connection's thread.
        client.on_socket_register_write = lambda *_: None
        return client

    def _wrap(self, connected: "socket.socket | ssl.SSLSocket") -> BulkSocket:
        self._socket = BulkSocket(connected)
        return self._socket

    def _expiry(self, retain: bool, kind: int) -> Properties | None:  # noqa: FBT001 -- the message's flag
        if not retain or not self._versions.is_mqtt_5:
            return None
        properties = Properties(kind)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = RETAINED_EXPIRY_SECONDS
        return properties

    def _connect_answered(
        self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._end = "version" if is_version_refusal(reason) else "refused"
            self._reason = reason_text(reason)
            return
        self._log.connected(self._broker.url)
        self._end = "lost"
        self._versions.succeeded()
        self.max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        self.number += 1
        self._connected_at = self._clock()
        self._on_connected()
        self.connected = True

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        self.connected = False
        if self._end == "lost":
            self._reason = self._failure_text or reason_text(reason)

    @property
    def _failure_text(self) -> str | None:
        failure = self._socket.failure if self._socket is not None else None
        return error_text(failure) if failure is not None else None

    def _message_came(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._is_flooded:
            return
        if self._floods is not None and self._floods.is_flood(message.topic):
            self._leave_flood(message.topic)
        else:
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
        if self._socket is not None:
            self._socket.linger_seconds = _GOODBYE_SECONDS
        self.renew()

    def _publish_answered(self, client: Client, _data: Any, _mid: int, reason: ReasonCode, *_: Any) -> None:
        """Only MQTT 5 says it when a broker's rules forbid what we publish."""
        if not self._notices_every_refusal and self._clock() - self._connected_at > _RULES_SECONDS:
            client.on_publish = None  # it doubles what sending a message costs paho
        if reason.is_failure:
            self.refusal = reason_text(reason)
            self._log.tell(
                "forbidden",
                "broker %s refuses what is published: %s (are host id and user the same? "
                "fleetglass doctor says more)",
                self._broker.url,
                self.refusal,
            )


def has_left(sent: Sent) -> bool:
    """Return whether a message has been written out, or for QoS 1 been acknowledged."""
    try:
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS and sent.is_published()
    except (RuntimeError, ValueError):
        return False


def _close_socket(client: Client) -> None:
    sock = client.socket()
    if sock is not None:
        sock.close()


def _guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """Keep what a callback raises from ending the connection's thread."""

    def call(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 -- whatever it is, the connection must go on
            _log.exception("a message from the broker could not be handled")

    return call
