import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_processor import (
        cpuinfo_frequencies,
        physical_cores,
        read_frequency,
    )


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
    assert [*found.cores.items()] == [(number, (number + 1) * 1_000_000) for number in range(12)]
    assert (found.current, found.lowest, found.highest) == (6_500_000, None, None)


def test_a_core_that_is_switched_off_is_not_missing(tmp_path: Path) -> None:
    """A core that is offline has no frequency; the others keep their numbers."""
    root = cores(tmp_path, "1000", None, "3000")
    (tmp_path / "sys/devices/system/cpu/cpu1/online").write_text("0\n")
    assert read_frequency(root) == (2_000_000, {0: 1_000_000, 2: 3_000_000}, None, None)
    assert read_frequency(root, {0, 2}) == read_frequency(root)


def test_a_core_that_tells_nonsense_has_no_frequency(tmp_path: Path) -> None:
    """The mean is that of the others."""
    found = read_frequency(cores(tmp_path, "1000", "<unknown>", "3000"))
    assert found == (2_000_000, {0: 1_000_000, 2: 3_000_000}, None, None)


def test_a_container_sees_the_folders_of_its_host(tmp_path: Path) -> None:
    """Its cores are numbered anew: only its own /proc/cpuinfo tells of them."""
    root = cores(tmp_path, *["1000"] * 8)
    for number in range(8):
        topology = tmp_path / f"sys/devices/system/cpu/cpu{number}/topology"
        topology.mkdir()
        (topology / "thread_siblings_list").write_text(f"{number // 2}-{number // 2 + 1}\n")
    assert read_frequency(root, {0, 1}) is None
    assert physical_cores(root, {0, 1}) is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "processor\t: 0\ncpu MHz\t\t: 2100.5\nphysical id\t: 0\ncore id\t\t: 4\n\n"
        "processor\t: 1\ncpu MHz\t\t: 1900.5\nphysical id\t: 0\ncore id\t\t: 4\n\n"
    )
    assert read_frequency(root, {0, 1}) == (2_000_500_000, {0: 2_100_500_000, 1: 1_900_500_000}, None, None)
    assert physical_cores(root, {0, 1}) == 1


def test_there_are_no_more_cores_than_threads(tmp_path: Path) -> None:
    """A /proc/cpuinfo of the host does not make a container's cores more."""
    (tmp_path / "proc").mkdir()
    block = "processor\t: {0}\nphysical id\t: 0\ncore id\t\t: {0}\n"
    (tmp_path / "proc/cpuinfo").write_text("\n".join(map(block.format, range(16))))
    assert physical_cores(str(tmp_path)) == 16
    assert physical_cores(str(tmp_path), {0, 1}) == 2


def test_cores_are_counted_only_where_each_tells_its_siblings(tmp_path: Path) -> None:
    """A file that is missing or nonsense is no reason to count fewer."""
    root = cores(tmp_path, "1000", "1000")
    first, second = (tmp_path / f"sys/devices/system/cpu/cpu{number}/topology" for number in range(2))
    first.mkdir()
    (first / "thread_siblings_list").write_text("0\n")
    assert physical_cores(root) is None
    second.mkdir()
    (second / "thread_siblings_list").write_text("nan\n")
    assert physical_cores(root) is None
    (second / "thread_siblings_list").write_text("1\n")
    assert physical_cores(root) == 2


CPUINFO = {
    "x86": "processor\t: {0}\nvendor_id\t: GenuineIntel\ncpu MHz\t\t: 2{0}00.000\nbogomips\t: 4600.00\n\n",
    "twice": "processor\t: {0}\ncpu MHz\t\t: 800.000\ncpu MHz\t\t: 2{0}00.000\n\n",
    "s390": "cpu number      : {0}\ncpu MHz dynamic : 2{0}00\ncpu MHz static  : 5500\n\n",
    "POWER": "processor\t: {0}\ncpu\t\t: POWER9\nclock\t\t: 2{0}00.000000MHz\nrevision\t: 2.2\n\n",
    "LoongArch": "processor\t\t: {0}\nCPU MHz\t\t\t: 2{0}00.00\nBogoMIPS\t\t: 5000.00\n\n",
}


@pytest.mark.parametrize("text", CPUINFO.values(), ids=CPUINFO)
def test_each_core_has_one_frequency(text: str) -> None:
    """Kernels name it differently, and some tell two."""
    assert cpuinfo_frequencies("".join(map(text.format, range(2)))) == {0: 2_000_000_000, 1: 2_100_000_000}


def test_bogomips_are_no_frequency() -> None:
    """Boards with ARM tell nothing else."""
    assert cpuinfo_frequencies("processor\t: 0\nBogoMIPS\t: 108.00\nCPU part\t: 0xd08\n") == {}


def test_a_host_without_frequencies_has_none(tmp_path: Path) -> None:
    """Neither cpufreq nor cpuinfo: nothing is told, and no core counted."""
    assert read_frequency(str(tmp_path)) is None
    assert physical_cores(str(tmp_path)) is None
