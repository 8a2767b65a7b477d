"""What the numeric fields of a group mean, derived from its struct."""

from typing import Any

import msgspec
import msgspec.inspect
from msgspec import UNSET

from fleetglass.wire.payloads import FieldInfo, Group
from fleetglass.wire.units import unit_of

# A process may use several cores, and a disk may outlive its rated endurance.
_UNLIMITED = {"cpu_percent", "wear_percent"}


def numeric_fields(group: type[Group]) -> dict[str, FieldInfo]:
    """Return every field with a unit, nested ones by their own name, with unit and highest value."""
    found: dict[str, FieldInfo] = {}
    _collect(msgspec.inspect.type_info(group), found)
    return found


def field_of(name: str) -> FieldInfo | None:
    """Return what the name of a field says of it; None for a count, a text or a structure."""
    unit = unit_of(name)
    if unit is None:
        return None
    return FieldInfo(unit=unit, limit=100 if unit == "percent" and name not in _UNLIMITED else UNSET)


def _collect(type_info: Any, found: dict[str, FieldInfo]) -> None:
    match type_info:
        case msgspec.inspect.StructType(fields=fields):
            for field in fields:
                if (meaning := field_of(field.name)) is not None:
                    found[field.name] = meaning
                else:
                    _collect(field.type, found)
        case msgspec.inspect.Metadata(type=inner):
            _collect(inner, found)
        case msgspec.inspect.UnionType(types=types):
            for one in types:
                _collect(one, found)
        case msgspec.inspect.DictType(value_type=inner) | msgspec.inspect.ListType(item_type=inner):
            _collect(inner, found)
        case _:
            pass
