"""Every host that a source tells of: its state, its last pulse and its last minute. No terminal, no I/O."""

import math
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.client.source import Interrupted
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import PayloadError
from fleetglass.wire.payloads import GROUPS, Pulse
from fleetglass.wire.protocol import (
    BridgeMessage,
    BrokerChange,
    ExpectedFacts,
    Fleet,
    History,
    Host,
    HostEntry,
    HostState,
    LiveFrame,
    Notice,
    PulseFrame,
    Welcome,
)

T = TypeVar("T")

MINUTE_SECONDS: Final = 60
MAX_SAMPLES: Final = 128
"""Of the last minute of a host, however often it samples."""
BUSY_PERCENT: Final = 95
MAX_GROUPS: Final = 64
"""Of one host; further ones are not kept."""


class Sample(NamedTuple):
    """What is kept of a pulse for a minute; NaN where the host gave nothing."""

    time: float
    cpu_percent: float
    memory_percent: float


class Facts(msgspec.Struct, kw_only=True, frozen=True):
    """What is shown of a host's `info`. Whoever publishes may leave anything out."""

    host_name: str = ""
    interval_seconds: float = 1
    agent_version: str = ""
    os_name: str = ""
    kernel: str = ""
    cpu_model: str = ""
    physical_cores: int = 0
    logical_cores: int = 0
    memory_total_bytes: int = 0
    addresses: dict[str, list[str]] = {}
    main_address: str = ""
    tags: list[str] = []
    synthetic: bool = False
    conflict: str | UnsetType = UNSET


NO_FACTS: Final = Facts()


class SeenHost:
    """One host, as far as it was told of."""

    def __init__(self, host_id: str) -> None:
        self.id = host_id
        self.state: HostState = "waiting"
        self.since = 0.0
        """When it got into its state, by the bridge's clock."""
        self.cut_off = False
        """Whether its site is cut off, so that nobody knows of it."""
        self.facts = NO_FACTS
        self.expected: ExpectedFacts | None = None
        """What the list of expected hosts says of it."""
        self.pulse: Pulse | None = None
        self.heard = math.nan
        """When its last pulse came, by the clock of whoever asks."""
        self.ahead_seconds = 0.0
        """How far its clock is ahead of the bridge's, as far as the way of its pulses lets one say."""
        self.groups: dict[str, Any] = {}
        """The newest payload of each group: a struct of the wire, or a dict for a group it does not know."""
        self.minute: deque[Sample] = deque(maxlen=MAX_SAMPLES)
        self.filled = False
        """Whether the past that goes before what was heard was told."""

    @property
    def own_name(self) -> str:
        """The name that the host gives itself."""
        return self.facts.host_name or self.id

    @property
    def listed_name(self) -> str:
        """The name on the list of expected hosts, or an empty text."""
        return "" if self.expected is None else self.expected.name

    @property
    def plain_name(self) -> str:
        """The name on the list of expected hosts, or else the one that the host gives itself."""
        return self.listed_name or self.own_name

    @property
    def tags(self) -> list[str]:
        """The tags on the list of expected hosts and the host's own, each once."""
        listed = [] if self.expected is None else self.expected.tags
        return list(dict.fromkeys([*listed, *self.facts.tags]))

    @property
    def notes(self) -> str:
        """What the list of expected hosts says beside its name and tags."""
        return "" if self.expected is None else self.expected.notes

    @property
    def is_unheard(self) -> bool:
        """Whether the host is expected, and nothing was ever heard of it."""
        nothing = self.facts is NO_FACTS and self.pulse is None
        return self.state == "waiting" and self.expected is not None and nothing

    @property
    def busy_seconds(self) -> float:
        """For how long its processors have been busy without a break, as far as its minute is known."""
        start = None
        for sample in reversed(self.minute):
            if not sample.cpu_percent >= BUSY_PERCENT:
                break
            start = sample.time
        return 0.0 if start is None else self.minute[-1].time - start

    def take_pulse(self, pulse: Pulse, heard: float) -> bool:
        """Take its newest pulse; False when it is none, as one that came twice."""
        last = self.pulse
        if last is not None and pulse.session == last.session and pulse.tick <= last.tick:
            return False
        if self.minute and pulse.time < self.minute[-1].time:  # its clock was set back
            self.minute.clear()
        self.pulse = pulse
        self.heard = heard
        self.minute.append(_sample(pulse))
        self._cut()
        return True

    def take_past(self, pulses: Iterable[Pulse]) -> None:
        """Take pulses of its past, in any order."""
        known = {sample.time: sample for sample in map(_sample, pulses)}
        known |= {sample.time: sample for sample in self.minute}
        self.minute.clear()
        self.minute.extend(known[time] for time in sorted(known))
        self._cut()

    def _cut(self) -> None:
        while self.minute and self.minute[0].time < self.minute[-1].time - MINUTE_SECONDS:
            self.minute.popleft()


class FleetModel:
    """What is known of the fleet; `take` whatever the source says."""

    def __init__(self) -> None:
        self.hosts: dict[str, SeenHost] = {}
        self.told = False
        """Whether the source has said who is there."""
        self.interrupted: Interrupted | None = None
        """Why there is no connection, and when the next try is due after `interrupted_at`."""
        self.interrupted_at = 0.0
        self.connected = False
        self.broker_away_since: float | None = None
        """By the bridge's clock."""
        self.sites_away: dict[str, float] = {}
        """The prefix of each site that is cut off, and since when by the bridge's clock."""
        self.clock_offset = 0.0
        """What to add to the bridge's clock to get one's own."""
        self.paused_at: float | None = None
        """The moment at which time stands still. States are told even then."""
        self.notice = ""
        self.unreadable = 0
        """Payloads that are not what they should be; they are left out."""
        self._names: Counter[str] = Counter()

    def take(self, message: BridgeMessage | Interrupted, now: float) -> None:
        """Take in one message that came at `now`, seconds since the epoch by one's own clock."""
        match message:
            case PulseFrame(time=time, hosts=pulses):
                if self.paused_at is None:
                    self.clock_offset = now - time
                    self._take_pulses(pulses, time, now)
            case LiveFrame(host=host, samples=samples):
                if self.paused_at is None and host in self.hosts:
                    self._take_groups(self.hosts[host], samples)
            case History(host=host, samples=samples, more=more):
                if host in self.hosts:
                    self._take_history(self.hosts[host], samples, more=more)
            case Host():
                self._take_host(message)
            case Fleet(time=time, hosts=entries):
                self._take_fleet(entries, time, now)
            case Welcome():
                self._take_welcome(message, now)
            case BrokerChange(state=state, since=since, sites_away=sites_away):
                self.broker_away_since = since if state == "connecting" else None
                self.sites_away = sites_away
            case Notice(text=text):
                self.notice = text
            case Interrupted():
                self.interrupted = message
                self.interrupted_at = now
                self.connected = False
            case _:
                pass

    @property
    def is_old(self) -> bool:
        """Whether nothing new can come, since there is no bridge or no broker."""
        return not self.connected or self.broker_away_since is not None

    def find(self, name: str) -> SeenHost | None:
        """Return the host with an id, or else the only one of this name."""
        if name in self.hosts:
            return self.hosts[name]
        named = [host for host in self.hosts.values() if name in (host.plain_name, host.own_name)]
        return named[0] if len(named) == 1 else None

    def name_of(self, host: SeenHost) -> str:
        """Return the name to show. The id follows when the name is from a list or another host has it too."""
        name = host.plain_name
        is_ambiguous = bool(host.listed_name) or self._names[name] > 1
        return f"{name} ({host.id})" if name != host.id and is_ambiguous else name

    def pause(self, now: float) -> None:
        """Let time stand still, or go on; the past of every host is then wanted again."""
        if self.paused_at is None:
            self.paused_at = now
            return
        self.paused_at = None
        self._want_past()

    def _take_pulses(self, pulses: dict[str, msgspec.Raw], time: float, now: float) -> None:
        for host_id, payload in pulses.items():
            host = self._host(host_id)
            pulse = self._decode(payload, Pulse)
            if pulse is None or not host.take_pulse(pulse, now):
                continue
            ahead = pulse.time - time
            # The pulse that was fastest tells most of the clocks; a clock that was set is believed at once.
            nearer = ahead > host.ahead_seconds or abs(ahead - host.ahead_seconds) > 2
            host.ahead_seconds = ahead if nearer else host.ahead_seconds

    def _take_groups(self, host: SeenHost, samples: dict[str, msgspec.Raw]) -> None:
        for name, payload in samples.items():
            group = self._decode(payload, GROUPS.get(name, dict))
            if group is not None and (name in host.groups or len(host.groups) < MAX_GROUPS):
                host.groups[name] = group

    def _take_history(self, host: SeenHost, samples: dict[str, list[msgspec.Raw]], *, more: bool) -> None:
        past = [self._decode(payload, Pulse) for payload in samples.get("pulse", [])[-MAX_SAMPLES:]]
        host.take_past(pulse for pulse in past if pulse is not None)
        # The newest frame comes first, and what was heard live is newer still.
        latest = {name: payloads[-1] for name, payloads in samples.items() if payloads and name != "pulse"}
        self._take_groups(host, {name: one for name, one in latest.items() if name not in host.groups})
        host.filled = host.filled or not more

    def _take_host(self, message: Host) -> None:
        if message.removed:
            self._remove(message.id)
            return
        host = self._host(message.id)
        if message.state is not UNSET:
            host.state, host.cut_off = message.state, message.cut_off
            self._take_expected(host, message.expected)
        if message.since is not UNSET:
            host.since = message.since
        self._take_info(host, message.info)

    def _take_fleet(self, entries: list[HostEntry], time: float, now: float) -> None:
        present = {entry.id for entry in entries}
        for host_id in [host_id for host_id in self.hosts if host_id not in present]:
            self._remove(host_id)
        for entry in entries:
            host = self._host(entry.id)
            host.state, host.since, host.cut_off = entry.state, entry.since, entry.cut_off
            self._take_expected(host, entry.expected)
            self._take_info(host, entry.info)
            if entry.pulse is UNSET or (self.paused_at is not None and host.pulse is not None):
                continue
            pulse = self._decode(entry.pulse, Pulse)
            if pulse is not None:
                host.take_pulse(pulse, now - max(0.0, time - pulse.time))
        self.told = True

    def _take_welcome(self, message: Welcome, now: float) -> None:
        self.connected = True
        self.interrupted = None
        self.notice = ""
        self.clock_offset = now - message.time
        self.broker_away_since = message.broker_since if message.broker == "connecting" else None
        self.sites_away = message.sites_away
        self._want_past()

    def _take_info(self, host: SeenHost, payload: msgspec.Raw | UnsetType) -> None:
        if payload is UNSET or (facts := self._decode(payload, Facts)) is None:
            return
        self._forget_name(host)
        host.facts = facts
        self._names[host.plain_name] += 1

    def _take_expected(self, host: SeenHost, expected: ExpectedFacts | UnsetType) -> None:
        self._forget_name(host)
        host.expected = None if expected is UNSET else expected
        self._names[host.plain_name] += 1

    def _want_past(self) -> None:
        for host in self.hosts.values():
            host.filled = False

    def _host(self, host_id: str) -> SeenHost:
        host = self.hosts.get(host_id)
        if host is None:
            host = self.hosts[host_id] = SeenHost(host_id)
            self._names[host.plain_name] += 1
        return host

    def _remove(self, host_id: str) -> None:
        host = self.hosts.pop(host_id, None)
        if host is not None:
            self._forget_name(host)

    def _forget_name(self, host: SeenHost) -> None:
        self._names[host.plain_name] -= 1
        if not self._names[host.plain_name]:
            del self._names[host.plain_name]

    def _decode(self, payload: msgspec.Raw, kind: type[T]) -> T | None:
        try:
            return decode_text(bytes(payload), kind)
        except PayloadError:
            self.unreadable += 1
            return None


def _sample(pulse: Pulse) -> Sample:
    return Sample(pulse.time, _number(pulse.cpu_percent), _number(pulse.memory_percent))


def _number(value: float | UnsetType) -> float:
    return math.nan if value is UNSET else value
