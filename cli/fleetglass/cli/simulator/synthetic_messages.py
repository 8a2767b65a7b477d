"""The messages of a synthetic host, as pure functions of host and time."""

import functools
from typing import Final

from fleetglass.cli.simulator.synthetic_host import SyntheticHost
from fleetglass.wire.fields import numeric_fields
from fleetglass.wire.payloads import (
    GROUPS,
    CollectorReport,
    CollectorRun,
    Cpu,
    Disk,
    DiskDevice,
    FieldInfo,
    Filesystem,
    Gpu,
    GpuDevice,
    GpuProcess,
    Group,
    GroupInfo,
    Info,
    Memory,
    Mount,
    Network,
    NetworkInterface,
    Pressure,
    Process,
    ProcessEntry,
    Pulse,
    Sensor,
    Temperature,
)

EVERY_TICK: Final = ("cpu", "memory", "disk", "network", "sensor")
SLOW_SECONDS: Final = {"process": 5.0, "collector": 5.0, "filesystem": 10.0}
PULSE_CORES: Final = 64

_PACKET_BYTES: Final = 900
_OPERATION_BYTES: Final = 24_000
_GPU_BYTES: Final = 80 * 1024**3
_JOB_SECONDS: Final = 900.0
_USERS: Final = ("anna", "ben", None)
"""Who uses a GPU in turn; None is nobody."""
_TURN_SECONDS: Final = {
    "cpu": 0.0004,
    "memory": 0.0002,
    "disk": 0.0003,
    "network": 0.0004,
    "sensor": 0.0006,
    "process": 0.009,
    "filesystem": 0.001,
}


def make_info(host: SyntheticHost, time: float, session: str, version: str, interval: float) -> Info:
    """Return what the host is, marked as synthetic."""
    role = host.role
    intervals = dict.fromkeys(EVERY_TICK, interval) | {
        group: max(interval, seconds) for group, seconds in SLOW_SECONDS.items()
    }
    if role.gpus:
        intervals["gpu"] = interval
    number = int(host.id.rpartition("-")[2])
    return Info(
        time=time,
        session=session,
        host_name=host.name,
        agent_version=version,
        interval_seconds=interval,
        groups={
            group: GroupInfo(interval_seconds=seconds, fields=_fields(group))
            for group, seconds in intervals.items()
        },
        os_name=role.os_name,
        kernel=role.kernel,
        architecture=role.architecture,
        cpu_model=role.cpu_model,
        physical_cores=max(1, host.cores // 2),
        logical_cores=host.cores,
        memory_total_bytes=role.memory_bytes,
        swap_total_bytes=role.memory_bytes // 8,
        boot_time=host.boot_time,
        addresses={role.interface: [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"]},
        devices={"disk": [role.disk_device], "network": [role.interface], "filesystem": ["/", "/boot"]},
        tags=["synthetic", role.name],
        synthetic=True,
    )


def make_messages(
    host: SyntheticHost, time: float, tick: int, session: str, due: frozenset[str] = frozenset()
) -> tuple[Pulse, dict[str, Group]]:
    """Return the pulse and the groups of one tick: those of every tick, and the slow ones in `due`."""
    role = host.role
    cpu, load = _cpu(host, time, tick)
    memory = _memory(host, time, tick)
    read, write = host.read.rate(time), host.write.rate(time)
    receive, transmit = host.receive.rate(time), host.transmit.rate(time)
    total_percent = cpu.total_percent
    celsius = round(34.0 + 0.32 * (total_percent or 0.0) + 9.0 * host.heat.at(time), 1)
    pulse = Pulse(
        time=time,
        tick=tick,
        session=session,
        cpu_percent=total_percent,
        core_percents=[int(value) for value in (cpu.core_percents or ())[:PULSE_CORES]],
        load_1m=load,
        memory_percent=memory.used_percent,
        swap_percent=memory.swap_percent,
        filesystem_percent=round(100 * host.disk_use.at(time / 60), 1),
        disk_read_bytes_per_second=int(read),
        disk_write_bytes_per_second=int(write),
        network_receive_bytes_per_second=int(receive),
        network_transmit_bytes_per_second=int(transmit),
        temperature_celsius=celsius,
        process_count=140 + int(120 * host.memory.at(time)),
        failed_units=0,
        uptime_seconds=int(time - host.boot_time),
    )
    groups: dict[str, Group] = {
        "cpu": cpu,
        "memory": memory,
        "disk": _disk(host, time, tick, read, write),
        "network": _network(host, time, tick, receive, transmit),
        "sensor": Sensor(
            time=time,
            tick=tick,
            temperatures={
                f"{role.sensor_chip}/{role.sensor_label}" if role.sensor_label else role.sensor_chip: (
                    Temperature(
                        chip=role.sensor_chip,
                        label=role.sensor_label,
                        current_celsius=celsius,
                        high_celsius=85.0,
                        critical_celsius=100.0,
                    )
                )
            },
        ),
    }
    if role.gpus:
        groups["gpu"] = gpu = _gpu(host, time, tick)
        pulse.gpu_percent = max(one.busy_percent or 0.0 for one in gpu.devices.values())
    if "process" in due:
        groups["process"] = _process(host, time, tick, pulse)
    if "filesystem" in due:
        groups["filesystem"] = _filesystem(host, time, tick)
    if "collector" in due:
        groups["collector"] = _collector(host, time, tick)
    return pulse, groups


def _cpu(host: SyntheticHost, time: float, tick: int) -> tuple[Cpu, float]:
    base = host.cpu.at(time)
    cores = []
    for wave in host.core_waves:
        value = 100.0 * (0.6 * base + 0.4 * base * 2.0 * wave.at(time))
        cores.append(100.0 if value > 100.0 else round(value, 1))
    total = sum(cores) / len(cores)
    load = host.cores * host.cpu.mean_until(time, 60)
    waiting = total * 0.06
    message = Cpu(
        time=time,
        tick=tick,
        total_percent=round(total, 1),
        core_percents=cores,
        user_percent=round(total * 0.68, 1),
        nice_percent=0.0,
        system_percent=round(total * 0.26, 1),
        idle_percent=round(100.0 - total - waiting, 1) if total + waiting < 100 else 0.0,
        iowait_percent=round(waiting, 1),
        irq_percent=0.0,
        softirq_percent=round(total * 0.06, 1),
        steal_percent=0.0,
        guest_percent=0.0,
        frequency_hertz=int(host.role.frequency_hertz * (0.45 + 0.55 * base)),
        frequency_min_hertz=800_000_000,
        frequency_max_hertz=host.role.frequency_hertz,
        load_1m=round(load, 2),
        load_5m=round(host.cores * host.cpu.mean_until(time, 300), 2),
        load_15m=round(host.cores * host.cpu.mean_until(time, 900), 2),
        context_switches_per_second=int(900 + 22_000 * base),
        interrupts_per_second=int(500 + 11_000 * base),
        pressure=Pressure(some_10s_percent=round(total * 0.09, 2), some_60s_percent=round(total * 0.08, 2)),
    )
    return message, round(load, 2)


def _memory(host: SyntheticHost, time: float, tick: int) -> Memory:
    total = host.role.memory_bytes
    used = int(total * host.memory.at(time / 20))
    cached = int((total - used) * 0.62)
    buffers = (total - used) // 40
    swap_total = total // 8
    swap_used = int(swap_total * host.swap.at(time / 60))
    return Memory(
        time=time,
        tick=tick,
        total_bytes=total,
        available_bytes=total - used,
        used_bytes=used,
        free_bytes=total - used - cached - buffers,
        cached_bytes=cached,
        buffers_bytes=buffers,
        shared_bytes=total // 90,
        used_percent=round(100 * used / total, 1),
        swap_total_bytes=swap_total,
        swap_used_bytes=swap_used,
        swap_free_bytes=swap_total - swap_used,
        swap_percent=round(100 * swap_used / swap_total, 1),
        swap_in_bytes_per_second=0,
        swap_out_bytes_per_second=0,
    )


def _disk(host: SyntheticHost, time: float, tick: int, read: float, write: float) -> Disk:
    busy = 100.0 * (read + write) / host.role.disk_peak
    read_total = int(host.read.total(time) - host.read.total(host.boot_time))
    write_total = int(host.write.total(time) - host.write.total(host.boot_time))
    device = DiskDevice(
        read_bytes_per_second=int(read),
        write_bytes_per_second=int(write),
        reads_per_second=int(read / _OPERATION_BYTES),
        writes_per_second=int(write / _OPERATION_BYTES),
        busy_percent=100.0 if busy > 100.0 else round(busy, 1),
        read_total_bytes=read_total,
        write_total_bytes=write_total,
        read_total=read_total // _OPERATION_BYTES,
        write_total=write_total // _OPERATION_BYTES,
        in_total=True,
    )
    return Disk(
        time=time,
        tick=tick,
        read_bytes_per_second=device.read_bytes_per_second,
        write_bytes_per_second=device.write_bytes_per_second,
        read_total_bytes=read_total,
        write_total_bytes=write_total,
        devices={host.role.disk_device: device},
    )


def _network(host: SyntheticHost, time: float, tick: int, receive: float, transmit: float) -> Network:
    receive_total = int(host.receive.total(time) - host.receive.total(host.boot_time))
    transmit_total = int(host.transmit.total(time) - host.transmit.total(host.boot_time))
    interface = NetworkInterface(
        receive_bytes_per_second=int(receive),
        transmit_bytes_per_second=int(transmit),
        receive_packets_per_second=int(receive / _PACKET_BYTES),
        transmit_packets_per_second=int(transmit / _PACKET_BYTES),
        receive_total_bytes=receive_total,
        transmit_total_bytes=transmit_total,
        receive_packets_total=receive_total // _PACKET_BYTES,
        transmit_packets_total=transmit_total // _PACKET_BYTES,
        receive_errors_total=0,
        transmit_errors_total=0,
        receive_drops_total=0,
        transmit_drops_total=0,
        up=True,
        speed_bytes_per_second=host.role.link_bytes_per_second,
        in_total=True,
    )
    established = 12 + int(receive / 150_000)
    return Network(
        time=time,
        tick=tick,
        interfaces={host.role.interface: interface},
        receive_bytes_per_second=interface.receive_bytes_per_second,
        transmit_bytes_per_second=interface.transmit_bytes_per_second,
        receive_total_bytes=receive_total,
        transmit_total_bytes=transmit_total,
        tcp_connections={"established": established, "listen": 9, "time_wait": established // 3},
    )


def _gpu(host: SyntheticHost, time: float, tick: int) -> Gpu:
    """Return GPUs of which every third is free at any time, and the others change hands now and then."""
    devices = {}
    for index in range(host.role.gpus):
        turn = int(time / _JOB_SECONDS) + int(host.boot_time) + index
        level = host.core_waves[index % len(host.core_waves)].at(time)
        user = _USERS[turn % len(_USERS)]
        used, busy, processes = 500 * 1024**2, 0.0, []
        if user is not None:
            memory = int(_GPU_BYTES * (0.3 + 0.6 * (turn % 7) / 7))
            busy = round(100 * level, 1)
            used += memory
            processes = [
                GpuProcess(
                    pid=4200 + 10 * (turn % 100) + index,
                    name="python3",
                    user=user,
                    memory_bytes=memory,
                    busy_percent=busy,
                    container=f"train-{turn % 100}",
                )
            ]
        devices[f"0000:{index + 1:02x}:00.0"] = GpuDevice(
            name="NVIDIA A100-SXM4-80GB",
            vendor="NVIDIA",
            index=index,
            state="active",
            busy_percent=busy,
            memory_used_bytes=used,
            memory_total_bytes=_GPU_BYTES,
            memory_percent=round(100 * used / _GPU_BYTES, 1),
            temperature_celsius=round(32 + 0.4 * busy, 1),
            power_watts=round(60 + 3.2 * busy, 1),
            process_count=len(processes),
            processes=processes,
        )
    return Gpu(time=time, tick=tick, devices=devices)


def _process(host: SyntheticHost, time: float, tick: int, pulse: Pulse) -> Process:
    cpu = host.cores * (pulse.cpu_percent or 0.0)
    memory = host.role.memory_bytes * (pulse.memory_percent or 0.0) / 100
    share = 0.5
    entries = []
    for index, program in enumerate(host.role.programs[:10]):
        resident = int(memory * share * 0.8)
        entries.append(
            ProcessEntry(
                pid=700 + 13 * index,
                name=program,
                user="root" if index > 3 else program.partition("-")[0][:8],
                cpu_percent=round(cpu * share, 1),
                memory_percent=round(100 * resident / host.role.memory_bytes, 1),
                resident_bytes=resident,
                threads=1 + 3 * (10 - index),
            )
        )
        share *= 0.5
    count = pulse.process_count or 0
    running = min(1 + int(cpu / 100), count)
    states = {"running": running, "sleeping": count - running}
    return Process(time=time, tick=tick, count=count, states=states, top_cpu=entries, top_memory=entries)


def _filesystem(host: SyntheticHost, time: float, tick: int) -> Filesystem:
    def mount(device: str, total: int, share: float) -> Mount:
        used = int(total * share)
        return Mount(
            device=device,
            type="ext4",
            total_bytes=total,
            used_bytes=used,
            free_bytes=total - used,
            used_percent=round(100 * share, 1),
            inodes_percent=round(40 * share, 1),
        )

    device = f"/dev/{host.role.disk_device}"
    mounts = {
        "/": mount(f"{device}p2", host.role.disk_bytes, host.disk_use.at(time / 60)),
        "/boot": mount(f"{device}p1", 1024**3, 0.21),
    }
    return Filesystem(time=time, tick=tick, mounts=mounts)


def _collector(host: SyntheticHost, time: float, tick: int) -> CollectorReport:
    slowness = 0.5 + host.cpu.at(time)
    return CollectorReport(
        time=time,
        tick=tick,
        collectors={
            group: CollectorRun(state="ok", duration_seconds=round(seconds * slowness, 6))
            for group, seconds in _TURN_SECONDS.items()
        },
        cpu_percent=round(0.3 * slowness, 1),
        resident_bytes=21 * 1024**2,
        dropped_messages=0,
        skipped_ticks=0,
    )


@functools.cache
def _fields(group: str) -> dict[str, FieldInfo]:
    return numeric_fields(GROUPS[group])
