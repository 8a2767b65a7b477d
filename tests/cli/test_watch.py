import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]


@pytest.fixture
def url(start: Start, mosquitto: Mosquitto, prefix: str) -> str:
    """Give the address of a bridge that sees two synthetic hosts."""
    port = free_port()
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    start("simulate", *given, "--hosts", "2")
    bridge = start("bridge", *given, "--port", str(port))
    wait_for(lambda: "serving" in bridge.err, "the bridge")
    return f"ws://127.0.0.1:{port}/ws"


@pytest.mark.broker
def test_whole_fleet(start: Start, url: str) -> None:
    """Without a name every host has its line, and SIGINT ends it with 0."""
    watch = start("watch", "--url", url)
    wait_for(lambda: "sim-0001  CPU: " in watch.out and "sim-0002  CPU: " in watch.out, "lines of both hosts")
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(3) == 0
    assert "\x1b" not in watch.out
    assert "Traceback" not in watch.err


@pytest.mark.broker
def test_one_host_as_json(run: Run, url: str) -> None:
    """A named host only, one JSON object a line, for the duration."""
    result = run("watch", "sim-0002", "sim-9999", "--url", url, "--format", "json", "--duration", "3")
    assert result.returncode == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    pulses = [line for line in lines if "cpu_percent" in line]
    assert pulses
    assert {line["host"] for line in lines} == {"sim-0002"}
    assert "fleetglass: sim-9999: the bridge has not heard of this host yet; waiting\n" in result.stderr


def test_bridge_away(run: Run) -> None:
    """With --no-reconnect a bridge that is away ends it with one line and exit code 1."""
    url = f"ws://127.0.0.1:{free_port()}/ws"
    result = run("watch", "--no-reconnect", FLEETGLASS_URL=url)
    assert result.returncode == 1
    assert result.stderr == f"fleetglass: bridge: nothing answers: connection refused ({url})\n"


def test_keeps_trying(start: Start) -> None:
    """Otherwise it says so and tries again."""
    watch = start("watch", "--url", f"ws://127.0.0.1:{free_port()}/ws")
    wait_for(lambda: watch.err.count("connection refused") == 2, "two tries")
    assert "; trying again in " in watch.err
    watch.process.terminate()
    assert watch.process.wait(3) == 0


@pytest.mark.broker
def test_token(run: Run, start: Start, mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A bridge that wants a token refuses without one, and lets in with it."""
    port = free_port()
    token_file = tmp_path / "token"
    token_file.write_text("geheim\n")
    token_file.chmod(0o600)
    given = ["--broker", mosquitto.url, "--prefix", prefix, "--host", "0.0.0.0", "--port", str(port)]
    bridge = start("bridge", *given, "--token-file", str(token_file))
    wait_for(lambda: "serving" in bridge.err, "the bridge")
    url = f"ws://127.0.0.1:{port}/ws"
    refused = run("watch", "--url", url, "--duration", "5")
    assert refused.returncode == 1
    assert refused.stderr.startswith("fleetglass: bridge: ")
    assert refused.stderr.count("\n") == 1
    admitted = run("watch", "--url", url, "--duration", "0.5", "--token-file", str(token_file))
    assert (admitted.returncode, admitted.stderr) == (0, "")
    assert run("watch", "--url", url, "--duration", "0.5", FLEETGLASS_TOKEN="geheim").returncode == 0
