"""Readings of temperatures and fans from `/sys` (kernel: Documentation/hwmon/sysfs-interface.rst)."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from fleetglass.agent.readings.files import read_text, read_whole
from fleetglass.agent.readings.gpu_sleep import may_sleep
from fleetglass.agent.readings.types import FanReading, SensorReading, TemperatureReading

_DISCOVERY_SECONDS = 60.0


class _Source(NamedTuple):
    path: str
    chip: str
    device: str
    label: str
    high: float | None
    critical: float | None


class SensorReader:
    """Knows where the sensors are, and looks again once a minute: looking costs more than reading.

    A GPU that may sleep is left to the group `gpu`, which knows when it may be read.
    """

    def __init__(self, folder: str = "/sys/class", clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = Path(folder)
        self._clock = clock
        self._look_again = clock()
        self._temperatures: list[_Source] = []
        self._fans: list[_Source] = []

    def __call__(self) -> SensorReading:
        """Read every sensor; those that do not answer are left out."""
        if self._clock() >= self._look_again:
            self._look_again = self._clock() + _DISCOVERY_SECONDS
            self._discover()
        return SensorReading(
            temperatures=[
                TemperatureReading(one.chip, one.device, one.label, value / 1000, one.high, one.critical)
                for one in self._temperatures
                if (value := read_whole(one.path)) is not None
            ],
            fans=[
                FanReading(one.chip, one.device, one.label, value)
                for one in self._fans
                if (value := read_whole(one.path)) is not None
            ],
        )

    def _discover(self) -> None:
        chips = [
            chip
            for chip in sorted(self._folder.glob("hwmon/hwmon*"))
            if not ((chip / "device/drm").exists() and may_sleep(chip / "device"))
        ]
        self._temperatures = [source for chip in chips for source in _sources(chip, "temp", ("max", "crit"))]
        self._fans = [source for chip in chips for source in _sources(chip, "fan", ())]
        if not self._temperatures:
            self._temperatures = [
                _Source(
                    str(zone / "temp"),
                    read_text(f"{zone}/type") or "thermal",
                    zone.name,
                    zone.name,
                    None,
                    None,
                )
                for zone in sorted(self._folder.glob("thermal/thermal_zone*"))
            ]


def _sources(chip: Path, kind: str, limits: tuple[str, ...]) -> Iterator[_Source]:
    device = (chip / "device").resolve().name if (chip / "device").exists() else chip.name
    # Drivers before Linux 3.15 put the files one level deeper.
    inputs = sorted(chip.glob(f"{kind}*_input")) or sorted(chip.glob(f"device/{kind}*_input"))
    for path in inputs:
        stem = path.name.removesuffix("_input")
        high, critical = (
            None if number is None else number / 1000
            for number in (
                read_whole(str(path.with_name(f"{stem}_{limit}"))) if limit in limits else None
                for limit in ("max", "crit")
            )
        )
        yield _Source(
            path=str(path),
            chip=read_text(str(path.with_name("name"))) or read_text(f"{chip}/name") or chip.name,
            device=device,
            label=read_text(str(path.with_name(f"{stem}_label"))) or stem,
            high=high,
            critical=critical,
        )
