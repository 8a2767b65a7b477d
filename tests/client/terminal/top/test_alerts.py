from typing import Any

import pytest

from fleetglass.client.formatting.quantities import clock_time
from fleetglass.client.terminal.top.alerts import Limit, alerts_of, state_in_words
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.wire.protocol import Host
from support.samples import MadeUpHost
from support.scripted_source import changed, fleet, live, pulses, raw, welcome

NOW = 1_795_000_000.0
WEB = MadeUpHost("web-1", 1)


def model(seconds: int = 1, **values: Any) -> FleetModel:
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    seen.take(fleet([WEB], NOW), NOW)
    for second in range(seconds):
        seen.take(pulses([WEB], NOW + second, **values), NOW + second)
    return seen


def alerts(seen: FleetModel) -> list[tuple[str, str]]:
    return [(alert.level, alert.words) for alert in alerts_of(seen.hosts["web-1"], seen)]


def test_all_is_well() -> None:
    """A host with ordinary values needs no attention."""
    assert alerts(model()) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"memory_percent": 90}, [("warn", "memory 90 %")]),
        ({"memory_percent": 95}, [("critical", "memory 95 %")]),
        ({"swap_percent": 80.4}, [("warn", "swap 80 %")]),
        ({"filesystem_percent": 95, "swap_percent": 99}, [("critical", "disk 95 %"), ("warn", "swap 99 %")]),
        ({"battery_percent": 15}, [("warn", "battery 15 %")]),
        ({"battery_percent": 5}, [("critical", "battery 5 %")]),
        ({"failed_units": 0}, []),
        ({"failed_units": 1}, [("warn", "1 failed unit")]),
        ({"failed_units": 12}, [("warn", "12 failed units")]),
    ],
)
def test_limits(values: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A value at a limit of the page is an alert, the worst first."""
    assert alerts(model(**values)) == expected


def test_busy_for_a_minute() -> None:
    """A processor needs attention only when it was busy for a whole minute."""
    assert alerts(model(59, cpu_percent=95)) == []
    assert alerts(model(60, cpu_percent=95)) == [("warn", "CPU busy over 60 s")]


def test_states() -> None:
    """A host that is not heard needs attention for that alone; one that sleeps or stopped does not."""
    seen = model(memory_percent=99)
    seen.take(changed("web-1", "lost", NOW), NOW)
    since = clock_time(NOW)
    assert alerts(seen) == [("critical", f"lost since {since}")]
    assert state_in_words(seen.hosts["web-1"], seen, NOW) == f"lost since {since}"
    seen.take(changed("web-1", "late", NOW), NOW)
    assert alerts(seen) == [("warn", "late")]
    assert state_in_words(seen.hosts["web-1"], seen, NOW + 4) == "late, last sample 4 s ago"
    seen.take(changed("web-1", "suspended", NOW), NOW)
    assert alerts(seen) == []
    assert state_in_words(seen.hosts["web-1"], seen, NOW + 8 * 3600) == "suspended for 8 h"
    seen.take(changed("web-1", "stopped", NOW), NOW)
    assert alerts(seen) == []
    assert state_in_words(seen.hosts["web-1"], seen, NOW) == f"stopped at {since}"
    seen.take(changed("web-1", "waiting", NOW), NOW)
    assert state_in_words(seen.hosts["web-1"], seen, NOW) == "waiting for the first sample"


def test_conflict_and_clock() -> None:
    """Another machine under the same id, and a clock that is off, need attention."""
    seen = model()
    seen.take(Host(id="web-1", info=raw({"conflict": "x"})), NOW)
    seen.hosts["web-1"].ahead_seconds = -300.0
    assert alerts(seen) == [("critical", "another machine uses this host id"), ("warn", "clock 5 min behind")]


def test_detail() -> None:
    """Of an open host mounts, temperatures, throttling and collectors are judged one by one."""
    seen = model(filesystem_percent=99)
    stamp = {"time": NOW, "tick": 1}
    groups: dict[str, Any] = {
        "filesystem": stamp | {"mounts": {"/": {"used_percent": 50}, "/srv": {"used_percent": 91}}},
        "sensor": stamp
        | {
            "temperatures": {
                "cpu/0": {"current_celsius": 90, "high_celsius": 80, "critical_celsius": 100},
                "cpu/1": {"current_celsius": 101, "critical_celsius": 100},
                "cpu/2": {"current_celsius": 300},
            },
            "throttling": {"now": ["under-voltage"], "since_boot": []},
        },
        "collector": stamp | {"collectors": {"disk": {"state": "failed", "reason": "no\x1b[2J"}}},
    }
    seen.take(live(WEB, NOW, **groups), NOW)
    assert alerts(seen) == [
        ("critical", "cpu/1 101 °C"),
        ("warn", "/srv 91 %"),
        ("warn", "cpu/0 90 °C"),
        ("warn", "held back: under-voltage"),
        ("warn", "disk cannot be read: no?[2J"),
    ]


def test_limit_of_what_falls() -> None:
    """Below a falling limit is trouble, and without a second limit nothing is critical."""
    assert Limit(15, 5, falling=True).level(16) is None
    assert Limit(80).level(100) == "warn"
