"""The messages of the broker and of the viewer protocol, in tables, from `fleetglass.wire`."""

import inspect
import typing
from collections.abc import Iterable, Iterator
from typing import get_args

import msgspec
import msgspec.inspect as kinds

from fleetglass.wire import payloads as wire
from fleetglass.wire import protocol
from fleetglass.wire.fields import field_of
from fleetglass.wire.topics import INFO_SECONDS, STATUS_SECONDS, SUMMARY_SECONDS
from fleetglass.wire.units import UNITS

LEAVES: dict[str, tuple[type[msgspec.Struct], int, bool, str]] = {
    "status": (wire.Status, 1, True, f"on change; again every {STATUS_SECONDS:.0f} s; also the will"),
    "info": (wire.Info, 1, True, f"on connecting and on change; again every {INFO_SECONDS / 60:.0f} min"),
    "summary": (wire.Summary, 0, True, f"every {SUMMARY_SECONDS:.0f} s"),
    "pulse": (wire.Pulse, 0, False, "every tick, 1 s"),
    "backfill": (wire.Backfill, 1, False, "after an outage of the broker"),
    "demand": (wire.Demand, 1, True, "from bridges, while somebody watches a host with `demand: true`"),
}
"""The messages of a host but its groups: type, QoS, whether retained, when they come."""

NAMED = {
    "MAX_PAYLOAD_BYTES": f"{wire.MAX_PAYLOAD_BYTES // 1024} KiB",
    "INFO_OF_WATCHED": " and ".join(f"`{name}`" for name in protocol.INFO_OF_WATCHED),
}
"""Constants that docstrings name, in words for readers who do not have the code."""


def topics() -> str:
    """Return the table of topics."""
    rows = [
        (f"`<prefix>/<host>/{leaf}`", str(qos), _yes(retained), when, f"[{leaf}](#{leaf})")
        for leaf, (_, qos, retained, when) in LEAVES.items()
    ]
    live = (
        "`<prefix>/<host>/live/<group>`",
        "0",
        "no",
        "every tick, slower for slow groups",
        "[groups](#groups)",
    )
    return table(("topic", "QoS", "retained", "when", "payload"), [*rows[:4], live, *rows[4:]])


def units() -> str:
    """Return the table of units by the end of a name."""
    return table(("a name that ends with", "is in"), [(f"`{end}`", unit) for end, unit in UNITS.items()])


def payloads() -> str:
    """Return a section for each message of a host that is no group."""
    return "\n\n".join(_section(name, message, "###") for name, (message, *_) in LEAVES.items())


def groups() -> str:
    """Return a section for each group."""
    sections = [_section(f"live/{name}", group, "###") for name, group in wire.GROUPS.items()]
    return "\n\n".join(sections)


def limits() -> str:
    """Return the table of limits of a conversation."""
    rows = [
        ("a viewer's message", f"{protocol.MAX_VIEWER_MESSAGE_BYTES // 1024} KiB"),
        ("hosts in one selection", str(protocol.MAX_WATCHED_HOSTS)),
        ("seconds of the past", str(protocol.HISTORY_SECONDS)),
        ("viewers of a bridge", str(protocol.MAX_VIEWERS)),
        ("time for the first message", f"{protocol.HELLO_TIMEOUT_SECONDS:.0f} s"),
    ]
    return table(("at most", ""), rows)


def viewer() -> str:
    """Return a section for each message of a viewer."""
    return "\n\n".join(
        _section(_tag(message), message, "###") for message in get_args(protocol.ViewerMessage)
    )


def bridge() -> str:
    """Return a section for each message of a bridge."""
    return "\n\n".join(
        _section(_tag(message), message, "###") for message in get_args(protocol.BridgeMessage)
    )


def codes() -> str:
    """Return the codes of errors and notices."""
    found = [
        (kind.__name__.lower(), code)
        for kind in (protocol.Error, protocol.Notice)
        for code in get_args(typing.get_type_hints(kind)["code"])
    ]
    return table(("message", "`code`"), [(f"`{kind}`", f"`{code}`") for kind, code in found])


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [tuple(heads)]
    text = [f"| {' | '.join(lines[0])} |", f"|{' --- |' * len(lines[0])}"]
    text += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(text)


def struct_type(message: type[msgspec.Struct]) -> kinds.StructType:
    """Return the description of a message type."""
    described = kinds.type_info(message)
    if not isinstance(described, kinds.StructType):
        raise TypeError(message)
    return described


def _section(name: str, message: type[msgspec.Struct], heading: str) -> str:
    parts = [f"{heading} {name}", _doc(message), _fields(message)]
    for inner in _inner_structs(message):
        parts += [f"**{inner.__name__}**: {_doc(inner)}", _fields(inner)]
    return "\n\n".join(part for part in parts if part)


def _doc(message: type[msgspec.Struct]) -> str:
    text = inspect.cleandoc(message.__doc__ or "")
    for name, value in NAMED.items():
        text = text.replace(f"`{name}`", value)
    return text


def _fields(message: type[msgspec.Struct]) -> str:
    rows = []
    for field in struct_type(message).fields:
        meaning = field_of(field.encode_name)
        unit = meaning.unit if meaning and isinstance(meaning.unit, str) else ""
        limit = f", at most {meaning.limit:g}" if meaning and isinstance(meaning.limit, int | float) else ""
        needed = "" if field.required else "may be absent"
        rows.append(
            (f"`{field.encode_name}`", _kind(field.type), unit + limit, needed, _description(field.type))
        )
    heads = ("field", "type", "unit", "", "meaning")
    columns = [index for index in range(len(heads)) if any(row[index] for row in rows)]
    return (
        table([heads[index] for index in columns], [[row[index] for index in columns] for row in rows])
        if rows
        else ""
    )


def _kind(described: kinds.Type) -> str:
    match described:
        case kinds.Metadata(type=inner):
            return _kind(inner)
        case kinds.UnionType(types=several):
            return " or ".join(_kind(one) for one in several if not isinstance(one, kinds.NoneType))
        case kinds.LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case kinds.ListType(item_type=inner):
            return f"list of {_kind(inner)}"
        case kinds.DictType(value_type=inner):
            return f"object of {_kind(inner)}"
        case kinds.StructType(cls=struct):
            return struct.__name__
        case kinds.FloatType():
            return "number"
        case kinds.IntType():
            return "whole number"
        case kinds.StrType():
            return "text"
        case kinds.BoolType():
            return "true or false"
        case _:
            return "JSON"


def _description(described: kinds.Type) -> str:
    while isinstance(described, kinds.Metadata):
        if described.extra_json_schema and "description" in described.extra_json_schema:
            return str(described.extra_json_schema["description"])
        described = described.type
    if isinstance(described, kinds.UnionType):
        return next(filter(None, map(_description, described.types)), "")
    return ""


def _inner_structs(message: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    seen: dict[type[msgspec.Struct], None] = {}

    def visit(described: kinds.Type) -> None:
        match described:
            case kinds.StructType(cls=struct, fields=fields):
                if struct is not message:
                    if struct in seen:
                        return
                    seen[struct] = None
                for field in fields:
                    visit(field.type)
            case (
                kinds.Metadata(type=inner)
                | kinds.ListType(item_type=inner)
                | kinds.DictType(value_type=inner)
            ):
                visit(inner)
            case kinds.UnionType(types=several):
                for one in several:
                    visit(one)

    visit(struct_type(message))
    yield from seen


def _tag(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag)


def _yes(truth: bool) -> str:  # noqa: FBT001 - the cell of a table
    return "yes" if truth else "no"
