"""Following hosts through a bridge, from programs and in the terminal. See docs/library.md."""

from fleetglass.client.bridge_source import DEFAULT_URL, BridgeSource
from fleetglass.client.compat.handlers import Handler, LoggingHandler, MonitoringHandler
from fleetglass.client.compat.monitoring_client import MonitoringClient
from fleetglass.client.compat.simple_client import SimpleMonitoringClient
from fleetglass.client.compat.websocket_client import WebSocketClient
from fleetglass.client.formatting.formatters import (
    CompactFormatter,
    DetailedFormatter,
    Formatter,
    JSONFormatter,
    SimpleFormatter,
    formatter,
)
from fleetglass.client.source import Interrupted, Source
from fleetglass.client.statistics import ConnectionState, Statistics
from fleetglass.wire.errors import ClientError, NotConnected, Refused, Unreachable

__all__ = [
    "DEFAULT_URL",
    "BridgeSource",
    "ClientError",
    "CompactFormatter",
    "ConnectionState",
    "DetailedFormatter",
    "Formatter",
    "Handler",
    "Interrupted",
    "JSONFormatter",
    "LoggingHandler",
    "MonitoringClient",
    "MonitoringHandler",
    "NotConnected",
    "Refused",
    "SimpleFormatter",
    "SimpleMonitoringClient",
    "Source",
    "Statistics",
    "Unreachable",
    "WebSocketClient",
    "formatter",
]
