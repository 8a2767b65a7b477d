import gzip
import json
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetglass.cli.recorder.recording import Recorded, Recording
from support.listener import listening
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]


def recorded(path: Path) -> int:
    """Return how many messages are in a file so far."""
    return len(read(path)[1]) if path.exists() and path.stat().st_size else 0


def read(path: Path) -> tuple[Recording, list[Recorded]]:
    recording = Recording([path.read_bytes()])
    return recording, list(recording)


@pytest.fixture
def given(start: Start, mosquitto: Mosquitto, prefix: str) -> list[str]:
    """Give broker and prefix of a fleet of five synthetic hosts, which have said that they are there."""
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    start("simulate", *given, "--hosts", "5")
    hosts = [f"sim-{number:04}/status" for number in range(1, 6)]
    with listening(mosquitto, prefix) as listener:
        wait_for(lambda: all(listener.of(status) for status in hosts), "the status of five hosts")
    return given


@pytest.mark.broker
def test_a_whole_fleet(run: Run, given: list[str], prefix: str, tmp_path: Path) -> None:
    """Every topic of every host is kept as it came, in a file of which only the owner may read."""
    started = time.time()
    result = run("record", "fleet.rec", *given, "--duration", "3")
    path = tmp_path / "fleet.rec"
    assert result.returncode == 0
    recording, messages = read(path)
    assert f"recorded {len(messages)} messages of 5 hosts in 3." in result.stdout
    assert f"to fleet.rec ({path.stat().st_size} bytes)" in result.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert recording.cut_after is None
    assert recording.header.prefix == prefix
    assert started < recording.header.started < time.time()
    hosts = {f"sim-{number:04}" for number in range(1, 6)}
    for leaf in ("status", "info", "pulse", "live/cpu"):
        assert {f"{host}/{leaf}" for host in hosts} <= {message.topic for message in messages}
    assert all(json.loads(message.payload)["time"] for message in messages)
    assert 0 < messages[-1].after < 4
    assert [message.after for message in messages] == sorted(message.after for message in messages)
    status = [message for message in messages if message.topic.endswith("/status")]
    assert any(message.retained for message in status)


@pytest.mark.broker
def test_named_hosts(run: Run, given: list[str], tmp_path: Path) -> None:
    """With --hosts, nothing else is kept."""
    result = run("record", "some.rec", *given, "--hosts", "sim-0001,sim-0003", "--duration", "2")
    assert result.returncode == 0
    _, messages = read(tmp_path / "some.rec")
    assert {message.topic.split("/")[0] for message in messages} == {"sim-0001", "sim-0003"}


@pytest.mark.broker
def test_a_signal_ends_it_well(start: Start, given: list[str], tmp_path: Path) -> None:
    """SIGINT ends it within 3 s with a whole file, which `zcat` can read."""
    path = tmp_path / "fleet.rec"
    record = start("record", str(path), *given)
    wait_for(lambda: path.exists() and path.stat().st_size > 2000, "something recorded")
    record.process.send_signal(signal.SIGINT)
    assert record.process.wait() == 0
    assert gzip.decompress(path.read_bytes()).startswith(b'{"recording":1,')
    assert "recorded " in record.out


@pytest.mark.broker
def test_killed(start: Start, given: list[str], tmp_path: Path) -> None:
    """A recorder that is killed has lost no more than the last second or so."""
    path = tmp_path / "fleet.rec"
    record = start("record", str(path), *given)
    wait_for(lambda: recorded(path) > 50, "something recorded")
    record.process.kill()
    killed = time.time()
    record.process.wait()
    recording, messages = read(path)
    assert recording.cut_after == messages[-1].after
    assert killed - (recording.header.started + messages[-1].after) < 1.5


@pytest.mark.broker
def test_a_broker_that_comes_back(start: Start, own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The recording goes on after the broker was away."""
    start("simulate", "--broker", own_mosquitto.url, "--hosts", "2")
    path = tmp_path / "fleet.rec"
    record = start("record", str(path), "--broker", own_mosquitto.url)
    wait_for(lambda: recorded(path), "something recorded")
    own_mosquitto.kill()
    before = recorded(path)
    own_mosquitto.start()
    wait_for(lambda: recorded(path) > before + 20, "more recorded")
    record.process.terminate()
    assert record.process.wait() == 0


@pytest.mark.broker
def test_nothing_came(run: Run, mosquitto: Mosquitto, prefix: str) -> None:
    """Where nothing comes, it fails and says where it listened."""
    given = ["--broker", mosquitto.url, "--prefix", prefix]
    result = run("record", "none.rec", *given, "--hosts", "web-1", "--duration", "1")
    assert result.returncode == 1
    assert f"no message came on {prefix}/web-1/# of {mosquitto.url}; check prefix and rights" in result.stderr


@pytest.mark.broker
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(start: Start, given: list[str]) -> None:
    """A disk that takes no more ends it with one line."""
    before = "import fleetglass.cli.commands.record as one; one._new_file = lambda _: open('/dev/full', 'wb')"
    record = start("record", "x.rec", *given, before=before)
    assert record.process.wait() == 1
    assert "fleetglass: file: no space left on device (x.rec)\n" in record.err
    assert "Traceback" not in record.err


@pytest.mark.broker
def test_a_file_that_is_there(run: Run, mosquitto: Mosquitto, tmp_path: Path) -> None:
    """What is there already is never written over; a place that does not exist is named."""
    (tmp_path / "there.rec").write_text("dear")
    result = run("record", "there.rec", "--broker", mosquitto.url)
    assert result.returncode == 2
    assert "file: got 'there.rec', which already exists; expected a new file" in result.stderr
    assert (tmp_path / "there.rec").read_text() == "dear"
    result = run("record", "no/where.rec", "--broker", mosquitto.url)
    assert result.returncode == 2
    assert "file: cannot create 'no/where.rec': no such file or directory" in result.stderr


def test_wrong_words(run: Run) -> None:
    """A host that is none, and a broker that is away, end it in one line; no file is made."""
    result = run("record", "x.rec", "--hosts", "a,B!")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "host id: got 'B!'" in result.stderr
    result = run("record", "x.rec", "--broker", f"mqtt://127.0.0.1:{free_port()}")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "nothing answers" in result.stderr
