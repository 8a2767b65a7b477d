"""By which version of MQTT to try next."""

from typing import Literal

from paho.mqtt.enums import MQTTProtocolVersion

End = Literal["unreachable", "unanswered", "version", "refused", "lost"]
"""How an attempt ended; `unanswered` is a connection on which the broker never said anything."""


def version_after(version: MQTTProtocolVersion, end: End, *, stood: bool) -> MQTTProtocolVersion:
    """Return the version for the next attempt; `stood` is whether one ever succeeded with `version`.

    Brokers refuse MQTT 5 in two ways: with an answer that says so, or without a word, which may mean
    anything else as well: so the other version is tried next, either way round.
    """
    other = (
        MQTTProtocolVersion.MQTTv311 if version is MQTTProtocolVersion.MQTTv5 else MQTTProtocolVersion.MQTTv5
    )
    return other if end == "version" or (end == "unanswered" and not stood) else version
