"""Which thermal zones of `/sys` are sensors that no chip of hwmon tells of already."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from fleetglass.agent.readings.files import list_folder, read_file, read_text, read_whole
from fleetglass.agent.readings.sensor_name import Place

# Zones that say one temperature for ever: Intel's 20 degrees, NVIDIA's 50 or 100.
_CONSTANT = frozenset(("INT3400 Thermal", "PMIC-Die"))
# Qualcomm's limits of current, voltage and charge, whose numbers are amperes, volts and percent.
_LIMITS = re.compile(r"(.*[-_])?(ibat|vbat|bcl)([-_].*)?")


class ToldByChips:
    """Which temperatures the chips of hwmon tell, and so no zone needs to tell again."""

    def __init__(self) -> None:
        self._names: Counter[str] = Counter()  # of chips of zones, with the number of their temperatures
        self._entries: dict[int, set[str]] = {}  # by the handle of a device in the device tree
        self.has_coretemp = False

    def add(self, chip: str, handle: int | None, entries: Iterable[str], *, of_zones: bool) -> None:
        """Take a chip. `of_zones` is whether the kernel may have made it of the zones of one type."""
        found = {entry for entry in entries if entry.startswith("temp")}
        if of_zones:
            self._names[chip] += len(found)
        if handle is not None:
            self._entries.setdefault(handle, set()).update(found)
        self.has_coretemp |= chip == "coretemp"

    def has_zone(self, chip: str, number: int) -> bool:
        """Return whether a chip stands for the `number`-th zone of a type, counted from 1.

        It has one temperature for each of them in order.
        """
        return number <= self._names[chip]

    def has_sensor(self, cells: Sequence[int]) -> bool:
        """Return whether a chip tells the sensor that the device tree gives a zone: a handle, a number."""
        number = cells[1] if len(cells) > 1 else 0
        return bool(cells) and f"temp{number + 1}" in self._entries.get(cells[0], ())


def find_zones(folder: str, told: ToldByChips) -> list[Place]:
    """Return the zones below `folder` that are sensors of their own."""
    names = [name for name in list_folder(f"{folder}/thermal") if name.startswith("thermal_zone")]
    types = {
        name: read_text(f"{folder}/thermal/{name}/type") or "thermal"
        for name in sorted(names, key=lambda name: (len(name), name))
    }
    dropped = set(filter(_LIMITS.fullmatch, types.values()))
    if dropped:
        dropped.add("soc")  # Qualcomm's state of charge
    dropped |= _CONSTANT
    if told.has_coretemp:
        dropped.add("x86_pkg_temp")  # the package of coretemp, read from the same register
    tree = f"{folder}/../firmware/devicetree/base/thermal-zones"
    seen: Counter[str] = Counter()
    zones = []
    for name, kind in types.items():
        chip = kind.replace("-", "_")  # the name that the kernel gives a chip of such zones
        seen[chip] += 1
        if not (
            kind in dropped
            or told.has_zone(chip, seen[chip])
            or told.has_sensor(read_cells(f"{tree}/{kind}/thermal-sensors"))
        ):
            # A zone has no number among its like but the one in its name.
            zones.append(Place(kind, name, f"{folder}/thermal/{name}", "temp", name))
    return zones


def zone_limits(path: str) -> tuple[int | None, int | None]:
    """Return from where a zone is hot and critical, in parts of a degree as its temperature."""
    limits: dict[str, int] = {}
    for file in list_folder(path):
        if file.startswith("trip_point_") and file.endswith("_type"):
            limit = read_whole(f"{path}/{file.removesuffix('_type')}_temp")
            trip = read_text(f"{path}/{file}")
            if limit is not None and trip is not None:
                limits[trip] = min(limit, limits.get(trip, limit))
    return limits.get("hot"), limits.get("critical")


def read_cells(path: str) -> Sequence[int]:
    """Return the numbers of a property of the device tree (Devicetree Specification, 2.2.4)."""
    try:
        data = read_file(path)
    except OSError:
        return ()
    return [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]
