"""The agent: samples the host tick by tick and publishes what it found."""

import contextlib
import functools
import logging
import signal
import threading
import time as clocks
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec
from msgspec import UnsetType

from fleetglass.agent.clock_jumps import ClockJump, ClockJumps
from fleetglass.agent.collectors import Collector, current, default_collectors
from fleetglass.agent.demanded_groups import DemandedGroups
from fleetglass.agent.headline import Means, pulse_of
from fleetglass.agent.home_assistant import HomeAssistant
from fleetglass.agent.identity import new_session
from fleetglass.agent.inventory import Inventory
from fleetglass.agent.last_gpus import LastGpus, without_users
from fleetglass.agent.own_container import SHOW_THE_HOST, shown_instead
from fleetglass.agent.publishing.encoding import written, written_headline, written_info
from fleetglass.agent.publishing.publisher import Publisher, Tick
from fleetglass.agent.readings import Readings, host_readings
from fleetglass.agent.sampler import Sampled, Sampler, turns_between
from fleetglass.agent.schedule import Schedule, phase_of
from fleetglass.agent.self_report import SelfReport
from fleetglass.agent.settings import AgentSettings
from fleetglass.agent.system_bus.watch import SystemWatch
from fleetglass.agent.wait_for_link import InterfaceGate
from fleetglass.mqtt.message import Message
from fleetglass.wire import PayloadError, Topics, encode
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Group, Info, Pulse, Summary
from fleetglass.wire.topics import SUMMARY_SECONDS
from fleetglass.wire.unexpected_errors import UnexpectedErrors

_log = logging.getLogger(__name__)

Progress = Callable[[str | None], None]

_INVENTORY_SECONDS = 30.0


def run(
    settings: AgentSettings,
    stop: threading.Event | None = None,
    *,
    collectors: Sequence[Collector] | None = None,
    progress: Progress = lambda _: None,
) -> None:
    """Sample and publish until SIGINT or SIGTERM, or until `stop` is set.

    Signals are handled only in the main thread, and only when there is no `stop`. A broker that cannot
    be reached is waited for. `progress` is told after every tick in one line what the agent is doing,
    which begins with `connected` while samples reach the broker, and None when it begins to end.

    Raises:
        AgentError: a file that the connection needs cannot be used.
    """
    if settings.container:
        kept = settings.kept_id_hash is not None
        shown = shown_instead(settings.container, settings.host_id, has_kept_id=kept)
        _log.info("this agent runs %s; %s", shown, SHOW_THE_HOST)
    readings = host_readings(settings.root, settings.selections)
    if collectors is None:
        collectors = default_collectors(settings, readings)
    session = new_session()
    errors = UnexpectedErrors()
    publisher = Publisher(settings, session=session, errors=errors)
    live_topic = functools.cache(functools.partial(Topics(settings.prefix).live, settings.host_id))
    sampler = Sampler(
        collectors,
        interval=settings.interval,
        room=lambda group: publisher.max_payload_bytes(live_topic(group)),
    )
    gate = InterfaceGate(settings.interface)
    watch = SystemWatch(publisher, root=Path(settings.root))

    def hold() -> None:
        unknown = (f"waiting for interface {settings.interface}, which cannot be read",)
        publisher.hold(
            *errors.attempt("looking at the interface", lambda: (gate.reason_to_wait(),)) or unknown
        )

    try:
        errors.attempt("taking the first readings", sampler.prime)
        agent = _Agent(
            settings, session, collectors, sampler, publisher, watch=watch, readings=readings, errors=errors
        )
        hold()
        with contextlib.closing(agent), _waiting(stop) as wait, publisher, watch:
            schedule = Schedule(
                interval=settings.interval,
                phase=phase_of(settings.host_id, settings.interval),
                wait=wait,
            )
            while schedule.next():
                errors.attempt("holding the connection", hold)
                agent.tick(schedule.skipped)
                errors.attempt("telling the progress", lambda: progress(publisher.doing))
            progress(None)
    finally:
        sampler.close()
    _log.info("stopped")


class _Agent:
    """One tick: sample, sum up, publish. Whatever a part of it raises, the pulse goes out."""

    def __init__(
        self,
        settings: AgentSettings,
        session: str,
        collectors: Sequence[Collector],
        sampler: Sampler,
        publisher: Publisher,
        *,
        watch: SystemWatch,
        readings: Readings,
        errors: UnexpectedErrors,
    ) -> None:
        self._session = session
        self._errors = errors
        self._interval = settings.interval
        self._sampler = sampler
        self._publisher = publisher
        self._watch = watch
        self._home_assistant = HomeAssistant(settings, publisher)
        self._tick = 0
        self._collectors = collectors
        self._newest: dict[str, Group] = {}
        self._own = SelfReport(readings.own_resident_bytes)
        self._means = Means()
        self._summary_due = float("-inf")
        self._gpus = LastGpus()
        self._gpus_used_anew = False
        self._inventory = Inventory(
            settings, session=session, readings=readings, collectors=collectors, errors=errors
        )
        self._inventory_due = float("-inf")
        self._info: Info | None = None
        self._left_out: list[str] = []  # of the inventory
        self._info_room = MAX_PAYLOAD_BYTES
        self._is_pulse_short = False
        self._demand_refused = False
        self._told: set[str] = set()  # groups that the inventory tells of
        self._conflict: str | None = None
        self._jumps = ClockJumps()
        topics = Topics(settings.prefix)
        self._leases: DemandedGroups | None = None
        if settings.demand:
            self._leases = DemandedGroups()
            publisher.listen(topics.leaf(settings.host_id, "demand"), self._hear_demand)
        self._info_topic = topics.leaf(settings.host_id, "info")
        self._summary_topic = topics.leaf(settings.host_id, "summary")
        self._live_topic = functools.cache(functools.partial(topics.live, settings.host_id))

    def tick(self, skipped: int) -> None:
        """Take one tick and publish it: the pulse first, the agent's own report last."""
        self._tick += 1
        now = round(clocks.time(), 3)
        attempt = self._errors.attempt
        jump = attempt("comparing the clocks", self._note_jump) or ClockJump(0.0, 0.0)
        attempt("taking leases", self._hasten)
        found = attempt("sampling", lambda: self._sampler.sample(now, self._tick)) or []
        newest = attempt("keeping the newest messages", lambda: self._newest_of(found)) or {}
        self._gpus_used_anew = attempt("keeping the GPUs", lambda: self._gpus.hear(newest)) is True
        bare = Pulse(time=now, tick=self._tick, session=self._session)
        pulse = attempt("making the pulse", lambda: self._pulse(newest, now)) or bare
        others = [
            *(attempt("naming topics", lambda: self._live(found)) or []),
            *(attempt("making the summary", lambda: self._summary(pulse, now)) or []),
            *(attempt("making the own report", lambda: self._report(now, skipped, jump)) or []),
        ]
        payload = attempt("writing the pulse", lambda: self._written_pulse(pulse)) or encode(bare)
        tick = Tick(now, self._tick, payload, others)
        attempt("publishing", lambda: self._publisher.publish_tick(tick))
        attempt("refreshing the inventory", lambda: self._refresh_info(newest, now))
        attempt("refreshing Home Assistant's discovery", self._refresh_discovery)
        attempt("repeating announcements", self._publisher.refresh)

    def close(self) -> None:
        """End what runs beside the ticks."""
        self._inventory.close()

    def _hasten(self) -> None:
        if self._leases is not None:
            self._sampler.hasten(self._leases.intervals(clocks.monotonic()))

    def _pulse(self, newest: Mapping[str, Group], now: float) -> Pulse:
        return pulse_of(
            newest,
            time=now,
            tick=self._tick,
            session=self._session,
            uptime_seconds=self._inventory.uptime_seconds,
            failed_units=self._watch.failed_units,
        )

    def _written_pulse(self, pulse: Pulse) -> bytes:
        payload, left_out = written_headline(pulse, self._publisher.max_pulse_bytes)
        if left_out and not self._is_pulse_short:
            _log.warning(
                "the broker's largest packet is smaller than a pulse: leaving out %s; "
                "raise that limit (mosquitto: max_packet_size)",
                ", ".join(left_out),
            )
        self._is_pulse_short = bool(left_out)
        return payload

    def _live(self, found: Iterable[Sampled]) -> list[Message]:
        return [Message(self._live_topic(one.group), one.payload) for one in found if one.payload is not None]

    def _report(self, now: float, skipped: int, jump: ClockJump) -> list[Message]:
        report = self._own.report(
            now,
            self._tick,
            runs=self._sampler.runs,
            dropped_messages=self._publisher.dropped_messages,
            skipped_ticks=skipped,
            internal_errors=self._errors.total,
            jump=jump,
        )
        topic = self._live_topic(SelfReport.group)
        try:
            payload, _ = written(report, self._publisher.max_payload_bytes(topic))
        except CollectionError:
            return []
        return [Message(topic, payload)]

    def _hear_demand(self, payload: bytes, retained: bool) -> None:  # noqa: FBT001 -- as it comes
        assert self._leases is not None  # noqa: S101 -- listened for only then
        now, wall = clocks.monotonic(), clocks.time()
        try:
            self._leases.hear(payload, retained=retained, now=now, wall=wall)
        except PayloadError as error:
            if not self._demand_refused:
                _log.warning("ignored an invalid demand message: %s", error)
            self._demand_refused = True

    def _note_jump(self) -> ClockJump:
        """Tell of a sleep, and of a clock that was set.

        After a sleep that came without warning the connection is not what it was.
        """
        jump = self._jumps.look()
        was_suspended = self._publisher.was_suspended()
        if jump.slept_seconds:
            _log.info("this host slept for %.0f s; connecting anew", jump.slept_seconds)
            if not was_suspended:
                self._publisher.renew()
        if jump.set_seconds:
            _log.info("the clock of this host was set by %+.0f s", jump.set_seconds)
            self._inventory.look_again()
        return jump

    def _newest_of(self, found: Sequence[Sampled]) -> dict[str, Group]:
        """Return the newest message of each group, slow groups' last ones among them."""
        self._newest |= {one.group: one.message for one in found}
        # Ticks for which a message is still taken for the present; no longer, where its collector is gone.
        fresh = {
            one.group: 2.5 * turns_between(one.interval, self._interval) for one in current(self._collectors)
        }
        for name in list(self._newest):
            if self._tick - self._newest[name].tick > fresh.get(name, 0.0):
                del self._newest[name]
        return self._newest

    def _summary(self, pulse: Pulse, now: float) -> list[Message]:
        """Take the pulse into the summary, and return that when it is time for one."""
        self._means.add(pulse)
        moment = clocks.monotonic()
        if moment < self._summary_due and not self._gpus_used_anew:
            return []
        self._summary_due = moment + SUMMARY_SECONDS - self._interval / 2
        summary = self._means.take(time=now, tick=self._tick, boot_time=self._inventory.boot_time)
        self._errors.attempt(
            "handing a summary to Home Assistant's discovery",
            lambda: self._home_assistant.hear_summary(summary),
        )
        return [Message(self._summary_topic, self._written_summary(summary), retain=True)]

    def _written_summary(self, summary: Summary) -> bytes:
        """Return its payload with the GPUs, as far as there is room."""
        room = min(self._publisher.max_payload_bytes(self._summary_topic), MAX_PAYLOAD_BYTES)
        gpus = self._gpus.told()
        for told in () if isinstance(gpus, UnsetType) else (gpus, without_users(gpus)):
            payload = encode(msgspec.structs.replace(summary, gpus=told))
            if len(payload) <= room:
                return payload
        payload, _ = written_headline(summary, room)
        return payload

    def _refresh_info(self, newest: Mapping[str, Group], now: float) -> None:
        """Look now and then whether the inventory changed, and publish it when it did."""
        moment = clocks.monotonic()
        conflict = self._publisher.conflict
        if moment >= self._inventory_due or conflict != self._conflict or newest.keys() != self._told:
            self._inventory_due = moment + _INVENTORY_SECONDS
            self._conflict = conflict
            self._told = set(newest)
            self._inventory.look()
            info = self._inventory.info(newest, time=now, conflict=conflict)
            if self._info is None or msgspec.structs.replace(info, time=self._info.time) != self._info:
                self._info = info
                self._publish_info(info)
        if self._info is not None and self._info_room != self._publisher.max_payload_bytes(self._info_topic):
            self._publish_info(self._info)

    def _refresh_discovery(self) -> None:
        if self._info is not None:
            self._home_assistant.refresh(self._info)

    def _publish_info(self, info: Info) -> None:
        self._info_room = self._publisher.max_payload_bytes(self._info_topic)
        payload, left_out = written_info(info, self._info_room)
        if left_out and left_out != self._left_out:
            _log.warning("inventory too large for one message: left out %s", ", ".join(left_out))
        self._left_out = left_out
        self._publisher.announce(self._info_topic, payload)


@contextlib.contextmanager
def _waiting(stop: threading.Event | None) -> Iterator[Callable[[float], bool]]:
    """Give a function that waits for some seconds and returns whether it is time to stop."""
    if stop is not None or threading.current_thread() is not threading.main_thread():
        yield (stop or threading.Event()).wait
        return
    # A signal may come while any lock is held; putting into this queue is safe even then.
    arrived: SimpleQueue[int] = SimpleQueue()

    def wait(seconds: float) -> bool:
        try:
            arrived.get(timeout=seconds)
        except Empty:
            return False
        return True

    previous = {
        number: signal.signal(number, lambda number, _: arrived.put(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield wait
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
