"""Readings of batteries from `/sys` (kernel: Documentation/ABI/testing/sysfs-class-power)."""

import os
import re
from typing import NamedTuple

from fleetglass.agent.readings.files import finite, list_folder, read_text
from fleetglass.agent.readings.types import BatteryReading, printable

Properties = dict[str, str]

_MICRO = 1e-6
_LONGEST_SECONDS = 10 * 86_400
# In watts or amperes, either way; a chip that does not know tells more.
_FLOW = {"lowest": -1000.0, "highest": 1000.0}
_NO_TIMES = {65535.0, 65535.0 * 60}  # what chips say that do not know
_STATUSES = {"charging", "discharging", "full", "not charging"}
_STORES = {"Battery", "UPS", "BMS"}
# What is not in `uevent` (before Linux 5.8 the type, in some drivers more) has a file of its own.
_IN_FILES = frozenset(
    (
        *("TYPE", "SCOPE", "PRESENT", "ONLINE", "STATUS", "POWER_ROLE", "USB_TYPE"),
        *("CAPACITY", "CAPACITY_LEVEL", "CYCLE_COUNT"),
        *("ENERGY_NOW", "ENERGY_FULL", "ENERGY_FULL_DESIGN", "POWER_NOW"),
        *("CHARGE_NOW", "CHARGE_FULL", "CHARGE_FULL_DESIGN", "CURRENT_NOW"),
        *("VOLTAGE_NOW", "POWER_AVG", "CURRENT_AVG", "VOLTAGE_AVG"),
        *("TIME_TO_EMPTY_NOW", "TIME_TO_EMPTY_AVG", "TIME_TO_FULL_NOW", "TIME_TO_FULL_AVG"),
    )
)
# On phones the chip that measures a battery is a supply beside the battery.
_GAUGE = re.compile(r"main|(.*[-_])?(bms|parallel|(max|fuel[-_]?)?(fg|gauge))([-_].*)?")

# Names of what has its own battery; drivers of long ago tell no scope.
_DEVICES = re.compile(
    r"hid-|hidpp_|wacom_|wiimote_|ps-controller|sony_controller|nintendo_switch|steam-controller"
)
_TYPE_C = re.compile(r"typec|ucsi|tcpm|USB_C\b|USB_TYPE_C|USB_PD|\[(C|PD\w*)\]")


class _Supply(NamedTuple):
    name: str
    path: str
    properties: Properties

    @property
    def type(self) -> str:
        return self.properties.get("TYPE", "")

    @property
    def is_type_c(self) -> bool:
        words = f"{self.name} {self.type} {self.properties.get('USB_TYPE', '')}"
        return _TYPE_C.search(words) is not None

    @property
    def status(self) -> str:
        return self.properties.get("STATUS", "Unknown").lower()


def read_batteries(folder: str = "/sys/class/power_supply") -> list[BatteryReading]:
    """Return every battery and UPS that feeds this host, not those of mice and keyboards."""
    supplies = [
        supply
        for name in list_folder(folder)
        if not _is_peripheral(supply := _Supply(name, f"{folder}/{name}", _read_supply(f"{folder}/{name}")))
    ]
    stores = [one for one in supplies if one.type in {"Battery", "UPS"} and not _is_empty_bay(one.properties)]
    batteries = _of_their_own([one for one in stores if one.type == "Battery"])
    external = _is_plugged(supplies, {one.status for one in batteries})
    return [
        battery_of(printable(one.name), one.properties, external=external)
        for one in stores
        if one.type == "UPS" or one in batteries
    ]


def battery_of(name: str, properties: Properties, *, external: bool | None) -> BatteryReading:
    """Make a reading of the properties of one supply. `external` is whether the mains are connected."""
    is_ups = properties.get("TYPE") == "UPS"
    status = properties.get("STATUS", "Unknown").lower()
    status = status if status in _STATUSES else "unknown"
    plugged = _is_online(properties) if is_ups else external
    if plugged is None and status != "unknown":
        plugged = status != "discharging"

    def micro(*names: str, lowest: float = float("-inf"), highest: float = float("inf")) -> float | None:
        """Return the first of these in whole units, where it lies between two bounds."""
        for one in names:
            value = _number(properties, one)
            if value is not None and lowest <= value * _MICRO <= highest:
                return value * _MICRO
        return None

    volts = micro("VOLTAGE_NOW", "VOLTAGE_AVG", lowest=0.5, highest=1000)
    # Of two flows that are told, one that is 0 is the one that is not measured.
    watts, amperes = (
        micro(f"{what}_NOW", **_FLOW) or micro(f"{what}_AVG", f"{what}_NOW", **_FLOW)
        for what in ("POWER", "CURRENT")
    )
    energy, ampere_hours = micro("ENERGY_NOW", lowest=0), micro("CHARGE_NOW", lowest=0)
    energy_full, energy_design = (
        micro("ENERGY_FULL", lowest=_MICRO),
        micro("ENERGY_FULL_DESIGN", lowest=_MICRO),
    )
    charge_full, charge_design = (
        micro("CHARGE_FULL", lowest=_MICRO),
        micro("CHARGE_FULL_DESIGN", lowest=_MICRO),
    )
    if not watts and volts is not None and amperes is not None:
        watts = volts * amperes
    if not amperes and volts is not None and watts is not None:
        amperes = watts / volts
    stores = ((energy, energy_full, watts), (ampere_hours, charge_full, amperes))
    cycles = _number(properties, "CYCLE_COUNT")
    return BatteryReading(
        name=name,
        charge=_charge(
            _number(properties, "CAPACITY"),
            (energy, energy_full or energy_design),
            (ampere_hours, charge_full or charge_design),
        ),
        plugged=plugged,
        left=_plausible_time(
            *(_seconds_of(now, flow) for now, _, flow in stores),
            *(_number(properties, one) for one in ("TIME_TO_EMPTY_NOW", "TIME_TO_EMPTY_AVG")),
        )
        if status == "discharging"
        else None,
        to_full=_plausible_time(
            *(
                _seconds_of(full - now, flow)
                for now, full, flow in stores
                if now is not None and full is not None
            ),
            *(_number(properties, one) for one in ("TIME_TO_FULL_NOW", "TIME_TO_FULL_AVG")),
        )
        if status == "charging"
        else None,
        status=None if status == "unknown" else status.replace(" ", "-"),
        # Some drivers give a discharge a sign, most do not; the status tells the direction.
        watts=None if watts is None else abs(watts),
        volts=volts,
        energy=energy,
        energy_full=energy_full,
        energy_design=energy_design,
        ampere_hours=ampere_hours,
        ampere_hours_full=charge_full,
        ampere_hours_design=charge_design,
        # Drivers that do not count them say 0 or -1.
        cycles=int(cycles) if cycles is not None and cycles > 0 else None,
        is_ups=is_ups,
    )


def _read_supply(path: str) -> Properties:
    """Return the properties of a supply by their short names, such as `CAPACITY`.

    They are in its `uevent`, and what is not there may have a file of its own.
    """
    pairs = (line.partition("=") for line in (read_text(f"{path}/uevent") or "").splitlines())
    properties = {name.removeprefix("POWER_SUPPLY_"): value for name, _, value in pairs}
    for file in list_folder(path):
        name = file.upper()
        if name in _IN_FILES and name not in properties and (text := read_text(f"{path}/{file}")):
            properties[name] = text
    return properties


def _is_peripheral(supply: _Supply) -> bool:
    scope = supply.properties.get("SCOPE", "Unknown")
    if scope == "Unknown":
        if _DEVICES.match(supply.name):
            return True
        try:
            return os.path.basename(os.readlink(f"{supply.path}/device/subsystem")) in {"hid", "bluetooth"}  # noqa: PTH115, PTH119 -- texts in, text out
        except OSError:
            return False
    return scope == "Device"


def _is_empty_bay(properties: Properties) -> bool:
    """Return whether no battery is there, whatever the firmware says of one."""
    if properties.get("PRESENT") == "0":
        return True
    if any((_number(properties, name) or 0) > 0 for name in ("CAPACITY", "ENERGY_NOW", "CHARGE_NOW")):
        return False
    if _number(properties, "VOLTAGE_NOW") == 0:
        return True  # or one that died, and still tells what it held
    for names in (("ENERGY_FULL", "CHARGE_FULL"), ("ENERGY_FULL_DESIGN", "CHARGE_FULL_DESIGN")):
        told = [value for name in names if (value := _number(properties, name)) is not None]
        if told:
            return max(told) <= 0
    return False


def _of_their_own(batteries: list[_Supply]) -> list[_Supply]:
    """Return what is not a second view of a battery: its charger, which knows no charge, or its gauge."""
    telling = [one for one in batteries if _tells_charge(one.properties)] or batteries
    return [one for one in telling if not _GAUGE.fullmatch(one.name)] or telling


def _tells_charge(properties: Properties) -> bool:
    return not properties.keys().isdisjoint({"CAPACITY", "CAPACITY_LEVEL", "ENERGY_NOW", "CHARGE_NOW"})


def _is_plugged(supplies: list[_Supply], statuses: set[str]) -> bool | None:
    """Return whether anything feeds this host from outside; None where nothing tells it."""
    if "charging" in statuses:
        return True
    sources = [(one, online) for one in supplies if (online := _is_source(one)) is not None]
    if not sources:
        return None
    # The firmware's own adapter says no, and a battery agrees: what is online is a port that feeds a phone.
    unplugged = any(one.type == "Mains" and not online for one, online in sources)
    return any(online for _, online in sources) and not (unplugged and "discharging" in statuses)


def _is_source(supply: _Supply) -> bool | None:
    if supply.type in _STORES:
        return None
    online = _is_online(supply.properties)
    return online and not _feeds_another(supply)


def _is_online(properties: Properties) -> bool | None:
    """Return whether a supply is connected: 1 is at a fixed voltage, 2 at one that can be changed."""
    online = _number(properties, "ONLINE")
    return None if online is None else online > 0


def _feeds_another(supply: _Supply) -> bool:
    """Return whether a USB port gives power (kernel: Documentation/ABI/testing/sysfs-class-typec)."""
    if (own := supply.properties.get("POWER_ROLE")) is not None:
        return _gives(own)
    ports = f"{supply.path}/device/typec"
    if not list_folder(ports) and supply.is_type_c:
        ports = f"{os.path.dirname(os.path.dirname(supply.path))}/typec"  # noqa: PTH120 -- texts in, text out
    names = [name for name in list_folder(ports) if name.removeprefix("port").isdigit()]
    roles = [role for name in names if (role := read_text(f"{ports}/{name}/power_role"))]
    # Several ports of one controller have supplies that are numbered from 1, on a Chromebook from 0.
    number = re.search("[0-9]+$", supply.name)
    first = 0 if supply.name.startswith("CROS_") else 1
    place = int(number[0]) - first if number is not None else -1
    if 0 <= place < len(roles):
        return _gives(roles[place])
    return bool(roles) and all(map(_gives, roles))


def _gives(role: str) -> bool:
    return role == "source" or "[source]" in role


def _charge(capacity: float | None, *stores: tuple[float | None, float | None]) -> float | None:
    """Return a charge in percent: as told, else what is in a battery of what it holds."""
    shares = [100 * now / full for now, full in stores if now is not None and full]
    # Somewhat above 100 is a battery that was not measured for long; far above it is nonsense.
    return next((min(one, 100.0) for one in (capacity, *shares) if one is not None and 0 <= one <= 200), None)


def _seconds_of(content: float | None, flow: float | None) -> float | None:
    return None if content is None or not flow else 3600 * content / abs(flow)


def _plausible_time(*estimates: float | None) -> int | None:
    """Return the first estimate that can be true: a current near 0 would last for months."""
    return next(
        (
            int(one)
            for one in estimates
            if one is not None and 1 <= one <= _LONGEST_SECONDS and one not in _NO_TIMES
        ),
        None,
    )


def _number(properties: Properties, name: str) -> float | None:
    return finite(properties.get(name, ""))
