"""Writes messages so that they can be sent: what is too large for the contract is told in part."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from fleetglass.wire import encode
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import (
    MAX_PAYLOAD_BYTES,
    Container,
    Custom,
    Disk,
    Filesystem,
    Group,
    GroupInfo,
    Info,
    Network,
    Storage,
)

_STEP = 10


def written(message: Group) -> tuple[bytes, str | None]:
    """Return the payload of a message and, where it tells only a part, how much of what.

    The first of a group's entries are told, in the order of `_lesser`, and always a multiple of 10 of
    them: otherwise one would come and go with the digits of the others.

    Raises:
        CollectionError: it is too large even so.
        ValueError, TypeError, RecursionError: it cannot be written as JSON in UTF-8.
    """
    if isinstance(message, Custom):
        return _checked(encode(message.payload())), None
    payload = encode(message)
    if len(payload) <= MAX_PAYLOAD_BYTES:
        return payload, None
    name, entries = _largest(message)
    if not entries:
        return _checked(payload), None
    order = sorted(entries, key=_lesser(message))
    kept = len(entries)
    while len(payload) > MAX_PAYLOAD_BYTES and kept:
        kept = min(kept - 1, kept * MAX_PAYLOAD_BYTES // len(payload)) // _STEP * _STEP
        part = {entry: entries[entry] for entry in order[:kept]}
        payload = encode(msgspec.structs.replace(message, **{name: part}))
    return _checked(payload), f"only {kept} of {len(entries)} {name}: more do not fit into one message"


def written_info(info: Info, max_bytes: int = MAX_PAYLOAD_BYTES) -> tuple[bytes, list[str]]:
    """Return the payload of an inventory, and what was left out of it because it is too large.

    That is, as far as needed: the names of devices, which the groups themselves tell, addresses, and what
    the fields of the groups mean.
    """
    payload, left_out = encode(info), []
    for part, rest in (
        ("devices", UNSET),
        ("networks", UNSET),
        ("mac_addresses", UNSET),
        ("addresses", UNSET),
        ("groups", _without_fields(info)),
    ):
        if len(payload) <= max_bytes:
            break
        info = msgspec.structs.replace(info, **{part: rest})
        payload = encode(info)
        left_out.append("fields" if part == "groups" else part)
    return payload, left_out


def _checked(payload: bytes) -> bytes:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise CollectionError(f"message of {len(payload)} bytes, expected at most {MAX_PAYLOAD_BYTES}")
    return payload


def _largest(message: Group) -> tuple[str, dict[str, Any]]:
    """Return name and content of the field with the most entries."""
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    named = {name: value for name, value in fields.items() if isinstance(value, dict)}
    name = max(named, key=lambda one: len(named[one]), default="")
    return name, named.get(name, {})


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
        case _:
            return lambda _: 0


def _without_fields(info: Info) -> dict[str, GroupInfo]:
    return {name: msgspec.structs.replace(one, fields=UNSET) for name, one in info.groups.items()}
