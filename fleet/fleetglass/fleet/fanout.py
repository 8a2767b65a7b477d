"""From payloads to frames, and from frames to the viewers that selected them.

A frame is built once and shared by all viewers with the same selection.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

import msgspec

from fleetglass.fleet.outbox import SAMPLES, Outbox
from fleetglass.wire.protocol import BrokerChange, History, Host, LiveFrame, PulseFrame, SummaryFrame
from fleetglass.wire.unexpected_errors import UnexpectedErrors

MAX_CHUNKS = 32
"""Chunks of one host's past that may wait for a viewer; 15 minutes of pulses are some 10."""
LIVE_WAIT_SECONDS = 0.025
"""How long after its first message a tick's frame is sent, unless its end mark comes before."""
SLICE_SECONDS = 0.005
"""After so long, what is for all lets the rest of the bridge run."""
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


@dataclass(slots=True)
class _Spread:
    """A frame for many, and who is to get it."""

    kind: str
    subject: str
    frame: bytes
    audience: tuple[Subscriber, ...]


class Fanout:
    """All viewers and what they selected.

    An exception in writing to one viewer ends its outbox, and with it the viewer, but nothing else. Others
    are counted in `errors`.
    """

    def __init__(self, errors: UnexpectedErrors | None = None) -> None:
        self._errors = errors or UnexpectedErrors()
        self.frames = 0
        """Frames handed to viewers."""
        self.spread = 0
        """Frames for many that all of their audience were given."""
        self._subscribers: set[Subscriber] = set()
        self._replaced = 0  # for viewers that left
        self._of_summaries: set[Subscriber] = set()
        """Those who selected summaries."""
        self._watchers: dict[str, set[Subscriber]] = {}
        self._ticks: dict[str, _Tick] = {}
        self._pulses: dict[str, msgspec.Raw] = {}
        self._chunks = 0  # of backfill
        self._everyone: tuple[Subscriber, ...] | None = ()
        """All subscribers; None after one came or went."""
        self._later: OrderedDict[tuple[str, str, bool], _Spread] = OrderedDict()
        """Frames for many that wait: as in an outbox, never more than the newest of each kind and subject."""
        self._spreading: _Spread | None = None
        """The one that is being given to its audience."""
        self._left: Iterator[Subscriber] = iter(())
        """Those of that audience who are yet to get it."""
        self._scheduled = False
        self._encode: Callable[[msgspec.Struct], bytes] = msgspec.json.Encoder().encode

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def replaced(self) -> int:
        """Frames that viewers never got since newer ones took their place."""
        return self._replaced + sum(subscriber.outbox.replaced for subscriber in self._subscribers)

    @property
    def waiting(self) -> int:
        """Frames for many that are yet to be given to all of their audience."""
        return len(self._later) + (self._spreading is not None)

    @property
    def watched(self) -> frozenset[str]:
        """The hosts that some viewer selected."""
        return frozenset(self._watchers)

    @property
    def watched_in_detail(self) -> frozenset[str]:
        """The hosts of which some viewer selected a group."""
        return frozenset(
            host for host, watchers in self._watchers.items() if any(one.hosts[host] for one in watchers)
        )

    @property
    def wants_summaries(self) -> bool:
        """Whether some viewer selected the summaries."""
        return bool(self._of_summaries)

    def add(self, subscriber: Subscriber) -> None:
        """Let a viewer take part; it gets nothing but changes of hosts until it selects."""
        self._subscribers.add(subscriber)
        self._everyone = None

    def remove(self, subscriber: Subscriber) -> None:
        """Let a viewer go."""
        self.select(subscriber, fleet=False, hosts={})
        self._subscribers.discard(subscriber)
        self._everyone = None
        self._replaced += subscriber.outbox.replaced

    def select(
        self, subscriber: Subscriber, *, fleet: bool, hosts: dict[str, Selection], summaries: bool = False
    ) -> None:
        """Replace what a viewer selected."""
        for host in subscriber.hosts.keys() - hosts.keys():
            watchers = self._watchers[host]
            watchers.discard(subscriber)
            if not watchers:
                del self._watchers[host]
        for host in hosts.keys() - subscriber.hosts.keys():
            self._watchers.setdefault(host, set()).add(subscriber)
        subscriber.fleet = fleet
        (self._of_summaries.add if summaries else self._of_summaries.discard)(subscriber)
        subscriber.hosts = hosts

    def summary(self, host: str, payload: bytes, audience: Collection[Subscriber] = ()) -> None:
        """Send a summary to those who selected them, or to this audience alone."""
        viewers = audience or self._of_summaries
        if viewers:
            self._put(viewers, "summary", host, self._encode(SummaryFrame(host, msgspec.Raw(payload))))

    def pulse(self, host: str, payload: bytes) -> None:
        """Put a pulse into the next fleet frame."""
        self._pulses[host] = msgspec.Raw(payload)

    def send_pulses(self, wall: float) -> None:
        """Send the fleet frame; `wall` is UTC in seconds."""
        pulses, self._pulses = self._pulses, {}
        viewers = tuple(subscriber for subscriber in self._all() if subscriber.fleet)
        if not pulses or not viewers:
            return
        frame = self._encode(PulseFrame(time=wall, hosts=pulses))
        self._spread(viewers, "pulse", "", frame)

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
            subject = f"{host} {self._chunks % MAX_CHUNKS}"
            self._put(watchers, "backfill", subject, self._encode(History(host=host, samples=samples)))

    def host_changed(self, change: Host, detail: Host | None = None) -> None:
        """Tell every viewer of a change of one host; those who watch it get the detail, if there is one."""
        if change.removed:
            self._pulses.pop(change.id, None)
        kind = "removed" if change.removed else "info" if change.info is not msgspec.UNSET else "host"
        watchers = {one for one in self._watchers.get(change.id, ()) if detail and one.hosts[change.id]}
        others = tuple(self._subscribers - watchers) if watchers else self._all()
        self._spread(others, kind, change.id, self._encode(change))
        if watchers:
            self._spread(tuple(watchers), kind, change.id, self._encode(detail or change), detail=True)

    def introduce(self, subscriber: Subscriber, host: Host) -> None:
        """Tell a viewer that begins to watch a host what it is."""
        self._spread((subscriber,), "info", host.id, self._encode(host), detail=True)

    def delivery(self, message: Host) -> None:
        """Tell those who watch a host how its pulses arrive."""
        self._put(self._watchers.get(message.id, ()), "delivery", message.id, self._encode(message))

    def broker_changed(self, change: BrokerChange) -> None:
        """Tell every viewer that the broker came or went."""
        self._spread(self._all(), "broker", "", self._encode(change))

    def _send_tick(self, host: str) -> None:
        pending = self._ticks.pop(host, None)
        if pending is None:
            return
        pending.timer.cancel()
        try:
            selections: dict[Selection, list[Subscriber]] = {}
            for subscriber in self._watchers.get(host, ()):
                selections.setdefault(subscriber.hosts[host], []).append(subscriber)
            for selection, subscribers in selections.items():
                chosen = _choose(pending.samples, selection)
                if chosen:
                    self._put(subscribers, "live", host, self._encode(LiveFrame(host=host, samples=chosen)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this frame alone
            self._errors.count("sending the frame of a tick", error)

    def _all(self) -> tuple[Subscriber, ...]:
        # Thousands of frames may wait for everyone, so that they share one.
        if self._everyone is None:
            self._everyone = tuple(self._subscribers)
        return self._everyone

    def _spread(
        self,
        audience: tuple[Subscriber, ...],
        kind: str,
        subject: str,
        frame: bytes,
        *,
        detail: bool = False,
    ) -> None:
        # What is for all may be thousands of frames, or large ones: the live frames of others must not wait
        # behind it. All of it goes through here, so that its order is kept.
        key = (kind, subject, detail)
        earlier = self._later.get(key)
        if earlier is None:
            self._later[key] = _Spread(kind, subject, frame, audience)
        else:
            if kind in SAMPLES:
                self._replaced += len(earlier.audience)
            else:
                self._later.move_to_end(key)
            earlier.frame = frame
            if earlier.audience is not audience:
                earlier.audience = tuple({*earlier.audience, *audience})
        if not self._scheduled:
            self._send_later()

    def _send_later(self) -> None:
        self._scheduled = False
        until = perf_counter() + SLICE_SECONDS
        try:
            while self._spreading is not None or self._later:
                if self._spreading is None:
                    _, self._spreading = self._later.popitem(last=False)
                    self._left = iter(self._spreading.audience)
                kind, subject, frame = self._spreading.kind, self._spreading.subject, self._spreading.frame
                for subscriber in self._left:
                    if subscriber in self._subscribers:
                        self._put((subscriber,), kind, subject, frame)
                    if perf_counter() > until:
                        return
                self._spreading = None
                self.spread += 1
        finally:
            # However a slice ends, the next one comes, or all frames from now on would wait for ever.
            if self.waiting:
                asyncio.get_running_loop().call_soon(self._send_later)
                self._scheduled = True

    def _put(self, subscribers: Iterable[Subscriber], kind: str, subject: str, frame: bytes) -> None:
        for subscriber in subscribers:
            try:
                subscriber.outbox.put(kind, subject, frame)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this viewer's alone
                subscriber.outbox.fail(error)
            else:
                self.frames += 1


def _choose(samples: dict[str, msgspec.Raw], selection: Selection) -> dict[str, msgspec.Raw]:
    if selection == "*":
        return samples
    return {group: payload for group, payload in samples.items() if group in selection}
