"""The heart of the bridge: what comes from the broker goes into registry, history and frames."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TypeVar

import msgspec

from fleetglass.fleet.address_cache import AddressCache
from fleetglass.fleet.demand_leases import DemandLeases
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.fleet.fanout import Fanout, Selection, Subscriber
from fleetglass.fleet.history_replay import HistoryReplay, past_frames
from fleetglass.fleet.hosts import KnownFleet
from fleetglass.fleet.inbox import Inbox
from fleetglass.fleet.known_host import KnownHost
from fleetglass.fleet.rejections import Rejections
from fleetglass.fleet.watching import Watching
from fleetglass.history.merge import Dated
from fleetglass.history.store import HistoryStore
from fleetglass.wire import Address, ContractError, PayloadError, Topics, decode
from fleetglass.wire.codec import decode_text, decode_tick
from fleetglass.wire.errors import HostLimitError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Backfill, Pulse
from fleetglass.wire.protocol import BrokerChange, BrokerState, Fleet, Host, HostEntry, Limits, Watch, Welcome
from fleetglass.wire.topics import Leaf
from fleetglass.wire.unexpected_errors import UnexpectedErrors

_FLEET_LEAVES: tuple[tuple[Leaf, int], ...] = (("status", 1), ("info", 1), ("pulse", 0), ("backfill", 1))
_NEW_HOSTS = "(new hosts)"  # no host id; what is said of one of them is said of all
_TOPIC_RULE = "<prefix>/<host>/ and one of status, info, pulse, backfill, live/<group>"

Want = Callable[[frozenset[str]], None]
Say = Callable[[str, bytes], None]
HostMessage = TypeVar("HostMessage", Host, HostEntry)

_log = logging.getLogger(__name__)


class Relay:
    """Takes messages of the broker and selections of viewers."""

    def __init__(
        self,
        topics: tuple[Topics, ...],
        *,
        history: HistoryStore,
        history_all_hosts: int,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.errors = UnexpectedErrors()
        self.fleet = KnownFleet()
        self.fanout = Fanout(self.errors)
        self.history = history
        self.inbox = Inbox(self.on_message, self.on_oversize, errors=self.errors, sender=self._sender)
        """What came from the broker and is to be taken in."""
        self.rejections = Rejections()
        self.received = 0
        """Messages that came from the broker."""
        self.advances = 0
        """How often the states of all hosts were brought up to date."""
        self.pulse_turns = 0
        """How often the pulses of the fleet were sent, as far as there were any."""
        self.broker: BrokerState = "connecting"
        self.broker_since = wall()
        self._topics = topics
        self._by_prefix = {one.prefix: one for one in topics}
        self._heads = sorted((f"{one.prefix}/" for one in topics), key=len, reverse=True)
        self._site_topics = {one.site: one.prefix for one in topics}
        self.addresses = AddressCache(topics, lambda host: self.fleet.get(host) is not None)
        self._demands = DemandLeases()
        self._pasts: dict[Subscriber, HistoryReplay] = {}
        self._past_turn = asyncio.Lock()
        self._watching = Watching()
        self._history_all_hosts = history_all_hosts
        self._monotonic = monotonic
        self._wall = wall
        self._ask_again = asyncio.Event()

    def expect(self, hosts: Iterable[ExpectedHost]) -> None:
        """Replace the list of hosts that are there even when they were never heard."""
        self.fleet.expect(hosts, self._wall())

    def fleet_filters(self) -> list[tuple[str, int]]:
        """Return the filters that are always subscribed, with their QoS."""
        hosts = [(topics.fleet_filter(leaf), qos) for topics in self._topics for leaf, qos in _FLEET_LEAVES]
        return hosts + [(topic, 1) for topic in self._site_topics]

    def wanted_filters(self) -> frozenset[str]:
        """Return the filters that are to be subscribed beside the fleet's as things are now."""
        now = self._monotonic()
        wanted = self._watching.hosts(self.fanout.watched_in_detail, now)
        heard = self.fleet.heard
        if len(heard) <= self._history_all_hosts:
            wanted |= heard.keys()
        hosts = [heard[name] for name in wanted if name in heard]
        filters = {self._by_prefix[host.prefix].live_filter(host.id) for host in hosts}
        for host in self.fleet.without_info(now):
            filters.add(self._by_prefix[host.prefix].leaf(host.id, "info"))
        if self.fanout.wants_summaries:
            filters.update(topics.fleet_filter("summary") for topics in self._topics)
        else:  # filters must not overlap
            for host in self.fleet.without_last_sign(now):
                filters.add(self._by_prefix[host.prefix].leaf(host.id, "summary"))
        return frozenset(filters)

    async def ask(self, want: Want, say: Say | None = None) -> NoReturn:
        """Ask the broker for what viewers look at, whenever that may have changed, for as long as this runs.

        Args:
            want: gets the filters that are to be subscribed beside the fleet's.
            say: gets topic and payload of what is to be published, retained. Without it no host is asked
                for more detail.
        """
        while True:
            await self._ask_again.wait()
            self._ask_again.clear()
            with self.errors.caught("choosing subscriptions"):
                want(self.wanted_filters())
            if say is not None:
                with self.errors.caught("renewing leases"):
                    for topic, payload in self._due_leases():
                        say(topic, payload)

    def on_message(self, topic: str, payload: bytes) -> None:
        """Take in a message of the broker. Whatever it is, nothing is raised."""
        self.received += 1
        try:
            now = self._monotonic()
            known = self.addresses[topic]
            if known is None:
                self._take_other(topic, payload, now)
                return
            address, topics = known
            try:
                self._take(address, topics.prefix, payload, now)
            except HostLimitError as error:
                self.rejections.count(_NEW_HOSTS, topic, error, now)
            except ContractError as error:
                self.rejections.count(address.host, topic, error, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this message alone
            self.errors.count("taking in a message", error)

    def on_oversize(self, topic: str, size: int) -> None:
        """Take in that a message came whose payload is too large to be read."""
        self.received += 1
        known = self.addresses[topic]
        error = PayloadError(f"payload: got {size} bytes, expected at most {MAX_PAYLOAD_BYTES}")
        self.rejections.count(known[0].host if known else "", topic, error, self._monotonic())

    def on_connected(self, connected: bool) -> None:  # noqa: FBT001 - the one argument of a callback
        """Take in that the broker came or went."""
        self.broker = "connected" if connected else "connecting"
        self.broker_since = self._wall()
        with self.errors.caught("noting whether the broker is there"):
            if connected:
                self._demands.forget()
                self.fleet.broker_connected(self._monotonic())
            else:
                self.fleet.broker_lost(self._monotonic())
            self._tell_broker()

    def advance(self) -> None:
        """Let time pass: states, subscriptions, and the viewers that are to know of them."""
        now = self._monotonic()
        with self.errors.caught("letting time pass for the hosts"):
            self.fleet.advance(now, self._wall())
            self.advances += 1
        with self.errors.caught("sending what changed"):
            self._send_changes()
        self._ask_again.set()

    def send_deliveries(self) -> None:
        """Tell those who watch a host how its pulses arrive, with the last one, every few seconds."""
        for host_id in self.fanout.watched:
            with self.errors.caught("sending how the pulses of a host arrive"):
                host = self.fleet.get(host_id)
                if host is not None and (delivery := host.arrivals.told()) is not None:
                    pulse = msgspec.Raw(host.pulse) if host.pulse is not None else msgspec.UNSET
                    self.fanout.delivery(Host(id=host_id, delivery=delivery, pulse=pulse))

    def send_pulses(self) -> None:
        """Send the fleet frame, once per second."""
        with self.errors.caught("sending the pulses of the fleet"):
            self.fanout.send_pulses(self._wall())
            self.pulse_turns += 1

    def entries(self) -> list[HostEntry]:
        """Return every host as viewers are told of the fleet."""
        entries = []
        for host in self.fleet:
            try:
                entries.append(self._entry(host, host.info_summary))
            except Exception as error:  # noqa: BLE001 - the other hosts are to be seen
                self.errors.count("listing a host", error)
        return entries

    def entry(self, host_id: str) -> HostEntry:
        """Return one host as those are told who watch it.

        Raises:
            KeyError: the host is not known.
        """
        host = self.fleet.get(host_id)
        if host is None:
            raise KeyError(host_id)
        return self._entry(host, host.info)

    def welcome(self, version: str) -> Welcome:
        """Return the welcome for the next viewer; `version` is that of the program it talks with."""
        return Welcome(
            version=version,
            time=self._wall(),
            broker=self.broker,
            broker_since=self.broker_since,
            sites_away=self.fleet.sites_away,
            viewers=len(self.fanout) + 1,
            limits=Limits(),
        )

    def join(self, subscriber: Subscriber) -> None:
        """Let a viewer take part and tell it of every host."""
        self.fanout.add(subscriber)
        self._pasts[subscriber] = HistoryReplay()
        fleet = Fleet(time=self._wall(), hosts=self.entries())
        subscriber.outbox.put("fleet", "", msgspec.json.encode(fleet))

    async def send_past(self, subscriber: Subscriber) -> NoReturn:
        """Give a viewer that joined the past of what it adds to its selection, for as long as this runs."""
        await self._pasts[subscriber].send(subscriber.outbox, self._past_frames, self._past_turn)

    def leave(self, subscriber: Subscriber) -> None:
        """Let a viewer go."""
        try:
            del self._pasts[subscriber]
        finally:
            self.fanout.remove(subscriber)

    def watch(self, subscriber: Subscriber, message: Watch) -> None:
        """Replace a viewer's selection and give it the past of what it added. Unknown hosts are left out."""
        before = subscriber.hosts
        after: dict[str, Selection] = {
            host: groups if groups == "*" else frozenset(groups)
            for host, groups in message.hosts.items()
            if self.fleet.get(host) is not None
        }
        if message.summaries:
            self._begin_summaries(subscriber)
        self.fanout.select(subscriber, fleet=message.fleet, summaries=message.summaries, hosts=after)
        for host, selection in after.items():
            if selection and not before.get(host):
                known = self.fleet.get(host)
                if known is not None and known.info is not None:
                    self.fanout.introduce(subscriber, self._change(known, known.info))
        past = self._pasts[subscriber]
        for host in before.keys() - after.keys():
            past.drop(host)
        if message.history:
            for host, selection in after.items():
                added = _added(before.get(host), selection)
                if added is not None:
                    past.want(host, added, message.history)
        self._ask_again.set()

    def _begin_summaries(self, subscriber: Subscriber) -> None:
        """Give a viewer what came while others asked for summaries; the broker gives them only newer ones."""
        asked = self.fanout.wants_summaries
        for host in self.fleet.heard.values():
            if not asked:
                host.summary = None
            elif host.summary is not None:
                self.fanout.summary(host.id, host.summary, [subscriber])

    def _past_frames(self, host: str, selection: Selection, seconds: float) -> Iterator[bytes | None]:
        return past_frames(self.history, host, selection, seconds, self._monotonic())

    def _sender(self, topic: str) -> str:
        # Asked of each message before it is read at all, so it is not parsed.
        for head in self._heads:
            if topic.startswith(head):
                return topic[len(head) :].partition("/")[0]
        return ""

    def _take(self, address: Address, prefix: str, payload: bytes, now: float) -> None:
        host = address.host
        record = self.fleet.heard.get(host)
        if record is not None and record.prefix != prefix:
            raise ContractError(
                f"host {host}: got it under {prefix}, expected only {record.prefix}, where it is known"
            )
        match address.leaf:
            case "live" if address.group is not None:
                tick = decode_tick(address.group, payload)
                if record is None:
                    raise PayloadError(f"host {host}: got detail of a host without pulse, status or info")
                self.history.append(host, address.group, payload, now)
                self.fanout.live(host, address.group, tick, payload)
            case "backfill":
                self._take_backfill(host, payload, now)
            case "pulse":
                if self.fleet.hear_pulse(host, payload, now, self._wall(), prefix):
                    self.history.append(host, "pulse", payload, now)
                    self.fanout.pulse(host, payload)
            case "status":
                self.fleet.hear_status(host, payload, now, self._wall(), prefix)
            case "info":
                self.fleet.hear_info(host, payload, now, self._wall(), prefix)
            case "summary":
                self.fleet.hear_summary(host, payload, self._wall())
                if record is not None and payload:
                    record.summary = payload
                    self.fanout.summary(host, payload)

    def _take_other(self, topic: str, payload: bytes, now: float) -> None:
        if topic in self._site_topics:
            self._take_site(topic, payload, now)
        else:
            self.rejections.count("", topic, ContractError(f"topic: expected {_TOPIC_RULE}"), now)

    def _take_site(self, topic: str, payload: bytes, now: float) -> None:
        prefix, before = self._site_topics[topic], self.fleet.sites_away
        try:
            self.fleet.hear_site(prefix, payload, now, self._wall())
        except PayloadError as error:
            self.rejections.count("", topic, error, now)
        if (after := self.fleet.sites_away) != before:
            _log.warning("site %s %s", prefix, "is cut off" if prefix in after else "is connected again")
            self._tell_broker()

    def _tell_broker(self) -> None:
        change = BrokerChange(state=self.broker, since=self.broker_since, sites_away=self.fleet.sites_away)
        self.fanout.broker_changed(change)

    def _take_backfill(self, host: str, payload: bytes, now: float) -> None:
        backfill = decode(payload, Backfill)
        record = self.fleet.heard.get(host)
        if record is None:
            raise PayloadError(f"host {host}: got backfill of a host without pulse, status or info")
        late = []
        for raw in backfill.pulses:
            payload_then = bytes(raw)
            pulse = decode_text(payload_then, Pulse)  # its bounds are those of the backfill
            # Both times are of the host's own clock, whatever it shows.
            moment = now - max(backfill.time - pulse.time, 0.0)
            late.append(Dated(moment, pulse.session, pulse.tick, payload_then))
        new = self.history.merge(host, "pulse", late, now)
        for one in new:
            record.arrivals.fill(one.session, one.tick)
        self.fanout.backfill(host, [one.payload for one in new])

    def _due_leases(self) -> Iterator[tuple[str, bytes]]:
        watched = {
            host.id: host.demand_groups
            for name in self.fanout.watched_in_detail
            if (host := self.fleet.get(name)) is not None and host.demand_groups
        }
        for host_id, payload in self._demands.due(watched, now=self._monotonic(), wall=self._wall()):
            if (record := self.fleet.get(host_id)) is not None:
                yield self._by_prefix[record.prefix].leaf(host_id, "demand"), payload

    def _send_changes(self) -> None:
        changes = self.fleet.take_changes()
        if not changes:
            return
        for host_id in changes.removed:
            with self.errors.caught("removing a host"):
                self.addresses.forget(host_id)
                self.history.forget(host_id)
                self.fanout.host_changed(Host(id=host_id, removed=True))
        for host_id in changes.states | changes.infos:
            with self.errors.caught("sending the change of a host"):
                self._send_change(host_id, info=host_id in changes.infos)

    def _send_change(self, host_id: str, *, info: bool) -> None:
        host = self.fleet.get(host_id)
        if host is None:
            return
        if info:
            self.fanout.host_changed(self._change(host, host.info_summary), self._change(host, host.info))
        else:
            self.fanout.host_changed(self._change(host))

    def _entry(self, host: KnownHost, info: bytes | None) -> HostEntry:
        entry = self._described(HostEntry, host, info)
        if host.pulse is not None:
            entry.pulse = msgspec.Raw(host.pulse)
        return entry

    def _change(self, host: KnownHost, info: bytes | None = None) -> Host:
        return self._described(Host, host, info)

    def _described(self, kind: type[HostMessage], host: KnownHost, info: bytes | None) -> HostMessage:
        cut_off = self.fleet.is_cut_off(host)
        message = kind(id=host.id, state=host.state, since=host.since, cut_off=cut_off)
        if host.expected is not None:
            message.expected = host.expected.facts
        if info is not None:
            message.info = msgspec.Raw(info)
        return message


def _added(before: Selection | None, after: Selection) -> Selection | None:
    """Return the groups that a selection has more than the one before, or None when there are none."""
    if before is None or (after == "*" and before != "*"):
        return after
    if before == "*" or after == "*":
        return None
    return after - before or None
