"""Readings through psutil, for systems other than Linux."""

import os
import time

import psutil

from fleetglass.agent.readings.kinds import (
    BatteryReading,
    CpuReading,
    DiskCounters,
    DiskReading,
    FanReading,
    InterfaceCounters,
    MemoryReading,
    NetworkReading,
    ProcessReading,
    ProcessStat,
    SensorReading,
    TemperatureReading,
    printable,
)

_KINDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest")


def read_cpu() -> CpuReading:
    """Return the processor times that the system has."""
    at = time.monotonic()
    times = psutil.cpu_times()
    stats = psutil.cpu_stats()
    cores = {}
    for number, core in enumerate(psutil.cpu_times(percpu=True)):
        total = float(sum(core))
        cores[f"cpu{number}"] = (total - core.idle, total)
    return CpuReading(
        at=at,
        times={kind: float(getattr(times, kind)) for kind in _KINDS if hasattr(times, kind)},
        cores=cores,
        context_switches=stats.ctx_switches,
        interrupts=stats.interrupts,
    )


def read_memory() -> MemoryReading:
    """Return the sizes that the system has."""
    at = time.monotonic()
    memory = psutil.virtual_memory()
    swap = psutil.swap_memory()
    return MemoryReading(
        at=at,
        total=memory.total,
        available=memory.available,
        free=memory.free,
        cached=getattr(memory, "cached", None),
        buffers=getattr(memory, "buffers", None),
        shared=getattr(memory, "shared", None),
        swap_total=swap.total,
        swap_free=swap.free,
        swapped_in=swap.sin,
        swapped_out=swap.sout,
    )


def read_disks() -> DiskReading:
    """Return the counters of every disk."""
    at = time.monotonic()
    counters = psutil.disk_io_counters(perdisk=True, nowrap=False)
    devices = {}
    for name, one in counters.items():
        busy = getattr(one, "busy_time", None)
        devices[printable(name)] = DiskCounters(
            one.read_count,
            one.write_count,
            one.read_bytes,
            one.write_bytes,
            None if busy is None else busy / 1000,
        )
    return DiskReading(at, devices)


def read_network() -> NetworkReading:
    """Return the counters of every network interface."""
    at = time.monotonic()
    return NetworkReading(
        at,
        {
            printable(name): InterfaceCounters(
                one.bytes_recv,
                one.bytes_sent,
                one.packets_recv,
                one.packets_sent,
                one.errin,
                one.errout,
                one.dropin,
                one.dropout,
            )
            for name, one in psutil.net_io_counters(pernic=True, nowrap=False).items()
        },
    )


def read_tcp() -> dict[str, int] | None:
    """Give nothing: elsewhere every socket would have to be listed, which needs root and much time."""
    return None


def read_pressure(resource: str) -> dict[str, float] | None:  # noqa: ARG001 -- the same call as on Linux
    """Give nothing: pressure is Linux's own."""
    return None


def read_batteries() -> list[BatteryReading]:
    """Return the battery, if there is one."""
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return []
    left = battery.secsleft if battery.secsleft >= 0 else None
    return [BatteryReading("battery", battery.percent, battery.power_plugged, left)]


class SensorReader:
    """Reads what the system has; FreeBSD has temperatures, macOS and Windows have nothing."""

    def __call__(self) -> SensorReading:
        """Read every sensor."""
        temperatures = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
        fans = psutil.sensors_fans() if hasattr(psutil, "sensors_fans") else {}
        return SensorReading(
            temperatures=[
                TemperatureReading(
                    chip, f"{number}", one.label or f"temp{number}", one.current, one.high, one.critical
                )
                for chip, sensors in temperatures.items()
                for number, one in enumerate(sensors, 1)
            ],
            fans=[
                FanReading(chip, f"{number}", one.label or f"fan{number}", one.current)
                for chip, sensors in fans.items()
                for number, one in enumerate(sensors, 1)
            ],
        )


def read_processes() -> ProcessReading:
    """Return every process that may be seen."""
    at = time.monotonic()
    processes: dict[int, ProcessStat] = {}
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                times = process.cpu_times()
                processes[process.pid] = ProcessStat(
                    name=printable(process.name()),
                    state=str(process.status()),
                    started=process.create_time(),
                    cpu_seconds=times.user + times.system,
                    resident_bytes=process.memory_info().rss,
                    threads=process.num_threads(),
                )
        except (psutil.Error, OSError):
            continue
    return ProcessReading(at, processes)


def owner(pid: int, names: dict[int, str]) -> str | None:  # noqa: ARG001 -- the same call as on Linux
    """Return who runs a process, if that may be known."""
    try:
        return printable(psutil.Process(pid).username())
    except (psutil.Error, OSError, KeyError):
        return None


def full_name(pid: int, name: str) -> str:  # noqa: ARG001 -- the same call as on Linux
    """Return the name: nothing cut it off."""
    return name


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(psutil.Process(os.getpid()).memory_info().rss)
