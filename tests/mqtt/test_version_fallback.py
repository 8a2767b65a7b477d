from typing import Literal

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt.version_fallback import VersionFallback
from fleetglass.wire.errors import ConnectionEnd

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([], V5),
        (["version"], V311),
        (["unanswered"], V311),
        (["unanswered", "unanswered"], V5),
        (["unanswered", "success", "unanswered"], V311),
        (["unanswered", "success", "lost"], V311),
        (["success", "unanswered"], V5),
        (["success", "version"], V311),
        (["success", "lost"], V5),
        (["unreachable"], V5),
        (["refused"], V5),
        (["files"], V5),
        (["version", "version"], V5),
    ],
)
def test_the_version_of_the_next_attempt(
    ends: list[ConnectionEnd | Literal["success"]], expected: MQTTProtocolVersion
) -> None:
    """A refusal of the version, said or silent, leads to the other one; everything else changes nothing."""
    versions = VersionFallback()
    for end in ends:
        if end == "success":
            versions.succeeded()
        else:
            versions.after(end)
    assert versions.version is expected


def test_only_a_refusal_of_mqtt_5_is_followed_by_another_attempt_at_once() -> None:
    """A broker that refuses both versions is not asked again and again without a pause."""
    versions = VersionFallback()
    assert versions.is_trial
    assert [versions.after("unanswered") for _ in range(4)] == [True, False, True, False]
    assert not versions.after("unreachable")


def test_a_version_that_succeeded_is_no_trial() -> None:
    """A broker that has let us in by MQTT 5 has as long for an answer as any other."""
    versions = VersionFallback()
    versions.succeeded()
    assert versions.is_mqtt_5
    assert not versions.is_trial
