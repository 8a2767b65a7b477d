"""Following hosts through a bridge, from programs and in the terminal. See docs/library.md."""

from fleetglass.client.bridge_source import DEFAULT_URL, BridgeSource
from fleetglass.client.errors import ClientError, NotConnected, Refused, Unreachable
from fleetglass.client.formatters import (
    CompactFormatter,
    DetailedFormatter,
    Formatter,
    JSONFormatter,
    SimpleFormatter,
    formatter,
)
from fleetglass.client.handlers import Handler, LoggingHandler, MonitoringHandler
from fleetglass.client.monitoring_client import MonitoringClient
from fleetglass.client.simple_client import SimpleMonitoringClient
from fleetglass.client.source import Interrupted, Source
from fleetglass.client.statistics import ConnectionState, Statistics
from fleetglass.client.websocket_client import WebSocketClient

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
