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


def files(root: Path, name: str, **texts: str) -> None:
    """Write attributes of a supply that are not in its `uevent`."""
    (root / name).mkdir(exist_ok=True)
    for file, text in texts.items():
        (root / name / file).write_text(text + "\n")


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


def left(**properties: str) -> int | None:
    return battery_of("BAT0", {"STATUS": "Discharging"} | properties, external=False).left


def test_time_left_follows_from_whatever_is_told() -> None:
    """From energy and current, from charge and power, from averages, and else as the kernel estimates it."""
    volts = {"VOLTAGE_NOW": "10000000"}
    assert left(ENERGY_NOW="30000000", CURRENT_NOW="-2000000", **volts) == 5400
    assert left(CHARGE_NOW="3000000", POWER_NOW="20000000", **volts) == 5400
    assert left(CHARGE_NOW="3000000", CURRENT_NOW="0", CURRENT_AVG="2000000") == 5400
    assert left(CAPACITY="50", TIME_TO_EMPTY_NOW="5400", TIME_TO_EMPTY_AVG="9999") == 5400
    assert left(CAPACITY="50", TIME_TO_EMPTY_AVG="5400") == 5400
    assert left(ENERGY_NOW="30000000", POWER_NOW="0", TIME_TO_EMPTY_AVG="5400") == 5400


def test_no_absurd_time_is_told() -> None:
    """A current near 0, or a chip that does not know, would last for months."""
    assert left(CHARGE_NOW="3000000", CURRENT_NOW="1000") is None
    assert left(ENERGY_NOW="50000000", POWER_NOW="1", TIME_TO_EMPTY_AVG="3932100") is None
    assert left(CAPACITY="50", TIME_TO_EMPTY_NOW="65535") is None
    assert left(CAPACITY="50", TIME_TO_EMPTY_NOW="-1") is None
    assert left(ENERGY_NOW="30000000", POWER_NOW="20000000", STATUS="Unknown") is None
    assert left(ENERGY_NOW="30000000", POWER_NOW="65535000000") is None
    assert left(CHARGE_NOW="3000000", CURRENT_NOW="-2147483648", CURRENT_AVG="2000000") == 5400


def test_time_until_full_is_what_is_missing() -> None:
    """While charging: what is not in it yet over what flows into it, or as the kernel estimates it."""

    def to_full(**properties: str) -> int | None:
        return battery_of("BAT0", {"STATUS": "Charging"} | properties, external=True).to_full

    assert to_full(CHARGE_NOW="3000000", CHARGE_FULL="4000000", CURRENT_NOW="2000000") == 1800
    assert to_full(CAPACITY="50", TIME_TO_FULL_AVG="1800") == 1800
    assert to_full(CHARGE_NOW="4000000", CHARGE_FULL="4000000", CURRENT_NOW="2000000") is None
    assert to_full(CAPACITY="50", TIME_TO_FULL_NOW="1800", STATUS="Discharging") is None


@pytest.mark.parametrize(
    ("properties", "charge"),
    [
        ({"CAPACITY": "103"}, 100.0),
        ({"CAPACITY": "0"}, 0.0),
        ({"CAPACITY": "-1"}, None),
        ({"CAPACITY": "255", "CHARGE_NOW": "1000000", "CHARGE_FULL": "4000000"}, 25.0),
        ({"ENERGY_NOW": "30000000", "ENERGY_FULL": "40000000"}, 75.0),
        ({"CHARGE_NOW": "2000000", "CHARGE_FULL": "0", "CHARGE_FULL_DESIGN": "4000000"}, 50.0),
        ({"ENERGY_NOW": "41000000", "ENERGY_FULL": "40000000"}, 100.0),
        ({"CAPACITY_LEVEL": "Normal"}, None),
        ({"ENERGY_NOW": "30000000"}, None),
    ],
)
def test_the_charge_is_told_or_follows(properties: dict[str, str], charge: float | None) -> None:
    """Without a percentage it follows from what is in the battery; a word such as `Normal` is no number."""
    assert battery_of("BAT0", properties, external=None).charge == charge


def test_nonsense_costs_its_own_value() -> None:
    """Volts told in thousandths, a word of a maker's own and a negative charge are absent."""
    found = battery_of(
        "b",
        {"VOLTAGE_NOW": "3850", "STATUS": "Cmd discharging", "CHARGE_NOW": "-5", "CHARGE_FULL": "0"},
        external=None,
    )
    assert (found.volts, found.status, found.ampere_hours, found.ampere_hours_full) == (
        None,
        None,
        None,
        None,
    )


def test_a_kernel_without_types_in_uevent(tmp_path: Path) -> None:
    """Before Linux 5.8 the type is in its own file alone; and a driver may keep more out of `uevent`."""
    files(tmp_path, "ADP1", type="Mains", online="1")
    supply(tmp_path, "CMB1", STATUS="Not charging")
    files(tmp_path, "CMB1", type="Battery", present="1", charge_now="900000", charge_full="3600000")
    [battery] = read_batteries(str(tmp_path))
    assert battery[:5] == ("CMB1", 25.0, True, None, "not-charging")


@pytest.mark.parametrize(
    "properties",
    [
        {"PRESENT": "0", "CAPACITY": "50"},
        {"PRESENT": "1", "CHARGE_FULL": "0", "CHARGE_NOW": "0"},
        {"ENERGY_FULL": "0", "ENERGY_FULL_DESIGN": "23000000", "CAPACITY": "0"},
        {"ENERGY_FULL_DESIGN": "0", "STATUS": "Unknown"},
        {"VOLTAGE_NOW": "0", "CAPACITY": "0"},
        {"VOLTAGE_NOW": "0", "CAPACITY": "0", "ENERGY_NOW": "0", "ENERGY_FULL": "19000000"},
    ],
)
def test_an_empty_bay_is_no_battery(tmp_path: Path, properties: dict[str, str]) -> None:
    """A battery that holds nothing, and never held anything, is not there."""
    supply(tmp_path, "BAT1", TYPE="Battery", **properties)
    assert read_batteries(str(tmp_path)) == []


def test_a_battery_that_is_empty_is_there(tmp_path: Path) -> None:
    """At 0 % it still holds something when full."""
    supply(tmp_path, "BAT0", TYPE="Battery", CAPACITY="0", ENERGY_NOW="0", ENERGY_FULL="20000000")
    supply(tmp_path, "BAT1", TYPE="Battery", CAPACITY="70", CHARGE_FULL="0")
    assert [one.charge for one in read_batteries(str(tmp_path))] == [0.0, 70.0]


@pytest.mark.parametrize(
    ("name", "source", "status", "plugged"),
    [
        ("AC", {"TYPE": "Mains", "ONLINE": "1"}, "Full", True),
        ("usb", {"TYPE": "USB_PD", "ONLINE": "2"}, "Charging", True),
        ("usb", {"TYPE": "USB_DCP", "ONLINE": "1"}, "Discharging", True),
        ("wireless", {"TYPE": "Wireless", "ONLINE": "1"}, "Not charging", True),
        ("BrickID", {"TYPE": "BrickID", "ONLINE": "0"}, "Discharging", False),
        ("usb", {"TYPE": "USB_C", "ONLINE": "0"}, "Charging", True),
        ("main", {"TYPE": "Main"}, "Discharging", False),
        ("port", {"TYPE": "USB", "ONLINE": "1", "POWER_ROLE": "[source] sink"}, "Unknown", False),
        ("port", {"TYPE": "USB", "ONLINE": "1", "POWER_ROLE": "source [sink]"}, "Unknown", True),
        ("wacom_ac_0", {"TYPE": "Mains", "ONLINE": "1", "SCOPE": "Device"}, "Discharging", False),
        ("none", {"TYPE": "Mains"}, "Unknown", None),
    ],
)
def test_any_source_feeds_the_host(
    tmp_path: Path,
    name: str,
    source: dict[str, str],
    status: str,
    plugged: bool | None,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """Whatever its type; a port that gives power is none, and a battery that charges has one."""
    supply(tmp_path, name, **source)
    supply(tmp_path, "BAT0", TYPE="Battery", STATUS=status, CAPACITY="50")
    assert [one.plugged for one in read_batteries(str(tmp_path))] == [plugged]


@pytest.mark.parametrize(("status", "plugged"), [("Discharging", False), ("Charging", True), ("Full", True)])
def test_a_port_that_feeds_a_phone_is_no_source(tmp_path: Path, status: str, plugged: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """Where the adapter says no and a port yes, the battery decides."""
    supply(tmp_path, "ADP0", TYPE="Mains", ONLINE="0")
    supply(tmp_path, "ucsi-source-psy-USBC000:002", TYPE="USB", ONLINE="1")
    supply(tmp_path, "BAT0", TYPE="Battery", STATUS=status, CAPACITY="50")
    assert [one.plugged for one in read_batteries(str(tmp_path))] == [plugged]


def test_a_port_tells_which_way_it_feeds(tmp_path: Path) -> None:
    """Of two ports of one controller each supply has its own, in order."""
    controller = tmp_path / "devices/USBC000:00"
    for number, role in enumerate(("[source] sink", "source [sink]")):
        (controller / f"typec/port{number}").mkdir(parents=True)
        (controller / f"typec/port{number}/power_role").write_text(role + "\n")
    root = tmp_path / "power_supply"
    root.mkdir()
    supply(root, "BAT0", TYPE="Battery", STATUS="Unknown", CAPACITY="50")
    supply(root, "ucsi-source-psy-USBC000:001", TYPE="USB", ONLINE="1")
    (root / "ucsi-source-psy-USBC000:001/device").symlink_to(controller)
    assert [one.plugged for one in read_batteries(str(root))] == [False]
    supply(root, "ucsi-source-psy-USBC000:002", TYPE="USB", ONLINE="1")
    (root / "ucsi-source-psy-USBC000:002/device").symlink_to(controller)
    assert [one.plugged for one in read_batteries(str(root))] == [True]


@pytest.mark.parametrize(("online", "plugged"), [(0, False), (1, True)])
def test_the_ports_of_a_chromebook_are_counted_from_0(tmp_path: Path, online: int, plugged: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """The first feeds a phone, the second has the charger."""
    for number, role in enumerate(("[source] sink", "source [sink]")):
        (tmp_path / f"typec/port{number}").mkdir(parents=True)
        (tmp_path / f"typec/port{number}/power_role").write_text(role + "\n")
    root = tmp_path / "power_supply"
    root.mkdir()
    supply(root, "sbs-5-000b", TYPE="Battery", STATUS="Full", CAPACITY="100")
    supply(root, "CROS_USBPD_CHARGER0", TYPE="USB", ONLINE="1", USB_TYPE="C PD [PD_DRP]")
    supply(root, "CROS_USBPD_CHARGER1", TYPE="USB", ONLINE=str(online), USB_TYPE="C [PD] PD_DRP")
    assert [one.plugged for one in read_batteries(str(root))] == [plugged]


@pytest.mark.parametrize(
    ("name", "source", "plugged"),
    [
        ("usb", {"TYPE": "USB_PD_DRP"}, False),
        ("tcpm-source-psy-4-0022", {"TYPE": "USB", "USB_TYPE": "[C] PD"}, False),
        ("usb", {"TYPE": "USB", "USB_TYPE": "SDP [DCP]"}, True),  # the other socket, which is no USB-C
    ],
)
def test_a_port_without_a_link_to_its_supply(
    tmp_path: Path,
    name: str,
    source: dict[str, str],
    plugged: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """Where every port of USB-C gives power, none of their supplies feeds the host."""
    (tmp_path / "typec/port0").mkdir(parents=True)
    (tmp_path / "typec/port0/power_role").write_text("[source] sink\n")
    root = tmp_path / "power_supply"
    root.mkdir()
    supply(root, "BAT0", TYPE="Battery", STATUS="Unknown", CAPACITY="50")
    supply(root, name, ONLINE="1", **source)
    assert [one.plugged for one in read_batteries(str(root))] == [plugged]


def test_what_belongs_to_a_device_is_not_the_hosts(tmp_path: Path) -> None:
    """Batteries of mice, pens and pads, by their scope or, where a driver tells none, by their bus."""
    for name in ("hidpp_battery_0", "wacom_battery_0", "ps-controller-battery-a0:b1"):
        supply(tmp_path, name, TYPE="Battery", SCOPE="Device", CAPACITY="5")
    supply(tmp_path, "wiimote_battery_00", TYPE="Battery", CAPACITY="5")
    supply(tmp_path, "stylus", TYPE="Battery", CAPACITY="5")
    (tmp_path / "stylus/device").mkdir()
    (tmp_path / "stylus/device/subsystem").symlink_to("../../../../bus/hid")
    supply(tmp_path, "sbs-5-000b", TYPE="Battery", SCOPE="System", CAPACITY="81")
    assert [one.name for one in read_batteries(str(tmp_path))] == ["sbs-5-000b"]


@pytest.mark.parametrize(
    ("others", "kept"),
    [
        ({"bms": {"CAPACITY": "49"}, "main": {"STATUS": "Charging"}}, ["battery"]),
        ({"maxfg": {"CAPACITY": "50"}, "sec-fuelgauge": {"CAPACITY": "50"}}, ["battery"]),
        ({"bq24190-battery": {"STATUS": "Charging", "HEALTH": "Good"}}, ["battery"]),
        ({"keyboard-battery": {"CAPACITY": "12"}}, ["battery", "keyboard-battery"]),
        ({"main-battery": {"CAPACITY": "12"}}, ["battery", "main-battery"]),
    ],
)
def test_one_battery_is_told_once(tmp_path: Path, others: dict[str, dict[str, str]], kept: list[str]) -> None:
    """A phone has a supply for the gauge and the charger beside that of its battery."""
    supply(tmp_path, "battery", TYPE="Battery", STATUS="Charging", CAPACITY="50")
    for name, properties in others.items():
        supply(tmp_path, name, TYPE="Battery", **properties)
    assert [one.name for one in read_batteries(str(tmp_path))] == kept


def test_a_gauge_alone_is_the_battery(tmp_path: Path) -> None:
    """Some boards and tablets have no other."""
    supply(tmp_path, "axp288_fuel_gauge", TYPE="Battery", CAPACITY="50")
    assert [one.name for one in read_batteries(str(tmp_path))] == ["axp288_fuel_gauge"]


def test_a_ups_has_its_own_mains(tmp_path: Path) -> None:
    """The adapter of a laptop says nothing of the power that a UPS has."""
    supply(tmp_path, "AC", TYPE="Mains", ONLINE="1")
    supply(tmp_path, "ups", TYPE="UPS", STATUS="Discharging", CAPACITY="80")
    [ups] = read_batteries(str(tmp_path))
    assert (ups.is_ups, ups.plugged, ups.status) == (True, False, "discharging")


def test_a_battery_that_tells_nothing_has_nothing() -> None:
    """Unknown is None, and not 0."""
    assert battery_of("BAT0", {"STATUS": "Unknown"}, external=None) == BatteryReading(
        "BAT0", None, None, None
    )


def test_a_host_without_supplies_has_no_battery(tmp_path: Path) -> None:
    """A folder that is not there is no error."""
    assert read_batteries(str(tmp_path / "missing")) == []
