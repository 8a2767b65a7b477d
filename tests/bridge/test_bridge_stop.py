"""How a bridge ends, as a process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.ports import free_port
from support.waiting import PATIENCE_SECONDS

# A name server that does not answer holds the look-up of a name for half a minute.
PROGRAM = """
import logging, os, socket, sys, threading
from fleetglass.bridge.bridge import run
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess

real = socket.getaddrinfo

def hanging(host, *arguments, **named):
    if host == "broker.example":
        os.write(1, b"asked\\n")  # print could hold the lock of stdout while the program ends
        threading.Event().wait(600)
    return real(host, *arguments, **named)

socket.getaddrinfo = hanging
logging.basicConfig(level="DEBUG")
run(BridgeSettings(broker=BrokerAccess(url=BrokerURL("broker.example", 1883)), port=int(sys.argv[1])))
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_it_ends_while_a_name_server_does_not_answer(tmp_path: Path, loop: str) -> None:
    """SIGTERM ends a bridge that waits for the address of its broker, and nothing is left to complain of."""
    program = PROGRAM if loop == "uvloop" else f"import sys\nsys.modules['uvloop'] = None\n{PROGRAM}"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(free_port())],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"HOME": str(tmp_path)},
    ) as bridge:
        assert bridge.stdout is not None
        assert bridge.stdout.readline() == "asked\n"
        bridge.send_signal(signal.SIGTERM)
        try:
            _, errors = bridge.communicate(timeout=PATIENCE_SECONDS)
        finally:
            bridge.kill()
    assert bridge.returncode == 0
    assert "Traceback" not in errors
    assert "never retrieved" not in errors
