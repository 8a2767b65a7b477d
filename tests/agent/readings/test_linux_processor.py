import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_processor import physical_cores, read_frequency


def cores(root: Path, *kilohertz: str | None) -> str:
    for number, frequency in enumerate(kilohertz):
        folder = root / f"sys/devices/system/cpu/cpu{number}/cpufreq"
        folder.mkdir(parents=True)
        if frequency is not None:
            (folder / "scaling_cur_freq").write_text(frequency + "\n")
    (root / "sys/devices/system/cpu/cpuidle").mkdir()
    return str(root)


def test_cores_are_told_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Core 10 comes after core 9, and the mean is of all."""
    found = read_frequency(cores(tmp_path, *(f"{number}000" for number in range(1, 13))))
    assert found is not None
    assert found.cores == tuple(number * 1_000_000 for number in range(1, 13))
    assert (found.current, found.lowest, found.highest) == (6_500_000, None, None)


def test_a_core_that_is_switched_off_is_not_missing(tmp_path: Path) -> None:
    """A core that is offline has no frequency, and no place in the list either."""
    root = cores(tmp_path, "1000", None, "3000")
    (tmp_path / "sys/devices/system/cpu/cpu1/online").write_text("0\n")
    assert read_frequency(root) == (2_000_000, (1_000_000, 3_000_000), None, None)


def test_a_list_with_a_gap_is_no_list(tmp_path: Path) -> None:
    """When one core does not tell its frequency, or nonsense, only the mean of the others is told."""
    assert read_frequency(cores(tmp_path, "1000", "<unknown>", "3000")) == (2_000_000, (), None, None)


def test_a_host_without_frequencies_has_none(tmp_path: Path) -> None:
    """Neither cpufreq nor cpuinfo: nothing is told, and no core counted."""
    assert read_frequency(str(tmp_path)) is None
    assert physical_cores(str(tmp_path)) is None
