"""Which thermal zones of `/sys` are sensors that no chip of hwmon tells of already."""

import re
from collections import Counter
from collections.abc import Mapping

from fleetglass.agent.readings.files import list_folder, read_text, read_whole
from fleetglass.agent.readings.sensor_name import Place

# Zones that have no temperature: a driver of Intel that says 20 degrees for ever, and Qualcomm's limits of
# current, voltage and charge, whose numbers are amperes, volts and percent.
_NO_TEMPERATURE = re.compile(r"INT3400 Thermal|(.*[-_])?(ibat|vbat|bcl)([-_].*)?")


def find_zones(folder: str, told: Mapping[str, int], *, has_coretemp: bool) -> list[Place]:
    """Return the zones below `folder` that are sensors of their own.

    `told` is how many temperatures the chips tell that the kernel made of zones, by name of the chip:
    it has the name of the zones' type, with `_` for `-`, and one temperature for each of them in order.
    """
    names = [name for name in list_folder(f"{folder}/thermal") if name.startswith("thermal_zone")]
    types = {
        name: read_text(f"{folder}/thermal/{name}/type") or "thermal"
        for name in sorted(names, key=lambda name: (len(name), name))
    }
    dropped = {kind for kind in types.values() if _NO_TEMPERATURE.fullmatch(kind)}
    if dropped - {"INT3400 Thermal"}:
        dropped.add("soc")  # Qualcomm's state of charge
    if has_coretemp:
        dropped.add("x86_pkg_temp")  # the package of coretemp, read from the same register
    told_by_chip = {name.replace("-", "_"): number for name, number in told.items()}
    seen: Counter[str] = Counter()
    zones = []
    for name, kind in types.items():
        chip = kind.replace("-", "_")
        seen[chip] += 1
        if kind not in dropped and seen[chip] > told_by_chip.get(chip, 0):
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
