"""What is published of a recorded message when it is played again: as if it came now, and marked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from fleetglass.wire import PayloadError, decode
from fleetglass.wire.topics import Leaf

REPLAY_TAG: Final = "replay"
"""The tag in `info` that tells a replayed host from a living one."""
RETAINED: Final[frozenset[Leaf]] = frozenset({"status", "info", "summary"})
CONFIRMED: Final[frozenset[Leaf]] = frozenset({"status", "info", "backfill"})
"""What agents publish at QoS 1."""

_EPOCH_SECONDS = 1e9
"""Smaller numbers are no times of day, whatever their name."""
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class PlaybackMoment:
    """When a message came and when it is played; UTC, seconds since the epoch."""

    recorded: float
    played: float
    speed: float = 1.0

    def sample(self, time: float) -> float:
        """Return the time that a sample gets: its distance from the message is played faster, too."""
        return round(self.played + (time - self.recorded) / self.speed, 3)

    def age(self, time: float) -> float:
        """Return the time that something else gets, such as a boot: it is as long ago as it was then."""
        return round(self.played + (time - self.recorded), 3)


def replayed(leaf: Leaf, payload: bytes, moment: PlaybackMoment) -> bytes:
    """Return the payload with its times moved to now, and `info` with the tag `replay`.

    A payload that no bridge would take is returned as it came.
    """
    if not payload:
        return payload
    try:
        fields = decode(payload, dict[str, Any])
    except PayloadError:
        return payload
    moved = _moved(fields, moment, _DEEPEST)
    if leaf == "info":
        tags = moved.get("tags")
        others = [tag for tag in tags if tag != REPLAY_TAG] if isinstance(tags, list) else []
        moved["tags"] = [REPLAY_TAG, *others]
    return msgspec.json.encode(moved)


def _moved(fields: Mapping[str, Any], moment: PlaybackMoment, depth: int) -> dict[str, Any]:
    return {name: _moved_value(name, value, moment, depth) for name, value in fields.items()}


def _moved_value(name: str, value: Any, moment: PlaybackMoment, depth: int) -> Any:
    if isinstance(value, dict):
        return _moved(value, moment, depth - 1) if depth else value
    if isinstance(value, list):
        if depth and value and isinstance(value[0], dict):
            return [_moved_value("", one, moment, depth - 1) for one in value]
        return value
    if not name.endswith("time") or not isinstance(value, int | float) or value < _EPOCH_SECONDS:
        return value
    if name == "time":
        return moment.sample(value)
    return moment.age(value) if name.endswith("_time") else value
