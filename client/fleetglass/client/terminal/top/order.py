"""Which hosts are shown, and in which order."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from fleetglass.client.terminal.top.alerts import Alert
from fleetglass.client.terminal.top.model import SeenHost

_AFTER_LEVEL: Final = ("late", "lost", "waiting", "live", "suspended", "stopped")
_DIGITS: Final = re.compile(r"(\d+)")


class Order(NamedTuple):
    """What to sort by: `attention`, `name` or a field of the pulse; `descending` is the largest first."""

    by: str
    descending: bool = True


TROUBLE_FIRST: Final = Order("attention")

Names = Callable[[SeenHost], str]
Alerts = Mapping[str, Sequence[Alert]]


def chosen(hosts: Iterable[SeenHost], words: str, alerts: Alerts, name_of: Names) -> list[SeenHost]:
    """Return the hosts that fit every word of a filter.

    A word is a part of its id, names, notes, state, system or tags, or `attention`.
    """
    wanted = words.lower().split()
    return [host for host in hosts if not wanted or _fits(host, wanted, alerts, name_of)]


def ordered(hosts: Iterable[SeenHost], order: Order, alerts: Alerts, name_of: Names) -> list[SeenHost]:
    """Return the hosts in order; those without a value come last either way, equal ones by name."""
    by_name = sorted(hosts, key=lambda host: (_natural(name_of(host)), host.id))
    if order.by == "name":
        return by_name[::-1] if order.descending else by_name
    if order.by == "attention":
        return sorted(by_name, key=lambda host: _trouble(host, alerts))
    with_value = [host for host in by_name if _value(host, order.by) is not UNSET]
    without = [host for host in by_name if _value(host, order.by) is UNSET]
    with_value.sort(key=lambda host: _value(host, order.by), reverse=order.descending)
    return with_value + without


def _fits(host: SeenHost, words: list[str], alerts: Alerts, name_of: Names) -> bool:
    facts = host.facts
    text = [host.id, name_of(host), host.own_name, host.notes, host.state, facts.os_name, *host.tags]
    if facts.synthetic:
        text.append("synthetic")
    if alerts.get(host.id):
        text.append("attention")
    hay = "\n".join(text).lower()
    return all(word in hay for word in words)


def _trouble(host: SeenHost, alerts: Alerts) -> int:
    worst = alerts.get(host.id) if host.state == "live" else None
    if worst:
        return 0 if worst[0].level == "critical" else 1
    return 2 + _AFTER_LEVEL.index(host.state)


def _value(host: SeenHost, field: str) -> Any:
    return UNSET if host.pulse is None else getattr(host.pulse, field)


def _natural(name: str) -> list[tuple[int, str | int]]:
    """Return a key in which `web-2` comes before `web-10`."""
    parts = _DIGITS.split(name[:200].lower())
    return [(1, int(part)) if part.isdecimal() else (0, part) for part in parts if part]
