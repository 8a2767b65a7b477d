"""A witness on the broker, and a real agent as a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from support.waiting import wait_for

_AGENT = """
import logging, sys
logging.basicConfig(level=logging.INFO)
from fleetglass.agent.agent import run
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
url, prefix, interval, root = sys.argv[1:]
run(AgentSettings(
    broker=BrokerAccess(url=BrokerURL.parse(url)),
    host_id="web-1",
    prefix=prefix,
    interval=float(interval),
    root=root,
))
"""


class Heard(NamedTuple):
    """One message as it came."""

    at: float
    topic: str
    payload: dict[str, Any]
    retained: bool


class Recording:
    """Everything under a prefix, in the order in which it came. Topics are told without the host."""

    def __init__(self, port: int, prefix: str) -> None:
        self.messages: list[Heard] = []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self._prefix = prefix
        subscribed: list[bool] = []
        self.client.on_connect = lambda client, *_: client.subscribe(f"{prefix}/#", qos=1)
        self.client.on_subscribe = lambda *_: subscribed.append(True)
        self.client.on_message = self._on_message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(lambda: subscribed, "subscription of the recording")

    def of(self, topic: str) -> list[Heard]:
        """Return what came on one topic, such as `live/cpu`."""
        return [message for message in list(self.messages) if message.topic == topic]

    def wait(self, topic: str, count: int = 1) -> list[Heard]:
        """Return what came on one topic, when it is at least so many messages."""
        wait_for(lambda: len(self.of(topic)) >= count, f"{count} messages on {topic}")
        return self.of(topic)

    def wait_status(self, state: str, after: float = 0) -> Heard:
        """Return the first status of that state that came after a moment of the monotonic clock."""

        def found() -> list[Heard]:
            return [one for one in self.of("status") if one.payload.get("state") == state and one.at > after]

        return wait_for(found, f"status {state}")[0]

    def close(self) -> None:
        """Leave the broker."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        topic = message.topic.removeprefix(f"{self._prefix}/web-1/")
        try:
            payload = json.loads(message.payload)
        except ValueError:  # what a test says in another's name need not make sense
            payload = {}
        self.messages.append(Heard(time.monotonic(), topic, payload, message.retain))


@contextmanager
def recording(port: int, prefix: str) -> Iterator[Recording]:
    """Record while the block runs."""
    witness = Recording(port, prefix)
    try:
        yield witness
    finally:
        witness.close()


@contextmanager
def agent_process(
    url: str,
    prefix: str,
    log: Path,
    *,
    interval: float = 0.5,
    root: Path = Path("/"),
    environment: Mapping[str, str] = os.environ,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a real agent of the host `web-1`; its log goes to a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _AGENT, url, prefix, str(interval), str(root)],
            stderr=output,
            env=environment,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
