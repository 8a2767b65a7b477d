import re
from pathlib import Path
from typing import Any

import pytest

from agent.fake_nvml import COMPUTE, FakeNvml, running
from agent.gpu_tree import add_card
from fleetglass.agent.readings.gpu import nvidia, nvidia_process
from fleetglass.agent.readings.gpu.nvidia import NvidiaReader


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a host with the driver of NVIDIA and two cards."""
    for address in ("0000:01:00.0", "0000:41:00.0"):
        (tmp_path / "proc/driver/nvidia/gpus" / address).mkdir(parents=True)
    return tmp_path


def two_gpus() -> FakeNvml:
    return FakeNvml("00000000:01:00.0", "00000000:41:00.0")


def test_every_gpu_is_read(root: Path) -> None:
    """Each has its PCI address for a key, as the kernel writes it, and values in base units."""
    reader = NvidiaReader(root, load=two_gpus)
    first, second = reader()
    assert (first.key, second.key) == ("0000:01:00.0", "0000:41:00.0")
    assert (first.vendor, first.name, first.state) == ("NVIDIA", "NVIDIA GeForce RTX 3060", "active")
    assert (first.busy, first.memory_used, first.memory_total) == (37, 2**30, 12 * 2**30)
    assert (first.temperature, first.power, first.frequency, first.fan_percent) == (
        61,
        98.765,
        1_777_000_000,
        44,
    )
    assert reader.problem is None


def test_what_a_gpu_does_not_support_is_absent(root: Path) -> None:
    """A GPU without a fan tells all the rest, and NVML is started once."""
    nvml = two_gpus()
    nvml.broken |= {"nvmlDeviceGetFanSpeed", "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetName"}
    reader = NvidiaReader(root, load=lambda: nvml)
    reader()
    first, _ = reader()
    assert (first.fan_percent, first.busy, first.name, first.temperature) == (None, None, None, 61)
    assert nvml.started == 1


def test_a_lost_gpu_is_left_out_and_nvml_started_anew(root: Path) -> None:
    """A GPU that answers nothing is absent, the other stays; NVML is started anew, ever more seldom."""
    nvml, clock = two_gpus(), Clock()
    reader = NvidiaReader(root, clock, load=lambda: nvml)
    nvml.lost = {"00000000:41:00.0"}
    assert [one.key for one in reader()] == ["0000:01:00.0"]
    assert reader.problem == "1 of 2 NVIDIA GPUs do not answer"
    for seconds in (9, 1, 19):
        clock.now += seconds
        assert len(reader()) == 1
    assert nvml.started == 2
    nvml.lost = set()
    assert len(reader()) == 1
    clock.now += 1
    assert len(reader()) == 2
    assert reader.problem is None
    clock.now += 10_000
    nvml.lost = {"00000000:01:00.0"}
    assert [one.key for one in reader()] == ["0000:41:00.0"]
    assert nvml.started == 3


def test_a_library_that_does_not_start_is_tried_again(root: Path) -> None:
    """The reason is told, and after a driver's update is complete the GPUs are there."""
    nvml, clock = two_gpus(), Clock()
    nvml.broken.add("nvmlInit")
    reader = NvidiaReader(root, clock, load=lambda: nvml)
    assert reader() == []
    assert reader.problem == "NVML: Driver/library version mismatch"
    nvml.broken.discard("nvmlInit")
    assert reader() == []
    clock.now += 10
    assert len(reader()) == 2


def test_a_driver_without_the_library_is_told(root: Path) -> None:
    """Where a GPU could be read but for the extra, its name is told."""

    def missing() -> Any:
        raise ModuleNotFoundError("No module named 'pynvml'")

    reader = NvidiaReader(root, load=missing)
    assert reader() == []
    assert reader.problem is not None
    assert "pip install nvidia-ml-py" in reader.problem


def test_a_host_without_the_driver_never_loads_the_library(tmp_path: Path) -> None:
    """Nothing is loaded, and nothing told."""

    def unexpected() -> Any:
        raise AssertionError

    reader = NvidiaReader(tmp_path, load=unexpected)
    assert (reader(), reader.problem) == ([], None)


def test_gpus_that_sleep_are_not_woken(tmp_path: Path) -> None:
    """While all GPUs sleep NVML is not even started; one that falls asleep later is not asked."""
    device = add_card(
        tmp_path,
        "card0",
        "0000:01:00.0",
        {"vendor": "0x10de", "power/runtime_status": "suspended", "power/control": "auto"},
    )
    (tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    nvml, clock = FakeNvml("00000000:01:00.0"), Clock()
    reader = NvidiaReader(tmp_path, clock, load=lambda: nvml)
    (asleep,) = reader()
    assert (asleep.state, asleep.key, asleep.temperature, nvml.started) == (
        "suspended",
        "0000:01:00.0",
        None,
        0,
    )
    (device / "power/runtime_status").write_text("active\n")
    nvml.busy = 0
    assert reader()[0].temperature == 61
    clock.now += 1
    assert (reader()[0].state, reader()[0].temperature) == ("idle", None)
    (device / "power/runtime_status").write_text("suspended\n")
    clock.now += 60
    assert (reader()[0].state, reader()[0].temperature) == ("suspended", None)


def test_users_are_asked_for_of_the_named_gpus_alone(root: Path) -> None:
    """A GPU that is not to be disturbed is not asked; processes that are not taken are left out."""
    nvml = two_gpus()
    nvml.tell(COMPUTE, [running(7, 2**30), running(8, 2**20)])
    reader = NvidiaReader(root, load=lambda: nvml)
    assert reader.users({"0000:41:00.0"}) == {}
    first, second = reader()
    assert (first.number, second.number) == (0, 1)
    users = reader.users({"0000:41:00.0"}, lambda pid: pid != 7)
    assert {key: [one.pid for one in found.processes or ()] for key, found in users.items()} == {
        "0000:41:00.0": [8]
    }
    assert nvml.asked.count(COMPUTE) == 1


def test_the_real_library_has_all_that_is_asked_of_it(root: Path) -> None:
    """Every name used is the library's, and without a driver it gives its reason and no GPU."""
    pynvml = pytest.importorskip("pynvml")
    source = Path(nvidia.__file__).read_text() + Path(nvidia_process.__file__).read_text()
    names = set(re.findall(r"(?:nvml\.|\")((?:nvml|NVML)\w+)(?![\w{])", source))
    assert len(names) > 15
    assert [name for name in names if not hasattr(pynvml, name)] == []
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has a driver")
    reader = NvidiaReader(root)
    assert reader() == []
    assert reader.problem == "NVML: NVML Shared Library Not Found"
