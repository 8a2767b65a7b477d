import json
import subprocess
from collections.abc import Callable
from pathlib import Path
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


def test_a_dry_run_does_not_clear_a_status_that_nobody_upholds(
    run: Run, mosquitto: Mosquitto, prefix: str
) -> None:
    """A host that was cut off without a will still says `online`: it is listed so, and stays so."""
    topic = f"{prefix}/web-1/status"
    with recording(mosquitto.port, prefix) as witness:
        text = b'{"state":"online","session":"old","time":1}'
        witness.client.publish(topic, text, qos=1, retain=True).wait_for_publish(5)
    result = run("forget", "web-1", "--dry-run", "--broker", mosquitto.url, "--prefix", prefix)
    assert result.stdout == f"web-1 (online): {topic}\n"
    assert left(mosquitto, prefix) == {"web-1"}


def test_what_a_site_says_of_itself_is_of_no_host(run: Run, mosquitto: Mosquitto, prefix: str) -> None:
    """A host called `site` is forgotten without the word of the site, which is on `<prefix>/site`."""
    with recording(mosquitto.port, prefix) as witness:
        for topic in ("site", "site/status", "site/a/b"):
            witness.client.publish(f"{prefix}/{topic}", b"1", qos=1, retain=True).wait_for_publish(5)
    result = run("forget", "site", "--broker", mosquitto.url, "--prefix", prefix)
    assert f"cleared {prefix}/site/status, {prefix}/site/a/b\n" in result.stdout
    with recording(mosquitto.port, prefix) as witness:
        witness.client.publish(f"{prefix}/mark", b"{}", qos=1)
        witness.wait(f"{prefix}/mark")
        assert [one.topic for one in witness.messages if one.retained] == [f"{prefix}/site"]


def test_the_prefix_of_other_hosts_is_no_host(run: Run, mosquitto: Mosquitto, prefix: str) -> None:
    """A name that is the prefix of a site's hosts costs none of them: one line says how to name them."""
    topic = f"{prefix}/paris/web-1/status"
    with recording(mosquitto.port, prefix) as witness:
        text = b'{"state":"online","session":"a","time":1}'
        witness.client.publish(topic, text, qos=1, retain=True).wait_for_publish(5)
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    result = run("forget", "paris", *given)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "fleetglass: paris: got the prefix of other hosts, such as web-1, expected a host; "
        f"--prefix {prefix}/paris removes those\n"
    )
    assert left(mosquitto, prefix) == {"paris"}


def test_a_broker_that_sends_few_messages_at_once(run: Run, tmp_path: Path, prefix: str) -> None:
    """All hosts that match are forgotten, though the broker drops most of what it retained for a client."""
    broker = Mosquitto(tmp_path, "max_queued_messages 20", "max_inflight_messages 10").start()
    try:
        with recording(broker.port, prefix) as witness:
            text = b'{"state":"lost","session":"old","time":1}'
            for number in range(100):
                witness.client.publish(f"{prefix}/sim-{number}/status", text, qos=1, retain=True)
            witness.wait(f"{prefix}/sim-99/status")
        result = run("forget", "sim-*", "--broker", broker.url, "--prefix", prefix)
        assert len(result.stdout.splitlines()) == 100
        assert left(broker, prefix) == set()
    finally:
        broker.kill()


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


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ([], 1, "--folder: got {folder}, expected the folder that `fleetglass enroll` made"),
        (["--prefix", "other"], 2, "--folder: got --broker or --prefix as well, expected it alone"),
    ],
)
def test_a_folder_that_cannot_be_used(
    run: Run, tmp_path: Path, given: list[str], code: int, message: str
) -> None:
    """It is said in one line, and no folder is made."""
    folder = tmp_path / "none"
    result = run("forget", "web-1", "--folder", str(folder), *given)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert message.format(folder=folder) in result.stderr
    assert not folder.exists()


def test_a_folder_whose_broker_does_not_run(run: Run, tmp_path: Path) -> None:
    """It is said in one line, and the temporary user is taken away again."""
    folder = tmp_path / "broker"
    assert run("enroll", "web-1", "--broker", "mqtts://b", "--folder", str(folder)).returncode == 0
    users, rules = ((folder / name).read_text() for name in ("users", "rules"))
    result = run("forget", "web-1", "--folder", str(folder))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"fleetglass: no broker runs here with {folder}\n"
    assert [(folder / name).read_text() for name in ("users", "rules")] == [users, rules]
