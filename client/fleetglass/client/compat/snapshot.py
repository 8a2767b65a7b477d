"""What programs are given of a host: one object per tick, in units for people, made of what it sent.

A GB is 1024³ bytes, an MB 1024². What the host does not tell is absent, and so is a section without a value.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

SNAPSHOT_GROUPS: Final = ("cpu", "memory", "filesystem", "gpu")
"""The live groups that a snapshot reads; without them it has less, never something else."""

_GB: Final = 1024**3
_MB: Final = 1024**2


def monitoring_data(
    host: str,
    pulse: Mapping[str, Any],
    live: Mapping[str, Mapping[str, Any]] | None = None,
    info: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the sections `processor`, `memory`, `disk`, `gpu`, `network` and `system` of one host.

    Args:
        host: the host's id.
        pulse: its last pulse.
        live: the last payload of each of its `SNAPSHOT_GROUPS`, where they are known.
        info: what it is, where that is known.

    `disk` is the fullest filesystem, `gpu` the busiest GPU, and the processor's temperature is that of the
    hottest sensor, as in the pulse.
    """
    live, info = live or {}, info or {}
    sections = {
        "processor": _processor(pulse, live.get("cpu", {}), info),
        "memory": _memory(pulse, live.get("memory", {}), info),
        "disk": _disk(pulse, live.get("filesystem", {})),
        "gpu": _gpu(pulse, live.get("gpu", {})),
        "network": _network(pulse),
        "system": _system(host, pulse, info),
    }
    return {name: section for name, section in sections.items() if section}


def envelope(kind: str, host: str, data: Mapping[str, Any], time: float) -> dict[str, Any]:
    """Return a message about a host; `time` is UTC in seconds since the epoch."""
    return {"timestamp": timestamp(time), "type": kind, "host": host, "data": data}


def connection_message(message: str, time: float) -> dict[str, Any]:
    """Return a message about the connection."""
    return {"timestamp": timestamp(time), "type": "connection_message", "message": message}


def error_message(error: str, time: float, severity: str = "warning") -> dict[str, Any]:
    """Return a message about what went wrong."""
    return {"timestamp": timestamp(time), "type": "error_message", "error": error, "severity": severity}


def timestamp(time: float) -> str:
    """Return ISO 8601 in UTC with milliseconds, `2026-11-21T14:30:25.003+00:00`."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")


def _processor(pulse: Mapping[str, Any], cpu: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    cores = cpu if "core_percents" in cpu else pulse
    return _present(
        usage_percent=pulse.get("cpu_percent", cpu.get("total_percent")),
        temperature=pulse.get("temperature_celsius"),
        frequency_mhz=_scaled(cpu.get("frequency_hertz"), 1e6, 0),
        frequency_max_mhz=_scaled(cpu.get("frequency_max_hertz"), 1e6, 0),
        core_percents=cores.get("core_percents"),
        core_numbers=cores.get("core_numbers"),
        load_1m=pulse.get("load_1m", cpu.get("load_1m")),
        physical_cores=info.get("physical_cores"),
        logical_cores=info.get("logical_cores"),
        model=info.get("cpu_model"),
    )


def _memory(pulse: Mapping[str, Any], memory: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    percent = pulse.get("memory_percent", memory.get("used_percent"))
    total = memory.get("total_bytes", info.get("memory_total_bytes"))
    used, available = memory.get("used_bytes"), memory.get("available_bytes")
    if used is None and total is not None and percent is not None:
        used = total * percent / 100  # as the percentage is made: total less available, of total
    if available is None and total is not None and used is not None:
        available = total - used
    return _present(
        usage_percent=percent,
        used_gb=_scaled(used, _GB, 2),
        total_gb=_scaled(total, _GB, 2),
        available_gb=_scaled(available, _GB, 2),
        swap_percent=pulse.get("swap_percent", memory.get("swap_percent")),
    )


def _disk(pulse: Mapping[str, Any], filesystem: Mapping[str, Any]) -> dict[str, Any]:
    path, mount = _highest(filesystem.get("mounts", {}), "used_percent")
    return _present(
        usage_percent=mount.get("used_percent", pulse.get("filesystem_percent")),
        used_gb=_scaled(mount.get("used_bytes"), _GB, 2),
        total_gb=_scaled(mount.get("total_bytes"), _GB, 2),
        free_gb=_scaled(mount.get("free_bytes"), _GB, 2),
        path=path,
        read_bytes_per_second=pulse.get("disk_read_bytes_per_second"),
        write_bytes_per_second=pulse.get("disk_write_bytes_per_second"),
    )


def _gpu(pulse: Mapping[str, Any], gpu: Mapping[str, Any]) -> dict[str, Any]:
    _, device = _highest(gpu.get("devices", {}), "busy_percent")
    values = _present(
        usage_percent=device.get("busy_percent", pulse.get("gpu_percent")),
        memory_percent=device.get("memory_percent"),
        temperature=device.get("temperature_celsius"),
        memory_used_mb=_scaled(device.get("memory_used_bytes"), _MB, 0),
        memory_total_mb=_scaled(device.get("memory_total_bytes"), _MB, 0),
    )
    return values | _present(name=device.get("name")) if values else {}


def _network(pulse: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        receive_bytes_per_second=pulse.get("network_receive_bytes_per_second"),
        transmit_bytes_per_second=pulse.get("network_transmit_bytes_per_second"),
    )


def _system(host: str, pulse: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        hostname=info.get("host_name", host),
        os_name=info.get("os_name"),
        kernel=info.get("kernel"),
        architecture=info.get("architecture"),
        process_count=pulse.get("process_count"),
        battery_percent=pulse.get("battery_percent"),
        failed_units=pulse.get("failed_units"),
        uptime_seconds=pulse.get("uptime_seconds"),
    )


def _highest(entries: Mapping[str, Any], field: str) -> tuple[str | None, Mapping[str, Any]]:
    if not entries:
        return None, {}
    return max(entries.items(), key=lambda entry: entry[1].get(field, -1))


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _scaled(value: float | None, unit: float, digits: int) -> float | None:
    return None if value is None else round(value / unit, digits)
