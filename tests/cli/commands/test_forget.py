import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from agent.recording import recording
from support.mosquitto import Mosquitto
from support.waiting import wait_for

pytestmark = pytest.mark.broker

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]

STATES = {"demo-1": "stopped", "demo-2": "lost", "web-1": "stopped"}


@pytest.fixture
def words(mosquitto: Mosquitto, prefix: str) -> list[str]:
    """Leave the status of three hosts on the broker, and give the arguments that name it."""
    with recording(mosquitto.port, prefix) as witness:
        for host, state in STATES.items():
            text = json.dumps({"state": state, "session": "old", "time": 1})
            witness.client.publish(f"{prefix}/{host}/status", text, qos=1, retain=True).wait_for_publish(5)
    return ["--broker", mosquitto.url, "--prefix", prefix]


def left(mosquitto: Mosquitto, prefix: str) -> set[str]:
    with recording(mosquitto.port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        hosts = [one.topic.removeprefix(f"{prefix}/") for one in witness.messages if one.retained]
        return {"web-1" if topic == "status" else topic.partition("/")[0] for topic in hosts}


@pytest.mark.parametrize(
    ("given", "forgotten"),
    [
        (["web-1"], {"web-1"}),
        (["demo-*"], {"demo-1", "demo-2"}),
        (["--all-stopped"], {"demo-1", "web-1"}),
        (["demo-2", "--all-stopped"], set(STATES)),
    ],
)
def test_hosts_are_named_or_matched(
    run: Run, words: list[str], mosquitto: Mosquitto, prefix: str, given: list[str], forgotten: set[str]
) -> None:
    """Ids, patterns and the stopped hosts are cleared, with a line for each; the rest stays."""
    result = run("forget", *given, *words)
    assert (result.returncode, result.stderr) == (0, "")
    assert {line.split()[1] for line in result.stdout.splitlines()} == forgotten
    assert all(line.startswith("forgot ") for line in result.stdout.splitlines())
    assert left(mosquitto, prefix) == STATES.keys() - forgotten


def test_a_dry_run_clears_nothing(run: Run, words: list[str], mosquitto: Mosquitto, prefix: str) -> None:
    """It lists each host with its state and its topics."""
    before = left(mosquitto, prefix)
    result = run("forget", "demo-*", "--dry-run", *words)
    assert result.stdout.splitlines() == [
        f"demo-1 (stopped): {prefix}/demo-1/status",
        f"demo-2 (lost): {prefix}/demo-2/status",
    ]
    assert left(mosquitto, prefix) == before


def test_a_host_that_publishes_is_left_alone(
    run: Run, start: Start, mosquitto: Mosquitto, prefix: str
) -> None:
    """Its agent is named, nothing of it is cleared, and the exit code is 1."""
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    simulated = start("simulate", *given, "--hosts", "1")
    with recording(mosquitto.port, prefix) as witness:
        wait_for(lambda: witness.of(f"{prefix}/sim-0001/pulse"), "a pulse")
        result = run("forget", "sim-*", *given)
    assert result.returncode == 1
    assert "sim-0001 still publishes" in result.stderr
    assert result.stdout == ""
    simulated.process.terminate()


@pytest.mark.parametrize(("given", "message"), [([], "got no host"), (["no/host"], "no host matches")])
def test_nothing_to_forget_is_said_in_one_line(
    run: Run, words: list[str], given: list[str], message: str
) -> None:
    """Without a host it is a usage error; a name that cannot be a host matches nothing."""
    result = run("forget", *given, *words)
    assert message in result.stdout + result.stderr
    assert len((result.stdout + result.stderr).splitlines()) == 1
