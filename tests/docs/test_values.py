"""The page on values names the source of every value that an agent publishes."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleetglass.wire.payloads import GROUPS, GpuDevice, Pulse, Summary

TEXT = (Path(__file__).parents[2] / "docs" / "values.md").read_text("utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in TEXT.split("\n## ")[1:]}
STAMP = {"time", "tick", "session"}


def leaves_of(kind: Any) -> set[str]:
    """Return the names of all fields that hold a value and not more fields."""
    found: set[str] = set()

    def collect(info: Any, name: str) -> None:
        match info:
            case msgspec.inspect.StructType(fields=fields):
                for field in fields:
                    collect(field.type, field.name)
            case msgspec.inspect.Metadata(type=inner):
                collect(inner, name)
            case msgspec.inspect.DictType(value_type=inner) | msgspec.inspect.ListType(item_type=inner):
                collect(inner, name)
            case msgspec.inspect.UnionType(types=types):
                for one in types:
                    collect(one, name)
            case msgspec.inspect.NoneType() | msgspec.inspect.CustomType():
                pass
            case _ if "Unset" not in type(info).__name__:
                found.add(name)

    collect(msgspec.inspect.type_info(kind), "")
    return found - STAMP


def named_in(section: str) -> set[str]:
    """Return what the first column of each table names."""
    return {
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }


@pytest.mark.parametrize("group", GROUPS)
def test_every_value_of_a_group_has_its_source(group: str) -> None:
    """And no value is named that the group does not have; pressure is explained once, for the processor."""
    pressure = {name for name in named_in(SECTIONS["cpu"]) if re.fullmatch(r"(some|full)_\d+s_percent", name)}
    extra = set() if group == "cpu" else pressure
    assert leaves_of(GROUPS[group]) - extra == named_in(SECTIONS[group])


def test_every_headline_has_its_source() -> None:
    """The page has one section for pulse and summary."""
    headlines = leaves_of(Pulse) | (leaves_of(Summary) - leaves_of(GpuDevice))
    assert headlines == named_in(SECTIONS["pulse and summary"])
