import subprocess
import sys

UNWANTED = (
    "asyncio",
    "aiomqtt",
    "websockets",
    "yaml",
    "uvloop",
    "amqtt",
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


def test_an_agent_loads_only_what_it_needs() -> None:
    """A fresh process has nothing of other parts, nor what a plain connection on Linux can spare."""
    program = f"import sys, fleetglass.agent.agent; print([m for m in {UNWANTED!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
