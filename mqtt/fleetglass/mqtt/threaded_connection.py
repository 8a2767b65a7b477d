"""The agent's connection to the broker, kept up on a thread of its own."""

import logging
import random
import threading
import time as clocks
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple, Self

from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.address import BrokerAccess, BrokerURL
from fleetglass.mqtt.backoff import backoff_seconds
from fleetglass.mqtt.connection_log import Troubles
from fleetglass.mqtt.lazy_paho import Client, MQTTMessage, MQTTMessageInfo
from fleetglass.mqtt.socket_loop import serve
from fleetglass.mqtt.tls import tls_context
from fleetglass.mqtt.version_fallback import End, version_after
from fleetglass.mqtt.waker import Waker
from fleetglass.wire import CertificateError
from fleetglass.wire.errors import AgentError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

_log = logging.getLogger(__name__)

FIRST_VERSION = MQTTProtocolVersion.MQTTv5
KEEPALIVE_SECONDS = 15
LONGEST_WAIT_SECONDS = 3.0  # what was missed is to be delivered 5 s after the broker returned
STABLE_SECONDS = 10.0
"""A connection that lasted this long starts the backoff anew."""
RETAINED_EXPIRY_SECONDS = 7 * 86_400
"""A broker with MQTT 5 forgets what a host that never came back left behind."""
LARGEST_PACKET_BYTES = 2 * MAX_PAYLOAD_BYTES
"""A broker with MQTT 5 sends nothing larger: whoever may write on a topic that is read here could otherwise
fill this machine's memory."""
_UNANSWERED = (
    "broker %s: no answer such as a broker gives; trying again (check the port, mqtt:// or mqtts://, and "
    "whether it asks for a client certificate)"
)
_FIRST_ANSWER_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_NODE_ANSWER_SECONDS = 2.0
"""While a cluster elects leaders, the next node may well answer sooner than the one that was asked."""
_RULES_SECONDS = 5.0
_THREAD_END_SECONDS = 1.0


class Message(NamedTuple):
    """What is to be published."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Connection:
    """Connects for as long as it is entered, again and again, by MQTT 5 or, where refused, by 3.1.1.

    After a failed connection, the next node of a cluster is tried.

    `on_connected` and `on_message` (topic, payload, retained) are called on the connection's thread and
    may send. Nothing is kept for another connection: what is not acknowledged when one ends is the
    sender's to send again. With `notices_every_refusal`, a message that the broker's rules forbid sets
    `refusal` for as long as a connection lasts, not only in its first seconds.

    Raises:
        AgentError: a certificate or key file cannot be used.
    """

    def __init__(
        self,
        broker: BrokerAccess,
        *,
        client_id: str,
        user: str | None,
        will: Callable[[], Message] | None,
        on_connected: Callable[[], None],
        on_message: Callable[[str, bytes, bool], None],
        largest_packet_bytes: int = LARGEST_PACKET_BYTES,
        notices_every_refusal: bool = False,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.connected = False
        """Whether the broker has let us in."""
        self.number = 0
        """Of the connection, or of the last one: the first is 1."""
        self.refusal: str | None = None
        """Why the broker refused a message, as far as it says so."""
        self._broker = broker
        self._client_id = client_id
        self._user = user
        self._will = will
        self._on_connected = _guarded(on_connected)
        self._on_message = _guarded(on_message)
        self._largest_packet_bytes = largest_packet_bytes
        self._notices_every_refusal = notices_every_refusal
        self._clock = clock
        self._version = FIRST_VERSION
        self._version_stood = False
        self._troubles = Troubles()
        self._end: End = "unreachable"
        self._connected_at = 0.0
        try:
            self._tls = tls_context(broker) if broker.url.tls else None
        except CertificateError as error:
            raise AgentError(str(error)) from error
        self._client: Client | None = None
        self._closing = threading.Event()
        self._allowed = threading.Event()  # cleared while paused
        self._allowed.set()
        self._waker = Waker()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
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
    def connected_seconds(self) -> float:
        """How long the broker has been there; 0 while it is not."""
        return self._clock() - self._connected_at if self.connected else 0.0

    def send(self, messages: Iterable[Message]) -> list[MQTTMessageInfo]:
        """Hand messages over in order; those that come back with an error are not on their way."""
        client = self._client
        if client is None:
            return []
        sent = [
            client.publish(
                one.topic, one.payload, one.qos, one.retain, self._expiry(one.retain, PacketTypes.PUBLISH)
            )
            for one in messages
        ]
        self._waker.wake()
        return sent

    def subscribe(self, topics: Iterable[str]) -> None:
        """Subscribe until the connection ends; to be called after each `on_connected`, or in it."""
        if self._client is not None and (filters := [(topic, 1) for topic in topics]):
            self._client.subscribe(filters)
            self._waker.wake()

    def tell_of_silence(self, topic: str) -> None:
        """Say that what we published did not come back; by MQTT 3.1.1 a broker refuses without a word."""
        text = "broker %s: what is published on %s does not come back; may this user write and read it?"
        self._troubles.tell("unheard", text, self._broker.url, topic)

    def renew(self) -> None:
        """Leave the broker, and come back with files read again."""
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

    def _keep_connected(self) -> None:
        attempt = 0
        while self._allowed.wait() and not self._closing.is_set():
            began = self._clock()
            self._end = "unreachable"
            try:
                self._connect_once()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the agent must not stay without its broker
                self._troubles.tell(
                    "failed", "broker %s: the connection failed; trying again", self._broker.url, cause=error
                )
            finally:
                self.connected = False
                self._client = None
            if not self._allowed.is_set():
                continue
            version = version_after(self._version, self._end, stood=self._version_stood)
            if version is not self._version:
                _log.debug("broker %s: trying another version of MQTT", self._broker.url)
                switched, self._version = self._version, version
                if switched is MQTTProtocolVersion.MQTTv5:
                    continue
            self._broker = self._broker.following
            if self._clock() - began > STABLE_SECONDS:
                attempt = 0
            self._closing.wait(backoff_seconds(attempt, random.random(), LONGEST_WAIT_SECONDS))
            attempt += 1

    def _connect_once(self) -> None:
        url = self._broker.url
        try:
            if self.number and url.tls:
                self._tls = tls_context(self._broker)  # certificates are replaced while we run
            client = self._make_client()
            client.connect(
                url.host, url.port, keepalive=KEEPALIVE_SECONDS, properties=self._connect_properties()
            )
        except CertificateError as error:
            self._troubles.tell("files", "broker %s: %s; trying again", url, error)
            return
        except (OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            self._troubles.tell("unreachable", "broker %s cannot be reached: %s; trying again", url, reason)
            return
        self._end = "unanswered"
        self._client = client
        try:
            if self._is_leaving:
                client.disconnect()
            answer_by = self._clock() + self._answer_seconds()
            serve(client, self._waker, lambda: self._patience_seconds(answer_by))
        finally:
            _close_socket(client)
        self._tell_of_no_answer()

    def _patience_seconds(self, answer_by: float) -> float:
        """Return how long to wait yet; asked every two seconds, it notes when a connection has lasted."""
        if self.connected_seconds >= STABLE_SECONDS:
            self._troubles.lasted(self._broker.url)
        return answer_by - self._clock() if self._end == "unanswered" else float("inf")

    def _tell_of_no_answer(self) -> None:
        # To MQTT 5 alone it says nothing: that is how some brokers refuse it.
        if self._end == "unanswered" and not self._is_trying_5 and not self._is_leaving:
            self._troubles.tell("unanswered", _UNANSWERED, self._broker.url)

    def _answer_seconds(self) -> float:
        # Some brokers wait for the rest of what they take for a longer CONNECT of version 3.1.1.
        if self._is_trying_5:
            return _FIRST_ANSWER_SECONDS
        return _NODE_ANSWER_SECONDS if self._broker.others else _ANSWER_SECONDS

    @property
    def _is_trying_5(self) -> bool:
        return self._version is MQTTProtocolVersion.MQTTv5 and not self._version_stood

    @property
    def _is_leaving(self) -> bool:
        return self._closing.is_set() or not self._allowed.is_set()

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=self._version,
            reconnect_on_failure=False,
        )
        if self._user is not None:
            client.username_pw_set(self._user, self._broker.password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
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

    def _connect_properties(self) -> Properties | None:
        if self._version is not MQTTProtocolVersion.MQTTv5:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = self._largest_packet_bytes
        return properties

    def _expiry(self, retain: bool, kind: int) -> Properties | None:  # noqa: FBT001 -- the message's flag
        if not retain or self._version is not MQTTProtocolVersion.MQTTv5:
            return None
        properties = Properties(kind)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = RETAINED_EXPIRY_SECONDS
        return properties

    def _connect_answered(
        self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, *_: Any
    ) -> None:
        url = self._broker.url
        if reason.is_failure:
            text = str(reason).lower()
            self._end = "version" if "protocol version" in text else "refused"
            if self._end == "refused" or self._version is not MQTTProtocolVersion.MQTTv5:
                self._troubles.tell("refused", "broker %s refuses this agent: %s; trying again", url, text)
            return
        self._troubles.connected(url)
        self._end = "lost"
        self._version_stood = True
        self.number += 1
        self._connected_at = self._clock()
        self._on_connected()
        self.connected = True

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        lost, self.connected = self.connected, False
        if lost and not self._is_leaving:
            text = str(reason).lower().replace("unspecified error", "closed by the other side")
            self._troubles.lost(self._broker.url, text)

    def _message_came(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload), message.retain)

    def _publish_answered(self, client: Client, _data: Any, _mid: int, reason: ReasonCode, *_: Any) -> None:
        """Only MQTT 5 says it when a broker's rules forbid what we publish."""
        if not self._notices_every_refusal and self._clock() - self._connected_at > _RULES_SECONDS:
            client.on_publish = None  # it doubles what sending a message costs paho
        if reason.is_failure:
            self.refusal = str(reason).lower()
            self._troubles.tell(
                "forbidden",
                "broker %s refuses what is published: %s (are host id and user the same? "
                "fleetglass doctor says more)",
                self._broker.url,
                self.refusal,
            )


def has_left(sent: MQTTMessageInfo) -> bool:
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
