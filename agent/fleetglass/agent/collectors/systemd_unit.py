"""Units of systemd, read in the background; imported only where they are asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.rates import core_percent, known
from fleetglass.agent.readings.program import Program
from fleetglass.agent.readings.systemd_unit import UnitReader, UnitReading, UnitsReading
from fleetglass.wire.payloads import Unit, UnitEntry

_SECONDS = 30.0
_MAX_FAILED = 100


def unit_collector(patterns: Sequence[str], root: Path) -> BackgroundCollector:
    """Return the collector of the units that failed and of those with these names or patterns."""
    program = Program()
    units = Units(UnitReader(patterns, root=root, program=program))
    return BackgroundCollector("unit", _SECONDS, units.read, cancel=program.cancel)


class Units:
    """Makes messages of readings; the use of CPU is of the time since the last."""

    def __init__(self, read: Callable[[], UnitsReading]) -> None:
        self._read = read
        self._before = UnitsReading(0.0, [], [])

    def read(self) -> Unit:
        """Return the units now, without a stamp of its own.

        Raises:
            CollectionError: no systemd runs here, or it does not answer.
        """
        now = self._read()
        before, self._before = self._before, now
        earlier = {one.name: one for one in before.units}
        return Unit(
            time=0,
            tick=0,
            failed_count=len(now.failed),
            failed=now.failed[:_MAX_FAILED],
            units={one.name: unit_use(earlier.get(one.name), one, now.at - before.at) for one in now.units},
        )


def unit_use(before: UnitReading | None, now: UnitReading, elapsed: float) -> UnitEntry:
    """Return one unit; one that changed its state in between may count anew, so it has no use of CPU."""
    same_run = before if before is not None and before.since == now.since else None
    return UnitEntry(
        load_state=known(now.load_state),
        active_state=known(now.active_state),
        sub_state=known(now.sub_state),
        since_time=known(now.since),
        memory_bytes=known(now.memory_bytes),
        cpu_percent=core_percent(same_run and same_run.cpu_seconds, now.cpu_seconds, elapsed),
        restarts=known(now.restarts),
    )
