import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run, Start
from fleetglass.cli.runtime.heartbeat import PERIOD_SECONDS, Heartbeat
from support.mosquitto import Mosquitto
from support.waiting import wait_for


@pytest.mark.broker
def test_an_agent_with_a_broker(own_mosquitto: Mosquitto, start: Start, prefix: str, tmp_path: Path) -> None:
    """Its file says what it does, and is gone when it ended."""
    file = tmp_path / "heartbeat"
    start_options = ("--broker", own_mosquitto.url, "--prefix", prefix, "--heartbeat-file", str(file))
    agent = start("agent", *start_options)
    wait_for(file.exists, "the heartbeat")
    wait_for(file.read_text, "what it says")
    assert file.read_text() == f"connected to {own_mosquitto.url}\n"
    agent.process.terminate()
    assert agent.process.wait() == 0
    assert not file.exists()


@pytest.mark.broker
def test_an_agent_without_its_broker(
    own_mosquitto: Mosquitto, start: Start, prefix: str, tmp_path: Path
) -> None:
    """No heart beats while nothing reaches a broker: before it is there, and after."""
    own_mosquitto.kill()
    file = tmp_path / "heartbeat"
    begin = time.time()
    agent = start("agent", "--broker", own_mosquitto.url, "--prefix", prefix, "--heartbeat-file", str(file))
    wait_for(lambda: "waiting" in agent.err or "refused" in agent.err, "the agent to miss its broker")
    assert not file.exists()
    own_mosquitto.start()
    wait_for(lambda: file.exists() and file.stat().st_mtime > begin, "the heartbeat")


def test_the_file_is_written_now_and_then(tmp_path: Path) -> None:
    """It is written when it is due, not while the agent waits, and not again before."""
    now = 0.0
    file = tmp_path / "heartbeat"
    beat = Heartbeat(file, clock=lambda: now)
    beat("waiting for broker mqtt://a")
    assert not file.exists()
    beat("connected to mqtt://a")
    assert file.read_text() == "connected to mqtt://a\n"
    file.unlink()
    now = PERIOD_SECONDS - 1
    beat("connected to mqtt://a")
    assert not file.exists()
    now = PERIOD_SECONDS
    beat("connected to mqtt://a")
    assert file.exists()


def test_a_file_of_a_run_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is removed at the start, and its place stays empty until the first heartbeat."""
    file = tmp_path / "heartbeat"
    file.write_text("connected to mqtt://a\n")
    seen: list[str] = []
    temporary = tempfile.TemporaryFile

    def list_folder(**options: Any) -> Any:
        seen.extend(path.name for path in tmp_path.iterdir())
        return temporary(**options)

    monkeypatch.setattr(tempfile, "TemporaryFile", list_folder)
    Heartbeat(file)
    assert seen == []
    assert not list(tmp_path.iterdir())


def test_a_folder_that_went_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once, and the agent goes on."""
    folder = tmp_path / "run"
    folder.mkdir()
    times = iter((0.0, 20.0, 40.0))
    beat = Heartbeat(folder / "heartbeat", clock=lambda: next(times))
    folder.rmdir()
    for _ in range(3):
        beat("connected to mqtt://a")
    assert [record.getMessage() for record in caplog.records] == [
        f"heartbeat_file {folder / 'heartbeat'} cannot be written: No such file or directory"
    ]


def test_a_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """An agent does not start with a check that could never pass."""
    file = tmp_path / "none" / "heartbeat"
    done = run("agent", "--heartbeat-file", str(file))
    assert done.returncode == 2
    assert done.stderr == (
        f"fleetglass: heartbeat_file: got {str(file)!r} (No such file or directory), "
        "expected a file this user can write\n"
    )
