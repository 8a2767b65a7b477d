"""A connection to a broker that tells what came of each word: a client of its own, beside any agent."""

import os
import secrets
import socket
import threading
import time as clocks
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fleetglass.mqtt.address import BrokerAccess
from fleetglass.mqtt.lazy_paho import Client, MQTTMessage
from fleetglass.mqtt.paho_client import paho_client
from fleetglass.mqtt.refusals import error_text, reason_text

V5: Final = MQTTProtocolVersion.MQTTv5
V311: Final = MQTTProtocolVersion.MQTTv311

_CONNECT_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 1.5
_EXPIRY_SECONDS: Final = 10
_MOST_HEARD: Final = 20_000


class Heard(NamedTuple):
    """A message that came; `received` is UTC by this machine's clock, in seconds."""

    topic: str
    payload: bytes
    retained: bool
    received: float


class Said(NamedTuple):
    """What the broker leaves behind when this connection dies without a goodbye; retained, if empty."""

    topic: str
    payload: bytes


class SessionError(Exception):
    """The broker did not let this client in, or went away."""


class Session:
    """Entered, it is connected; left, it has said goodbye.

    What comes beyond 20,000 messages is passed over.

    Raises:
        SessionError: on entering, when there is no connection within 2 s.
        CertificateError: what TLS needs cannot be used.
    """

    def __init__(
        self,
        access: BrokerAccess,
        user: str | None,
        *,
        version: MQTTProtocolVersion = V5,
        will: Said | None = None,
        clock: Callable[[], float] = clocks.time,
    ) -> None:
        self.version = version
        self.heard: list[Heard] = []
        self.packet_limit: int | None = None
        """The largest packet that the broker takes, in bytes, where it says so."""
        self.retains = True
        """Whether the broker keeps retained messages, as far as it says so."""
        self.ended = False
        """Whether the broker ended the connection."""
        self._clock = clock
        self._changed = threading.Condition()
        self._welcome: ReasonCode | None = None
        self._answers: dict[int, list[ReasonCode]] = {}
        self._url = access.url
        self._client = self._make_client(access, user, will)

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._url.host, self._url.port, keepalive=5)
        except (OSError, ValueError) as error:
            self._end()
            raise SessionError(error_text(error)) from error
        self._client.loop_start()
        welcome = self._wait(lambda: self._welcome, _CONNECT_SECONDS)
        if welcome is None or welcome.is_failure:
            self._end()
            raise SessionError(reason_text(welcome) if welcome is not None else "no answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._end()

    def subscribe(self, *filters: str) -> bool:
        """Subscribe; return whether any is granted. Brokers may grant and then send nothing."""
        _, number = self._client.subscribe([(one, 1) for one in filters])
        return not all(one.is_failure for one in self._answer(number))

    def unsubscribe(self, *filters: str) -> None:
        """Unsubscribe, and wait for the answer."""
        _, number = self._client.unsubscribe(list(filters))
        self._answer(number)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> str | None:
        """Publish with QoS 1; return why the broker refuses, which by MQTT 3.1.1 it never says."""
        properties = None
        if retain and self.version is V5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = _EXPIRY_SECONDS
        sent = self._client.publish(topic, payload, 1, retain, properties)
        refusals = [reason_text(one) for one in self._answer(sent.mid) if one.is_failure]
        return refusals[0] if refusals else None

    def wait(self, wanted: Callable[[Heard], bool], seconds: float = _ANSWER_SECONDS) -> Heard | None:
        """Return the first message that is wanted, or None when none comes in time."""
        found: Heard | None = self._wait(lambda: next(filter(wanted, self.heard), None), seconds)
        return found

    def listen(self, seconds: float, enough: Callable[[], bool]) -> None:
        """Let messages come, until there are enough."""
        self._wait(enough, seconds)

    def drop(self) -> None:
        """End the connection without a goodbye, as a crash would."""
        if (sock := self._client.socket()) is not None:
            with socket.socket(fileno=os.dup(sock.fileno())) as raw:
                raw.shutdown(socket.SHUT_RDWR)

    def _end(self) -> None:
        client = self._client
        client.loop_stop()
        # Without these, nothing holds paho's client in a circle, and it closes its sockets at once.
        client.on_connect = client.on_disconnect = client.on_message = None
        client.on_subscribe = client.on_unsubscribe = client.on_publish = None

    def _make_client(self, access: BrokerAccess, user: str | None, will: Said | None) -> Client:
        client = paho_client(
            access,
            client_id=f"fleetglass-doctor-{secrets.token_hex(4)}",
            version=self.version,
            default_user=user,
            connect_seconds=_CONNECT_SECONDS,
        )
        if will is not None:
            client.will_set(will.topic, will.payload, 1, retain=not will.payload)
        client.on_connect = self._connect_answered
        client.on_disconnect = self._disconnected
        client.on_message = self._message_came
        client.on_subscribe = self._answered
        client.on_unsubscribe = self._answered
        client.on_publish = self._published
        return client

    def _answer(self, number: int | None) -> Iterable[ReasonCode]:
        return self._wait(lambda: self._answers.get(number or 0), _ANSWER_SECONDS) or []

    def _wait(self, value: Callable[[], Any], seconds: float) -> Any:
        """Return the first true value, or None when none comes in time or the connection ends."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or value(), seconds)
            return value() or None

    def _connect_answered(
        self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        with self._changed:
            self._welcome = reason
            self.packet_limit = getattr(properties, "MaximumPacketSize", None)
            self.retains = getattr(properties, "RetainAvailable", 1) != 0
            self._changed.notify_all()

    def _disconnected(self, *_: Any) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _message_came(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._changed:
            if len(self.heard) < _MOST_HEARD:
                heard = Heard(message.topic, bytes(message.payload), message.retain, self._clock())
                self.heard.append(heard)
            self._changed.notify_all()

    def _answered(self, _client: Client, _data: Any, number: int, reasons: list[ReasonCode], *_: Any) -> None:
        with self._changed:
            self._answers[number] = reasons or [ReasonCode(PacketTypes.UNSUBACK)]
            self._changed.notify_all()

    def _published(self, _client: Client, _data: Any, number: int, reason: ReasonCode, *_: Any) -> None:
        with self._changed:
            self._answers[number] = [reason]
            self._changed.notify_all()
