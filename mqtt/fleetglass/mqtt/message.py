"""What is published, and whether it has left this machine."""

from typing import NamedTuple

from paho.mqtt.enums import MQTTErrorCode

from fleetglass.mqtt.lazy_paho import MQTTMessageInfo


class Message(NamedTuple):
    """What is to be published."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class LeftOut:
    """Stands for a message that was not sent, since the broker takes none so large: it is done with."""

    rc = MQTTErrorCode.MQTT_ERR_SUCCESS

    def is_published(self) -> bool:
        """Return that nobody has to wait for it."""
        return True

    def wait_for_publish(self, timeout: float | None = None) -> None:
        """Return at once."""


Sent = MQTTMessageInfo | LeftOut


def has_left(sent: Sent) -> bool:
    """Return whether a message has been written out, or for QoS 1 been acknowledged."""
    try:
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS and sent.is_published()
    except (RuntimeError, ValueError):
        return False
