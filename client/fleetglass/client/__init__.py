"""The library and the terminal client for the bridge's WebSocket."""

from fleetglass.client.bridge_source import DEFAULT_URL, BridgeSource
from fleetglass.client.errors import ClientError, Refused, Unreachable
from fleetglass.client.source import Interrupted, Source

__all__ = [
    "DEFAULT_URL",
    "BridgeSource",
    "ClientError",
    "Interrupted",
    "Refused",
    "Source",
    "Unreachable",
]
