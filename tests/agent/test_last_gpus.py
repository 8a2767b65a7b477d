from msgspec import UNSET
from msgspec.structs import replace

from fleetglass.agent.last_gpus import LastGpus, without_users
from fleetglass.wire.payloads import Gpu, GpuDevice, GpuProcess

ACTIVE = GpuDevice(
    index=0,
    state="active",
    busy_percent=0.0,
    memory_used_bytes=5,
    memory_total_bytes=9,
    processes=[GpuProcess(pid=7)],
)


def group(**devices: GpuDevice) -> dict[str, Gpu]:
    return {"gpu": Gpu(time=1.0, tick=1, devices=devices)}


def test_a_gpu_that_is_left_alone_keeps_its_last_values() -> None:
    """They are those of when it was read; one that sleeps keeps what does not change."""
    gpus = LastGpus()
    gpus.hear(group(a=ACTIVE))
    gpus.hear(group(a=GpuDevice(index=0, state="idle")))
    assert gpus.told() == {"a": replace(ACTIVE, state="idle")}
    gpus.hear(group(a=GpuDevice(index=0, state="suspended")))
    assert gpus.told() == {"a": GpuDevice(index=0, state="suspended", memory_total_bytes=9)}
    gpus.hear(group(b=ACTIVE))
    assert gpus.told() == {"b": ACTIVE}


def test_a_host_without_a_gpu_tells_none() -> None:
    """Nor does one whose GPUs cannot be read any more."""
    gpus = LastGpus()
    assert gpus.told() is UNSET
    gpus.hear(group(a=ACTIVE))
    gpus.hear({})
    assert gpus.told() is UNSET


def test_other_users_are_news() -> None:
    """The first users are, and others; the same ones with other values, and unknown ones, are not."""
    gpus = LastGpus()
    unknown, other = GpuDevice(state="active"), GpuDevice(state="active", processes=[])
    busier = replace(ACTIVE, busy_percent=80.0)
    heard = [gpus.hear(group(a=one)) for one in (unknown, ACTIVE, busier, unknown, other, other)]
    assert heard == [False, True, False, False, True, False]
    assert not gpus.hear({})


def test_users_are_what_is_left_out_first() -> None:
    """The rest of a GPU stays as it was."""
    (one,) = without_users({"a": ACTIVE}).values()
    assert (one.processes, one.memory_used_bytes) == (UNSET, 5)
