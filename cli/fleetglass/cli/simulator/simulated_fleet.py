"""Synthetic hosts on a broker: one thread, a few connections, a schedule that never drifts.

An MQTT connection carries exactly one will. Up to 32 hosts each have a connection of their own, and so a
will of their own; beyond, 32 connections share the hosts, and the will of one tells of its first host only.
The rest of its hosts fall silent, as hosts do whose network broke.
"""

import logging
import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleetglass.cli.runtime.stop_signals import StopSignals
from fleetglass.cli.simulator.connection import SimulatorConnection
from fleetglass.cli.simulator.host_publisher import SyntheticPublisher
from fleetglass.cli.simulator.synthetic_host import SyntheticHost
from fleetglass.mqtt.connection_log import ConnectionLog
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import Topics

MAX_CONNECTIONS: Final = 32
SLOTS: Final = 100
"""The phases of the hosts within an interval: each slot publishes its share of the fleet at once."""
REPORT_SECONDS: Final = 30.0
GOODBYE_SECONDS: Final = 1.5

_log = logging.getLogger(__name__)


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
    suspended: int = 0
    """How many of the hosts, the last ones, sleep."""


def run_fleet(settings: SimulationSettings, stop: StopSignals) -> None:
    """Publish until a signal, or for the duration; then every host says goodbye and is cleared."""
    fleet = _Fleet(settings, stop)
    try:
        fleet.run()
    finally:
        fleet.close()


class _Fleet:
    """The schedule: slot after slot, each at its time, and in between whatever the connections need."""

    def __init__(self, settings: SimulationSettings, stop: StopSignals) -> None:
        self._interval = settings.interval
        self._duration = settings.duration
        self._url = settings.broker.url
        self._prefix = settings.prefix
        self._stop = stop
        self._selector = selectors.DefaultSelector()
        self._selector.register(stop, selectors.EVENT_READ)
        count = len(settings.hosts)
        topics = Topics(settings.prefix)
        publishers = [
            SyntheticPublisher(
                host,
                number,
                topics,
                settings.interval,
                settings.version,
                suspended=number >= count - settings.suspended,
            )
            for number, host in enumerate(settings.hosts)
        ]
        connections = min(count, MAX_CONNECTIONS)
        self._url = settings.broker.url
        self._connection_log = ConnectionLog()
        self._connection_log.started(settings.broker)
        self._connections = []
        self._slots: list[list[tuple[SimulatorConnection, SyntheticPublisher]]] = [[] for _ in range(SLOTS)]
        for index in range(connections):
            low, high = index * count // connections, (index + 1) * count // connections
            connection = SimulatorConnection(
                publishers[low:high], settings.broker, self._selector, self._connection_log
            )
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
        """Say goodbye for every host, clear what it left on the broker, and leave."""
        for connection in self._connections:
            connection.say_goodbye()
        self._wait_for_acknowledgements()
        for connection in self._connections:
            connection.clear()
        self._wait_for_acknowledgements()
        if any(connection.may_have_left_something for connection in self._connections):
            _log.warning(
                "broker %s: did not confirm that the hosts are cleared; to clear those that remain: "
                "fleetglass forget 'sim-*' --broker %s --prefix %s",
                self._url,
                self._url,
                self._prefix,
            )
        for connection in self._connections:
            connection.close()
        self._selector.close()

    def _wait_for_acknowledgements(self) -> None:
        for connection in self._connections:
            connection.want()
        deadline = time.monotonic() + GOODBYE_SECONDS
        while time.monotonic() < deadline and not all(
            connection.is_acknowledged() for connection in self._connections
        ):
            self._pump(0.05)

    def _look_after_connections(self, now: float) -> None:
        for connection in self._connections:
            if self._stop.requested:
                return
            connection.look_after(now)
            connection.want()
        connected = sum(connection.connected for connection in self._connections)
        if connected != self._were_connected and connected in (0, len(self._connections)):
            if connected:
                self._connection_log.lasted(self._url)
                _log.info("connected")
            else:
                _log.warning("broker connection lost; trying again")
            self._were_connected = connected

    def _publish(self, slot: Sequence[tuple[SimulatorConnection, SyntheticPublisher]], tick: int) -> None:
        for connection, publisher in slot:
            if connection.connected and not connection.publish(publisher, tick):
                self._missed += 1
                connection.want()

    def _pump(self, seconds: float | None) -> None:
        if seconds is None:
            return
        for key, events in self._selector.select(seconds):
            if isinstance(key.data, SimulatorConnection):
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
                "falling behind: missed %.1f %% of all ticks in the last %d s; simulate fewer hosts",
                min(100.0, 100 * self._missed / ticks),
                REPORT_SECONDS,
            )
            self._missed = 0
