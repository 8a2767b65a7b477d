"""The message types of `fleetglass.wire` as JSDoc for the page's modules."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import msgspec
import msgspec.inspect as shape

from fleetglass.wire import payloads, protocol
from fleetglass.wire.bounds import MAX_MAGNITUDE
from generate.message_tables import struct_type

_HEAD = f"""\
/**
 * The messages of bridge and hosts as types. `make generate` writes this file from `wire/`, which describes
 * each field. A message from the network may break its type, so check each field before you use it.
 */

/** The largest number that a bridge lets through, on either side of zero. */
export const MAX_MAGNITUDE = {str(MAX_MAGNITUDE).replace("e+", "e")}
"""

_PASSED_ON = {
    ("HostEntry", "info"): "Info",
    ("HostEntry", "pulse"): "Pulse",
    ("Host", "info"): "Info",
    ("PulseFrame", "hosts"): "Record<string, Pulse>",
    ("LiveFrame", "samples"): "Samples",
    ("History", "samples"): "Record<string, Sample[]>",
}
"""What is in payloads that the bridge passes on as they came."""

_NOT_FOR_THE_PAGE = {
    payloads.Backfill,
    payloads.Custom,
    payloads.Demand,
    payloads.Group,
    payloads.Headline,
    payloads.Status,
    payloads.Summary,
}
_RENAMED = {"Error": "Refusal", "Fleet": "FleetFrame", "Host": "HostChange", "Stamp": "Sample"}
"""Names that mean something else in the page or in JavaScript."""
_ALIASES = {"HostState": protocol.HostState, "BrokerState": protocol.BrokerState}


def module() -> str:
    """Return the text of the module."""
    return "\n".join([_HEAD, *_typedefs()])


def _typedefs() -> Iterator[str]:
    for name, literal in _ALIASES.items():
        yield _alias(_quoted(get_args(literal)), name)
    for struct in _structs():
        yield _typedef(struct)
    groups = [f" * @property {{{_name(group)}}} [{name}]" for name, group in payloads.GROUPS.items()]
    yield "\n".join(
        ["/**", " * The groups that the page knows.", " * @typedef {object} KnownGroups", *groups, " */\n"]
    )
    yield _alias("KnownGroups & Record<string, Sample>", "Samples")
    yield _alias(" | ".join(_name(message) for message in get_args(protocol.BridgeMessage)), "BridgeMessage")


def _structs() -> list[type[msgspec.Struct]]:
    found = [
        value
        for module in (payloads, protocol)
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, msgspec.Struct)
    ]
    return [one for one in dict.fromkeys(found) if one not in _NOT_FOR_THE_PAGE]


def _typedef(struct: type[msgspec.Struct]) -> str:
    described = struct_type(struct)
    summary = (struct.__doc__ or "").partition("\n")[0]
    lines = ["/**", f" * {summary}", f" * @typedef {{object}} {_name(struct)}"]
    if described.tag_field is not None:
        lines.append(f' * @property {{"{described.tag}"}} {described.tag_field}')
    for field in described.fields:
        given, description = _described(field.type)
        given = _PASSED_ON.get((struct.__name__, field.name), given)
        name = f"[{field.encode_name}]" if _may_lack(struct, field) else field.encode_name
        lines.append(f" * @property {{{given}}} {name} {description}".rstrip())
    lines.append(" */\n")
    return "\n".join(lines)


def _may_lack(struct: type[msgspec.Struct], field: shape.Field) -> bool:
    # A viewer may leave out what has a default, and a bridge or agent what has its default or is unset.
    config = struct.__struct_config__
    is_unset = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
    return not field.required and (config.omit_defaults or config.forbid_unknown_fields or is_unset)


def _described(given: shape.Type) -> tuple[str, str]:
    description = ""
    while isinstance(given, shape.Metadata):
        description = (given.extra_json_schema or {}).get("description", description)
        given = given.type
    return _type(given), description


def _type(given: shape.Type) -> str:
    match given:
        case shape.Metadata(type=inner):
            return _type(inner)
        case shape.AnyType() | shape.RawType():
            return "unknown"
        case shape.UnionType(types=types):
            return " | ".join(dict.fromkeys(_type(one) for one in types))
        case shape.IntType() | shape.FloatType():
            return "number"
        case shape.StrType():
            return "string"
        case shape.BoolType():
            return "boolean"
        case shape.NoneType():
            return "null"
        case shape.LiteralType(values=values):
            known = [name for name, literal in _ALIASES.items() if set(get_args(literal)) == set(values)]
            return known[0] if known else _quoted(values)
        case shape.ListType(item_type=inner):
            of = _type(inner)
            return f"({of})[]" if "|" in of else f"{of}[]"
        case shape.DictType(value_type=inner):
            return f"Record<string, {_type(inner)}>"
        case shape.StructType(cls=struct):
            return _name(struct)
        case _:
            raise TypeError(f"contract: got {given!r}, expected a type that JSON has")


def _quoted(values: Iterable[Any]) -> str:
    return " | ".join(f'"{value}"' for value in values)


def _alias(given: str, name: str) -> str:
    return f"/** @typedef {{{given}}} {name} */\n"


def _name(struct: type[msgspec.Struct]) -> str:
    return _RENAMED.get(struct.__name__, struct.__name__)
