import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from fleetglass.mqtt.version_fallback import End, version_after

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


@pytest.mark.parametrize(
    ("version", "end", "stood", "expected"),
    [
        (V5, "version", False, V311),
        (V5, "version", True, V311),
        (V5, "unanswered", False, V311),
        (V5, "unanswered", True, V5),
        (V311, "unanswered", False, V5),
        (V5, "unreachable", False, V5),
        (V5, "refused", False, V5),
        (V5, "lost", True, V5),
        (V311, "lost", True, V311),
    ],
)
def test_the_version_of_the_next_attempt(
    *, version: MQTTProtocolVersion, end: End, stood: bool, expected: MQTTProtocolVersion
) -> None:
    """A refusal of the version, said or silent, leads to the other one; all else changes nothing."""
    assert version_after(version, end, stood=stood) is expected
