"""From payloads to frames, and from frames to the viewers that selected them.

A frame is built once and shared by all viewers with the same selection.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from fleetglass.bridge.outbox import Outbox
from fleetglass.wire.protocol import BrokerChange, Host, LiveFrame, PulseFrame
from fleetglass.wire.protocol import History as HistoryFrame

MOST_CHUNKS = 32
"""Chunks of one host's past that may wait for a viewer; 15 minutes of pulses are some 10."""
LIVE_WAIT_SECONDS = 0.025
"""How long after its first message a tick's frame is sent, unless its end mark comes before."""
END_OF_TICK = "collector"
"""The group that agents publish last in a tick."""

Selection = frozenset[str] | Literal["*"]


@dataclass(slots=True, eq=False)
class Subscriber:
    """One viewer, as the fan-out sees it."""

    outbox: Outbox = field(default_factory=Outbox)
    fleet: bool = False
    hosts: dict[str, Selection] = field(default_factory=dict)


@dataclass(slots=True)
class _Tick:
    """The messages of one host and tick that have come so far."""

    tick: int
    samples: dict[str, msgspec.Raw]
    timer: asyncio.TimerHandle


class Fanout:
    """All viewers and what they selected."""

    def __init__(self) -> None:
        self.frames = 0
        """Frames handed to viewers."""
        self._subscribers: set[Subscriber] = set()
        self._watchers: dict[str, set[Subscriber]] = {}
        self._ticks: dict[str, _Tick] = {}
        self._pulses: dict[str, msgspec.Raw] = {}
        self._chunks = 0  # of backfill
        self._encode: Callable[[msgspec.Struct], bytes] = msgspec.json.Encoder().encode

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def watched(self) -> frozenset[str]:
        """The hosts that some viewer selected."""
        return frozenset(self._watchers)

    def add(self, subscriber: Subscriber) -> None:
        """Let a viewer take part; it gets nothing but changes of hosts until it selects."""
        self._subscribers.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Let a viewer go."""
        self.select(subscriber, fleet=False, hosts={})
        self._subscribers.discard(subscriber)

    def select(self, subscriber: Subscriber, *, fleet: bool, hosts: dict[str, Selection]) -> None:
        """Replace what a viewer selected."""
        for host in subscriber.hosts.keys() - hosts.keys():
            watchers = self._watchers[host]
            watchers.discard(subscriber)
            if not watchers:
                del self._watchers[host]
        for host in hosts.keys() - subscriber.hosts.keys():
            self._watchers.setdefault(host, set()).add(subscriber)
        subscriber.fleet = fleet
        subscriber.hosts = hosts

    def pulse(self, host: str, payload: bytes) -> None:
        """Put a pulse into the next fleet frame."""
        self._pulses[host] = msgspec.Raw(payload)

    def send_pulses(self, wall: float) -> None:
        """Send the fleet frame; `wall` is UTC in seconds."""
        pulses, self._pulses = self._pulses, {}
        viewers = [subscriber for subscriber in self._subscribers if subscriber.fleet]
        if not pulses or not viewers:
            return
        frame = self._encode(PulseFrame(time=wall, hosts=pulses))
        self._put(viewers, "pulse", "", frame)

    def live(self, host: str, group: str, tick: int, payload: bytes) -> None:
        """Take in the message of one group; the frame goes out when the tick is complete."""
        if host not in self._watchers:
            return
        pending = self._ticks.get(host)
        if pending is not None and (pending.tick != tick or group in pending.samples):
            self._send_tick(host)
            pending = None
        if pending is None:
            timer = asyncio.get_running_loop().call_later(LIVE_WAIT_SECONDS, self._send_tick, host)
            pending = self._ticks[host] = _Tick(tick, {}, timer)
        pending.samples[group] = msgspec.Raw(payload)
        if group == END_OF_TICK:
            self._send_tick(host)

    def backfill(self, host: str, pulses: list[bytes]) -> None:
        """Send late pulses to those who watch the host."""
        watchers = self._watchers.get(host)
        if watchers and pulses:
            samples = {"pulse": [msgspec.Raw(pulse) for pulse in pulses]}
            # Chunks follow each other, and only very many later ones stand for one.
            self._chunks += 1
            subject = f"{host} {self._chunks % MOST_CHUNKS}"
            self._put(watchers, "backfill", subject, self._encode(HistoryFrame(host=host, samples=samples)))

    def host_changed(self, change: Host) -> None:
        """Tell every viewer of a change of one host."""
        kind = "removed" if change.removed else "info" if change.info is not msgspec.UNSET else "host"
        self._put(self._subscribers, kind, change.id, self._encode(change))

    def delivery(self, message: Host) -> None:
        """Tell those who watch a host how its pulses arrive."""
        self._put(self._watchers.get(message.id, ()), "delivery", message.id, self._encode(message))

    def broker_changed(self, change: BrokerChange) -> None:
        """Tell every viewer that the broker came or went."""
        self._put(self._subscribers, "broker", "", self._encode(change))

    def _send_tick(self, host: str) -> None:
        pending = self._ticks.pop(host, None)
        if pending is None:
            return
        pending.timer.cancel()
        frames: dict[Selection, bytes | None] = {}
        for subscriber in self._watchers.get(host, ()):
            selection = subscriber.hosts[host]
            if selection not in frames:
                chosen = _choose(pending.samples, selection)
                frames[selection] = self._encode(LiveFrame(host=host, samples=chosen)) if chosen else None
            frame = frames[selection]
            if frame is not None:
                self._put((subscriber,), "live", host, frame)

    def _put(self, subscribers: Iterable[Subscriber], kind: str, subject: str, frame: bytes) -> None:
        for subscriber in subscribers:
            subscriber.outbox.put(kind, subject, frame)
            self.frames += 1


def _choose(samples: dict[str, msgspec.Raw], selection: Selection) -> dict[str, msgspec.Raw]:
    if selection == "*":
        return samples
    return {group: payload for group, payload in samples.items() if group in selection}
