import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from agent.fake_nvml import COMPUTE, UTILIZATION, FakeNvml, running, sample
from agent.gpu_tree import AMD, INTEL_INTEGRATED, add_card, add_process, fdinfo
from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.gpu import GpuCollector, gpu_use
from fleetglass.agent.readings.gpu.gpu_reader import GpuReader
from fleetglass.agent.readings.types import GpuReading
from fleetglass.agent.selection import EVERYTHING, Selection, Selections
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Gpu, GpuDevice, GpuProcess
from support.waiting import wait_for

BEFORE = GpuReading(10.0, "0000:03:00.0", "Intel", energy=100.0, asleep_seconds=5.0)


def test_a_host_with_two_makers_of_gpus(tmp_path: Path) -> None:
    """Each GPU is told under its PCI address with what it gives, and without what it does not."""
    add_card(tmp_path, "card0", "0000:00:02.0", INTEL_INTEGRATED)
    add_card(tmp_path, "card1", "0000:0b:00.0", AMD)
    message = GpuCollector.of(GpuReader(tmp_path)).collect(1.0, 1)
    assert isinstance(message, Gpu)
    assert list(message.devices) == ["0000:00:02.0", "0000:0b:00.0"]
    amd = message.devices["0000:0b:00.0"]
    assert (amd.vendor, amd.busy_percent, amd.memory_percent) == ("AMD", 4.0, 17.4)
    assert (amd.temperature_celsius, amd.power_watts, amd.clock_hertz) == (43.0, 17.0, 852_000_000)
    intel = message.devices["0000:00:02.0"]
    assert (intel.busy_percent, intel.memory_percent, intel.power_watts) == (UNSET, UNSET, UNSET)


def test_power_and_time_awake_follow_from_counters() -> None:
    """Joules become watts and time asleep its opposite; a counter that went backwards gives nothing."""
    use = gpu_use(BEFORE, BEFORE._replace(at=12.0, energy=130.0, asleep_seconds=6.5))
    assert (use.power_watts, use.awake_percent) == (15.0, 25.0)
    reset = gpu_use(BEFORE, BEFORE._replace(at=12.0, energy=1.0, asleep_seconds=0.0))
    assert (reset.power_watts, reset.awake_percent) == (UNSET, UNSET)
    first = gpu_use(None, BEFORE)
    assert (first.power_watts, first.awake_percent) == (UNSET, UNSET)


def test_nonsense_is_left_out() -> None:
    """Whatever reads a GPU, a temperature or a speed that cannot be is absent."""
    use = gpu_use(None, GpuReading(1.0, "a", "NVIDIA", temperature=255.0, fan_rpm=65535))
    assert (use.temperature_celsius, use.fan_rpm) == (UNSET, UNSET)


def test_counters_are_kept_over_a_rest() -> None:
    """After a while in which a GPU was left alone, its rates are of the whole while."""
    readings = [
        BEFORE,
        GpuReading(11.0, BEFORE.key, "Intel", "idle"),
        BEFORE._replace(at=20.0, energy=200.0, asleep_seconds=14.0),
    ]
    collector = GpuCollector(lambda: [readings.pop(0)], lambda: None)
    messages = [collector.collect(1.0, tick) for tick in (1, 2, 3)]
    assert isinstance(messages[1], Gpu)
    assert messages[1].devices[BEFORE.key].power_watts is UNSET
    assert messages[1].devices[BEFORE.key].state == "idle"
    assert isinstance(messages[2], Gpu)
    assert messages[2].devices[BEFORE.key].power_watts == 10.0


def test_why_a_gpu_cannot_be_read_is_told() -> None:
    """It is the group's failure where there is no other GPU, and is told beside the others where there is."""
    found: list[GpuReading] = []
    collector = GpuCollector(lambda: found, lambda: "NVML: no driver")
    with pytest.raises(CollectionError, match="NVML: no driver"):
        collector.collect(1.0, 1)
    found.append(BEFORE)
    partial = collector.collect(1.0, 2)
    assert isinstance(partial, Partial)
    assert partial.reason == "NVML: no driver"
    assert isinstance(partial.message, Gpu)
    assert list(partial.message.devices) == [BEFORE.key]


def test_a_host_without_a_gpu_has_no_message(tmp_path: Path) -> None:
    """There is no group, and no failure."""
    assert GpuCollector.of(GpuReader(tmp_path)).collect(1.0, 1) is None


def collector_of(root: Path, users: Selection = EVERYTHING) -> GpuCollector:
    """Return the collector that an agent has."""
    settings = AgentSettings(
        broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)),
        host_id="gpu-1",
        root=str(root),
        selections=Selections(users=users),
    )
    return next(one for one in default_collectors(settings) if isinstance(one, GpuCollector))


def with_users(collector: GpuCollector, key: str) -> GpuDevice:
    """Return a GPU at the first turn at which its users are known."""

    def device() -> GpuDevice | None:
        message = collector.collect(1.0, 1)
        gpu = message.message if isinstance(message, Partial) else message
        assert isinstance(gpu, Gpu)
        return gpu.devices[key] if gpu.devices[key].processes is not UNSET else None

    found = wait_for(device, "the users")
    assert found is not None
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_who_uses_an_amd_gpu(tmp_path: Path) -> None:
    """Users come at a later turn, those with most memory first, with their owner and container."""
    add_card(tmp_path, "card0", "0000:0b:00.0", AMD)
    add_process(tmp_path, 1, "systemd", uid=0)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n")
    for pid, name, size in ((50, "python3", "3 GiB"), (51, "Xorg", "90 MiB"), (52, "ollama", "7 GiB")):
        text = fdinfo("amdgpu", "0000:0b:00.0", pid, memory_vram=size)
        cgroup = f"0::/system.slice/docker-{'ab' * 32}.scope" if pid == 52 else "0::/user.slice"
        files = {5: ("/dev/dri/renderD128", text)}
        add_process(tmp_path, pid, name, uid=0 if pid == 51 else 1000, cgroup=cgroup, files=files)
    device = with_users(collector_of(tmp_path), "0000:0b:00.0")
    assert (device.index, device.process_count) == (0, 3)
    assert device.processes == [
        GpuProcess(pid=52, name="ollama", user="anna", memory_bytes=7 * 2**30, container="abababababab"),
        GpuProcess(pid=50, name="python3", user="anna", memory_bytes=3 * 2**30),
        GpuProcess(pid=51, name="Xorg", user="root", memory_bytes=90 * 2**20),
    ]
    others = with_users(collector_of(tmp_path, Selection(exclude=("anna",))), "0000:0b:00.0")
    assert others.processes == [device.processes[2]]


def test_who_uses_an_nvidia_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many processes those with most memory are listed, and all are counted."""
    (tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    nvml = FakeNvml("00000000:01:00.0", "00000000:02:00.0")
    nvml.tell(COMPUTE, [running(pid, pid * 2**20) for pid in range(100, 125)], "00000000:02:00.0")
    nvml.tell(UTILIZATION, [sample(124, 55, 2**60)])
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    collector = collector_of(tmp_path)
    device = with_users(collector, "0000:02:00.0")
    assert isinstance(device.processes, list)
    assert (device.index, device.process_count, len(device.processes)) == (1, 25, 20)
    assert device.processes[0] == GpuProcess(pid=124, memory_bytes=124 * 2**20, busy_percent=55.0)
    assert device.processes[-1].pid == 105
    assert with_users(collector, "0000:01:00.0").processes == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_gpu_that_sleeps_is_not_asked_for_its_users(tmp_path: Path) -> None:
    """While it sleeps no process is looked at, and what was known of its users is not told."""
    device = add_card(tmp_path, "card0", "0000:0b:00.0", AMD)
    asked: list[frozenset[str]] = []

    def read_users(keys: frozenset[str]) -> Gpu:
        asked.append(keys)
        return Gpu(time=0, tick=0, devices={key: GpuDevice(processes=[]) for key in keys})

    reader = GpuReader(tmp_path)
    collector = GpuCollector(reader, lambda: None, read_users)
    assert with_users(collector, "0000:0b:00.0").processes == []
    assert asked == [{"0000:0b:00.0"}]
    (device / "power/runtime_status").write_text("suspended\n")
    message = collector.collect(2.0, 2)
    assert isinstance(message, Gpu)
    assert message.devices["0000:0b:00.0"] == GpuDevice(vendor="AMD", index=0, state="suspended")
    assert asked == [{"0000:0b:00.0"}]


def test_users_are_read_when_a_gpu_that_rests_is_read() -> None:
    """A reading of users that comes due while every GPU is left alone waits until one is read again."""
    readings = [BEFORE, *[BEFORE._replace(state="idle")] * 3, BEFORE]
    asked: list[frozenset[str]] = []

    def read_users(keys: frozenset[str]) -> Gpu:
        asked.append(keys)
        return Gpu(time=0, tick=0, devices={})

    now = 0.0
    collector = GpuCollector(lambda: [readings.pop(0)], lambda: None, read_users, clock=lambda: now)
    for tick in range(5):
        collector.collect(1.0, tick)
        now += 11.0
        wait_for(lambda: not any("gpu-users" in one.name for one in threading.enumerate()), "the reading")
    assert asked == [{BEFORE.key}] * 2


def test_users_that_cannot_be_read_cost_nothing_else() -> None:
    """The GPU is told without them, and the reason beside it; users known before are not told as present."""
    failures: list[bool] = []

    def read_users(keys: frozenset[str]) -> Gpu:
        if failures:
            raise CollectionError("no answer")
        return Gpu(time=0, tick=0, devices={key: GpuDevice(processes=[]) for key in keys})

    collector = GpuCollector(lambda: [BEFORE], lambda: None, read_users)
    assert with_users(collector, BEFORE.key).processes == []
    failures.append(True)
    collector.hasten(0)
    partial: Any = wait_for(
        lambda: isinstance(one := collector.collect(1.0, 1), Partial) and one, "the failure"
    )
    assert partial.reason == "who uses GPUs: no answer"
    assert partial.message.devices[BEFORE.key].processes is UNSET
    assert partial.message.devices[BEFORE.key].vendor == "Intel"
