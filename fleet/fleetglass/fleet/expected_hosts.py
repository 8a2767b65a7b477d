"""The hosts that a user expects in a fleet, whether or not they were ever heard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fleetglass.wire.errors import ContractError
from fleetglass.wire.hosts import check_host_id
from fleetglass.wire.protocol import ExpectedFacts

MAX_EXPECTED_HOSTS: Final = 20_000
MAX_NAME_LENGTH: Final = 200
MAX_NOTES_LENGTH: Final = 1000
MAX_TAGS: Final = 20
MAX_TAG_LENGTH: Final = 100
MAX_PROBLEMS: Final = 10
"""So many bad items of a list are reported, each in one line."""

_KEYS: Final = ("id", "name", "tags", "notes")


@dataclass(frozen=True, slots=True)
class ExpectedHost:
    """One host on the list, with what the user says of it."""

    id: str
    name: str = ""
    """The name to show; empty for the name that the host gives itself."""
    tags: tuple[str, ...] = ()
    """Shown together with the host's own tags."""
    notes: str = ""

    @property
    def facts(self) -> ExpectedFacts:
        """What viewers are sent."""
        return ExpectedFacts(name=self.name, tags=list(self.tags), notes=self.notes)


def expected_hosts_of(items: object, name: str) -> tuple[ExpectedHost, ...]:
    """Return the hosts of a list as it came from YAML. `name` begins the text of an error.

    Raises:
        ContractError: an item is wrong, or there are too many; each bad item gives one line.
    """
    if items is None:
        raise ContractError(f"{name}: got nothing, expected a list of hosts, [] for an empty one")
    if not isinstance(items, list | tuple):
        raise ContractError(f"{name}: got {_shown(items)}, expected a list of hosts")
    check_count(len(items), name)
    problems: list[str] = []
    places: dict[str, int] = {}
    hosts: list[ExpectedHost] = []
    for place, item in enumerate(items, 1):
        try:
            hosts.append(_new_host(item, place, places))
        except ContractError as error:
            problems.append(f"{name}: item {place}{_label(item)}: {error}")
    if len(problems) > MAX_PROBLEMS:
        more = len(problems) - MAX_PROBLEMS
        problems[MAX_PROBLEMS:] = [f"{name}: got {more} more bad item{'s' * (more > 1)}, expected none"]
    if problems:
        raise ContractError(*problems)
    return tuple(hosts)


def check_count(count: int, name: str) -> None:
    """Do nothing for as many hosts as a list may have.

    Raises:
        ContractError: there are more.
    """
    if count > MAX_EXPECTED_HOSTS:
        raise ContractError(f"{name}: got {count} hosts, expected at most {MAX_EXPECTED_HOSTS}")


def _new_host(item: object, place: int, places: dict[str, int]) -> ExpectedHost:
    host = _host(item)
    if (first := places.setdefault(host.id, place)) != place:
        raise ContractError(f"got {host.id} again, expected each host once (first: item {first})")
    return host


def _host(item: object) -> ExpectedHost:
    if isinstance(item, str):
        return ExpectedHost(check_host_id(item))
    if not isinstance(item, Mapping):
        raise ContractError(f"got {_shown(item)}, expected a host id{_quotes(item)}, or a mapping with id")
    for key in item:
        if key not in _KEYS:
            raise ContractError(f"got an unknown key {_shown(key)}, expected {', '.join(_KEYS)}")
    host_id = item.get("id")
    if not isinstance(host_id, str):
        got = "no id" if host_id is None else f"id {_shown(host_id)}"
        raise ContractError(f"got {got}, expected a host id{_quotes(host_id)}")
    return ExpectedHost(
        id=check_host_id(host_id),
        name=_text(item.get("name"), "name", MAX_NAME_LENGTH),
        tags=_tags(item.get("tags")),
        notes=_text(item.get("notes"), "notes", MAX_NOTES_LENGTH, also="\n\t"),
    )


def _tags(value: object) -> tuple[str, ...]:
    items: object = value.split(",") if isinstance(value, str) else value
    if items is None:
        return ()
    if not isinstance(items, list):
        raise ContractError(f"tags: got {_shown(value)}, expected a text, or a list of texts")
    if len(items) > MAX_TAGS:
        raise ContractError(f"tags: got {len(items)}, expected at most {MAX_TAGS}")
    texts = (_text(item, "tags", MAX_TAG_LENGTH) for item in items)
    return tuple(dict.fromkeys(text for text in texts if text))


def _text(value: object, name: str, most: int, *, also: Iterable[str] = "") -> str:
    """Return a text, empty for None; it may have printable characters, and those of `also`."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ContractError(f"{name}: got {_shown(value)}, expected a text{_quotes(value)}")
    text = value.strip()
    if len(text) > most:
        raise ContractError(f"{name}: got {len(text)} characters, expected at most {most}")
    if not all(one.isprintable() or one in also for one in text):
        raise ContractError(f"{name}: got {_shown(text)}, expected printable characters")
    return text


def _label(item: object) -> str:
    host_id = item.get("id") if isinstance(item, Mapping) else None
    return f" ({host_id})" if isinstance(host_id, str) and host_id.isprintable() and len(host_id) < 80 else ""


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list) else ascii(value)[:80]


def _quotes(value: object) -> str:
    """Return the remedy for what YAML takes for a number, a date or a truth."""
    return "" if value is None or isinstance(value, list | Mapping) else " in quotes"
