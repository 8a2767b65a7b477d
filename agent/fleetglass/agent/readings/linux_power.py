"""Readings of batteries from `/sys` (kernel: Documentation/ABI/testing/sysfs-class-power)."""

from pathlib import Path

from fleetglass.agent.readings.kinds import BatteryReading
from fleetglass.agent.readings.linux import read_file


def read_batteries(root: Path = Path("/sys/class/power_supply")) -> list[BatteryReading]:
    """Return every battery and UPS that feeds this host, not those of mice and keyboards."""
    supplies = {path.name: _properties(path / "uevent") for path in sorted(root.glob("*"))}
    external = [
        one["ONLINE"] != "0"
        for one in supplies.values()
        if one.get("TYPE") in {"Mains", "USB"} and "ONLINE" in one
    ]
    return [
        battery_of(name, one, external=any(external) if external else None)
        for name, one in supplies.items()
        if one.get("TYPE") in {"Battery", "UPS"}
        and one.get("SCOPE") != "Device"
        and one.get("PRESENT") != "0"
    ]


def battery_of(name: str, properties: dict[str, str], *, external: bool | None) -> BatteryReading:
    """Make a reading of the properties of one supply. `external` is whether the mains are connected."""
    status = properties.get("STATUS", "Unknown")
    plugged = external
    if plugged is None and status != "Unknown":
        plugged = status != "Discharging"
    left = None
    if status == "Discharging":
        # Batteries report either energy and power, or charge and current.
        now = _number(properties, "ENERGY_NOW", "CHARGE_NOW")
        flow = _number(properties, "POWER_NOW", "CURRENT_NOW")
        if now is not None and flow:
            left = int(now / abs(flow) * 3600)
    return BatteryReading(name, _number(properties, "CAPACITY"), plugged, left)


def _properties(path: Path) -> dict[str, str]:
    try:
        text = read_file(str(path)).decode(errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {name.removeprefix("POWER_SUPPLY_"): value for name, _, value in pairs}


def _number(properties: dict[str, str], *names: str) -> float | None:
    for name in names:
        try:
            return float(properties[name])
        except (KeyError, ValueError):
            continue
    return None
