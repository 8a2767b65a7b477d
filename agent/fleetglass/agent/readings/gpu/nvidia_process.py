"""Which processes use an NVIDIA GPU, and its MIG instances (docs.nvidia.com/deploy/nvml-api)."""

import time
from collections.abc import Iterator
from typing import Any

from fleetglass.agent.readings.types import GpuInstanceReading, GpuProcessReading, GpuUsersReading

_SAMPLE_SECONDS = 10.0  # a process that did nothing for so long is idle
_LISTS = (
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses",
)
_NO_SAMPLES = {0, 6}  # NVML_SUCCESS without any, NVML_ERROR_NOT_FOUND


def read_nvidia_users(nvml: Any, handle: Any) -> GpuUsersReading:
    """Ask NVML who uses one GPU. What it cannot tell is None; drivers differ in what they know."""
    mode = _ask(nvml, "nvmlDeviceGetMigMode", handle)
    if mode is not None and mode[0] == 1:
        return _partitioned(nvml, handle)
    memory = _memory_by_process(nvml, handle)
    if memory is None:
        return GpuUsersReading(None, {})
    busy = _busy_by_process(nvml, handle) if memory else {}
    return GpuUsersReading(
        [
            GpuProcessReading(pid, used, None if busy is None else busy.get(pid, 0.0))
            for pid, used in memory.items()
        ],
        {},
    )


def _partitioned(nvml: Any, handle: Any) -> GpuUsersReading:
    """Ask each MIG instance: only they tell their processes to everybody, and none tells its work."""
    processes: list[GpuProcessReading] = []
    instances: dict[str, GpuInstanceReading] = {}
    count = _ask(nvml, "nvmlDeviceGetMaxMigDeviceCount", handle)
    is_known = count is not None
    for part in _instances(nvml, handle, count or 0):
        ids = [_ask(nvml, f"nvmlDeviceGet{kind}InstanceId", part) for kind in ("Gpu", "Compute")]
        key = "/".join(str(one) for one in ids)
        size = _ask(nvml, "nvmlDeviceGetMemoryInfo", part)
        instances[key] = GpuInstanceReading(
            _profile(_ask(nvml, "nvmlDeviceGetName", part)),
            None if size is None else int(size.used),
            None if size is None else int(size.total),
        )
        memory = _memory_by_process(nvml, part)
        is_known = is_known and memory is not None
        processes += [GpuProcessReading(pid, used, instance=key) for pid, used in (memory or {}).items()]
    return GpuUsersReading(processes if is_known else None, instances)


def _instances(nvml: Any, handle: Any, count: int) -> Iterator[Any]:
    for number in range(count):
        part = _ask(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", handle, number)
        if part is not None:  # numbers may be missing
            yield part


def _profile(name: bytes | str | None) -> str | None:
    """Return `1g.5gb` of `NVIDIA A100-SXM4-40GB MIG 1g.5gb`."""
    text = name.decode(errors="replace") if isinstance(name, bytes) else name or ""
    return text.partition("MIG ")[2].strip() or None


def _memory_by_process(nvml: Any, handle: Any) -> dict[int, int | None] | None:
    """Return the processes of a GPU with their memory; None where NVML does not tell them."""
    found: dict[int, int | None] = {}
    is_known = False
    for name in _LISTS:
        listed = _ask(nvml, name, handle)
        if listed is None:
            listed = _ask(nvml, f"{name}_v2", handle)  # drivers before 510
        if listed is None:
            continue
        is_known = True
        for one in listed:
            # Windows does not tell it; a process in two lists holds its memory once.
            used = one.usedGpuMemory
            used = None if used is None or not 0 <= used < 2**63 else int(used)
            found[int(one.pid)] = (
                max(found.get(int(one.pid)) or 0, used) if used is not None else found.get(int(one.pid))
            )
    return found if is_known else None


def _busy_by_process(nvml: Any, handle: Any) -> dict[int, float] | None:
    """Return the work of the processes that did any lately; None where NVML does not tell it."""
    since = int((time.time() - _SAMPLE_SECONDS) * 1e6)
    question = getattr(nvml, "nvmlDeviceGetProcessUtilization", None)
    if question is None:
        return None
    try:
        samples = question(handle, since)
    except nvml.NVMLError as error:
        return {} if getattr(error, "value", None) in _NO_SAMPLES else None
    newest: dict[int, tuple[int, float]] = {}
    for one in samples:
        # Some drivers give samples that were never filled in.
        if 0 <= one.smUtil <= 100 and one.timeStamp >= newest.get(one.pid, (0, 0.0))[0]:
            shares = [share for share in (one.smUtil, one.encUtil, one.decUtil) if share <= 100]
            newest[one.pid] = (one.timeStamp, float(max(shares)))
    return {pid: busy for pid, (_, busy) in newest.items()}


def _ask(nvml: Any, name: str, *arguments: Any) -> Any:
    """Return an answer of NVML; None where the library, the driver or the GPU has none."""
    question = getattr(nvml, name, None)
    if question is None:
        return None
    try:
        return question(*arguments)
    except nvml.NVMLError:
        return None
