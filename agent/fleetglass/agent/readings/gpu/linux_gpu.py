"""Readings of AMD and Intel GPUs from `/sys`.

Kernel: Documentation/gpu/amdgpu/thermal.rst, Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon,
sysfs-driver-intel-xe-hwmon, and the folders `gt` of i915 and `tile*/gt*` of xe.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fleetglass.agent.readings.files import read_text, read_whole
from fleetglass.agent.readings.gpu.gpu_sleep import Sleep
from fleetglass.agent.readings.plausible import is_speed, is_temperature
from fleetglass.agent.readings.types import GpuReading
from fleetglass.agent.selection import EVERYTHING, Selection

_DISCOVERY_SECONDS = 60.0
_VENDORS = {"0x1002": "AMD", "0x8086": "Intel", "0x10de": "NVIDIA"}
_PCI_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")

# Field, factor to its unit, and where the value may be, below the card; the first that is there is read.
_SOURCES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("busy", 1, ("device/gpu_busy_percent",)),
    (
        "asleep_seconds",
        1e-3,
        (
            "gt/gt0/rc6_residency_ms",
            "power/rc6_residency_ms",
            "device/tile0/gt0/gtidle/idle_residency_ms",
        ),
    ),
    ("memory_used", 1, ("device/mem_info_vram_used",)),
    ("memory_total", 1, ("device/mem_info_vram_total",)),
    ("temperature", 1e-3, ("device/hwmon/hwmon*/temp*_input",)),
    ("power", 1e-6, ("device/hwmon/hwmon*/power1_average", "device/hwmon/hwmon*/power1_input")),
    ("energy", 1e-6, ("device/hwmon/hwmon*/energy*_input",)),
    ("frequency", 1, ("device/hwmon/hwmon*/freq1_input",)),
    (
        "frequency",
        1_000_000,
        (
            "gt/gt0/rps_act_freq_mhz",
            "gt_act_freq_mhz",
            "gt/gt0/rps_cur_freq_mhz",
            "gt_cur_freq_mhz",
            "device/tile0/gt0/freq0/act_freq",
            "device/tile0/gt0/freq0/cur_freq",
        ),
    ),
    ("fan_rpm", 1, ("device/hwmon/hwmon*/fan*_input",)),
)
_WHOLE = {"memory_used", "memory_total", "frequency"}
# A card has several temperatures (edge, junction, memory), some of which may mean nothing.
_SENSORS: dict[str, Callable[[float], bool]] = {"temperature": is_temperature, "fan_rpm": is_speed}


class CardReader:
    """Knows what each card tells and where, and looks again once a minute, for looking is dear."""

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
        *,
        sensors: Selection = EVERYTHING,
    ) -> None:
        self._root = root
        self._clock = clock
        self._selected = sensors
        self._look_again = float("-inf")
        self._cards: dict[str, _Card] = {}

    def __call__(self) -> list[GpuReading]:
        """Read every card that tells anything; what does not answer is None."""
        now = self._clock()
        if now >= self._look_again:
            self._look_again = now + _DISCOVERY_SECONDS
            self._discover()
        return [card.read(now) for card in self._cards.values()]

    def addresses(self) -> dict[str, str]:
        """Return the PCI address of every card by its key."""
        return {key: card.address for key, card in self._cards.items()}

    def _discover(self) -> None:
        found: dict[str, _Card] = {}
        for folder in sorted(self._root.glob("sys/class/drm/card*")):
            vendor = _VENDORS.get(read_text(f"{folder}/device/vendor") or "")
            if "-" in folder.name or vendor is None:
                continue
            device = folder / "device"
            key = device.resolve().name if device.is_symlink() else folder.name
            card = self._cards.get(key) or _Card(folder, key, vendor, self._root, self._selected)
            if card.sources:
                found[key] = card
        numbers: Counter[str] = Counter()
        for card in sorted(found.values(), key=lambda card: card.address):
            card.number = numbers[card.vendor]
            numbers[card.vendor] += 1
        self._cards = found


class _Card:
    def __init__(self, folder: Path, key: str, vendor: str, root: Path, selected: Selection) -> None:
        self.sources = dict(_sources(folder, selected))
        self.vendor = vendor
        self.address = _pci_address(folder) or key
        self.number = 0
        """Its number among the cards of its vendor."""
        self._key = key
        self._name = read_text(f"{folder}/device/product_name") or (
            _model(root, read_text(f"{folder}/device/vendor"), read_text(f"{folder}/device/device"))
            if self.sources
            else None
        )
        self._sleep = Sleep(folder / "device")
        self._before: GpuReading | None = None

    def read(self, now: float) -> GpuReading:
        """Read all sources, unless that would disturb its sleep."""
        state = self._sleep.state(now)
        reading = GpuReading(now, self._key, self.vendor, state, self._name, self.number)
        if reading.state == "active":
            values: dict[str, Any] = {field: _value(field, *source) for field, source in self.sources.items()}
            reading = reading._replace(**values)
            self._sleep.was_read(now, idle=_idles(self._before, reading))
            self._before = reading
        return reading


def _pci_address(folder: Path) -> str | None:
    for line in (read_text(f"{folder}/device/uevent") or "").splitlines():
        if line.startswith("PCI_SLOT_NAME="):
            return line.removeprefix("PCI_SLOT_NAME=").lower()
    return None


def _sources(folder: Path, selected: Selection) -> Iterator[tuple[str, tuple[list[str], float]]]:
    found = set()
    for field, factor, patterns in _SOURCES:
        if field in found:
            continue
        for pattern in patterns:
            paths = sorted(folder.glob(pattern))
            if field in _SENSORS:
                paths = [path for path in paths if selected.takes(_sensor_name(path))]
            if paths:
                found.add(field)
                yield field, (list(map(str, paths)), factor)
                break


def _sensor_name(path: Path) -> str:
    stem = path.name.removesuffix("_input")
    chip = read_text(str(path.with_name("name"))) or path.parent.name
    return f"{chip}/{read_text(str(path.with_name(f'{stem}_label'))) or stem}"


def _value(field: str, paths: list[str], factor: float) -> float | None:
    """Return what one field is now: of its sensors the hottest, or the first fan, that means something."""
    is_plausible = _SENSORS.get(field)
    if is_plausible is None:
        number = read_whole(paths[0])
        if number is None:
            return None
        return round(number * factor) if field in _WHOLE else number * factor
    told = (number * factor for path in paths if (number := read_whole(path)) is not None)
    plausible = filter(is_plausible, told)
    return max(plausible, default=None) if field == "temperature" else next(plausible, None)


def _idles(before: GpuReading | None, now: GpuReading) -> bool:
    if now.busy is not None:
        return now.busy == 0
    if before is None or before.asleep_seconds is None or now.asleep_seconds is None:
        return False
    return now.asleep_seconds - before.asleep_seconds > 0.99 * (now.at - before.at)


def _model(root: Path, vendor: str | None, device: str | None) -> str | None:
    """Return the name of a model from the list of PCI ids (pciutils), where that is installed."""
    if vendor is None or device is None:
        return None
    vendor_line = vendor.removeprefix("0x").encode()
    device_line = b"\t" + device.removeprefix("0x").encode()
    for place in _PCI_IDS:
        try:
            with (root / place).open("rb") as lines:
                for line in lines:
                    if line.startswith(vendor_line):
                        break
                for line in lines:
                    if line.startswith(device_line):
                        return line[len(device_line) :].decode(errors="replace").strip()
                    if not line.startswith((b"\t", b"#")):
                        break
        except OSError:
            continue
    return None
