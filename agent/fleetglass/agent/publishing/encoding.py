"""Writes messages so that they can be sent: what is too large for the contract is told in part."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from fleetglass.wire import encode
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import (
    MAX_PAYLOAD_BYTES,
    CollectorReport,
    Container,
    Custom,
    Disk,
    Filesystem,
    Group,
    Headline,
    Info,
    Network,
    Storage,
)

T = TypeVar("T", bound=msgspec.Struct)

_STEP = 10
_FEW = (5, 2, 1)
_MISSED_LEAST = (
    "devices",
    "networks",
    "mac_addresses",
    "addresses",
    "fields",
    "python_version",
    "manufacturer",
    "model",
    "kernel",
    "cpu_model",
    "tags",
    "os_name",
    "groups",
)


def written(message: Group, max_bytes: int = MAX_PAYLOAD_BYTES) -> tuple[bytes, str | None]:
    """Return the payload of a message and, where it tells only a part, how much of what.

    The first entries of the largest field are told, in the order of `_lesser`, and always a multiple of 10 of
    them, or 5, 2 or 1: otherwise one would come and go with the digits of the others. Where no entries are
    left, the last fields go.

    Raises:
        CollectionError: it is too large even so.
        ValueError, TypeError, RecursionError: it cannot be written as JSON in UTF-8.
    """
    if isinstance(message, Custom):
        return _checked(encode(message.payload()), max_bytes), None
    payload = encode(message)
    left_out: dict[str, int] = {}
    parts: list[str] = []
    while len(payload) > max_bytes:
        name, entries = _largest(message)
        if not entries:
            message, payload, lost = _shorter(message, max_bytes)
            parts = [f"no {one}" for one in lost]
            break
        kept = _fewer(len(entries), max_bytes / len(payload))
        left_out.setdefault(name, len(entries))
        message = msgspec.structs.replace(message, **{name: _first(entries, kept, _lesser(message))})
        payload = encode(message)
    cut = [
        f"only {len(getattr(message, name))} of {count} {name}"
        for name, count in left_out.items()
        if getattr(message, name) is not UNSET
    ]
    reason = f"{', '.join(cut + parts)}: more do not fit into one message" if cut or parts else None
    return _checked(payload, max_bytes), reason


def written_headline(headline: Headline, max_bytes: int = MAX_PAYLOAD_BYTES) -> tuple[bytes, list[str]]:
    """Return the payload of a pulse or a summary, and what was left out of it because it is too large.

    That is, as far as needed, the last fields first. The stamp stays, even where that is too large, too.
    """
    _, payload, left_out = _shorter(headline, max_bytes)
    return payload, left_out


def written_info(info: Info, max_bytes: int = MAX_PAYLOAD_BYTES) -> tuple[bytes, list[str]]:
    """Return the payload of an inventory, and what was left out of it because it is too large.

    That is, as far as needed: the names of devices, which the groups themselves tell, addresses, what
    the fields of the groups mean, and then one fact after the other.
    """
    payload, left_out = encode(info), []
    for part in _MISSED_LEAST:
        if len(payload) <= max_bytes:
            break
        shorter = _without(info, part)
        if shorter != info:
            info, payload = shorter, encode(shorter)
            left_out.append(part)
    return payload, left_out


def _shorter(message: T, max_bytes: int) -> tuple[T, bytes, list[str]]:
    """Return a message that fits without its last fields, its payload, and the names of those fields.

    A field that has to be there stays.
    """
    payload, left_out = encode(message), []
    for field in reversed(msgspec.structs.fields(message) if len(payload) > max_bytes else ()):
        if len(payload) <= max_bytes:
            break
        if not field.required and getattr(message, field.name) is not UNSET:
            message = msgspec.structs.replace(message, **{field.name: UNSET})
            payload = encode(message)
            left_out.append(field.name)
    return message, payload, left_out


def _checked(payload: bytes, max_bytes: int) -> bytes:
    if len(payload) > max_bytes:
        raise CollectionError(f"message of {len(payload)} bytes, expected at most {max_bytes}")
    return payload


def _largest(message: Group) -> tuple[str, dict[str, Any] | list[Any]]:
    """Return name and content of the field that takes most of the message."""
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    entries = {name: value for name, value in fields.items() if isinstance(value, dict | list) and value}
    name = max(entries, key=lambda one: len(encode({one: entries[one]})), default="")
    return name, entries.get(name, {})


def _fewer(count: int, share: float) -> int:
    """Return how many entries to keep of so many, when that share of the message fits; at least one less."""
    most = min(count - 1, int(count * share))
    if most >= _STEP:
        return most // _STEP * _STEP
    return next((few for few in _FEW if few <= most), 0)


def _first(
    entries: dict[str, Any] | list[Any], kept: int, lesser: Callable[[str], float]
) -> dict[str, Any] | list[Any]:
    if isinstance(entries, list):
        return entries[:kept]
    return {name: entries[name] for name in sorted(entries, key=lesser)[:kept]}


def _lesser(message: Group) -> Callable[[str], float]:
    """Return what tells entries that are missed less: those of a higher number, and then the later ones.

    What the headline counts comes before what is counted with something else, the fullest
    filesystem before the others, containers that run before those that do not.
    """
    match message:
        case Network(interfaces=interfaces):
            return lambda name: interfaces[name].in_total is not True
        case Disk(devices=devices):
            return lambda name: devices[name].in_total is not True
        case Filesystem(mounts=mounts):
            return lambda name: -(mounts[name].used_percent or 0.0)
        case Storage(disks=disks):
            return lambda name: name not in disks or disks[name].health != "failed"
        case Container(containers=containers):
            return lambda name: containers[name].state != "running"
        case CollectorReport(collectors=runs):
            return lambda name: runs[name].state == "ok" and runs[name].reason is UNSET
        case _:
            return lambda _: 0


def _without(info: Info, part: str) -> Info:
    if part == "fields":
        bare = {name: msgspec.structs.replace(one, fields=UNSET) for name, one in info.groups.items()}
        return msgspec.structs.replace(info, groups=bare)
    return msgspec.structs.replace(info, **{part: {} if part == "groups" else UNSET})
