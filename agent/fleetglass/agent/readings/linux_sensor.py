"""Readings of temperatures and fans from `/sys`.

Kernel: Documentation/hwmon/sysfs-interface.rst, Documentation/driver-api/thermal/sysfs-api.rst.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fleetglass.agent.readings.files import list_folder, read_text, read_whole
from fleetglass.agent.readings.gpu.gpu_sleep import may_sleep
from fleetglass.agent.readings.linux_thermal_zone import ToldByChips, find_zones, read_cells, zone_limits
from fleetglass.agent.readings.sensor_name import Place, sensor_names
from fleetglass.agent.readings.types import FanReading, SensorReading, TemperatureReading
from fleetglass.agent.selection import EVERYTHING, Selection

_DISCOVERY_SECONDS = 60.0
_FAULT_SECONDS = 10.0

_INPUT = re.compile(r"((temp|fan)[0-9]+)_input")
_UNSET_LIMITS = {255, 32767, 65535}
# amdgpu means by fan1_enable whether the user controls the fan.
_OTHER_MEANING = {("amdgpu", "fan")}
# Thermometers for a garden, whose drivers follow the kernel's rule; at the freezing point they tell as
# little as a chip that tells whole degrees.
_OUTDOORS = re.compile(r"w1_slave_temp|(aht|ds|hih|htu|lm|max|sht|si|tmp)[0-9].*")


class SensorReader:
    """Knows where the sensors are, and looks again once a minute: looking costs more than reading.

    What a chip says of its sensors (faults, alarms) is read every 10 s. A GPU that may sleep is left to the
    group `gpu`, which knows when it may be read.
    """

    def __init__(
        self,
        folder: str = "/sys/class",
        clock: Callable[[], float] = time.monotonic,
        *,
        selected: Selection = EVERYTHING,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._selected = selected
        self._look_again = self._check_again = clock()
        self._temperatures: list[_Source] = []
        self._fans: list[_Source] = []
        self._shared_chips: set[str] = set()
        self._thousandths: set[str] = set()  # families that were seen to follow the kernel's rule
        self.has_temperatures = False
        """Whether the kernel knows any, be it read or not."""

    def __call__(self) -> SensorReading:
        """Read every sensor; those that do not answer or are faulty are left out."""
        now = self._clock()
        if now >= self._look_again:
            self._look_again = now + _DISCOVERY_SECONDS
            self._discover()
            self._check_again = now
        if now >= self._check_again:
            self._check_again = now + _FAULT_SECONDS
            for one in (*self._temperatures, *self._fans):
                one.check()
        return SensorReading(
            temperatures=[
                TemperatureReading(
                    one.name,
                    one.chip,
                    one.label,
                    value / one.per_degree,
                    one.high,
                    one.critical,
                    one.alarm,
                )
                for one in self._temperatures
                if not one.is_faulty and (value := read_whole(one.path)) is not None
            ],
            fans=[
                FanReading(one.name, one.chip, one.label, value, one.alarm)
                for one in self._fans
                if not one.is_faulty and (value := read_whole(one.path)) is not None
            ],
        )

    def _discover(self) -> None:
        sources: list[_Source] = []
        told = ToldByChips()
        for chip in _chips(self._folder):
            found = list(chip.sources())
            sources += found
            told.add(
                chip.name, chip.handle, [one.place.entry for one in found], of_zones=chip.may_be_of_zones
            )
        sources += map(_Source.of_zone, find_zones(self._folder, told))
        self.has_temperatures = any(one.place.kind == "temp" for one in sources)

        taken = []
        names = sensor_names([one.place for one in sources], self._shared_chips)
        for one, (name, label) in zip(sources, names, strict=True):
            one.name, one.label = name, label
            if self._selected.takes(name, f"{one.chip}/{one.place.label}"):
                taken.append(one)
        self._temperatures = [one for one in taken if one.place.kind == "temp"]
        self._fans = [one for one in taken if one.place.kind == "fan"]
        self._find_units()

    def _find_units(self) -> None:
        families: dict[str, list[_Source]] = {}
        for one in self._temperatures:
            families.setdefault(one.family, []).append(one)
        for family, members in families.items():
            limits = [limit for one in members for limit in one.limits()]
            if family in self._thousandths or _OUTDOORS.fullmatch(members[0].chip):
                unit = 1000
            else:
                told = [*(read_whole(one.path) for one in members), *limits]
                unit = parts_of_a_degree(told)
                # A sensor near the freezing point tells small numbers too, now and then.
                if unit == 1000 and any(abs(value or 0) >= 200 for value in told):
                    self._thousandths.add(family)
            for one in members:
                one.take_unit(unit)


def parts_of_a_degree(told: Iterable[int | None]) -> int:
    """Return in which parts of a degree a chip tells its temperatures and limits: 1000 is the kernel's rule.

    Some makers' kernels tell whole degrees, or tenths. All that such a chip tells is small: as thousandths
    it would be closer to 0 degrees than any chip with a current in it.
    """
    known = [abs(value) for value in told if value and value not in _UNSET_LIMITS]
    highest = max(known, default=0)
    if 10 <= highest < 200:
        return 1
    # A single sensor without limits may well be in a refrigerator.
    return 10 if 200 <= highest < 2000 and len(known) > 1 else 1000


class _Source:
    """One sensor: its file, and what is known of it beside its value."""

    __slots__ = (
        "_alarms",
        "_critical",
        "_enable",
        "_fault",
        "_high",
        "_limit_paths",
        "alarm",
        "chip",
        "critical",
        "family",
        "high",
        "is_faulty",
        "label",
        "name",
        "path",
        "per_degree",
        "place",
    )

    def __init__(self, path: str, place: Place, *, family: str) -> None:
        self.path = path
        self.place = place
        self.chip = place.chip
        self.family = family
        self.name = self.label = place.label
        self.per_degree = 1000
        self.high: float | None = None
        self.critical: float | None = None
        self.is_faulty = False
        self.alarm = False
        self._limit_paths: tuple[str | None, str | None] = (None, None)
        self._high: int | None = None
        self._critical: int | None = None
        self._fault: str | None = None
        self._enable: str | None = None
        self._alarms: list[str] = []

    @classmethod
    def of_chip(cls, base: str, files: set[str], place: Place) -> "_Source":
        """Return a source among the files of a chip's folder."""

        def path(suffix: str) -> str | None:
            name = f"{place.entry}_{suffix}"
            return f"{base}/{name}" if name in files else None

        one = cls(f"{base}/{place.entry}_input", place, family=place.folder)
        one._fault = path("fault")
        if (place.chip, place.kind) not in _OTHER_MEANING:
            one._enable = path("enable")
        one._alarms = [
            f"{base}/{name}"
            for name in sorted(files)
            if name.startswith(f"{place.entry}_") and name.endswith("_alarm")
        ]
        if place.kind == "temp":
            one._limit_paths = path("max"), path("crit")
        return one

    @classmethod
    def of_zone(cls, place: Place) -> "_Source":
        """Return the source of a thermal zone."""
        return cls(f"{place.folder}/temp", place, family=re.sub("[0-9]", "", place.chip))

    def limits(self) -> tuple[int | None, int | None]:
        """Read the limits, once per discovery."""
        if self.place.entry == "temp":
            self._high, self._critical = zone_limits(self.place.folder)
        else:
            self._high, self._critical = (
                None if path is None else read_whole(path) for path in self._limit_paths
            )
        return self._high, self._critical

    def take_unit(self, per_degree: int) -> None:
        """Learn in which parts of a degree it tells its values."""
        self.per_degree = per_degree
        self.high, self.critical = (
            None if limit is None else limit / per_degree for limit in (self._high, self._critical)
        )

    def check(self) -> None:
        """Read whether its values mean something, and whether there is an alarm."""
        self.is_faulty = (self._fault is not None and (read_whole(self._fault) or 0) > 0) or (
            self._enable is not None and read_whole(self._enable) == 0
        )
        self.alarm = any(read_whole(path) == 1 for path in self._alarms)


class _Chip:
    """One folder `hwmon*`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        link = Path(folder) / "device"
        has_device = link.exists()
        self._device = link.resolve().name if has_device else Path(folder).name
        self._base, self._files = folder, set(list_folder(folder))
        if has_device and not any(map(_INPUT.fullmatch, self._files)):
            # Drivers before Linux 3.15 put the files one level deeper.
            deeper = set(list_folder(f"{folder}/device"))
            if any(map(_INPUT.fullmatch, deeper)):
                self._base, self._files = f"{folder}/device", deeper
        self.name = read_text(f"{self._base}/name") or read_text(f"{folder}/name") or Path(folder).name
        self.may_be_of_zones = (
            not has_device
            or self._device.startswith("thermal_zone")
            or self._device.replace("-", "_") == self.name
        )
        """The kernel gives the zones of one type a chip, before Linux 5.0 without a device; and a battery
        a zone and a chip, both of its own name."""
        self.handle = next(iter(read_cells(f"{folder}/device/of_node/phandle")), None)
        """What the device tree calls the device, for a board that has one."""

    def sources(self) -> Iterator[_Source]:
        """Yield its temperatures and fans in the order of their numbers."""
        inputs = [(found[1], found[2]) for name in self._files if (found := _INPUT.fullmatch(name))]
        for stem, _ in sorted(inputs, key=lambda one: (one[1], int(one[0].removeprefix(one[1])))):
            label = read_text(f"{self._base}/{stem}_label") or stem
            place = Place(self.name, self._device, self.folder, stem, label)
            yield _Source.of_chip(self._base, self._files, place)


def _chips(folder: str) -> Iterator[_Chip]:
    names = sorted(list_folder(f"{folder}/hwmon"), key=lambda name: (len(name), name))
    for path in (f"{folder}/hwmon/{name}" for name in names if name.startswith("hwmon")):
        device = Path(path) / "device"
        if not ((device / "drm").exists() and may_sleep(device)):
            yield _Chip(path)
