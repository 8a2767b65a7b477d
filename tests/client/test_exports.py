import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import fleetglass.client

PROGRAM = Path(sysconfig.get_path("scripts")) / "fleetglass"


def test_public_names() -> None:
    """These names are promised to users of the library, all of one package."""
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


@pytest.mark.parametrize("command", [[PROGRAM], [sys.executable, "-m", "fleetglass.cli"]])
def test_entry_points(command: list[str | Path]) -> None:
    """The terminal client starts by its own name and as a module, and tells its arguments."""
    told = subprocess.run([*command, "watch", "--help"], check=True, capture_output=True, text=True)
    assert "--url" in told.stdout
