"""The hosts that the bridge knows, from what came in on the fleet's topics."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from fleetglass.fleet.arrivals import Latencies
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.known_host import KnownHost
from fleetglass.fleet.listening import Listening
from fleetglass.fleet.presence import LATE_MIN_SECONDS, NO_SITE, Presence, Site, new_site
from fleetglass.wire import PayloadError, decode
from fleetglass.wire.codec import decode_pulse
from fleetglass.wire.errors import HostLimitError
from fleetglass.wire.payloads import Info, Status, Summary
from fleetglass.wire.protocol import INFO_OF_WATCHED
from fleetglass.wire.topics import DEFAULT_PREFIX

INFO_SECONDS = 3.0
"""An `info` that has not come by then is asked for by its own topic: some brokers send little or nothing of
what they retain to a subscription with wildcards."""
SUMMARY_SECONDS = 10.0
"""How long a retained `summary` is asked for."""
MAX_HOSTS = 20_000
"""Of those that are not expected: a publisher that invents host ids must not fill the memory."""
GONE_SECONDS = 3600.0
"""A host that has not lived for so long makes room for a new one when there are too many."""
GONE_SEARCH_SECONDS = 10.0
_UPKEEP = ("pending_updates", "security_updates", "reboot_required")
"""Between two searches for such hosts, as a flood of invented ids asks for one with each message."""


@dataclass(slots=True)
class Changes:
    """Which hosts are to be told to viewers: new states, new infos, removals."""

    states: set[str] = field(default_factory=set)
    infos: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.states or self.infos or self.removed)


class KnownFleet:
    """All hosts. Takes payloads, keeps the last of each kind, and tells what changed.

    Times called `now` are of the monotonic clock, `wall` is UTC; both in seconds.
    """

    def __init__(self) -> None:
        self.latencies = Latencies()
        self.refused = 0
        """Messages of hosts that were refused, as there are too many."""
        self._hosts: dict[str, KnownHost] = {}  # those that were heard
        self._expected: dict[str, ExpectedHost] = {}
        self._unheard: dict[str, KnownHost] = {}  # those of the expected that were not
        self._changes = Changes()
        self._listening = Listening()
        self._gone: list[KnownHost] = []  # those that may make room, the first to do so last
        self._search_at = -math.inf
        self._without_info: dict[str, KnownHost] = {}
        self._without_last_sign: dict[str, float] = {}  # until when its summary is asked for
        self._sites: dict[str, Site] = {}  # by prefix

    def __len__(self) -> int:
        return len(self._hosts) + len(self._unheard)

    def __iter__(self) -> Iterator[KnownHost]:
        yield from self._hosts.values()
        yield from self._unheard.values()

    def get(self, host: str) -> KnownHost | None:
        """Return a host, or None when it is neither known nor expected."""
        return self._hosts.get(host) or self._unheard.get(host)

    @property
    def heard(self) -> Mapping[str, KnownHost]:
        """The hosts of which any message came, by id."""
        return self._hosts

    def expect(self, hosts: Iterable[ExpectedHost], wall: float) -> None:
        """Replace the list of expected hosts.

        A host on it that was never heard is `waiting` since it was added. One that is taken off the list is
        removed when it was never heard, and stays otherwise.
        """
        before, self._expected = self._expected, {host.id: host for host in hosts}
        for host_id in before.keys() - self._expected.keys():
            if self._unheard.pop(host_id, None) is not None:
                self._changes.states.discard(host_id)
                self._changes.removed.add(host_id)
            else:
                self._hosts[host_id].expected = None
                self._changes.states.add(host_id)
        for host_id, expected in self._expected.items():
            if before.get(host_id) == expected:
                continue
            record = self.get(host_id)
            if record is None:
                self._wait_for(host_id, wall)
            else:
                record.expected = expected
                self._changes.states.add(host_id)

    @property
    def sites(self) -> dict[str, Site]:
        """The sites that said whether they are connected, by prefix."""
        return self._sites

    @property
    def sites_away(self) -> dict[str, float]:
        """The prefix of each site that is cut off, and since when by UTC."""
        return {prefix: site.since for prefix, site in self._sites.items() if site.is_cut_off}

    def is_cut_off(self, host: KnownHost) -> bool:
        """Whether the host's site is cut off."""
        return self._site(host).is_cut_off

    def without_info(self, now: float) -> list[KnownHost]:
        """Return the hosts of which pulses came for a while, and no info."""
        return [
            host
            for host in self._without_info.values()
            if host.pulse is not None and now - host.known_since > INFO_SECONDS
        ]

    def without_last_sign(self, now: float) -> list[KnownHost]:
        """Return the hosts of which a will was retained, and whose `summary` tells how long they lived."""
        self._without_last_sign = {
            host: until for host, until in self._without_last_sign.items() if now < until
        }
        return [self._hosts[host] for host in self._without_last_sign]

    def broker_connected(self, now: float) -> None:
        """Take in that the broker is there; after an absence, hosts get time to be back."""
        self._listening.broker_connected(now)

    def broker_lost(self, now: float) -> None:
        """Take in that the broker is away: nothing can be said of any host."""
        self._listening.broker_lost(now)

    def hear_site(self, prefix: str, payload: bytes, now: float, wall: float) -> None:
        """Take in what a site's broker says of its connection to ours; nothing at all takes the site back.

        Raises:
            PayloadError: the payload is none of it.
        """
        if payload not in (b"1", b"0", b""):
            raise PayloadError(f"site {prefix}: got {payload[:20]!r}, expected 1 or 0")
        moment = self._listening.at(now)
        known = self._sites.pop(prefix, None)
        if payload:
            hear = new_site if known is None else known.hear
            site = self._sites[prefix] = hear(connected=payload == b"1", now=moment, wall=wall)
            if site is known:
                return
        for record in self._hosts.values():
            if record.prefix == prefix:
                if known is not None and not payload:
                    record.presence.shift(moment - known.clock.at(moment))
                self._update_state(record, moment, wall)
                self._changes.states.add(record.id)  # also of those whose state stays: viewers learn why

    def hear_status(
        self, host: str, payload: bytes, now: float, wall: float, prefix: str = DEFAULT_PREFIX
    ) -> None:
        """Take in a `status`; an empty one removes the host. An expected one waits again then.

        Raises:
            PayloadError: the payload is not a status.
            HostLimitError: the host is one too many.
        """
        if not payload:
            self._remove(host)
            if host in self._expected and host not in self._unheard:
                self._wait_for(host, wall)
            return
        status = decode(payload, Status)
        moment = self._listening.at(now)
        record = self._record(host, now, moment, wall, prefix)
        record.presence.hear_status(status, self._site(record).clock.at(moment))
        if record.presence.said == "lost" and record.state != "lost" and not self._listened(record):
            self._without_last_sign[host] = now + SUMMARY_SECONDS
        self._update_state(record, moment, wall)
        self._see_last_sign(record, wall)

    def hear_summary(self, host: str, payload: bytes, wall: float) -> None:
        """Take in the `summary` of a host in `without_last_sign`; of any other it says nothing new.

        Raises:
            PayloadError: the payload is not a summary.
        """
        record = self._hosts.get(host)
        if record is not None and payload:
            record.presence.see(decode(payload, Summary).time)
            self._see_last_sign(record, wall)
            self._without_last_sign.pop(host, None)

    def hear_info(
        self, host: str, payload: bytes, now: float, wall: float, prefix: str = DEFAULT_PREFIX
    ) -> None:
        """Take in an `info`; an empty one clears it.

        Raises:
            PayloadError: the payload is not an info.
            HostLimitError: the host is one too many.
        """
        if not payload:
            known = self._hosts.get(host)
            if known is not None and known.info is not None:
                known.info = known.info_summary = None
                known.upkeep = ()
                self._without_info[host] = known
                known.demand_groups = frozenset()
                self._changes.infos.add(host)
            return
        info = decode(payload, Info)
        record = self._record(host, now, self._listening.at(now), wall, prefix)
        record.presence.see(info.time)
        self._see_last_sign(record, wall)
        record.demand_groups = frozenset(info.groups) if info.demand is True else frozenset()
        record.presence.interval = min(max(info.interval_seconds, 0.1), 3600.0)
        if record.info != payload:
            record.info = payload
            record.info_summary = _summary(payload)
            record.upkeep = _upkeep(info)
            self._without_info.pop(host, None)
            self._changes.infos.add(host)

    def hear_pulse(
        self, host: str, payload: bytes, now: float, wall: float, prefix: str = DEFAULT_PREFIX
    ) -> bool:
        """Take in a `pulse` and return whether it is a new one.

        Raises:
            PayloadError: the payload is not a pulse.
            HostLimitError: the host is one too many.
        """
        pulse = decode_pulse(payload)
        moment = self._listening.at(now)
        record = self._record(host, now, moment, wall, prefix)
        key = (pulse.session, pulse.tick)
        if record.pulse_key == key:
            record.arrivals.hear_again()
            return False  # some brokers deliver twice
        record.pulse = payload
        record.pulse_key = key
        record.heard_wall = wall
        record.heard_stretch = self._listening.stretch
        site_now = self._site(record).clock.at(moment) if self._sites else moment
        record.presence.hear_pulse(pulse.session, pulse.time, moment, site_now)
        self.latencies.observe(
            record.arrivals.hear(pulse.session, pulse.tick, pulse.time, wall, record.presence.interval)
        )
        if record.state != "live":
            self._update_state(record, moment, wall)
        return True

    def advance(self, now: float, wall: float) -> None:
        """Let time pass: hosts that have been silent for too long change their state.

        To be called several times a second, as a long pause is taken for one of the whole process.
        """
        self._listening.notice_sleep(now, wall)
        moment = self._listening.at(now)
        heard_lately = moment - LATE_MIN_SECONDS
        for record in self._hosts.values():
            presence = record.presence
            if (
                record.state == "live"
                and (presence.heard_at or 0.0) > heard_lately
                and presence.said in (None, "online")
            ):
                continue  # as `Presence.state` has it, at a tenth of the cost: this is most hosts at any time
            self._update_state(record, moment, wall)

    def take_changes(self) -> Changes:
        """Return what changed since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    def _site(self, record: KnownHost) -> Site:
        return self._sites.get(record.prefix, NO_SITE)

    def _record(self, host: str, now: float, moment: float, wall: float, prefix: str) -> KnownHost:
        record = self._hosts.get(host)
        if record is None:
            expected = self._expected.get(host)
            if expected is None and self._is_full() and not self._make_room(now, wall):
                self.refused += 1
                raise HostLimitError(
                    f"host {host}: got one more host, expected at most {MAX_HOSTS}; none has been gone for "
                    "an hour, so remove those that do not exist with fleetglass forget"
                )
            site = self._sites.get(prefix, NO_SITE)
            presence = Presence(silent_since=site.clock.at(moment))
            waiting = self._unheard.pop(host, None)
            record = KnownHost(
                id=host,
                presence=presence,
                prefix=prefix,
                expected=expected,
                since=wall if waiting is None else waiting.since,
                known_since=now,
            )
            self._hosts[host] = record
            self._without_info[host] = record
            if waiting is None:
                self._changes.removed.discard(host)
            self._changes.states.add(host)
        return record

    def _wait_for(self, host: str, wall: float) -> None:
        presence = Presence(silent_since=0.0)
        expected = self._expected[host]
        self._unheard[host] = KnownHost(id=host, presence=presence, prefix="", expected=expected, since=wall)
        self._changes.states.add(host)

    def _is_full(self) -> bool:
        heard_of_expected = len(self._expected) - len(self._unheard)
        return len(self._hosts) - heard_of_expected >= MAX_HOSTS

    def _make_room(self, now: float, wall: float) -> bool:
        """Forget the host that has been gone longest, if one has been gone for long and is not expected."""
        gone_before = wall - GONE_SECONDS
        if not self._gone and now >= self._search_at:
            self._search_at = now + GONE_SEARCH_SECONDS
            gone = [host for host in self._hosts.values() if _may_go(host, gone_before)]
            self._gone = sorted(gone, key=lambda host: host.since, reverse=True)
        while self._gone:
            host = self._gone.pop()
            if _may_go(host, gone_before) and self._hosts.get(host.id) is host:
                self._remove(host.id)
                return True
        return False

    def _remove(self, host: str) -> None:
        self._without_info.pop(host, None)
        self._without_last_sign.pop(host, None)
        if self._hosts.pop(host, None) is not None:
            self._changes.states.discard(host)
            self._changes.infos.discard(host)
            self._changes.removed.add(host)

    def _update_state(self, record: KnownHost, moment: float, wall: float) -> None:
        if not self._listening.connected:
            return
        state = record.presence.state(moment, self._site(record))
        if state != record.state:
            record.state = state
            record.since = wall
            record.last_sign_time = None
            if state in ("suspended", "stopped"):
                record.since = record.by_bridge_clock(record.presence.said_time, wall)
            elif state == "lost" and not self._listened(record):
                record.last_sign_time = record.presence.host_time
                record.since = record.by_bridge_clock(record.last_sign_time, wall)
            self._changes.states.add(record.id)

    def _listened(self, record: KnownHost) -> bool:
        """Return whether this fleet has heard the host and listened to it ever since."""
        heard_at = record.presence.heard_at
        return (
            heard_at is not None
            and record.heard_stretch == self._listening.stretch
            and heard_at >= self._site(record).changed_at
        )

    def _see_last_sign(self, record: KnownHost, wall: float) -> None:
        if record.last_sign_time is not None and record.presence.host_time > record.last_sign_time:
            record.last_sign_time = record.presence.host_time
            record.since = record.by_bridge_clock(record.last_sign_time, wall)
            self._changes.states.add(record.id)


def _may_go(host: KnownHost, gone_before: float) -> bool:
    return host.expected is None and host.is_gone and host.since <= gone_before


def _upkeep(info: Info) -> tuple[tuple[str, int], ...]:
    told = {name: getattr(info, name) for name in _UPKEEP}
    return tuple((name, int(value)) for name, value in told.items() if value is not UNSET)


def _summary(info: bytes) -> bytes:
    fields: dict[str, msgspec.Raw] = msgspec.json.decode(info, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({name: value for name, value in fields.items() if name not in INFO_OF_WATCHED})
