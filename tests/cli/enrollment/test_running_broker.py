import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetglass.cli.enrollment.folder import Folder
from fleetglass.cli.enrollment.running_broker import reload_broker
from support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "state").mkdir()
    return Folder(tmp_path)


@contextmanager
def broker(folder: Folder) -> Iterator["subprocess.Popen[bytes]"]:
    """Run something that was started as mosquitto is; it ends at the signal."""
    command = [sys.executable, "-c", "import time; time.sleep(60)", "-c", str(folder.configuration)]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_broker_is_told(folder: Folder) -> None:
    """The process that wrote its number gets the signal at which mosquitto reads its files."""
    with broker(folder) as process:
        (folder.state / "mosquitto.pid").write_text(f"{process.pid}\n")
        assert reload_broker(folder) == f"the broker (process {process.pid}) reads it"
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGHUP


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "0", "99999999999999999999", pytest.param(f"{os.getpid()}", id="own")]
)
def test_a_number_of_no_broker_is_none(folder: Folder, text: str) -> None:
    """Nothing is sent to a process that does not run with this folder's configuration."""
    assert reload_broker(folder) is None
    (folder.state / "mosquitto.pid").write_text(text)
    assert reload_broker(folder) is None


def test_a_fifo_holds_nobody_up(folder: Folder) -> None:
    """The broker's user may put anything there: a file that never answers is told instead of waited for."""
    os.mkfifo(folder.state / "mosquitto.pid")
    said: list[str | None] = []
    thread = threading.Thread(target=lambda: said.append(reload_broker(folder)), daemon=True)
    thread.start()
    thread.join(5)
    (line,) = said
    assert line == (
        f"the broker was not told: got {folder.state}/mosquitto.pid, expected a file of the broker's own; "
        "send SIGHUP to its process"
    )


def test_a_link_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    """Nor is a file elsewhere read for the broker's user."""
    (tmp_path / "elsewhere").write_text("1")
    (folder.state / "mosquitto.pid").symlink_to(tmp_path / "elsewhere")
    assert "expected a file of the broker's own" in (reload_broker(folder) or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
def test_a_file_of_another_user_is_not_believed(folder: Folder) -> None:
    """Neither root nor the caller nor the broker wrote it, so its number may be any process."""
    with broker(folder) as process:
        file = folder.state / "mosquitto.pid"
        file.write_text(f"{process.pid}")
        os.chown(file, 12345, 12345)
        assert "expected a file of the broker's own" in (reload_broker(folder) or "")
        assert process.poll() is None
