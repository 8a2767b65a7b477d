"""Synthetic hosts on a broker: one thread, a few connections, a schedule that never drifts.

An MQTT connection carries exactly one will. Up to 32 hosts each have a connection of their own, and so a
will of their own; beyond, 32 connections share the hosts, and the will of one tells of its first host only.
The rest of its hosts fall silent, as hosts do whose network broke.
"""

import contextlib
import logging
import random
import secrets
import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from fleetglass.cli.probe import tls_context
from fleetglass.cli.stop_signals import StopSignals
from fleetglass.cli.synthetic import SLOW_SECONDS, SyntheticHost
from fleetglass.wire import BrokerAccess, Topics, encode
from fleetglass.wire.backoff import backoff_seconds
from fleetglass.wire.payloads import Headline, Pulse, State, Status, Summary

MAX_CONNECTIONS: Final = 32
SLOTS: Final = 100
"""The phases of the hosts within an interval: each slot publishes its share of the fleet at once."""
KEEPALIVE_SECONDS: Final = 20
CONNECT_SECONDS: Final = 2.0
SUMMARY_SECONDS: Final = 15.0
STATUS_SECONDS: Final = 60.0
INFO_SECONDS: Final = 600.0
REPORT_SECONDS: Final = 30.0
GOODBYE_SECONDS: Final = 1.5

_log = logging.getLogger(__name__)
_HEADLINES: Final = [name for name in Headline.__struct_fields__ if name not in {"time", "tick"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """All that a simulation can be told."""

    broker: BrokerAccess
    hosts: tuple[SyntheticHost, ...]
    version: str
    prefix: str = "fleet"
    interval: float = 1.0
    duration: float | None = None
    """Seconds until it ends by itself."""


def run_fleet(settings: SimulationSettings, stop: StopSignals) -> None:
    """Publish until a signal, or for the duration; then every host says goodbye."""
    fleet = _Fleet(settings, stop)
    try:
        fleet.run()
    finally:
        fleet.close()


def summarise(pulses: Sequence[Pulse], boot_time: float) -> Summary:
    """Return the means of these pulses, stamped as the last of them."""
    means: dict[str, Any] = {}
    for name in _HEADLINES:
        values = [value for pulse in pulses if isinstance(value := getattr(pulse, name), int | float)]
        if values:
            mean = sum(values) / len(values)
            whole = isinstance(values[0], int)
            means[name] = round(mean) if whole else round(mean, 2 if name == "load_1m" else 1)
    return Summary(time=pulses[-1].time, tick=pulses[-1].tick, boot_time=boot_time, **means)


class _Publisher:
    """One host on its connection."""

    def __init__(self, host: SyntheticHost, number: int, settings: SimulationSettings) -> None:
        topics = Topics(settings.prefix)
        self.host = host
        self.session = secrets.token_hex(3)
        self.status_topic = topics.leaf(host.id, "status")
        self._settings = settings
        self._info_topic = topics.leaf(host.id, "info")
        self._pulse_topic = topics.leaf(host.id, "pulse")
        self._summary_topic = topics.leaf(host.id, "summary")
        groups = ("cpu", "memory", "disk", "network", "sensor", *SLOW_SECONDS)
        self._live_topics = {group: topics.live(host.id, group) for group in groups}
        # Every so many ticks, each host at another tick.
        self._turns = {
            group: (max(1, round(seconds / settings.interval)), number)
            for group, seconds in SLOW_SECONDS.items()
        }
        self._summary_every = max(1, round(SUMMARY_SECONDS / settings.interval))
        self._number = number
        self._pulses: list[Pulse] = []
        self._status_due = 0.0
        self._info_due = 0.0
        self._fresh = True
        """Whether the next tick is the first since the connection stands: it has all groups."""

    def status(self, state: State) -> bytes:
        """Return the payload of a status."""
        return encode(Status(state=state, session=self.session, time=round(time.time(), 3)))

    def introduce(self, client: paho.Client) -> None:
        """Publish what is retained, after each connect."""
        self._status_due = self._info_due = 0.0
        self._fresh = True
        self._publish_retained(client, time.time())

    def publish(self, client: paho.Client, tick: int) -> paho.MQTTMessageInfo:
        """Publish one tick; return its last message."""
        now = round(time.time(), 3)
        due = frozenset(
            group
            for group, (every, phase) in self._turns.items()
            if self._fresh or (tick + phase) % every == 0
        )
        self._fresh = False
        pulse, groups = self.host.messages(now, tick, self.session, due)
        client.publish(self._pulse_topic, encode(pulse))
        self._pulses.append(pulse)
        if (tick + self._number) % self._summary_every == 0:
            client.publish(
                self._summary_topic, encode(summarise(self._pulses, self.host.boot_time)), retain=True
            )
            self._pulses.clear()
        self._publish_retained(client, now)
        last = None
        for group, message in groups.items():
            last = client.publish(self._live_topics[group], encode(message))
        assert last is not None  # noqa: S101 - every tick has groups
        return last

    def _publish_retained(self, client: paho.Client, now: float) -> None:
        if now >= self._status_due:
            self._status_due = now + STATUS_SECONDS * random.uniform(0.9, 1.1)
            client.publish(self.status_topic, self.status("online"), qos=1, retain=True)
        if now >= self._info_due:
            self._info_due = now + INFO_SECONDS * random.uniform(0.9, 1.1)
            info = self.host.info(now, self.session, self._settings.version, self._settings.interval)
            client.publish(self._info_topic, encode(info), qos=1, retain=True)


class _Connection:
    """One MQTT connection and the hosts on it; driven from outside, without a thread."""

    def __init__(
        self, publishers: Sequence[_Publisher], access: BrokerAccess, selector: selectors.BaseSelector
    ) -> None:
        self.connected = False
        self._publishers = publishers
        self._access = access
        self._selector = selector
        self._attempts = 0
        self._retry_at = 0.0
        self._last: paho.MQTTMessageInfo | None = None
        first = publishers[0]
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"fleetglass-simulate-{first.session}"
        )
        client.max_inflight_messages_set(1000)
        client.connect_timeout = CONNECT_SECONDS
        if access.url.user is not None:
            client.username_pw_set(access.url.user, access.password)
        if access.url.tls:
            client.tls_set_context(tls_context(access))
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
            first = self._publishers[0]
            self._client.will_set(first.status_topic, first.status("lost"), qos=1, retain=True)
            with contextlib.suppress(OSError):
                self._client.connect(self._access.url.host, self._access.url.port, KEEPALIVE_SECONDS)

    def turn(self, events: int) -> None:
        """Read and write what is ready."""
        if events & selectors.EVENT_READ:
            self._client.loop_read()
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

    def publish(self, publisher: _Publisher, tick: int) -> bool:
        """Publish one tick of one host; False when the broker does not keep up."""
        last = self._last
        if last is not None and last.rc == paho.MQTT_ERR_SUCCESS and not last.is_published():
            return False
        self._last = publisher.publish(self._client, tick)
        return True

    def say_goodbye(self) -> None:
        """Publish that every host has stopped."""
        if self.connected:
            for publisher in self._publishers:
                self._last = self._client.publish(
                    publisher.status_topic, publisher.status("stopped"), qos=1, retain=True
                )

    def has_said_goodbye(self) -> bool:
        """Whether the broker has confirmed it, or is away."""
        return not self.connected or self._last is None or self._last.is_published()

    def close(self) -> None:
        """Disconnect, so that the will is not sent."""
        self._client.disconnect()

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            _log.warning("the broker refuses: %s", reason)
            return
        self.connected = True
        self._attempts = 0
        self._last = None
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


class _Fleet:
    """The schedule: slot after slot, each at its time, and in between whatever the connections need."""

    def __init__(self, settings: SimulationSettings, stop: StopSignals) -> None:
        self._interval = settings.interval
        self._duration = settings.duration
        self._stop = stop
        self._selector = selectors.DefaultSelector()
        self._selector.register(stop, selectors.EVENT_READ)
        count = len(settings.hosts)
        publishers = [_Publisher(host, number, settings) for number, host in enumerate(settings.hosts)]
        connections = min(count, MAX_CONNECTIONS)
        self._connections = []
        self._slots: list[list[tuple[_Connection, _Publisher]]] = [[] for _ in range(SLOTS)]
        for index in range(connections):
            low, high = index * count // connections, (index + 1) * count // connections
            connection = _Connection(publishers[low:high], settings.broker, self._selector)
            self._connections.append(connection)
            for number in range(low, high):
                self._slots[number * SLOTS // count].append((connection, publishers[number]))
        self._missed = 0
        self._were_connected = 0

    def run(self) -> None:
        """Publish until a signal, or for the duration."""
        start = time.monotonic()
        look_at = start
        report_at = start + REPORT_SECONDS
        slot_seconds = self._interval / SLOTS
        turn = 0
        while not self._stop.requested:
            now = time.monotonic()
            if self._duration is not None and now - start >= self._duration:
                return
            if now >= look_at:
                look_at = now + 0.25
                self._look_after_connections(now)
            if now >= report_at:
                report_at = now + REPORT_SECONDS
                self._report()
            behind = int((now - start) / slot_seconds) - turn
            if behind > SLOTS:
                self._missed += self._hosts_between(turn, turn + behind)
                turn += behind
            due = start + turn * slot_seconds
            if now >= due:
                self._publish(self._slots[turn % SLOTS], turn // SLOTS)
                turn += 1
                # Connections get their turn even when there is no time to sleep.
                self._pump(0.0 if turn % 10 == 0 else None)
            else:
                self._pump(min(due, look_at) - now)

    def close(self) -> None:
        """Say goodbye for every host and leave."""
        for connection in self._connections:
            connection.say_goodbye()
            connection.want()
        deadline = time.monotonic() + GOODBYE_SECONDS
        while time.monotonic() < deadline and not all(
            connection.has_said_goodbye() for connection in self._connections
        ):
            self._pump(0.05)
        for connection in self._connections:
            connection.close()
        self._selector.close()

    def _look_after_connections(self, now: float) -> None:
        for connection in self._connections:
            if self._stop.requested:
                return
            connection.look_after(now)
            connection.want()
        connected = sum(connection.connected for connection in self._connections)
        if connected != self._were_connected and connected in (0, len(self._connections)):
            _log.warning("the broker is away; trying again") if not connected else _log.info("connected")
            self._were_connected = connected

    def _publish(self, slot: Sequence[tuple[_Connection, _Publisher]], tick: int) -> None:
        for connection, publisher in slot:
            if connection.connected and not connection.publish(publisher, tick):
                self._missed += 1
                connection.want()

    def _pump(self, seconds: float | None) -> None:
        if seconds is None:
            return
        for key, events in self._selector.select(seconds):
            if isinstance(key.data, _Connection):
                key.data.turn(events)
            else:
                self._stop.drain()

    def _hosts_between(self, low: int, high: int) -> int:
        rounds, rest = divmod(high - low, SLOTS)
        fleet = sum(map(len, self._slots))
        return rounds * fleet + sum(len(self._slots[turn % SLOTS]) for turn in range(low, low + rest))

    def _report(self) -> None:
        if self._missed:
            ticks = REPORT_SECONDS / self._interval * sum(map(len, self._slots))
            _log.warning(
                "falling behind: %.1f %% of all ticks missed in the last %d s",
                min(100.0, 100 * self._missed / ticks),
                REPORT_SECONDS,
            )
            self._missed = 0
