import subprocess
import sys
from pathlib import Path

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

ON_REQUEST = ("http.client", "subprocess", "pynvml", "calendar", "email")


PROGRAM = f"""
import sys
from fleetglass.agent.agent import default_collectors
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
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


def test_groups_on_request_are_loaded_on_request(tmp_path: Path) -> None:
    """Nothing of containers, units, UPSes, own metrics and NVIDIA is loaded where it is not needed."""
    program = f"""
import sys
from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
broker = BrokerAccess(url=BrokerURL.parse("mqtt://127.0.0.1"))
for one in default_collectors(AgentSettings(broker=broker, host_id="web-1", root={str(tmp_path)!r})):
    try:
        one.collect(1.0, 1)
    except OSError:
        pass
print([m for m in sys.modules if m.endswith((".container", ".unit", ".custom", ".program", ".ups", ".nut"))
       or m in {ON_REQUEST!r}])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
