import sys
from pathlib import Path

import pytest

from fleetglass.agent.readings.types import BatteryReading

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_power import battery_of, read_batteries


def supply(root: Path, name: str, **properties: str) -> None:
    (root / name).mkdir()
    text = "".join(f"POWER_SUPPLY_{key}={value}\n" for key, value in properties.items())
    (root / name / "uevent").write_text(text)


def test_only_what_feeds_the_host_is_a_battery(tmp_path: Path) -> None:
    """The battery of a mouse and an empty slot are left out; the mains tell whether we are plugged in."""
    supply(tmp_path, "AC", TYPE="Mains", ONLINE="1")
    supply(tmp_path, "BAT0", TYPE="Battery", PRESENT="1", STATUS="Charging", CAPACITY="81")
    supply(tmp_path, "BAT1", TYPE="Battery", PRESENT="0")
    supply(tmp_path, "hid-mouse", TYPE="Battery", SCOPE="Device", CAPACITY="50")
    [battery] = read_batteries(str(tmp_path))
    assert battery[:5] == ("BAT0", 81.0, True, None, "charging")


def test_time_left_is_what_is_left_over_what_is_drawn() -> None:
    """30 Wh at 20 W last an hour and a half, whether told as energy or as charge."""
    energy = {"STATUS": "Discharging", "ENERGY_NOW": "30000000", "POWER_NOW": "20000000"}
    charge = {"STATUS": "Discharging", "CHARGE_NOW": "3000000", "CURRENT_NOW": "-2000000"}
    assert battery_of("BAT0", energy, external=None).left == 5400
    assert battery_of("BAT0", charge, external=False).left == 5400


def test_a_battery_that_tells_nothing_has_nothing() -> None:
    """Unknown is None, and not 0."""
    assert battery_of("BAT0", {"STATUS": "Unknown"}, external=None) == BatteryReading(
        "BAT0", None, None, None
    )


def test_a_host_without_supplies_has_no_battery(tmp_path: Path) -> None:
    """A folder that is not there is no error."""
    assert read_batteries(str(tmp_path / "missing")) == []
