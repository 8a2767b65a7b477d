"""GPUs and who uses them as an aligned table, or as objects for JSON."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from fleetglass.client.formatting.quantities import ABSENT, printable, size
from fleetglass.client.gpu_survey import SurveyedGpu
from fleetglass.wire.payloads import GpuProcess

_HEADS: Final = ("HOST", "GPU", "MODEL", "USED", "TOTAL", "FREE", "BUSY", "TEMP", "USERS")
_RIGHT: Final = range(3, 8)  # the columns of numbers


def table(gpus: Sequence[SurveyedGpu], width: int | None = None) -> Iterator[str]:
    """Yield the lines of a table, cut off at a width in characters if one is given."""
    rows = [_HEADS, *map(_cells, gpus)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(room) if number in _RIGHT else cell.ljust(room)
            for number, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()[:width]


def as_object(gpu: SurveyedGpu) -> dict[str, Any]:
    """Return a GPU with the names of its payload, and those of a survey; what is not known is left out."""
    device = msgspec.to_builtins(gpu.device)
    for name in ("processes", "instances", "memory_used_bytes", "memory_total_bytes", "memory_percent"):
        device.pop(name, None)
    if gpu.instance is not None:
        for name in ("busy_percent", "process_count"):  # of all instances
            device.pop(name, None)
    told = {
        "host": gpu.host,
        "address": gpu.address,
        "instance": gpu.instance,
        **device,
        "memory_used_bytes": gpu.memory_used,
        "memory_total_bytes": gpu.memory_total,
        "memory_free_bytes": gpu.memory_free,
        "free": gpu.is_free,
        "processes": None if gpu.processes is None else msgspec.to_builtins(gpu.processes),
    }
    return {name: value for name, value in told.items() if value is not None}


def _cells(gpu: SurveyedGpu) -> tuple[str, ...]:
    device = gpu.device
    model = device.name or device.vendor or gpu.address
    sizes = (gpu.memory_used, gpu.memory_total, gpu.memory_free)
    temperature = device.temperature_celsius
    return (
        gpu.host,
        _number(gpu),
        printable(model),
        *(ABSENT if one is None else size(one) for one in sizes),
        ABSENT if gpu.busy_percent is None else f"{gpu.busy_percent:.0f}%",
        ABSENT if temperature is UNSET else f"{temperature:.0f} °C",
        _users(gpu),
    )


def _number(gpu: SurveyedGpu) -> str:
    """Return the index of a GPU, and of a MIG instance its ids and profile as well: `0 1/0 3g.20gb`."""
    index = printable(gpu.address) if gpu.device.index is UNSET else str(gpu.device.index)
    if gpu.instance is None or gpu.device.instances is UNSET:
        return index
    return printable(f"{index} {gpu.instance} {gpu.device.instances[gpu.instance].profile or ''}".rstrip())


def _users(gpu: SurveyedGpu) -> str:
    processes = gpu.processes
    if processes is None:
        return ABSENT
    if not processes:
        return "nobody" if gpu.device.state != "suspended" else "nobody (suspended)"
    text = ", ".join(map(_user, processes))
    # With instances, the count is that of all of them.
    count = gpu.device.process_count if gpu.instance is None else UNSET
    return text if count is UNSET or count <= len(processes) else f"{text}, {count - len(processes)} more"


def _user(process: GpuProcess) -> str:
    """Return `anna: python3 12 GiB (trainer)`."""
    parts = [process.name or f"pid {process.pid}"]
    if process.memory_bytes is not UNSET:
        parts.append(size(process.memory_bytes))
    if process.container is not UNSET:
        parts.append(f"({process.container})")
    text = " ".join(parts)
    return printable(text if process.user is UNSET else f"{process.user}: {text}")
