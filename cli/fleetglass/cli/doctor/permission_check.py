"""What the broker's rules let this machine do, proved by doing it.

Brokers grant subscriptions that deliver nothing and, by MQTT 3.1.1, confirm messages that their rules forbid:
so what is written is read back. All of it happens on topics named `doctor`, which nobody else reads.
"""

import contextlib
import secrets
import time as clocks
from collections.abc import Callable, Collection, Iterator
from typing import Final

from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.doctor.clock_check import compared_with_hosts
from fleetglass.cli.doctor.duplicate_host_check import OwnHost, check_claim
from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.mqtt_session import V5, V311, Heard, Said, Session, SessionError
from fleetglass.mqtt.address import BrokerAccess
from fleetglass.wire import PayloadError, Topics, decode_stamp
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES

_LISTEN_SECONDS: Final = 1.3
_ENOUGH_HOSTS: Final = 20
_RULES: Final = "for what each host needs: docs/security.md"

Clock = Callable[[], float]


def check_agent(
    access: BrokerAccess, settings: AgentSettings, clock: Clock = clocks.time
) -> Iterator[Finding]:
    """Do what an agent does, under another client id and without touching what it says."""
    topics = Topics(settings.prefix)
    own = topics.leaf(settings.host_id, "doctor")
    status, info = topics.leaf(settings.host_id, "status"), topics.leaf(settings.host_id, "info")
    try:
        session, version = _session(access, settings.user, own, clock)
        with session:
            yield version
            session.subscribe(status)
            session.subscribe(own)
            written = _check_writing(session, own, settings)
            yield written
            if written.state == "ok":
                yield _check_retained(session, own, status)
                yield _check_will(session, access, settings.user, own)
            session.subscribe(info)
            others = _listen(session, topics, {settings.host_id, settings.user})
            yield from _check_neighbours(session, topics, settings, others)
            yield from compared_with_hosts(others)
            yield from check_claim(
                OwnHost.of(settings), _last(session, status), _last(session, info), clock()
            )
            if written.state == "ok":
                yield _check_packet(session, own)
    except SessionError as error:
        yield _went_away(access, error)


def check_bridge(
    access: BrokerAccess, user: str | None, prefixes: tuple[str, ...], clock: Clock = clocks.time
) -> Iterator[Finding]:
    """Read what a bridge reads."""
    try:
        for prefix in prefixes:
            topics = Topics(prefix)
            stranger = topics.leaf(_stranger(), "doctor")
            session, version = _session(access, user, stranger, clock)
            with session:
                yield version
                others = _listen(session, topics, set())
                yield _read_by_bridge(prefix, len(others))
                yield from compared_with_hosts(others)
                if _comes_back(session, stranger):
                    text = "the bridge's user may write, though it needs only to read"
                    yield Finding("rules", "note", text, "fleetglass enroll --bridge")
    except SessionError as error:
        yield _went_away(access, error)


def _session(access: BrokerAccess, user: str | None, own: str, clock: Clock) -> tuple[Session, Finding]:
    """Return a session by the newest version that the broker speaks. It is to be entered once more."""
    # Should this program be killed, the broker clears what may be retained on its topic.
    guard = Said(own, b"")
    try:
        with Session(access, user, clock=clock) as first:
            retains = first.retains
    except SessionError:
        text = "MQTT 3.1.1 only: such a broker may confirm what its rules forbid, so it is read back"
        finding = Finding("mqtt", "ok", text)
        return Session(access, user, version=V311, will=guard, clock=clock), finding
    will = guard if retains else None  # which would not be let in
    return Session(access, user, version=V5, will=will, clock=clock), Finding("mqtt", "ok", "MQTT 5")


def _check_writing(session: Session, own: str, settings: AgentSettings) -> Finding:
    text = _random()
    began = clocks.monotonic()
    refusal = session.publish(own, text)
    if refusal is None and session.wait(lambda one: (one.topic, one.payload) == (own, text)):
        spent = 1000 * (clocks.monotonic() - began)
        return Finding("rules", "ok", f"{own} was written and came back in {spent:.0f} ms")
    told = f"the broker refuses what is written on {own}: {refusal}"
    silent = f"what is written on {own} does not come back, though the broker confirms it"
    user = settings.user
    rules = f"write {settings.prefix}/{settings.host_id}/# and read {own}"
    broker = settings.broker
    who = "whom its certificate names" if broker.has_certificate else "anonymous"
    remedy = f"let user {user or who} {rules}: docs/security.md"
    if user is not None and user != settings.host_id:
        remedy = f"rules know a host by its user: --host-id {user}; or {remedy}"
    return Finding("rules", "wrong", told if refusal else silent, remedy)


def _check_retained(session: Session, own: str, status: str) -> Finding:
    if any(one.topic == status and one.retained for one in session.heard):
        return Finding("retained", "ok", "the broker keeps retained messages")
    text = _random()
    if session.retains:
        try:
            session.publish(own, text, retain=True)
            session.unsubscribe(own)
            session.subscribe(own)
            found = session.wait(lambda one: one.retained and one.payload == text)
        finally:
            session.publish(own, b"", retain=True)
        if found is not None:
            return Finding("retained", "ok", "the broker keeps retained messages")
    lost = "the broker keeps no retained messages: after its restart, or a bridge's, hosts show up late"
    return Finding("retained", "wrong", lost, "allow them; in mosquitto.conf: retain_available true")


def _check_will(session: Session, access: BrokerAccess, user: str | None, own: str) -> Finding:
    text = _random()
    with (
        contextlib.suppress(SessionError),
        Session(access, user, version=session.version, will=Said(own, text)) as other,
    ):
        other.drop()
        if session.wait(lambda one: one.payload == text):
            return Finding("will", "ok", "the broker tells when a host's connection breaks")
    lost = (
        "the broker does not tell when a connection breaks: a host that dies is noticed only by its silence"
    )
    return Finding("will", "note", lost, "allow wills on the host's own topics: docs/security.md")


def _check_packet(session: Session, own: str) -> Finding:
    """Last of all: a broker ends the connection on which too large a packet comes."""
    needed = MAX_PAYLOAD_BYTES + len(own) + 16
    remedy = "allow larger ones; in mosquitto.conf: max_packet_size 262144"
    if session.packet_limit is not None and session.packet_limit < needed:
        text = f"the broker takes packets of {session.packet_limit} bytes at most; an agent may send {needed}"
        return Finding("packet", "wrong", text, remedy)
    payload = _random().ljust(MAX_PAYLOAD_BYTES)
    session.publish(own, payload)
    if session.wait(lambda one: one.payload == payload):
        return Finding(
            "packet", "ok", f"a message of {MAX_PAYLOAD_BYTES // 1024} KiB, an agent's largest, came back"
        )
    how = "ends the connection on" if session.ended else "does not pass on"
    return Finding(
        "packet", "wrong", f"the broker {how} a message of {MAX_PAYLOAD_BYTES // 1024} KiB", remedy
    )


def _listen(session: Session, topics: Topics, own: Collection[str | None]) -> dict[str, list[float]]:
    """Return the hosts that were heard, each with how far this clock is ahead of the times of its pulses."""
    filters = topics.fleet_filter("status"), topics.fleet_filter("pulse")
    session.subscribe(*filters)
    seen: dict[str, list[float]] = {}
    read = 0

    def enough() -> bool:
        nonlocal read
        for one in session.heard[read:]:
            read += 1
            address = topics.parse(one.topic)
            if address is not None and address.host not in own:
                offsets = seen.setdefault(address.host, [])
                if address.leaf == "pulse" and not one.retained:
                    with contextlib.suppress(PayloadError):
                        offsets.append(one.received - decode_stamp(one.payload).time)
        return sum(map(bool, seen.values())) >= _ENOUGH_HOSTS

    session.listen(_LISTEN_SECONDS, enough)
    session.unsubscribe(*filters)
    return seen


def _check_neighbours(
    session: Session, topics: Topics, settings: AgentSettings, others: dict[str, list[float]]
) -> Iterator[Finding]:
    may_write = _comes_back(session, topics.leaf(_stranger(), "doctor"))
    if not (may_write or others):
        return
    seen = f" ({len(others)} seen)" if others else ""
    does = "write and read" if may_write else "read"
    text = f"this user may {does} other hosts' topics as well{seen}: fine at home"
    yield Finding("neighbours", "note", text, f"fleetglass enroll {settings.host_id}; {_RULES}")


def _comes_back(session: Session, topic: str) -> bool:
    text = _random()
    session.subscribe(topic)
    return (
        session.publish(topic, text) is None
        and session.wait(lambda one: one.payload == text, 0.5) is not None
    )


def _read_by_bridge(prefix: str, hosts: int) -> Finding:
    if hosts:
        return Finding("rules", "ok", f"the bridge may read {prefix}/: hosts: {hosts}")
    text = f"nothing came on {prefix}/: no host is there, or the bridge may not read them"
    return Finding("rules", "note", text, "start an agent and look again: fleetglass agent --help")


def _last(session: Session, topic: str) -> Heard | None:
    return next((one for one in reversed(session.heard) if one.topic == topic and one.payload), None)


def _went_away(access: BrokerAccess, error: SessionError) -> Finding:
    text = f"{access.url}: the connection could not be kept: {error}"
    return Finding("mqtt", "wrong", text, "look into the log of the broker: journalctl -u mosquitto")


def _random() -> bytes:
    return f'{{"doctor":"{secrets.token_hex(8)}"}}'.encode()


def _stranger() -> str:
    """Return a host id that no host has."""
    return f"doctor-{secrets.token_hex(8)}"
