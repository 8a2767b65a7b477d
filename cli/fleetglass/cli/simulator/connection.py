"""One MQTT connection and the synthetic hosts on it, driven by whoever owns the selector."""

import contextlib
import logging
import random
import selectors
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.cli.simulator.host_publisher import SyntheticPublisher
from fleetglass.mqtt.address import BrokerAccess
from fleetglass.mqtt.backoff import backoff_seconds
from fleetglass.mqtt.paho_client import paho_client
from fleetglass.mqtt.refusals import reason_text
from fleetglass.mqtt.socket_loop import read

KEEPALIVE_SECONDS: Final = 20
CONNECT_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


class SimulatorConnection:
    """One MQTT connection and the hosts on it; it has no thread."""

    def __init__(
        self, publishers: Sequence[SyntheticPublisher], access: BrokerAccess, selector: selectors.BaseSelector
    ) -> None:
        self.connected = False
        self._publishers = publishers
        self._access = access
        self._selector = selector
        self._attempts = 0
        self._retry_at = 0.0
        self._last: paho.MQTTMessageInfo | None = None
        self._is_introduced = False
        self._client = client = paho_client(
            access,
            client_id=f"fleetglass-simulate-{publishers[0].session}",
            version=MQTTProtocolVersion.MQTTv311,
            connect_seconds=CONNECT_SECONDS,
        )
        client.max_inflight_messages_set(1000)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close

    def look_after(self, now: float) -> None:
        """Keep the connection alive, or try again."""
        if self._client.socket() is not None:
            self._client.loop_misc()
        elif now >= self._retry_at:
            self._retry_at = now + backoff_seconds(self._attempts, random.random())
            self._attempts += 1
            url, self._access = self._access.url, self._access.following
            first = self._publishers[0]
            self._client.will_set(first.status_topic, first.status("lost"), qos=1, retain=True)
            with contextlib.suppress(OSError):
                self._client.connect(url.host, url.port, KEEPALIVE_SECONDS)

    def turn(self, events: int) -> None:
        """Read and write what is ready."""
        if events & selectors.EVENT_READ:
            read(self._client)
        if events & selectors.EVENT_WRITE:
            self._client.loop_write()
        self.want()

    def want(self) -> None:
        """Ask for writing while something waits to be written."""
        sock = self._client.socket()
        if sock is not None:
            events = selectors.EVENT_READ
            if self._client.want_write():
                events |= selectors.EVENT_WRITE
            if self._selector.get_key(sock).events != events:
                self._selector.modify(sock, events, self)

    def publish(self, publisher: SyntheticPublisher, tick: int) -> bool:
        """Publish one tick of one host; False when the broker does not keep up."""
        last = self._last
        if last is not None and last.rc == paho.MQTT_ERR_SUCCESS and not last.is_published():
            return False
        self._last = publisher.publish(self._client, tick)
        return True

    def say_goodbye(self) -> None:
        """Publish that every host has stopped."""
        if self.connected:
            for publisher, qos in self._confirmed_by_last():
                self._last = self._client.publish(
                    publisher.status_topic, publisher.status("stopped"), qos, retain=True
                )

    def clear(self) -> None:
        """Clear what every host left on the broker, so that bridges forget it."""
        if self.connected:
            for publisher, qos in self._confirmed_by_last():
                self._last = publisher.clear(self._client, qos)

    def is_acknowledged(self) -> bool:
        """Whether the broker has acknowledged the last message, or is away."""
        return not self.connected or self._last is None or self._last.is_published()

    @property
    def may_have_left_something(self) -> bool:
        """Whether the broker has not acknowledged the last message of hosts that it has heard."""
        return self._is_introduced and not (self.connected and self.is_acknowledged())

    def close(self) -> None:
        """Disconnect, so that the will is not sent."""
        self._client.disconnect()

    def _confirmed_by_last(self) -> Iterator[tuple[SyntheticPublisher, int]]:
        """Give each host with the QoS of what it says: an acknowledgement of the last is one of all."""
        last = len(self._publishers) - 1
        return ((publisher, int(index == last)) for index, publisher in enumerate(self._publishers))

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            _log.warning("the broker refuses the connection: %s", reason_text(reason))
            return
        self.connected = True
        self._attempts = 0
        self._last = None
        self._is_introduced = True
        for publisher in self._publishers:
            publisher.introduce(client)

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, _reason: Any, _properties: Any
    ) -> None:
        self.connected = False
        self._retry_at = time.monotonic() + backoff_seconds(0, random.random())

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._selector.register(sock, selectors.EVENT_READ, self)

    def _on_socket_close(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._selector.unregister(sock)
