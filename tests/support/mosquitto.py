"""A real broker for tests."""

import shutil
import socket
from pathlib import Path
from typing import ClassVar

from support.broker import Broker
from support.certificates import Authority


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program, if it is installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto(Broker):
    """A mosquitto on a free port of loopback that can be killed, frozen and started again."""

    name: ClassVar[str] = "mosquitto"
    has_mqtt_5: ClassVar[bool] = True

    def __init__(self, folder: Path, *more: str) -> None:
        """Take a folder for its configuration, and more lines of it."""
        super().__init__(folder)
        self._configuration = folder / f"mosquitto-{self.port}.conf"
        self._configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            "max_queued_messages 100000\nset_tcp_nodelay true\n" + "".join(f"{line}\n" for line in more)
        )

    def use_tls(self, authority: Authority, *more: str) -> None:
        """Speak TLS from the next start on; one authority signs for both sides. `more` are further lines."""
        server = authority.issue("server")
        self._configuration.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"cafile {authority.own.certificate}\ncertfile {server.certificate}\nkeyfile {server.key}\n"
            + "".join(f"{line}\n" for line in more)
        )

    @classmethod
    def missing(cls) -> str | None:
        """Return what to install where it is not there."""
        return None if find_mosquitto() else "apt-get install mosquitto"

    def command(self) -> list[str]:
        """Return what starts it."""
        return [find_mosquitto() or "", "-c", str(self._configuration)]

    def answers(self) -> bool:
        """Whether it listens: some tests give it TLS, or let it refuse."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True
