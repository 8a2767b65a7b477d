import sys
from pathlib import Path

import pytest

from agent.gpu_tree import AMD, INTEL_INTEGRATED, INTEL_XE, add_card
from fleetglass.agent.selection import Selection
from support.programs import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.gpu.linux_gpu import CardReader


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_an_amd_card_is_read(tmp_path: Path) -> None:
    """Use, memory, temperature, power, clock and fan in base units, under the PCI address."""
    add_card(tmp_path, "card0", "0000:0b:00.0", AMD)
    (one,) = CardReader(tmp_path)()
    assert (one.key, one.vendor, one.state) == ("0000:0b:00.0", "AMD", "active")
    assert (one.busy, one.memory_used, one.memory_total) == (4, 1490378752, 8573157376)
    assert (one.temperature, one.power, one.frequency, one.fan_rpm) == (43.0, 17.0, 852_000_000, 912)
    assert (one.energy, one.asleep_seconds, one.fan_percent) == (None, None, None)


def test_a_workstation_is_read() -> None:
    """An AMD card with a display may be read at any time; a fan that stands still turns 0 times."""
    (card,) = CardReader(REPOSITORY / "tests/fixtures/workstation-amd")()
    assert (card.key, card.vendor, card.state) == ("card0", "AMD", "active")
    assert card.name == "Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]"
    assert (card.busy, card.memory_used, card.memory_total) == (7, 2891173888, 25753026560)
    assert (card.temperature, card.power, card.frequency, card.fan_rpm) == (47.0, 38.0, 96_000_000, 0)


def test_intel_cards_are_read(tmp_path: Path) -> None:
    """Both drivers of Intel tell their clock and their time asleep, and a discrete card its energy."""
    add_card(tmp_path, "card0", "0000:00:02.0", INTEL_INTEGRATED)
    add_card(tmp_path, "card1", "0000:03:00.0", INTEL_XE)
    integrated, discrete = CardReader(tmp_path)()
    assert (integrated.key, integrated.frequency, integrated.asleep_seconds) == (
        "0000:00:02.0",
        300_000_000,
        1.0,
    )
    assert (integrated.busy, integrated.memory_total, integrated.temperature) == (None, None, None)
    assert (discrete.frequency, discrete.energy, discrete.temperature) == (2_850_000_000, 5.0, 52.0)
    assert (discrete.asleep_seconds, discrete.fan_rpm) == (1.0, 1200)


def test_a_model_has_the_name_of_the_pci_list(tmp_path: Path) -> None:
    """The list of PCI ids names the model; one that it does not know has no name."""
    add_card(tmp_path, "card0", "0000:0b:00.0", AMD)
    add_card(tmp_path, "card1", "0000:0c:00.0", AMD | {"device": "0xffff"})
    ids = tmp_path / "usr/share/misc/pci.ids"
    ids.parent.mkdir(parents=True)
    ids.write_text(
        "# a comment\n1001  Another\n\t687f  Not this one\n1002  Advanced Micro Devices\n"
        "\t687e  Not this one\n\t687f  Vega 10 XL/XT [Radeon RX Vega 56/64]\n\t\t1002 0b36  RX Vega64\n"
        "1003  Last\n\tffff  Not this one\n"
    )
    assert [one.name for one in CardReader(tmp_path)()] == ["Vega 10 XL/XT [Radeon RX Vega 56/64]", None]


def test_a_card_that_tells_nothing_is_left_out(tmp_path: Path) -> None:
    """The graphics of a virtual machine or of a server's console, and connectors, are no GPU here."""
    add_card(tmp_path, "card0", "0000:00:01.0", {"vendor": "0x1af4"})
    add_card(tmp_path, "card1", "0000:04:00.0", {"vendor": "0x10de"})
    add_card(tmp_path, "card2-DP-1", "0000:05:00.0", AMD)
    assert CardReader(tmp_path)() == []
    assert CardReader(tmp_path / "nowhere")() == []


def test_what_cannot_be_read_is_absent(tmp_path: Path) -> None:
    """Nonsense, and a file that goes away, cost their own value only; a new card is found in a minute."""
    device = add_card(tmp_path, "card0", "0000:0b:00.0", AMD)
    clock = Clock()
    read = CardReader(tmp_path, clock)
    read()
    (device / "gpu_busy_percent").write_text("N/A\n")
    (device / "hwmon/hwmon4/temp1_input").unlink()
    (device / "hwmon/hwmon4/temp2_input").unlink()
    (one,) = read()
    assert (one.busy, one.temperature, one.fan_rpm) == (None, None, 912)
    add_card(tmp_path, "card1", "0000:0c:00.0", AMD)
    assert len(read()) == 1
    clock.now += 60
    assert len(read()) == 2


def test_the_hottest_sensor_that_means_something_is_told(tmp_path: Path) -> None:
    """A card that was just woken says 511 degrees; a fan that is not there, -1 or 65535 turns."""
    for number, (temperatures, fans) in enumerate(
        [
            (("41000", "88000", "511000"), ("-1", "65535")),
            (("511000",), ("-1", "900")),
            (("127000", "52000"), ()),
        ]
    ):
        files = {f"hwmon/hwmon4/temp{n}_input": text for n, text in enumerate(temperatures, 1)}
        files |= {f"hwmon/hwmon4/fan{n}_input": text for n, text in enumerate(fans, 1)}
        add_card(tmp_path, f"card{number}", f"0000:0{number}:00.0", {"vendor": "0x1002"} | files)
    found = [(one.temperature, one.fan_rpm) for one in CardReader(tmp_path)()]
    assert found == [(88.0, None), (None, 900), (52.0, None)]


def test_a_sensor_of_a_card_can_be_left_out(tmp_path: Path) -> None:
    """It is left out by the name that it has in the group `sensor`."""
    add_card(tmp_path, "card0", "0000:0b:00.0", AMD | {"hwmon/hwmon4/temp2_label": "junction"})
    read = CardReader(tmp_path, sensors=Selection(exclude=("amdgpu/junction", "*/fan1")))
    assert [(one.temperature, one.fan_rpm) for one in read()] == [(41.0, None)]


def test_a_gpu_that_sleeps_is_not_woken(tmp_path: Path) -> None:
    """While it is suspended none of its files is read, and none of its values told."""
    device = add_card(tmp_path, "card0", "0000:0b:00.0", AMD | {"power/runtime_status": "suspended"})
    read = CardReader(tmp_path)
    (one,) = read()
    assert (one.state, one.busy, one.temperature, one.memory_total) == ("suspended", None, None, None)
    (device / "power/runtime_status").write_text("active\n")
    assert read()[0].busy == 4


def test_a_gpu_that_idles_may_fall_asleep(tmp_path: Path) -> None:
    """One that may sleep is left alone for 15 s after it was idle; one with a display never is."""
    idle = AMD | {"power/control": "auto", "gpu_busy_percent": "0"}
    add_card(tmp_path, "card0", "0000:0b:00.0", idle)
    add_card(tmp_path, "card1", "0000:0c:00.0", idle | {"drm/card0/card0-DP-1/status": "connected"})
    clock = Clock()
    read = CardReader(tmp_path, clock)
    assert [one.state for one in read()] == ["active", "active"]
    clock.now += 14
    assert [(one.state, one.busy) for one in read()] == [("idle", None), ("active", 0)]
    clock.now += 1
    assert [one.state for one in read()] == ["active", "active"]


def test_an_intel_gpu_is_idle_when_it_sleeps_all_the_time(tmp_path: Path) -> None:
    """Without a busy share, the time asleep tells that it may be left alone."""
    device = add_card(tmp_path, "card1", "0000:03:00.0", INTEL_XE | {"power/control": "auto"})
    clock = Clock()
    read = CardReader(tmp_path, clock)
    for slept, state in ((0, "active"), (500, "active"), (1500, "active"), (1500, "idle")):
        (device / "tile0/gt0/gtidle/idle_residency_ms").write_text(f"{slept}\n")
        assert read()[0].state == state
        clock.now += 1


def test_this_machine_is_read_without_an_error() -> None:
    """Whatever this machine has, reading it raises nothing, and no value is told of what is not there."""
    for one in CardReader(Path("/"))():
        assert one.vendor in {"AMD", "Intel", "NVIDIA"}
    if not Path("/sys/class/drm").exists():
        assert CardReader(Path("/"))() == []
