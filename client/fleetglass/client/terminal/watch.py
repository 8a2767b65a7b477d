"""`fleetglass watch`: a fleet, message by message."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from msgspec import UNSET

from fleetglass.client.compat.followed_hosts import FollowedHosts
from fleetglass.client.compat.snapshot import SNAPSHOT_GROUPS
from fleetglass.client.connection_notices import ConnectionNotices
from fleetglass.client.formatting.formatters import (
    CompactFormatter,
    Formatter,
    JSONFormatter,
    SimpleFormatter,
)
from fleetglass.client.formatting.quantities import printable
from fleetglass.client.source import Interrupted, Source
from fleetglass.client.statistics import ConnectionState, Statistics
from fleetglass.wire.protocol import (
    MAX_WATCHED_HOSTS,
    BridgeMessage,
    BrokerChange,
    Error,
    Fleet,
    Groups,
    History,
    Host,
    LiveFrame,
    Notice,
    PulseFrame,
    Watch,
    Welcome,
)

PAST_SECONDS: Final = 15.0
"""Of the past that is asked for: some groups come every 10 s only, and are shown at once all the same."""

_log = logging.getLogger(__name__)


class Terminal:
    """Turns the messages of a source into text.

    Args:
        hosts: whom to follow; without names, the whole fleet.
        formatter: what makes the text. Those of one short line need fewer groups of the hosts.
        statistics: what is told of the connection.
        show: takes data, of one message or of several with newlines between.
        say: takes what is no data, such as a lost connection.
        keep: takes each envelope of data and each change of state, for a file or a history.
    """

    def __init__(
        self,
        hosts: Collection[str],
        formatter: Formatter,
        statistics: Statistics,
        *,
        show: Callable[[str], None],
        say: Callable[[str], None],
        keep: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._named = frozenset(hosts)
        self._followed = FollowedHosts(hosts)
        self._formatter = formatter
        self._statistics = statistics
        self._show = show
        self._say = say
        self._keep = keep
        self._groups = _groups_for(formatter)
        self._known: set[str] = set()
        """The hosts that the bridge knows or expects."""
        self._waiting: set[str] = set()
        """Those of which no pulse came."""
        self._selected = set(hosts) if len(self._named) <= MAX_WATCHED_HOSTS else set()
        """The hosts whose groups the bridge was asked for."""
        self._told_missing: set[str] = set()
        self._cut_off: set[str] = set()
        """The hosts of which is only told that their site is cut off."""
        self._way = ConnectionNotices()
        self._past: set[str] = set()
        """The hosts whose past has come."""

    async def follow(self, source: Source) -> None:
        """Show what comes, for as long as something does.

        Raises:
            ClientError: the source cannot go on.
        """
        await source.select(self._watch())
        self._statistics.enter(ConnectionState.CONNECTING)
        async with aclosing(source.messages()) as messages:  # type: ignore[type-var] # it is a generator
            async for message in messages:
                self.take(message)
                # The bridge ignores hosts that it has not seen yet.
                if isinstance(message, Fleet | PulseFrame) and self._selected != (wanted := self._wanted()):
                    self._selected = wanted
                    await source.select(self._watch())

    def take(self, message: BridgeMessage | Interrupted) -> None:
        """Show what one message has to say."""
        _log.debug("%s", type(message).__name__)
        match message:
            case Fleet(hosts=entries):
                self._known = {entry.id for entry in entries}
                self._waiting = {entry.id for entry in entries if entry.state == "waiting"}
                self._selected &= self._known
                self._past.clear()
                self._tell_missing()
            case Host(id=host, state=state, removed=removed):
                (self._known.discard if removed else self._known.add)(host)
                if removed or state is not UNSET:
                    (self._waiting.add if state == "waiting" else self._waiting.discard)(host)
            case History(host=host, samples=samples) if host not in self._past:
                if last := {
                    name: told[-1] for name, told in samples.items() if name in SNAPSHOT_GROUPS and told
                }:
                    self._past.add(host)
                    message = LiveFrame(host, last)
            case Welcome() | Interrupted():
                self._note_connection(message)
            case BrokerChange():
                self._tell_way(message)
            case Notice(text=text) | Error(text=text):
                self._say(printable(text))
        if texts := list(self._texts(message)):
            self._show("\n".join(texts))

    def _watch(self) -> Watch:
        groups: dict[str, Groups] = {}
        if self._groups:
            groups = {host: list(self._groups) for host in sorted(self._selected)}
        return Watch(fleet=True, hosts=groups, history=PAST_SECONDS if groups else 0)

    def _wanted(self) -> set[str]:
        followed = (self._named & self._known if self._named else self._known) - self._waiting
        return set(followed) if len(followed) <= MAX_WATCHED_HOSTS else set()

    def _texts(self, message: BridgeMessage | Interrupted) -> Iterator[str]:
        for kind, told in self._followed.take(message):
            if kind == "monitoring_data":
                if self._keep:
                    self._keep(told)
                yield self._formatter.format_monitoring_data(told)
                continue
            before, state = told["old_state"], told["new_state"]
            if self._is_of_its_site(message):
                continue
            if state is not None and (before, state) != (None, "live"):
                name = told.get("name", "")
                yield self._formatter.format_host_state(told["host"], state, told["since"], name=name)

    def _is_of_its_site(self, message: BridgeMessage | Interrupted) -> bool:
        """Whether a host changed its state since its site is cut off or returned, which is told once."""
        match message:
            case Host(id=host, cut_off=True, state="late"):
                self._cut_off.add(host)
                return not isinstance(self._formatter, JSONFormatter)
            case Host(id=host, state="live") if host in self._cut_off:
                self._cut_off.discard(host)
                return not isinstance(self._formatter, JSONFormatter)
        return False

    def _note_connection(self, message: Welcome | Interrupted) -> None:
        statistics = self._statistics
        match message:
            case Welcome(version=version):
                _log.info("connected with bridge %s", version)
                if statistics.state is not ConnectionState.CONNECTED:
                    statistics.enter(ConnectionState.CONNECTED)
                self._tell_way(message)
            case Interrupted(reason=reason, delay=delay):
                if statistics.state is ConnectionState.CONNECTED:
                    statistics.enter(ConnectionState.RECONNECTING)
                statistics.failed(reason, "Interrupted")
                statistics.tried_again()
                self._say(f"{printable(reason)}; trying again in {delay:.1f} s")

    def _tell_way(self, message: Welcome | BrokerChange) -> None:
        for text in self._way.take(message):
            self._say(text)

    def _tell_missing(self) -> None:
        for host in sorted(self._named - self._known - self._told_missing):
            self._told_missing.add(host)
            self._say(f"{host}: the bridge has not heard of this host yet; waiting")


def _groups_for(formatter: Formatter) -> tuple[str, ...]:
    if isinstance(formatter, SimpleFormatter):
        return ()
    return ("gpu",) if isinstance(formatter, CompactFormatter) else SNAPSHOT_GROUPS
