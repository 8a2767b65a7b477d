"""One synthetic host on a connection: what it publishes when."""

import random
import secrets
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

from fleetglass.agent.publishing.encoding import written, written_headline, written_info
from fleetglass.cli.simulator.synthetic_host import SyntheticHost
from fleetglass.cli.simulator.synthetic_messages import EVERY_TICK, SLOW_SECONDS, make_info, make_messages
from fleetglass.mqtt.message import Message, Sent
from fleetglass.wire import Topics, encode
from fleetglass.wire.payloads import Gpu, Headline, Pulse, State, Status, Summary
from fleetglass.wire.topics import INFO_SECONDS, STATUS_SECONDS, SUMMARY_SECONDS

_HEADLINES: Final = [name for name in Headline.__struct_fields__ if name not in {"time", "tick"}]


class Outlet(Protocol):
    """What is needed of a connection."""

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload on a topic may be."""

    def send(self, message: Message) -> Sent:
        """Hand a message over."""


class SyntheticPublisher:
    """One host on its connection. One that is `suspended` publishes a single tick before it sleeps."""

    def __init__(
        self,
        host: SyntheticHost,
        number: int,
        topics: Topics,
        interval: float,
        version: str,
        *,
        suspended: bool = False,
    ) -> None:
        self.host = host
        self.session = secrets.token_hex(3)
        self.status_topic = topics.leaf(host.id, "status")
        self._interval = interval
        self._version = version
        self._info_topic = topics.leaf(host.id, "info")
        self._pulse_topic = topics.leaf(host.id, "pulse")
        self._summary_topic = topics.leaf(host.id, "summary")
        groups = (*EVERY_TICK, *SLOW_SECONDS, "gpu")
        self._live_topics = {group: topics.live(host.id, group) for group in groups}
        # Every so many ticks, each host at another tick.
        self._turns = {
            group: (max(1, round(seconds / interval)), number) for group, seconds in SLOW_SECONDS.items()
        }
        self._summary_every = max(1, round(SUMMARY_SECONDS / interval))
        self._number = number
        self._is_suspended = suspended
        self._last_word: Sent | None = None
        """What a host said when it went to sleep."""
        self._pulses: list[Pulse] = []
        self._status_due = 0.0
        self._info_due = 0.0
        self._is_new = True
        """Whether no summary was published yet."""
        self._fresh = True
        """Whether the next tick is the first since the connection stands: it has all groups."""

    def status(self, state: State) -> bytes:
        """Return the payload of a status."""
        return encode(Status(state=state, session=self.session, time=round(time.time(), 3)))

    def introduce(self, outlet: Outlet) -> None:
        """Publish what is retained, after each connect."""
        self._status_due = self._info_due = 0.0
        self._fresh = True
        self._last_word = None
        self._publish_retained(outlet, time.time())

    def clear(self, outlet: Outlet, qos: int) -> Sent:
        """Clear every retained message of the host; return the last message."""
        outlet.send(Message(self._summary_topic, b"", qos, retain=True))
        outlet.send(Message(self._info_topic, b"", qos, retain=True))
        return outlet.send(Message(self.status_topic, b"", qos, retain=True))

    def publish(self, outlet: Outlet, tick: int) -> Sent:
        """Publish one tick; return its last message."""
        if self._last_word is not None:
            return self._last_word
        now = round(time.time(), 3)
        due = frozenset(
            group
            for group, (every, phase) in self._turns.items()
            if self._fresh or (tick + phase) % every == 0
        )
        self._fresh = False
        pulse, groups = make_messages(self.host, now, tick, self.session, due)
        payload, _ = written_headline(pulse, outlet.max_payload_bytes(self._pulse_topic))
        outlet.send(Message(self._pulse_topic, payload))
        self._pulses.append(pulse)
        if (tick + self._number) % self._summary_every == 0 or self._is_new:
            self._is_new = False
            summary = summarise(self._pulses, self.host.boot_time)
            if isinstance(gpu := groups.get("gpu"), Gpu):
                summary.gpus = gpu.devices
            payload, _ = written_headline(summary, outlet.max_payload_bytes(self._summary_topic))
            outlet.send(Message(self._summary_topic, payload, retain=True))
            self._pulses.clear()
        self._publish_retained(outlet, now)
        last = None
        for group, message in groups.items():
            topic = self._live_topics[group]
            last = outlet.send(Message(topic, written(message, outlet.max_payload_bytes(topic))[0]))
        if self._is_suspended:
            last = outlet.send(Message(self.status_topic, self.status("suspended"), qos=1, retain=True))
            self._last_word = last
        assert last is not None  # noqa: S101 - every tick has groups
        return last

    def _publish_retained(self, outlet: Outlet, now: float) -> None:
        if now >= self._status_due:
            self._status_due = now + STATUS_SECONDS * random.uniform(0.9, 1.1)
            outlet.send(Message(self.status_topic, self.status("online"), qos=1, retain=True))
        if now >= self._info_due:
            self._info_due = now + INFO_SECONDS * random.uniform(0.9, 1.1)
            info = make_info(self.host, now, self.session, self._version, self._interval)
            payload, _ = written_info(info, outlet.max_payload_bytes(self._info_topic))
            outlet.send(Message(self._info_topic, payload, qos=1, retain=True))


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
