import os
import sys
from pathlib import Path

import pytest

from agent.gpu_tree import AMD, add_card
from fleetglass.agent.readings.types import SensorReading
from fleetglass.agent.selection import Selection

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_sensor import SensorReader, parts_of_a_degree


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text + "\n")


def test_temperatures_and_fans_are_read(tmp_path: Path) -> None:
    """Thousandths of degrees become degrees; a sensor without a label is named as its file."""
    write(
        tmp_path / "hwmon/hwmon0",
        name="coretemp",
        temp1_input="45500",
        temp1_label="Package id 0",
        temp1_max="80000",
        temp1_crit="100000",
        temp2_input="44000",
        fan1_input="1200",
    )
    reading = SensorReader(str(tmp_path))()
    assert reading.temperatures[0] == (
        "coretemp/Package id 0",
        "coretemp",
        "Package id 0",
        45.5,
        80.0,
        100.0,
        False,
    )
    assert reading.temperatures[1] == ("coretemp/temp2", "coretemp", "temp2", 44.0, None, None, False)
    assert reading.fans == [("coretemp/fan1", "coretemp", "fan1", 1200, False)]


def test_a_sensor_that_vanishes_is_left_out(tmp_path: Path) -> None:
    """A chip that is unplugged after it was found is no error."""
    write(tmp_path / "hwmon/hwmon0", name="usb", temp1_input="45500")
    read = SensorReader(str(tmp_path))
    assert len(read().temperatures) == 1
    (tmp_path / "hwmon/hwmon0/temp1_input").unlink()
    assert read().temperatures == []


def test_a_sensor_that_appears_is_found_within_a_minute(tmp_path: Path) -> None:
    """Sensors are looked for again after 60 s."""
    now = [0.0]
    read = SensorReader(str(tmp_path), lambda: now[0])
    assert read().temperatures == []
    write(tmp_path / "hwmon/hwmon0", name="usb", temp1_input="45500")
    assert read().temperatures == []
    now[0] = 60.0
    assert len(read().temperatures) == 1


def chip(root: Path, folder: str, device: Path, **texts: str) -> None:
    """Add a chip of hwmon that belongs to a device."""
    write(device / "hwmon" / folder, **texts)
    (device / "hwmon" / folder / "device").symlink_to("../..")
    (root / "hwmon").mkdir(parents=True, exist_ok=True)
    (root / "hwmon" / folder).symlink_to(device / "hwmon" / folder)


def degrees(reading: SensorReading) -> dict[str, float]:
    return {one.name: one.current for one in reading.temperatures}


def test_zones_are_read_beside_chips(tmp_path: Path) -> None:
    """What only a thermal zone tells is told, with its limits, though a chip is there too."""
    write(tmp_path / "hwmon/hwmon0", name="nvme", temp1_input="38000", temp1_label="Composite")
    write(
        tmp_path / "thermal/thermal_zone0",
        type="cpu-thermal",
        temp="51000",
        trip_point_0_type="passive",
        trip_point_0_temp="60000",
        trip_point_1_type="critical",
        trip_point_1_temp="95000",
        trip_point_2_type="hot",
        trip_point_2_temp="90000",
    )
    write(tmp_path / "thermal/thermal_zone1", type="modem-thermal", temp="-274000")
    write(tmp_path / "thermal/cooling_device0", type="fan")
    composite, zone, _ = SensorReader(str(tmp_path))().temperatures
    assert composite[:4] == ("nvme/Composite", "nvme", "Composite", 38.0)
    assert zone[:6] == ("cpu-thermal/thermal_zone0", "cpu-thermal", "thermal_zone0", 51.0, 90.0, 95.0)


def test_a_zone_that_a_chip_tells_is_told_once(tmp_path: Path) -> None:
    """The kernel makes one chip of all zones of a type; zones of another type, and of too many, are left."""
    zones = tmp_path / "devices/virtual/thermal"
    for number, kind in enumerate(("acpitz", "acpitz", "pch-cannonlake", "iwlwifi_1", "x86_pkg_temp")):
        write(zones / f"thermal_zone{number}", type=kind, temp=f"{30 + number}000")
        (tmp_path / "thermal").mkdir(exist_ok=True)
        (tmp_path / f"thermal/thermal_zone{number}").symlink_to(zones / f"thermal_zone{number}")
    chip(tmp_path, "hwmon0", zones / "thermal_zone0", name="acpitz", temp1_input="30000", temp2_input="31000")
    chip(tmp_path, "hwmon1", zones / "thermal_zone2", name="pch_cannonlake", temp1_input="32000")
    chip(tmp_path, "hwmon2", tmp_path / "devices/coretemp.0", name="coretemp", temp1_input="70000")
    assert degrees(SensorReader(str(tmp_path))()) == {
        "acpitz/temp1": 30.0,
        "acpitz/temp2": 31.0,
        "pch_cannonlake/temp1": 32.0,
        "coretemp/temp1": 70.0,
        "iwlwifi_1/thermal_zone3": 33.0,
    }


def test_an_older_kernel_has_no_link_from_the_chip_to_its_zone(tmp_path: Path) -> None:
    """There the name alone tells it; a device of that name that has a link is another sensor."""
    write(tmp_path / "hwmon/hwmon0", name="soc_thermal", temp1_input="40000")
    chip(tmp_path, "hwmon1", tmp_path / "devices/0-0048", name="board", temp1_input="41000")
    for number, kind in enumerate(("soc-thermal", "soc-thermal", "board")):
        write(tmp_path / f"thermal/thermal_zone{number}", type=kind, temp=f"5{number}000")
    assert degrees(SensorReader(str(tmp_path))()) == {
        "soc_thermal/temp1": 40.0,
        "board-0-0048/temp1": 41.0,
        "soc-thermal/thermal_zone1": 51.0,
        "board-thermal_zone2/thermal_zone2": 52.0,
    }


def test_a_battery_with_a_chip_and_a_zone_is_told_once(tmp_path: Path) -> None:
    """Both have the name of the supply, with `_` for `-` in that of the chip."""
    for number, supply in enumerate(("bq27z561-0", "sbs-9-000b")):
        device = tmp_path / "devices/power_supply" / supply
        chip(tmp_path, f"hwmon{number}", device, name=supply.replace("-", "_"), temp1_input=f"3{number}000")
        write(tmp_path / f"thermal/thermal_zone{number}", type=supply, temp=f"3{number}000")
    assert degrees(SensorReader(str(tmp_path))()) == {"bq27z561_0/temp1": 30.0, "sbs_9_000b/temp1": 31.0}


def test_the_device_tree_says_which_zone_a_chip_tells(tmp_path: Path) -> None:
    """A zone names its sensor by the handle of the device, and a number where that has several."""
    root = tmp_path / "class"
    device = tmp_path / "devices/0-004c"
    chip(root, "hwmon0", device, name="tmp422", temp1_input="40000", temp2_input="41000", fan3_input="900")
    (device / "of_node").mkdir()
    (device / "of_node/phandle").write_bytes(b"\0\0\1\x0a")
    zones = {
        "board": b"\0\0\1\x0a",
        "processor": b"\0\0\1\x0a\0\0\0\1",
        "outlet": b"\0\0\1\x0a\0\0\0\2",  # not told by the chip
        "soc": b"\0\0\0\x0a",
        "broken": b"\0\0",
    }
    for number, (kind, sensor) in enumerate(zones.items()):
        write(root / f"thermal/thermal_zone{number}", type=kind, temp=f"5{number}000")
        node = tmp_path / "firmware/devicetree/base/thermal-zones" / kind
        node.mkdir(parents=True)
        (node / "thermal-sensors").write_bytes(sensor)
    assert degrees(SensorReader(str(root))()) == {
        "tmp422/temp1": 40.0,
        "tmp422/temp2": 41.0,
        "outlet/thermal_zone2": 52.0,
        "soc/thermal_zone3": 53.0,
        "broken/thermal_zone4": 54.0,
    }


def test_a_zone_that_is_no_temperature_is_left_out(tmp_path: Path) -> None:
    """Qualcomm has zones of current, voltage and charge; one of Intel says 20 degrees for ever."""
    kinds = ("INT3400 Thermal", "pm8150b-ibat-lvl0", "vbat", "soc", "cpu-0-0-usr", "soc-thermal")
    for number, kind in enumerate(kinds):
        write(tmp_path / f"thermal/thermal_zone{number}", type=kind, temp="4100" + "0" * (number > 3))
    assert list(degrees(SensorReader(str(tmp_path))())) == [
        "cpu-0-0-usr/thermal_zone4",
        "soc-thermal/thermal_zone5",
    ]


def test_a_zone_that_always_says_the_same_is_left_out(tmp_path: Path) -> None:
    """The one of NVIDIA's boards says 100 degrees; a zone `soc` beside it is a sensor."""
    for number, (kind, temp) in enumerate((("GPU-therm", "41000"), ("PMIC-Die", "100000"), ("soc", "39000"))):
        write(tmp_path / f"thermal/thermal_zone{number}", type=kind, temp=temp)
    assert degrees(SensorReader(str(tmp_path))()) == {
        "GPU-therm/thermal_zone0": 41.0,
        "soc/thermal_zone2": 39.0,
    }


def test_a_faulty_sensor_is_left_out_while_it_is(tmp_path: Path) -> None:
    """A fault, or a sensor that is switched off, is known within 10 s, and so is its end."""
    now = [0.0]
    hwmon = tmp_path / "hwmon/hwmon0"
    write(hwmon, name="tmp421", temp1_input="30000", temp1_fault="0", temp2_input="127000", temp2_fault="1")
    write(hwmon, temp3_input="31000", temp3_enable="0", fan1_input="0", fan1_fault="1", fan2_input="900")
    write(hwmon, fan2_fault="0", fan3_input="800", fan3_enable="0")
    read = SensorReader(str(tmp_path), lambda: now[0])
    assert (list(degrees(read())), [one.name for one in read().fans]) == (["tmp421/temp1"], ["tmp421/fan2"])
    write(hwmon, temp1_fault="1", temp2_fault="0", temp2_input="32000", temp3_enable="1", fan1_fault="0")
    now[0] = 10.0
    assert degrees(read()) == {"tmp421/temp2": 32.0, "tmp421/temp3": 31.0}
    assert [one.name for one in read().fans] == ["tmp421/fan1", "tmp421/fan2"]


def test_an_amd_gpu_means_something_else_by_enable(tmp_path: Path) -> None:
    """Its fan turns by itself while `fan1_enable` is 0."""
    write(tmp_path / "hwmon/hwmon0", name="amdgpu", fan1_input="1200", fan1_enable="0", fan1_label="fan")
    assert [one.speed for one in SensorReader(str(tmp_path))().fans] == [1200]


def test_an_alarm_is_told(tmp_path: Path) -> None:
    """Any alarm of a sensor counts: of its own, of a limit, of a fan that is too slow."""
    write(tmp_path / "hwmon/hwmon0", name="a", temp1_input="99000", temp1_crit_alarm="1", temp1_max_alarm="0")
    write(tmp_path / "hwmon/hwmon1", name="b", temp1_input="40000", temp1_alarm="0", temp10_alarm="1")
    write(tmp_path / "hwmon/hwmon2", name="c", fan1_input="100", fan1_min_alarm="1", fan2_input="900")
    reading = SensorReader(str(tmp_path))()
    assert [(one.name, one.alarm) for one in reading.temperatures] == [("a/temp1", True), ("b/temp1", False)]
    assert [(one.name, one.alarm) for one in reading.fans] == [("c/fan1", True), ("c/fan2", False)]


def test_two_disks_keep_their_names_when_one_is_gone(tmp_path: Path) -> None:
    """A name does not change for a disk that is pulled, nor for one that does not answer."""
    now = [0.0]
    for number in (0, 1):
        chip(tmp_path, f"hwmon{number}", tmp_path / f"devices/nvme{number}", name="nvme", temp1_input="40000")
    read = SensorReader(str(tmp_path), lambda: now[0])
    assert list(degrees(read())) == ["nvme-nvme0/temp1", "nvme-nvme1/temp1"]
    (tmp_path / "devices/nvme0/hwmon/hwmon0/temp1_input").unlink()
    assert list(degrees(read())) == ["nvme-nvme1/temp1"]
    (tmp_path / "hwmon/hwmon0").unlink()
    now[0] = 60.0
    assert list(degrees(read())) == ["nvme-nvme1/temp1"]


def test_what_is_left_out_is_not_opened(tmp_path: Path) -> None:
    """A sensor is left out by its name, with or without the device in it; its file is never read."""
    for number in (0, 1):
        chip(tmp_path, f"hwmon{number}", tmp_path / f"devices/nvme{number}", name="nvme", temp1_input="40000")
    write(tmp_path / "hwmon/hwmon2", name="drivetemp", temp2_input="30000", fan1_input="900")
    os.mkfifo(tmp_path / "hwmon/hwmon2/temp1_input")  # to open it would hang
    os.mkfifo(tmp_path / "hwmon/hwmon2/temp1_fault")
    write(tmp_path / "thermal/thermal_zone0", type="cpu", trip_point_0_type="hot")
    os.mkfifo(tmp_path / "thermal/thermal_zone0/temp")
    os.mkfifo(tmp_path / "thermal/thermal_zone0/trip_point_0_temp")
    selected = Selection(exclude=("drivetemp/temp1", "nvme-nvme1/*", "cpu/*"))
    reading = SensorReader(str(tmp_path), selected=selected)()
    assert list(degrees(reading)) == ["nvme-nvme0/temp1", "drivetemp/temp2"]
    assert len(reading.fans) == 1
    only = SensorReader(str(tmp_path), selected=Selection(include=("nvme/*",)))()
    assert list(degrees(only)) == ["nvme-nvme0/temp1", "nvme-nvme1/temp1"]
    assert only.fans == []


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        ([45], 1),  # a maker's kernel
        ([38, 41, 120, 0], 1),
        ([45, 90, 255], 1),  # and a limit that is not set
        ([452, 1050], 10),
        ([-128, 31], 1),
        ([45000, 90], 1000),
        ([0, None], 1000),
        ([150, 80000], 1000),  # an outdoor sensor at the freezing point
        ([431], 1000),  # in a refrigerator
        ([5], 1000),
        ([], 1000),
    ],
)
def test_the_parts_of_a_degree(told: list[int | None], parts: int) -> None:
    """Whole degrees and tenths are known by everything that a chip tells."""
    assert parts_of_a_degree(told) == parts


def test_a_kernel_that_tells_whole_degrees(tmp_path: Path) -> None:
    """Each kind of zone, and each chip, has its own unit; one that was seen not to be whole stays so."""
    now = [0.0]
    for number, (kind, text) in enumerate(
        [("tsens_tz_sensor0", "45"), ("tsens_tz_sensor1", "61"), ("battery", "31000")]
    ):
        write(tmp_path / f"thermal/thermal_zone{number}", type=kind, temp=text)
    write(tmp_path / "hwmon/hwmon0", name="vendor", temp1_input="52", temp1_crit="100")
    read = SensorReader(str(tmp_path), lambda: now[0])
    expected = {
        "vendor/temp1": 52.0,
        "tsens_tz_sensor0/thermal_zone0": 45.0,
        "tsens_tz_sensor1/thermal_zone1": 61.0,
        "battery/thermal_zone2": 31.0,
    }
    assert degrees(read()) == expected
    assert read().temperatures[0].critical == 100.0
    write(tmp_path / "thermal/thermal_zone2", temp="150")
    now[0] = 60.0
    assert degrees(read()) == expected | {"battery/thermal_zone2": 0.15}


def test_a_refrigerator_does_not_become_an_oven(tmp_path: Path) -> None:
    """A probe that was once seen at half a degree tells thousandths, also when it says 125."""
    now = [0.0]
    write(tmp_path / "hwmon/hwmon0", name="probe", temp1_input="562")
    read = SensorReader(str(tmp_path), lambda: now[0])
    assert degrees(read()) == {"probe/temp1": 0.562}
    write(tmp_path / "hwmon/hwmon0", temp1_input="125")
    now[0] = 60.0
    assert degrees(read()) == {"probe/temp1": 0.125}


@pytest.mark.parametrize("name", ["w1_slave_temp", "sht21", "ds620", "max31722"])
def test_a_thermometer_outdoors_may_start_at_the_freezing_point(tmp_path: Path, name: str) -> None:
    """It has no limits that would tell its unit, but a driver of the kernel's own."""
    write(tmp_path / "hwmon/hwmon0", name=name, temp1_input="62")
    assert degrees(SensorReader(str(tmp_path))()) == {f"{name}/temp1": 0.062}


def test_a_gpu_that_may_sleep_is_left_alone(tmp_path: Path) -> None:
    """Each reading would keep it awake, so its sensors are not read here; those of one with a display are."""
    sensors = AMD | {"power/control": "auto"}
    for card, address, files in (
        ("card0", "0000:0b:00.0", sensors),
        ("card1", "0000:0c:00.0", sensors | {"drm/card0/card0-DP-1/status": "connected"}),
        ("card2", "0000:0d:00.0", AMD),
    ):
        device = add_card(tmp_path, card, address, files)
        (tmp_path / "sys/class/hwmon").mkdir(exist_ok=True)
        chip = tmp_path / "sys/class/hwmon" / f"hwmon{card[-1]}"
        chip.symlink_to(device / "hwmon/hwmon4")
        (device / "hwmon/hwmon4/device").symlink_to("../../")
    found = SensorReader(str(tmp_path / "sys/class"))()
    names = {"amdgpu-0000:0c:00.0", "amdgpu-0000:0d:00.0"}
    assert {one.name.partition("/")[0] for one in found.temperatures} == names
    assert {one.name.partition("/")[0] for one in found.fans} == names
