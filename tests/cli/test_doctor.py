import subprocess
from collections.abc import Callable

import pytest

from support.mosquitto import Mosquitto
from support.ports import free_port

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.broker
def test_all_well(run: Run, mosquitto: Mosquitto) -> None:
    """With a broker and no page yet nothing is wrong: one line each, exit code 0."""
    result = run("doctor", "--broker", mosquitto.url, "--port", str(free_port()))
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("ok     ") for line in lines)
    assert f"broker {mosquitto.url}: reachable, and it lets us in" in result.stdout


def test_what_is_wrong(run: Run, taken_port: int) -> None:
    """A broker that is away and a page's port held by another are told with a remedy, exit code 1."""
    result = run("doctor", "--broker", f"mqtt://127.0.0.1:{free_port()}", "--port", str(taken_port))
    assert result.returncode == 1
    wrong = [line for line in result.stdout.splitlines() if line.startswith("wrong  ")]
    assert len(wrong) == 2
    assert "connection refused; start it, or name another with --broker" in wrong[0]
    assert wrong[1].endswith("another program listens there; choose another port with --port")


def test_configuration_that_cannot_be_read(run: Run) -> None:
    """A wrong configuration is a finding, not an end without words."""
    result = run("doctor", FLEETGLASS_PORT="x")
    assert result.returncode == 1
    assert "wrong  configuration: port: got 'x', expected a whole number" in result.stdout
