"""What every broker of the tests can do."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.mqtt.probe import probe
from support.ports import free_port
from support.waiting import PATIENCE_SECONDS, wait_for


class Broker(ABC):
    """A broker that can be killed, frozen and started again."""

    name: ClassVar[str]
    has_mqtt_5: ClassVar[bool] = False
    sends_retained_to_wildcards: ClassVar[bool] = True
    keeps_retained: ClassVar[bool] = False
    """Whether what is retained outlives the program."""
    start_seconds: ClassVar[float] = PATIENCE_SECONDS

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Return what to install where it is not there."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return what starts it."""

    def environment(self) -> dict[str, str]:
        """Return what the program finds in its environment."""
        return {**os.environ}

    @property
    def url(self) -> str:
        """The address as `--broker` takes it."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start the program and wait until it answers."""
        self.launch()
        self.wait()
        return self

    def launch(self) -> None:
        """Start the program."""
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        what = f"{self.name} on port {self.port}, whose log is in {self.folder}"
        wait_for(self.answers, what, self.start_seconds)

    def answers(self) -> bool:
        """Whether it lets a client in."""
        return probe(BrokerAccess(url=BrokerURL("127.0.0.1", self.port)), 2.0).outcome == "accepted"

    def kill(self) -> None:
        """End it, and all that it started, as a crash would."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it without closing its connections."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)
