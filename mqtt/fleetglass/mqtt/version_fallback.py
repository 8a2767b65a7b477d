"""Which version of MQTT to try next."""

from typing import Final

from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.wire.errors import ConnectionEnd

FIRST_VERSION: Final = MQTTProtocolVersion.MQTTv5
TRIAL_ANSWER_SECONDS: Final = 1.0
"""How long a broker may take to answer MQTT 5 for the first time."""


class VersionFallback:
    """Chooses MQTT 5 where the broker offers it, and MQTT 3.1.1 otherwise.

    Brokers refuse MQTT 5 in two ways: by an answer that says so, or by silence, which can mean anything. Some
    wait for the rest of what they take for a longer CONNECT of version 3.1.1. So after silence the other
    version is tried, either way round, until one has succeeded.
    """

    def __init__(self) -> None:
        self.version = FIRST_VERSION
        """The version for the next attempt."""
        self._succeeded = False

    @property
    def is_mqtt_5(self) -> bool:
        """Whether MQTT 5 is next."""
        return self.version is MQTTProtocolVersion.MQTTv5

    @property
    def is_trial(self) -> bool:
        """Whether MQTT 5 is next, and did not succeed yet."""
        return self.is_mqtt_5 and not self._succeeded

    def succeeded(self) -> None:
        """Stay with this version: the broker has let us in with it."""
        self._succeeded = True

    def after(self, end: ConnectionEnd) -> bool:
        """Take in how an attempt ended; return whether to try MQTT 3.1.1 at once."""
        if end != "version" and (end != "unanswered" or self._succeeded):
            return False
        was_mqtt_5 = self.is_mqtt_5
        self.version = MQTTProtocolVersion.MQTTv311 if was_mqtt_5 else MQTTProtocolVersion.MQTTv5
        self._succeeded = False
        return was_mqtt_5
