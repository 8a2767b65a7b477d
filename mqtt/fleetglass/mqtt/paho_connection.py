"""One connection to a broker through paho, for programs that wait for a socket themselves."""

import math
import time as clocks
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.buffered_socket import BufferedSocket, SocketContext
from fleetglass.mqtt.credentials import BrokerAccess, credentials
from fleetglass.mqtt.lazy_paho import Client, MQTTMessage
from fleetglass.mqtt.message import Message, Sent
from fleetglass.mqtt.refusals import error_text, is_version_refusal, reason_text
from fleetglass.mqtt.version_fallback import TRIAL_ANSWER_SECONDS, VersionFallback
from fleetglass.wire.errors import CertificateError, ConnectionEnd
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    import socket
    import ssl

KEEPALIVE_SECONDS: Final = 15
RETAINED_EXPIRY_SECONDS: Final = 7 * 86_400
"""A broker with MQTT 5 forgets what a host that never came back left behind."""
MAX_PACKET_BYTES: Final = 2 * MAX_PAYLOAD_BYTES
"""A broker with MQTT 5 sends nothing larger: whoever may write on a topic that is read here could otherwise
fill this machine's memory."""
_RULES_SECONDS = 5.0


class PahoConnection:
    """One connection to a broker, by the version of MQTT that is due; it has no thread.

    Whoever made it connects, reads and writes with `client`, and closes it at the end.

    Args:
        access: where the broker is, and how to be let in; of a cluster, only the first node is tried.
        client_id: unique among all clients of the broker.
        versions: chooses the version, and is kept from one connection to the next.
        default_user: as for `credentials`.
        will: what the broker says for us when the connection breaks.
        keeps_session: whether the broker keeps subscriptions, and what comes on them, while we are away.
        largest_packet_bytes: what a broker with MQTT 5 may send at most.
        keepalive_seconds: how often we ping when there is nothing else to say.
        connect_seconds: for the connection, and once more for the handshake of TLS.
        answer_seconds: for the broker's answer.
        on_connected: called when the broker has let us in.
        on_message: called with each message.
        on_refused: called with the reason when the broker refuses a message, as far as it says so.
        notices_every_refusal: whether `on_refused` is called for as long as the connection lasts, not only in
            its first seconds.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        access: BrokerAccess,
        *,
        client_id: str,
        versions: VersionFallback,
        default_user: str | None = None,
        will: Message | None = None,
        keeps_session: bool = False,
        largest_packet_bytes: int = MAX_PACKET_BYTES,
        keepalive_seconds: int = KEEPALIVE_SECONDS,
        connect_seconds: float = 5.0,
        answer_seconds: float = 10.0,
        on_connected: Callable[[], object] | None = None,
        on_message: Callable[[MQTTMessage], None] | None = None,
        on_refused: Callable[[ReasonCode], None] | None = None,
        notices_every_refusal: bool = False,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.connected = False
        """Whether the broker has let us in, and the connection stands."""
        self.end: ConnectionEnd = "unreachable"
        """How it ended, or would if it ended now."""
        self.reason = ""
        """Why it ended, in words."""
        self.reason_code: ReasonCode | None = None
        """Why it ended, as the broker or paho says."""
        self.error: Exception | None = None
        """Why there was no connection."""
        self.socket: BufferedSocket | None = None
        """What paho reads from, once it has connected."""
        self.max_packet_bytes: int | None = None
        """The largest packet that the broker takes, as far as it says so."""
        self._url = access.url
        self._versions = versions
        self._is_mqtt_5 = versions.is_mqtt_5
        self._keeps_session = keeps_session
        self._keepalive = keepalive_seconds
        self._largest_packet_bytes = largest_packet_bytes
        # Some brokers wait for the rest of what they take for a longer CONNECT of version 3.1.1.
        self._answer_seconds = (
            min(answer_seconds, TRIAL_ANSWER_SECONDS) if versions.is_trial else answer_seconds
        )
        self._answer_by = self._connected_at = self._notices_until = math.inf
        self._on_connected = on_connected
        self._on_refused = on_refused
        self._notices_every_refusal = notices_every_refusal
        self._clock = clock
        self.client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._is_mqtt_5 else not keeps_session,
            protocol=versions.version,
            reconnect_on_failure=False,
        )
        user, password = credentials(access, default_user)
        if user is not None:
            client.username_pw_set(user, password)
        client.tls_set_context(cast("ssl.SSLContext", SocketContext(access, self._wrap)))
        client.connect_timeout = connect_seconds
        if will is not None:
            expiry = self._expiry(will, PacketTypes.WILLMESSAGE)
            client.will_set(will.topic, will.payload, will.qos, will.retain, expiry)
        client.on_connect = self._answered
        client.on_disconnect = self._disconnected
        if on_message is not None:
            client.on_message = lambda _client, _data, message: on_message(message)

    def connect(self) -> bool:
        """Connect, and ask to be let in; return whether there is a connection, which is to be closed."""
        try:
            if self._is_mqtt_5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.MaximumPacketSize = self._largest_packet_bytes
                if self._keeps_session:
                    properties.SessionExpiryInterval = RETAINED_EXPIRY_SECONDS
                self.client.connect(
                    self._url.host,
                    self._url.port,
                    self._keepalive,
                    clean_start=not self._keeps_session,
                    properties=properties,
                )
            else:
                self.client.connect(self._url.host, self._url.port, self._keepalive)
        except CertificateError as error:
            self.end, self.reason, self.error = "files", str(error), error
        except (OSError, ValueError) as error:
            self.reason, self.error = error_text(error), error
        else:
            self.end = "unanswered"
            self._answer_by = self._clock() + self._answer_seconds
            return True
        return False

    def publish(self, message: Message) -> Sent:
        """Hand a message over. Where that is possible, what is retained has an expiry."""
        expiry = self._expiry(message, PacketTypes.PUBLISH)
        return self.client.publish(message.topic, message.payload, message.qos, message.retain, expiry)

    def notice_refusals(self) -> None:
        """Call `on_refused` for the next seconds; it doubles what sending a message costs paho."""
        if self._on_refused is not None and self._is_mqtt_5:
            self._notices_until = self._clock() + _RULES_SECONDS
            self.client.on_publish = self._publish_answered

    def close(self) -> None:
        """Close what is still open; `end` and `reason` then say how it ended."""
        sock = self.client.socket()
        if self.end == "unanswered":
            is_silent = sock is not None
            silence = f"silent for {self._answer_seconds:g} s" if is_silent else "no MQTT"
            self.reason = self._failure_text or silence
        self.connected = False
        if sock is not None:
            sock.close()

    @property
    def patience_seconds(self) -> float:
        """How long to wait yet for the broker's answer; without end once it has come."""
        return self._answer_by - self._clock() if self.end == "unanswered" else math.inf

    @property
    def connected_seconds(self) -> float:
        """How long the broker has been there; 0 while it is not."""
        return self._clock() - self._connected_at if self.connected else 0.0

    def _wrap(self, connected: "socket.socket | ssl.SSLSocket") -> BufferedSocket:
        self.socket = BufferedSocket(connected)
        return self.socket

    def _expiry(self, message: Message, kind: int) -> Properties | None:
        if not message.retain or not self._is_mqtt_5:
            return None
        properties = Properties(kind)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = RETAINED_EXPIRY_SECONDS
        return properties

    def _answered(
        self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.end = "version" if is_version_refusal(reason) else "refused"
            self.reason = reason_text(reason)
            return
        self.end = "lost"
        self._versions.succeeded()
        self.max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        # paho sends more at once than the broker takes, which may then end the connection (3.3.4).
        most = getattr(properties, "ReceiveMaximum", client.max_inflight_messages)
        client._max_inflight_messages = min(client.max_inflight_messages, most)  # noqa: SLF001 -- its setter only works before
        self._connected_at = self._clock()
        self.notice_refusals()
        if self._on_connected is not None:
            self._on_connected()
        self.connected = True

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, *_: Any) -> None:
        self.connected = False
        if self.end == "lost":
            self.reason_code = reason
            self.reason = self._failure_text or reason_text(reason)

    @property
    def _failure_text(self) -> str | None:
        failure = self.socket.failure if self.socket is not None else None
        return error_text(failure) if failure is not None else None

    def _publish_answered(self, client: Client, _data: Any, _mid: int, reason: ReasonCode, *_: Any) -> None:
        """Only MQTT 5 says it when a broker's rules forbid what we publish, or when it is too large."""
        if not self._notices_every_refusal and self._clock() > self._notices_until:
            client.on_publish = None
        if reason.is_failure and self._on_refused is not None:
            self._on_refused(reason)
