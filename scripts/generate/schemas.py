"""JSON Schema of every message, from `fleetglass.wire`."""

import json
from typing import Any

import msgspec

from fleetglass.wire import protocol
from fleetglass.wire.payloads import GROUPS
from generate.message_tables import LEAVES


def files() -> dict[str, str]:
    """Return the schemas by file name."""
    types: dict[str, Any] = {name: message for name, (message, *_) in LEAVES.items()}
    types |= {f"live-{name}": group for name, group in GROUPS.items()}
    types |= {"viewer": protocol.ViewerMessage, "bridge": protocol.BridgeMessage}
    return {f"{name}.json": _schema(one) for name, one in types.items()}


def _schema(message: Any) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(message)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
