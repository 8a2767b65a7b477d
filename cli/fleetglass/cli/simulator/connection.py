"""One MQTT connection and the synthetic hosts on it, driven by whoever owns the selector."""

import selectors
from collections.abc import Iterator, Sequence
from typing import Any, Final

import paho.mqtt.client as paho

from fleetglass.cli.simulator.host_publisher import SyntheticPublisher
from fleetglass.mqtt.backoff import Backoff
from fleetglass.mqtt.connection_log import ConnectionLog
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.message import LeftOut, Message, Sent, has_left
from fleetglass.mqtt.packet_limit import TOO_LARGE, PacketLimit, packet_bytes
from fleetglass.mqtt.paho_connection import PahoConnection
from fleetglass.mqtt.refusals import is_too_large, may_be_too_large
from fleetglass.mqtt.socket_loop import read
from fleetglass.mqtt.tls import TlsFiles
from fleetglass.mqtt.version_fallback import VersionFallback

CONNECT_SECONDS: Final = 2.0


class SimulatorConnection:
    """The hosts of one connection, which is made again and again; it has no thread.

    Raises:
        CertificateError: a file for TLS cannot be used.
    """

    def __init__(
        self,
        publishers: Sequence[SyntheticPublisher],
        access: BrokerAccess,
        selector: selectors.BaseSelector,
        log: ConnectionLog,
    ) -> None:
        self._publishers = publishers
        self._access = access
        self._selector = selector
        self._log = log
        self._versions = VersionFallback()
        self._backoff = Backoff()
        self._files = TlsFiles(access)
        self._began = self._retry_at = 0.0
        self._connection: PahoConnection | None = None
        self._limit = PacketLimit()
        self._last: Sent | None = None
        self._is_introduced = False

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._connection is not None and self._connection.connected

    def look_after(self, now: float) -> None:
        """Keep the connection alive, or try again."""
        connection = self._connection
        if connection is None:
            if now >= self._retry_at:
                self._connect(now)
            return
        connection.client.loop_misc()
        if connection.client.socket() is None or connection.patience_seconds <= 0:
            self._end(connection, now)
        elif connection.connected and self._files.were_replaced_by(now):
            self.close()

    def turn(self, events: int) -> None:
        """Read and write what is ready."""
        if (connection := self._connection) is None:
            return
        if events & selectors.EVENT_READ:
            while read(connection.client):
                pass
        if events & selectors.EVENT_WRITE:
            connection.client.loop_write()
        self.want()

    def want(self) -> None:
        """Ask for writing while something waits to be written."""
        if (connection := self._connection) is None:
            return
        sock = connection.client.socket()
        if sock is not None:
            events = selectors.EVENT_READ
            if connection.client.want_write():
                events |= selectors.EVENT_WRITE
            if self._selector.get_key(sock).events != events:
                self._selector.modify(sock, events, self)

    def publish(self, publisher: SyntheticPublisher, tick: int) -> bool:
        """Publish one tick of one host; False when the broker does not keep up, or is away."""
        if self._connection is None or not self.is_acknowledged():
            return False
        self._last = publisher.publish(self, tick)
        return True

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload on a topic may be."""
        return self._limit.payload_bytes(topic)

    def send(self, message: Message) -> Sent:
        """Hand a message over; one that is too large for the broker is left out."""
        size, most = packet_bytes(message), self._limit.most
        if most is not None and size > most:
            self._log.tell("large", TOO_LARGE, self._access.url, most, message.topic)
            return LeftOut()
        assert self._connection is not None  # noqa: S101 - only asked for while there is one
        sent = self._connection.publish(message)
        self._limit.sent(size, sent, message.qos)
        return sent

    def say_goodbye(self) -> None:
        """Publish that every host has stopped."""
        if self._connection is not None and self.connected:
            for publisher, qos in self._confirmed_by_last():
                message = Message(publisher.status_topic, publisher.status("stopped"), qos, retain=True)
                self._last = self.send(message)

    def clear(self) -> None:
        """Clear what every host left on the broker, so that bridges forget it."""
        if self._connection is not None and self.connected:
            for publisher, qos in self._confirmed_by_last():
                self._last = publisher.clear(self, qos)

    def is_acknowledged(self) -> bool:
        """Whether the broker has acknowledged the last message, or is away."""
        last = self._last
        return not self.connected or last is None or last.rc != paho.MQTT_ERR_SUCCESS or last.is_published()

    @property
    def may_have_left_something(self) -> bool:
        """Whether the broker has heard of hosts and has not acknowledged the last message."""
        is_confirmed = self._last is not None and has_left(self._last)
        return self._is_introduced and not (self.connected and is_confirmed)

    def close(self) -> None:
        """Disconnect, so that the will is not sent."""
        if self._connection is not None:
            self._connection.client.disconnect()

    def _confirmed_by_last(self) -> Iterator[tuple[SyntheticPublisher, int]]:
        """Give each host with the QoS of what it says: an acknowledgement of the last is one of all.

        While others wait for theirs, all have QoS 1, as QoS 0 would overtake those that wait to be sent.
        """
        qos, last = int(not self.is_acknowledged()), self._publishers[-1]
        return ((publisher, int(publisher is last) or qos) for publisher in self._publishers)

    def _connect(self, now: float) -> None:
        self._began = now
        self._files.remember()
        first = self._publishers[0]
        connection = PahoConnection(
            self._access,
            client_id=f"fleetglass-simulate-{first.session}",
            versions=self._versions,
            will=Message(first.status_topic, first.status("lost"), qos=1, retain=True),
            connect_seconds=CONNECT_SECONDS,
            on_connected=self._introduce,
        )
        connection.client.max_inflight_messages_set(1000)
        connection.client.on_socket_open = self._on_socket_open
        connection.client.on_socket_close = self._on_socket_close
        self._connection = connection
        if not connection.connect():
            self._end(connection, now)

    def _end(self, connection: PahoConnection, now: float) -> None:
        if (sock := connection.client.socket()) is not None:
            self._selector.unregister(sock)
        connection.client.on_socket_close = None
        connection.close()
        self._connection = None
        if (reason := connection.reason_code) is not None and may_be_too_large(reason):
            self._limit.end(is_certain=is_too_large(reason))
        if self._versions.after(connection.end):
            self._retry_at = now
            return
        if connection.end != "lost":  # which the fleet tells, for all connections at once
            self._log.ended(self._access.url, connection.end, connection.reason)
        self._access = self._access.following
        self._retry_at = now + self._backoff.after(now - self._began)

    def _introduce(self) -> None:
        self._last = None
        self._is_introduced = True
        if self._connection is not None:
            self._limit.begin(self._connection.max_packet_bytes)
            for publisher in self._publishers:
                publisher.introduce(self)

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._selector.register(sock, selectors.EVENT_READ, self)

    def _on_socket_close(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._selector.unregister(sock)
