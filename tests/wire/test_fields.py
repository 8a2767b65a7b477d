import msgspec
import pytest

from fleetglass.wire.fields import numeric_fields
from fleetglass.wire.payloads import GROUPS, FieldInfo, Group


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_every_field_of_every_group_has_a_description(group: type[Group]) -> None:
    """The structs are the documentation, so no field goes without a line."""
    schema = msgspec.json.schema(group)
    for name, definition in schema["$defs"].items():
        for field, properties in definition["properties"].items():
            assert properties.get("description"), f"{name}.{field}"


def test_units_and_limits_follow_from_the_names() -> None:
    """A percentage is limited to 100, a process's share of one core is not, a rate has no limit."""
    assert numeric_fields(GROUPS["cpu"])["total_percent"] == FieldInfo(unit="percent", limit=100)
    assert numeric_fields(GROUPS["process"])["cpu_percent"] == FieldInfo(unit="percent")
    assert numeric_fields(GROUPS["disk"])["read_bytes_per_second"] == FieldInfo(unit="bytes per second")
