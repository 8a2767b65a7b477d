import contextlib
import json
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

FIRST_SECONDS = 30.0


class MissingError(Exception):
    """A peer cannot run here; the text says what to install."""


class Output(NamedTuple):
    """What a peer gave: messages (or scrapes), numbers in them, and their bytes."""

    messages: int = 0
    values: int = 0
    payload_bytes: int = 0


class Peer(ABC):
    """One program that tells what a host does, at its defaults and once per second."""

    name: str
    delivery: str
    """How its values leave it, in a few words."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        """Take a folder of its own, and the port of the broker of all."""
        self.folder = folder
        self.port = broker_port
        self.counting = False
        """Whether its output counts now."""
        self.gave_something = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The root of its processes, once it is started."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it and wait for its first output.

        Raises:
            MissingError: it is not installed, or gives nothing.
        """
        command = self.command()
        self.listen()
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if not self.gave_something.wait(FIRST_SECONDS):
            self.stop()
            text = (self.folder / "log").read_text(errors="replace").strip()
            raise MissingError(
                f"gave nothing within {FIRST_SECONDS:g} s: {text[-300:] or 'and said nothing'}"
            )

    def stop(self) -> None:
        """End it and what listens to it."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()
            self._process = None
        self.close()

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Write its configuration, and return what to start.

        Raises:
            MissingError: it is not installed.
        """

    @abstractmethod
    def listen(self) -> None:
        """Begin to take its output."""

    @abstractmethod
    def close(self) -> None:
        """Stop taking its output."""

    @abstractmethod
    def output(self) -> Output:
        """Return what it gave while it counted."""

    def details(self) -> dict[str, float]:
        """Return the seconds that its parts took while it counted, as it says itself."""
        return {}


class MqttPeer(Peer):
    """A peer that publishes. Payloads are kept, and looked into only when all is over."""

    topics: str
    """The filter of what it publishes."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        super().__init__(folder, broker_port)
        self.messages: list[bytes] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message

    def listen(self) -> None:
        """Subscribe."""
        self._client.connect("127.0.0.1", self.port)
        self._client.subscribe(self.topics)
        self._client.loop_start()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def output(self) -> Output:
        """Count every number in every payload."""
        return Output(
            len(self.messages),
            sum(map(self.values_in, self.messages)),
            sum(map(len, self.messages)),
        )

    def values_in(self, payload: bytes) -> int:
        """Return how many numbers a payload holds."""
        with contextlib.suppress(ValueError):
            return numbers_in(json.loads(payload))
        return 0

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.gave_something.set()
        if self.counting:
            self.messages.append(bytes(message.payload))


class Scraper(threading.Thread):
    """Calls something once per second until told to stop."""

    def __init__(self, scrape: Callable[[], None]) -> None:
        super().__init__(name="scraper", daemon=True)
        self._scrape = scrape
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Scrape on a grid of seconds."""
        due = time.monotonic()
        while not self._stop_asked.wait(max(due - time.monotonic(), 0)):
            with contextlib.suppress(OSError):
                self._scrape()
            due += 1.0

    def stop(self) -> None:
        """End after the current scrape."""
        self._stop_asked.set()
        self.join()


def numbers_in(value: Any) -> int:
    """Return how many numbers there are at any depth; a truth is one too."""
    if isinstance(value, dict):
        return sum(map(numbers_in, value.values()))
    if isinstance(value, list):
        return sum(map(numbers_in, value))
    return int(isinstance(value, (int, float)))
