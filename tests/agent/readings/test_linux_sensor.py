import sys
from pathlib import Path

import pytest

from agent.gpu_tree import AMD, add_card

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_sensor import SensorReader


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
    assert reading.temperatures[0] == ("coretemp", "hwmon0", "Package id 0", 45.5, 80.0, 100.0)
    assert reading.temperatures[1] == ("coretemp", "hwmon0", "temp2", 44.0, None, None)
    assert reading.fans == [("coretemp", "hwmon0", "fan1", 1200)]


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


def test_a_host_without_chips_has_its_thermal_zones(tmp_path: Path) -> None:
    """Where no chip is known, the zones of the firmware are read."""
    write(tmp_path / "thermal/thermal_zone0", type="cpu-thermal", temp="51000")
    assert SensorReader(str(tmp_path))().temperatures[0][:4] == (
        "cpu-thermal",
        "thermal_zone0",
        "thermal_zone0",
        51.0,
    )


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
    assert {one.device for one in found.temperatures} == {"0000:0c:00.0", "0000:0d:00.0"}
    assert {one.device for one in found.fans} == {"0000:0c:00.0", "0000:0d:00.0"}
