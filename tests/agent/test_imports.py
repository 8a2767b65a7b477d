import subprocess
import sys

import pytest

UNWANTED = (
    "asyncio",
    "aiomqtt",
    "websockets",
    "yaml",
    "uvloop",
    "amqtt",
    "psutil",
    "ssl",
    "hashlib",
    "urllib.request",
    "http",
    "email",
    "importlib.metadata",
    "subprocess",
    "fleetglass.bridge",
    "fleetglass.cli",
)


PROGRAM = f"""
import sys
from fleetglass.agent.agent import default_collectors
from fleetglass.agent.settings import AgentSettings
from fleetglass.wire import BrokerAccess, BrokerURL
settings = AgentSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="web-1")
for collector in default_collectors(settings):
    collector.collect(1.0, 1)
print([name for name in {UNWANTED!r} if name in sys.modules])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are read by psutil")
def test_an_agent_loads_only_what_it_needs() -> None:
    """An agent that has read every group has loaded nothing that a plain connection can spare."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
