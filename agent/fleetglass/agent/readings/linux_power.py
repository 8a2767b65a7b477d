"""Readings of batteries from `/sys` (kernel: Documentation/ABI/testing/sysfs-class-power)."""

from fleetglass.agent.readings.files import finite, list_folder, read_text
from fleetglass.agent.readings.types import BatteryReading, printable

_MICRO = 1e-6


def read_batteries(folder: str = "/sys/class/power_supply") -> list[BatteryReading]:
    """Return every battery and UPS that feeds this host, not those of mice and keyboards."""
    supplies = {
        name: parse_uevent(read_text(f"{folder}/{name}/uevent") or "") for name in list_folder(folder)
    }
    external = [
        one["ONLINE"] != "0"
        for one in supplies.values()
        if one.get("TYPE") in {"Mains", "USB"} and "ONLINE" in one
    ]
    return [
        battery_of(printable(name), one, external=any(external) if external else None)
        for name, one in supplies.items()
        if one.get("TYPE") in {"Battery", "UPS"}
        and one.get("SCOPE") != "Device"
        and one.get("PRESENT") != "0"
    ]


def parse_uevent(text: str) -> dict[str, str]:
    """Return the properties of a supply by their short names, such as `CAPACITY`."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {name.removeprefix("POWER_SUPPLY_"): value for name, _, value in pairs}


def battery_of(name: str, properties: dict[str, str], *, external: bool | None) -> BatteryReading:
    """Make a reading of the properties of one supply. `external` is whether the mains are connected."""
    status = properties.get("STATUS", "Unknown")
    plugged = external
    if plugged is None and status != "Unknown":
        plugged = status != "Discharging"

    def number(of: str) -> float | None:
        return finite(properties.get(of, ""))

    def micro(of: str) -> float | None:
        value = number(of)
        return None if value is None else value * _MICRO

    volts, watts, amperes = micro("VOLTAGE_NOW"), micro("POWER_NOW"), micro("CURRENT_NOW")
    energy, ampere_hours = micro("ENERGY_NOW"), micro("CHARGE_NOW")
    # Batteries report either energy and power, or charge and current.
    content, flow = (energy, watts) if energy is not None else (ampere_hours, amperes)
    left = None
    if status == "Discharging" and content is not None and flow:
        left = int(content / abs(flow) * 3600)
    if watts is None and volts is not None and amperes is not None:
        watts = volts * amperes
    cycles = number("CYCLE_COUNT")
    return BatteryReading(
        name=name,
        charge=number("CAPACITY"),
        plugged=plugged,
        left=left,
        status=None if status == "Unknown" else status.lower().replace(" ", "-"),
        # Some drivers give a discharge a sign, most do not; the status tells the direction.
        watts=None if watts is None else abs(watts),
        volts=volts,
        energy=energy,
        energy_full=micro("ENERGY_FULL"),
        energy_design=micro("ENERGY_FULL_DESIGN"),
        ampere_hours=ampere_hours,
        ampere_hours_full=micro("CHARGE_FULL"),
        ampere_hours_design=micro("CHARGE_FULL_DESIGN"),
        # Drivers that do not count them say 0 or -1.
        cycles=int(cycles) if cycles is not None and cycles > 0 else None,
    )
