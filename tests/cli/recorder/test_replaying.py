import json
from typing import Any

import pytest

from fleetglass.cli.recorder.replaying import PlaybackMoment, replayed

MOMENT = PlaybackMoment(recorded=1_700_000_000.0, played=1_800_000_000.0, speed=4)


def played(payload: object, leaf: Any = "live", moment: PlaybackMoment = MOMENT) -> Any:
    return json.loads(replayed(leaf, json.dumps(payload).encode(), moment))


def test_a_sample_is_as_fresh_as_it_was() -> None:
    """The time of a sample keeps its distance from the message, which shrinks with the speed."""
    sample = {"time": 1_699_999_999.8, "tick": 7, "session": "a", "uptime_seconds": 5, "cpu_percent": 1.5}
    assert played(sample, "pulse") == sample | {"time": 1_799_999_999.95}


def test_what_happened_before_is_as_long_ago_as_it_was() -> None:
    """Boots, starts and last changes keep their age, wherever they stand in a message."""
    container = {"started_time": 1_699_999_000.0, "name": "db", "restart_time": 12}
    message = {"time": 1_700_000_000, "tick": 1, "boot_time": 1_699_990_000, "containers": {"db": container}}
    assert played(message) == {
        "time": 1_800_000_000,
        "tick": 1,
        "boot_time": 1_799_990_000,
        "containers": {"db": {"started_time": 1_799_999_000, "name": "db", "restart_time": 12}},
    }


def test_late_pulses_stay_in_their_order() -> None:
    """The pulses in a backfill are moved like those that came in time."""
    late = [{"time": 1_699_999_980.0 + tick, "tick": tick, "session": "a"} for tick in (0, 4)]
    moved = played({"time": 1_700_000_000.0, "tick": 9, "session": "a", "pulses": late}, "backfill")
    assert [pulse["time"] for pulse in moved["pulses"]] == [1_799_999_995.0, 1_799_999_996.0]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [({}, ["replay"]), ({"tags": ["db"]}, ["replay", "db"]), ({"tags": ["db", "replay"]}, ["replay", "db"])],
)
def test_info_says_that_it_is_a_replay(tags: dict[str, Any], expected: list[str]) -> None:
    """A host gets the tag `replay`; whether it is synthetic stays as it was."""
    info = {"time": 1_700_000_000.0, "session": "a", "synthetic": True}
    assert played(info | tags, "info") == {
        "time": 1_800_000_000.0,
        "session": "a",
        "synthetic": True,
        "tags": expected,
    }
    assert "tags" not in played(info, "pulse")


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"nonsense", b"[1, 2]", b"[" * 100_000, b'{"time": ', b"1700000000"]
)
def test_what_is_no_object_stays_as_it_was(payload: bytes) -> None:
    """A payload that nobody could read then cannot be read now."""
    assert replayed("live", payload, MOMENT) == payload


@pytest.mark.parametrize("number", ["9" * 400, "1e308", "-1e300", "9" * 5000])
@pytest.mark.parametrize("name", ["time", "x_time", "boot_time"])
def test_a_time_beyond_all_bounds_is_left_to_who_reads_it(name: str, number: str) -> None:
    """A payload that no bridge takes is played as it was recorded."""
    payload = f'{{"{name}":{number},"tick":1}}'.encode()
    assert replayed("live", payload, MOMENT) == payload


def test_deep_payloads_do_no_harm() -> None:
    """Times far down in a payload are left alone."""
    deep: Any = {"time": 1_700_000_000}
    for _ in range(500):
        deep = {"a": deep}
    assert played(deep) == deep
