import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.conftest import Start
from fleetglass.cli.runtime.systemd_notify import Notifier
from support.mosquitto import Mosquitto
from support.ports import free_port
from support.waiting import wait_for


class Manager:
    """What systemd is in this matter: a datagram socket, and all that was said there."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)
        self._heard: list[str] = []

    @property
    def heard(self) -> list[str]:
        """All lines so far, in the order in which they came."""
        while select.select([self._socket], [], [], 0)[0]:
            self._heard += self._socket.recv(4096).decode().splitlines()
        return self._heard

    def wait(self, line: str, count: int = 1) -> None:
        """Wait until a line was said so often."""
        wait_for(lambda: self.heard.count(line) >= count, f"{count} x {line}")

    def close(self) -> None:
        """Go away."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@fleetglass-test-{os.getpid()}"


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    listening = Manager(address)
    yield listening
    listening.close()


def test_what_is_said(manager: Manager, address: str) -> None:
    """Readiness once, the status when it changes, a sign of life at half the watchdog's time, the end."""
    now = [0.0]
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    notify = Notifier(period_seconds=1, environment=environment, clock=lambda: now[0])
    notify("waiting for\nbroker")
    assert manager.heard == ["READY=1", "STATUS=waiting for broker", "WATCHDOG=1"]
    notify("waiting for broker")
    now[0] = 14.9
    notify("connected")
    assert manager.heard[3:] == ["STATUS=connected"]
    now[0] = 15.1
    notify("connected")
    assert manager.heard[4:] == ["WATCHDOG=1"]
    now[0] = 29
    notify("connected")
    notify(None)
    assert manager.heard[5:] == ["STOPPING=1", "STATUS=stopping"]


def test_a_slow_program_asks_for_patience(manager: Manager, address: str) -> None:
    """A watchdog shorter than three periods is told to wait for three of them."""
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"}
    Notifier(period_seconds=60, environment=environment)("connected")
    assert manager.heard == ["READY=1", "WATCHDOG_USEC=180000000", "STATUS=connected", "WATCHDOG=1"]


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}],
)
def test_no_watchdog(manager: Manager, address: str, watchdog: dict[str, str]) -> None:
    """Where no watchdog is asked for, or of another process, or in no number, no sign of life is sent."""
    notify = Notifier(period_seconds=1, environment={"NOTIFY_SOCKET": address, **watchdog})
    notify("connected")
    notify("connected")
    assert manager.heard == ["READY=1", "STATUS=connected"]


def test_no_manager() -> None:
    """Started by hand, nothing happens."""
    notify = Notifier(period_seconds=1, environment={})
    notify("connected")
    notify(None)


def test_a_manager_that_does_not_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A socket that is not there costs one line, and readiness is said as soon as it is there."""
    address = str(tmp_path / "notify")
    notify = Notifier(period_seconds=1, environment={"NOTIFY_SOCKET": address})
    with caplog.at_level(logging.WARNING):
        notify("connected")
        notify("connected")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"cannot notify systemd at NOTIFY_SOCKET={address}: ")
    manager = Manager(address)
    notify("connected")
    assert manager.heard == ["READY=1", "STATUS=connected"]
    manager.close()


@pytest.mark.broker
def test_a_real_agent_tells_systemd(
    manager: Manager, address: str, start: Start, mosquitto: Mosquitto, prefix: str
) -> None:
    """Ready after its first tick, it says where it is connected and that it lives, then that it stops."""
    words = (
        "agent",
        "--broker",
        mosquitto.url,
        "--prefix",
        prefix,
        "--host-id",
        "web-1",
        "--interval",
        "0.5",
    )
    program = start(*words, NOTIFY_SOCKET=address, WATCHDOG_USEC="2000000")
    manager.wait(f"STATUS=connected to {mosquitto.url}")
    manager.wait("WATCHDOG=1", 3)
    assert manager.heard[0] == "READY=1"
    program.process.terminate()
    assert program.process.wait() == 0
    assert manager.heard[-2:] == ["STOPPING=1", "STATUS=stopping"]
    assert manager.heard.count("READY=1") == 1


def test_a_real_bridge_tells_systemd(manager: Manager, address: str, start: Start) -> None:
    """It is ready when it listens, even without a broker, says that it lives, then that it stops."""
    port, broker = free_port(), f"mqtt://127.0.0.1:{free_port()}"
    words = ("bridge", "--port", str(port), "--broker", broker)
    program = start(*words, NOTIFY_SOCKET=address, WATCHDOG_USEC="4000000")
    manager.wait("READY=1")
    socket.create_connection(("127.0.0.1", port), 5).close()
    manager.wait("WATCHDOG=1", 2)
    assert manager.heard[1] == f"STATUS=serving port {port}, waiting for broker {broker}"
    program.process.terminate()
    assert program.process.wait() == 0
    assert manager.heard[-2:] == ["STOPPING=1", "STATUS=stopping"]


HANG = """
import os
from fleetglass.agent import agent
tick = agent._Agent.tick
def hang(self, skipped):
    if os.path.exists('hang'):
        open('hang').read()
    tick(self, skipped)
agent._Agent.tick = hang
"""


@pytest.mark.parametrize("address", ["path"], indirect=True)
def test_a_tick_that_hangs_is_no_sign_of_life(manager: Manager, address: str, start: Start) -> None:
    """While one tick does not end nothing is said, and afterwards the signs of life go on."""
    broker = f"mqtt://127.0.0.1:{free_port()}"
    variables = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1500000"}
    program = start("agent", "--broker", broker, "--interval", "0.5", before=f"exec({HANG!r})", **variables)
    manager.wait("WATCHDOG=1", 2)
    pipe = Path(f"/proc/{program.process.pid}/cwd").resolve() / "hang"
    os.mkfifo(pipe)
    with pipe.open("w"):  # it opens when the tick reads from it, which lasts until it is closed
        wait_for_silence(manager)
        pipe.unlink()
    manager.wait("WATCHDOG=1", manager.heard.count("WATCHDOG=1") + 1)


@pytest.mark.parametrize("address", ["path"], indirect=True)
@pytest.mark.parametrize("part", ["agent", "bridge"])
def test_a_stopped_process_gives_no_sign_of_life(
    manager: Manager, address: str, start: Start, part: str
) -> None:
    """SIGSTOP silences it, SIGCONT brings the signs of life back."""
    words = {"agent": ("--interval", "0.5"), "bridge": ("--port", str(free_port()))}[part]
    variables = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1500000"}
    program = start(part, "--broker", f"mqtt://127.0.0.1:{free_port()}", *words, **variables)
    manager.wait("WATCHDOG=1", 2)
    process = psutil.Process(program.process.pid)
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: process.status() == psutil.STATUS_STOPPED, "the process stands still")
    wait_for_silence(manager)
    process.send_signal(signal.SIGCONT)
    manager.wait("WATCHDOG=1", manager.heard.count("WATCHDOG=1") + 1)


def wait_for_silence(manager: Manager) -> None:
    """Wait until nothing was said for longer than the watchdog waits."""
    said, since = len(manager.heard), time.monotonic()

    def is_silent() -> bool:
        nonlocal said, since
        if len(manager.heard) > said:
            said, since = len(manager.heard), time.monotonic()
        return time.monotonic() - since > 1.6

    wait_for(is_silent, "silence")
