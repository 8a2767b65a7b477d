import time
from types import SimpleNamespace

import pytest

from agent.fake_nvml import COMPUTE, GRAPHICS, MIG_MODE, MPS, UTILIZATION, FakeNvml, running, sample
from fleetglass.agent.readings.gpu.nvidia_process import read_nvidia_users
from fleetglass.agent.readings.types import GpuInstanceReading, GpuProcessReading

GPU = "00000000:01:00.0"
GIB = 2**30


@pytest.fixture
def nvml() -> FakeNvml:
    """Give a library with one GPU."""
    return FakeNvml(GPU)


def test_a_process_in_several_lists_is_one(nvml: FakeNvml) -> None:
    """Computing, drawing and MPS are one process with its memory once; two processes are two."""
    nvml.tell(COMPUTE, [running(10, 4 * GIB), running(11, GIB)])
    nvml.tell(GRAPHICS, [running(10, 4 * GIB), running(12, None)])
    nvml.tell(MPS, [running(13, 2 * GIB)])
    users = read_nvidia_users(nvml, GPU)
    assert users.processes is not None
    assert {one.pid: one.memory for one in users.processes} == {
        10: 4 * GIB,
        11: GIB,
        12: None,
        13: 2 * GIB,
    }


def test_memory_that_is_not_told_is_absent(nvml: FakeNvml) -> None:
    """Windows has None, and an old library the number that stands for it."""
    nvml.tell(COMPUTE, [running(10, None), running(11, 2**64 - 1), running(12, 0)])
    assert read_nvidia_users(nvml, GPU).processes == [
        GpuProcessReading(10),
        GpuProcessReading(11),
        GpuProcessReading(12, 0),
    ]


def test_drivers_before_510_have_another_function(nvml: FakeNvml) -> None:
    """The list is that of the older function where the driver lacks the newer one."""
    nvml.broken |= {COMPUTE, GRAPHICS}
    assert read_nvidia_users(nvml, GPU).processes is None
    nvml.tell(f"{COMPUTE}_v2", [running(10, GIB)])
    assert read_nvidia_users(nvml, GPU).processes == [GpuProcessReading(10, GIB)]


def test_a_library_without_a_function_tells_the_rest() -> None:
    """Neither the functions for MIG nor those for work need be there."""

    class Old:
        NVMLError = FakeNvml.NVMLError

        @staticmethod
        def nvmlDeviceGetComputeRunningProcesses(_handle: str) -> list[SimpleNamespace]:  # noqa: N802
            """Return one process."""
            return [running(10, GIB)]

    assert read_nvidia_users(Old, GPU).processes == [GpuProcessReading(10, GIB)]


def test_work_is_that_of_the_newest_sample(nvml: FakeNvml) -> None:
    """It is that of the engine used most. Without a sample it is none; one never filled in is no sample."""
    now = int(time.time() * 1e6)
    nvml.tell(COMPUTE, [running(pid, GIB) for pid in (10, 11, 12)])
    nvml.tell(
        UTILIZATION,
        [
            sample(10, 40, now - 9),
            sample(10, 90, now),
            sample(11, 3, now, encoder=70),
            sample(0, 4_000_000, 0),
        ],
    )
    users = read_nvidia_users(nvml, GPU)
    assert users.processes is not None
    assert {one.pid: one.busy for one in users.processes} == {10: 90.0, 11: 70.0, 12: 0.0}


@pytest.mark.parametrize(("code", "busy"), [(6, 0.0), (0, 0.0), (3, None), (4, None)])
def test_no_samples_are_no_work_and_no_answer_is_unknown(
    nvml: FakeNvml, code: int, busy: float | None
) -> None:
    """Only where NVML has nothing to tell of the last seconds is a process known to have done nothing."""
    nvml.tell(COMPUTE, [running(10, GIB)])
    nvml.tell(UTILIZATION, FakeNvml.NVMLError("Not Found", code))
    assert read_nvidia_users(nvml, GPU).processes == [GpuProcessReading(10, GIB, busy)]


def test_mig_instances_have_their_own_processes(nvml: FakeNvml) -> None:
    """Each part has its profile, memory and processes; numbers without a part are passed over."""
    nvml.tell(MIG_MODE, [1, 1])
    nvml.tell("nvmlDeviceGetMaxMigDeviceCount", 4)
    nvml.tell("nvmlDeviceGetMigDeviceHandleByIndex", ["mig-a", None, "mig-b", None])
    for part, number, profile, used in (("mig-a", 1, "3g.20gb", 18 * GIB), ("mig-b", 7, "1g.5gb", 0)):
        nvml.tell("nvmlDeviceGetGpuInstanceId", number, part)
        nvml.tell("nvmlDeviceGetComputeInstanceId", 0, part)
        nvml.tell("nvmlDeviceGetName", f"NVIDIA A100-SXM4-40GB MIG {profile}".encode(), part)
        nvml.tell("nvmlDeviceGetMemoryInfo", SimpleNamespace(used=used, total=20 * GIB), part)
    nvml.tell(COMPUTE, [running(10, 17 * GIB)], "mig-a")
    users = read_nvidia_users(nvml, GPU)
    assert users.instances == {
        "1/0": GpuInstanceReading("3g.20gb", 18 * GIB, 20 * GIB),
        "7/0": GpuInstanceReading("1g.5gb", 0, 20 * GIB),
    }
    assert users.processes == [GpuProcessReading(10, 17 * GIB, instance="1/0")]


def test_instances_that_are_not_told_leave_their_processes_unknown(nvml: FakeNvml) -> None:
    """That nobody uses a partitioned GPU is said only by one who was told of its instances."""
    nvml.tell(MIG_MODE, [1, 1])
    nvml.broken.add("nvmlDeviceGetMaxMigDeviceCount")
    assert read_nvidia_users(nvml, GPU).processes is None
