import fleetglass.client


def test_public_names() -> None:
    """These names are promised to users of the library."""
    assert fleetglass.client.__all__ == [
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
    assert all(hasattr(fleetglass.client, name) for name in fleetglass.client.__all__)
