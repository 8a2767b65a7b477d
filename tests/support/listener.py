"""Somebody who listens to a broker."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from support.mosquitto import Mosquitto
from support.waiting import wait_for


class Listener:
    """All that was published under a prefix, with when it came."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, str, Any, bool]] = []

    def of(self, topic: str) -> list[tuple[float, Any]]:
        """Return when what came on a topic; None for an empty payload."""
        return [(at, payload) for at, name, payload, _ in self.heard if name == topic]


@contextmanager
def listening(mosquitto: Mosquitto, prefix: str) -> Iterator[Listener]:
    """Listen until the block is left; the broker has the subscription before it begins."""
    listener = Listener()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    ready: list[bool] = []

    def take(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        payload = json.loads(message.payload) if message.payload else None
        topic = message.topic.removeprefix(prefix + "/")
        listener.heard.append((time.time(), topic, payload, message.retain))

    client.on_message = take
    client.on_subscribe = lambda *_: ready.append(True)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    client.subscribe(f"{prefix}/#", 1)
    wait_for(lambda: ready, "the subscription")
    yield listener
    client.disconnect()
    client.loop_stop()


def retained(mosquitto: Mosquitto, prefix: str) -> set[str]:
    """Return the topics under a prefix that have a retained message, without the prefix."""
    with listening(mosquitto, prefix) as listener:
        mark = paho.Client(CallbackAPIVersion.VERSION2)
        mark.connect("127.0.0.1", mosquitto.port)
        mark.loop_start()
        mark.publish(f"{prefix}/mark", b"{}", qos=1).wait_for_publish(10)
        wait_for(lambda: listener.of("mark"), "the end of what is retained")
        mark.disconnect()
        mark.loop_stop()
        return {topic for _, topic, _, is_retained in listener.heard if is_retained}
