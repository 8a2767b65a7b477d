from pathlib import Path

from msgspec import UNSET

from fleetglass.agent.collectors.systemd_unit import Units, unit_collector, unit_use
from fleetglass.agent.readings.systemd_unit import UnitReading, UnitsReading
from fleetglass.wire.errors import CollectionError
from support.waiting import wait_for

SSH = UnitReading("ssh.service", "loaded", "active", "running", 100.0, 5_000_000, 10.0, 1)


def test_a_unit_is_told_with_its_use_of_cpu() -> None:
    """CPU is percent of one core since the last reading; one that was started anew has none."""
    use = unit_use(SSH, SSH._replace(cpu_seconds=40.0), 20.0)
    assert use.cpu_percent == 150.0
    assert (use.active_state, use.sub_state, use.since_time) == ("active", "running", 100.0)
    assert (use.memory_bytes, use.restarts) == (5_000_000, 1)
    assert unit_use(SSH, SSH._replace(cpu_seconds=1.0), 20.0).cpu_percent is UNSET
    assert unit_use(None, SSH, 20.0).cpu_percent is UNSET
    unknown = unit_use(SSH, SSH._replace(cpu_seconds=None, memory_bytes=None, restarts=None), 20.0)
    assert (unknown.cpu_percent, unknown.memory_bytes, unknown.restarts) == (UNSET, UNSET, UNSET)


def test_a_unit_that_was_started_anew_has_no_use_whatever_it_used_since() -> None:
    """A backup of each minute counts anew at each start, also where it used more than at the last one."""
    assert unit_use(SSH, SSH._replace(since=115.0, cpu_seconds=40.0), 20.0).cpu_percent is UNSET


def test_failed_units_are_counted_all_and_named_some() -> None:
    """A host on which everything fails still has a message that can be sent."""
    names = [f"unit-{number}.service" for number in range(150)]
    readings = [UnitsReading(0.0, names, [SSH]), UnitsReading(30.0, [], [SSH._replace(cpu_seconds=13.0)])]
    units = Units(lambda: readings.pop(0))
    first, second = units.read(), units.read()
    assert (first.failed_count, len(first.failed), first.failed[0]) == (150, 100, "unit-0.service")
    assert (second.failed_count, second.failed) == (0, [])
    assert second.units["ssh.service"].cpu_percent == 10.0


def test_a_host_without_systemd_says_so(tmp_path: Path) -> None:
    """The reason is the group's failure."""
    collector = unit_collector(["ssh.service"], tmp_path)

    def failure() -> str:
        try:
            collector.collect(1.0, 1)
        except CollectionError as error:
            return str(error)
        return ""

    assert "systemd is not running" in wait_for(failure, "the failure")
    collector.close()
