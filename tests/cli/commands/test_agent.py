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
    assert done.stdout == f"forgot old at {mosquitto.url}: cleared {prefix}/old/status\n"
    with recording(mosquitto.port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        assert len(witness.messages) == 1


@pytest.mark.broker
def test_forget_a_host_that_never_was(mosquitto: Mosquitto, prefix: str, run: Run) -> None:
    """It is said that there was nothing: the id may be mistyped."""
    done = run("agent", "--forget", "--host-id", "odl", "--broker", mosquitto.url, "--prefix", prefix)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"found no retained message of odl at {mosquitto.url} under {prefix}/\n"


def test_forget_without_a_broker(run: Run) -> None:
    """One line names the broker and the reason, and the exit code is 1."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    done = run("agent", "--forget", "--host-id", "old", "--broker", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"fleetglass: broker {url}: connection refused\n"
