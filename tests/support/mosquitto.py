"""A real broker for tests."""

import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Self

from support.ports import free_port
from support.waiting import wait_for


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program, if it is installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """A mosquitto on a free port of loopback that can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._configuration = folder / f"mosquitto-{self.port}.conf"
        self._configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            "max_queued_messages 100000\nset_tcp_nodelay true\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address as `--broker` takes it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start the program and wait until it answers."""
        program = find_mosquitto()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", str(self._configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, f"mosquitto on port {self.port}")
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it without closing its connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True
