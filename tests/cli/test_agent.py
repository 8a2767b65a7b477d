import subprocess
from collections.abc import Callable

import pytest

from agent.recording import recording
from support.mosquitto import Mosquitto
from support.ports import free_port

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.broker
def test_forget(mosquitto: Mosquitto, prefix: str, run: Run) -> None:
    """Another host that is gone is forgotten, which one line says."""
    with recording(mosquitto.port, prefix) as witness:
        text = b'{"state":"lost","session":"a","time":1}'
        witness.client.publish(f"{prefix}/old/status", text, qos=1, retain=True).wait_for_publish(5)
    done = run("agent", "--forget", "--host-id", "old", "--broker", mosquitto.url, "--prefix", prefix)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"forgot old at {mosquitto.url}: cleared homeassistant/device/old/config, ")
    assert done.stdout.count("\n") == 1
    with recording(mosquitto.port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        assert len(witness.messages) == 1


def test_forget_without_a_broker(run: Run) -> None:
    """One line names the broker and the reason, and the exit code is 1."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    done = run("agent", "--forget", "--host-id", "old", "--broker", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"fleetglass: broker {url}: connection refused\n"
