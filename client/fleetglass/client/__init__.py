"""The library and the terminal client for the bridge's WebSocket."""

from fleetglass.client.errors import ClientError, Refused, Unreachable
from fleetglass.client.stream import DEFAULT_URL, Interrupted, messages, stream

__all__ = [
    "DEFAULT_URL",
    "ClientError",
    "Interrupted",
    "Refused",
    "Unreachable",
    "messages",
    "stream",
]
