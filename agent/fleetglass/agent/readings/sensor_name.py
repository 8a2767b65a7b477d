"""The names of sensors, `chip/label`: no two alike, and the same at each start."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """Where a sensor is. `entry` is its number in the chip, such as `temp2`."""

    chip: str
    device: str
    folder: str
    """Tells two chips of one name on one device apart."""
    entry: str
    label: str

    @property
    def kind(self) -> str:
        """Return `temp` or `fan`: one of each may have the same name."""
        return self.entry.rstrip("0123456789")


class SensorName(NamedTuple):
    """The name of a sensor in messages, and its label, which no other entry of its chip has."""

    name: str
    label: str


def sensor_names(places: Sequence[Place], shared: set[str]) -> list[SensorName]:
    """Name every sensor. What is not unique by itself is told apart, and only that.

    Chips of one name get their device, and on one device a number; entries of one label get their number.
    `shared` keeps the chips that once had their device in the name, for a disk may come and go.
    """
    devices: dict[str, set[str]] = {}
    for one in places:
        devices.setdefault(one.chip, set()).add(one.device)
    shared.update(chip for chip, found in devices.items() if len(found) > 1)

    labels = Counter((one.folder, one.kind, one.label) for one in places)
    names = []
    for one in places:
        chip = f"{one.chip}-{one.device}" if one.chip in shared else one.chip
        label = one.label
        if labels[one.folder, one.kind, one.label] > 1:
            label = f"{label} {one.entry.removeprefix(one.kind)}"
        names.append((chip, label))

    alike = Counter((one.kind, *name) for one, name in zip(places, names, strict=True))
    folders: dict[str, list[str]] = {}  # by the name of chips that tell the same sensors
    for one, (chip, label) in zip(places, names, strict=True):
        if alike[one.kind, chip, label] > 1:
            found = folders.setdefault(chip, [])
            if one.folder not in found:
                found.append(one.folder)
    return [
        SensorName(
            f"{chip}-{folders[chip].index(one.folder) + 1}/{label}"
            if one.folder in folders.get(chip, ())
            else f"{chip}/{label}",
            label,
        )
        for one, (chip, label) in zip(places, names, strict=True)
    ]
