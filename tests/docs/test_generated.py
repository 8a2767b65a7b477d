import json

import msgspec
import pytest

from fleetglass.wire import encode
from fleetglass.wire.payloads import GROUPS, Pulse
from generate.outputs import REPOSITORY, outputs


def test_nothing_generated_is_out_of_date() -> None:
    """`make generate` would change no file."""
    for path, text in outputs().items():
        assert path.exists(), f"{path}: run make generate"
        assert path.read_text("utf-8") == text, f"{path}: run make generate"


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_a_schema(group: str) -> None:
    """The schema of a group names the fields of its type, and those of them that are always there."""
    schema = json.loads((REPOSITORY / "docs" / "schema" / f"live-{group}.json").read_text())
    described = schema["$defs"][GROUPS[group].__name__]
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(GROUPS[group])}
    assert set(described["properties"]) == set(fields)
    assert set(described["required"]) == {name for name, required in fields.items() if required}


def test_a_payload_is_as_its_schema_says() -> None:
    """What the agent writes for a pulse has the schema's fields, and its types."""
    schema = json.loads((REPOSITORY / "docs" / "schema" / "pulse.json").read_text())["$defs"]["Pulse"]
    sent = json.loads(encode(Pulse(time=1.5, tick=2, session="s", cpu_percent=3.0, core_percents=[3])))
    assert set(sent) <= set(schema["properties"])
    assert set(schema["required"]) <= set(sent)
    assert schema["properties"]["tick"]["type"] == "integer"
