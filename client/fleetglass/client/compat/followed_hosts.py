"""From the messages of a source to the events of a program: a snapshot per pulse, and changes of state."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.client.compat.snapshot import SNAPSHOT_GROUPS, envelope, monitoring_data
from fleetglass.client.source import Interrupted
from fleetglass.wire.codec import decode_text
from fleetglass.wire.errors import PayloadError
from fleetglass.wire.payloads import GROUPS, Pulse
from fleetglass.wire.protocol import (
    MAX_WATCHED_HOSTS,
    BridgeMessage,
    ExpectedFacts,
    Fleet,
    Host,
    HostState,
    LiveFrame,
    PulseFrame,
    Watch,
)

Event = tuple[str, dict[str, Any]]
"""The name of an event, and what is told."""


class _Facts(msgspec.Struct, omit_defaults=True):
    """What a snapshot tells of a host's info, whole or as the list of a fleet has it."""

    host_name: str | UnsetType = UNSET
    os_name: str | UnsetType = UNSET
    kernel: str | UnsetType = UNSET
    architecture: str | UnsetType = UNSET
    cpu_model: str | UnsetType = UNSET
    physical_cores: int | UnsetType = UNSET
    logical_cores: int | UnsetType = UNSET
    memory_total_bytes: int | UnsetType = UNSET


_TYPES: Final[dict[str, type[msgspec.Struct]]] = {
    "pulse": Pulse,
    "info": _Facts,
    **{name: GROUPS[name] for name in SNAPSHOT_GROUPS},
}


@dataclass(slots=True)
class _Known:
    state: HostState = "waiting"
    since: float = 0
    name: str = ""
    """On the bridge's list of expected hosts."""
    info: dict[str, Any] = field(default_factory=dict)
    live: dict[str, dict[str, Any]] = field(default_factory=dict)


class FollowedHosts:
    """What is known of the hosts that a program follows; without names, of the whole fleet.

    Of up to 64 named hosts the snapshots hold the detail of their groups, of others what pulse and info tell.
    """

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self._named = frozenset(hosts)
        self._known: dict[str, _Known] = {}
        self._is_selection_old = False

    @property
    def watch(self) -> Watch:
        """The selection that a source needs."""
        detailed = sorted(self._named) if len(self._named) <= MAX_WATCHED_HOSTS else []
        return Watch(fleet=True, hosts={host: list(SNAPSHOT_GROUPS) for host in detailed})

    def watch_again(self) -> Watch | None:
        """Return the selection if it must be said once more, else None; ask at most once a second.

        A bridge leaves out of a selection the hosts that it has not heard of.
        """
        is_old, self._is_selection_old = self._is_selection_old, False
        return self.watch if is_old and self.watch.hosts else None

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        """`state` and `since` (UTC, seconds) of each host; who was named and never heard is `waiting`."""
        unheard = {host: {"state": "waiting", "since": None} for host in sorted(self._named)}
        known = list(self._known.items())  # another thread may ask
        return unheard | {host: {"state": one.state, "since": one.since} for host, one in known}

    @property
    def count(self) -> int:
        """How many hosts there are."""
        return len(self._known)

    def take(self, message: BridgeMessage | Interrupted) -> Iterator[Event]:
        """Yield `monitoring_data` for each pulse, and `host_state` for each change.

        Both have the `name` of a host that has one on the bridge's list of expected hosts.
        """
        match message:
            case Fleet(hosts=entries):
                for gone in self._known.keys() - {entry.id for entry in entries}:
                    yield from self._forget(gone)
                for entry in entries:
                    if self._follows(entry.id):
                        yield from self._note(entry.id, entry.state, entry.since, entry.expected, entry.info)
            case Host(id=host, removed=True):
                yield from self._forget(host)
            case Host(id=host) if self._follows(host):
                self._is_selection_old |= bool(self._named) and host not in self._known
                yield from self._note(host, message.state, message.since, message.expected, message.info)
            case LiveFrame(host=host, samples=samples) if self._follows(host):
                live = self._known.setdefault(host, _Known()).live
                live.update(_decoded({name: raw for name, raw in samples.items() if name in SNAPSHOT_GROUPS}))
            case PulseFrame(hosts=pulses):
                for host, payload in pulses.items():
                    if self._follows(host):
                        yield from self._snapshot(host, payload)
            case _:
                pass

    def _follows(self, host: str) -> bool:
        return not self._named or host in self._named

    def _note(
        self,
        host: str,
        state: HostState | UnsetType,
        since: float | UnsetType,
        expected: ExpectedFacts | UnsetType,
        info: msgspec.Raw | UnsetType,
    ) -> Iterator[Event]:
        known = self._known.get(host)
        before = known.state if known else None
        if known is None:
            known = self._known[host] = _Known()
        if info is not UNSET:
            known.info = _decoded({"info": info}).get("info", known.info)
        if state is not UNSET:
            known.name = "" if expected is UNSET else expected.name
            known.state = state
            known.since = known.since if since is UNSET else since
            if state != before:
                yield _change(host, known.name, before, state, known.since)

    def _forget(self, host: str) -> Iterator[Event]:
        if known := self._known.pop(host, None):
            yield _change(host, known.name, known.state, None, None)

    def _snapshot(self, host: str, payload: msgspec.Raw) -> Iterator[Event]:
        pulse = _decoded({"pulse": payload}).get("pulse")
        if pulse is not None:
            known = self._known.setdefault(host, _Known())
            data = monitoring_data(host, pulse, known.live, known.info)
            told = envelope("monitoring_data", host, data, pulse["time"])
            yield "monitoring_data", told | _named(known.name)


def _decoded(payloads: Mapping[str, msgspec.Raw]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, payload in payloads.items():
        try:
            found[name] = msgspec.to_builtins(decode_text(bytes(payload), _TYPES[name]))
        except PayloadError:
            continue  # A bridge relays what it is told; what is no number cannot be told as one.
    return found


def _change(host: str, name: str, before: str | None, after: str | None, since: float | None) -> Event:
    told = {"host": host, "old_state": before, "new_state": after, "since": since}
    return "host_state", told | _named(name)


def _named(name: str) -> dict[str, str]:
    return {"name": name} if name else {}
