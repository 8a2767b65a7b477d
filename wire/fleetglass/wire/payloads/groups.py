"""The groups of a host: one struct per message under `live/`."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire.payloads.common import Bytes, Celsius, Count, Hertz, Percent, Rate, Seconds, Tick, Time

MAX_GPU_PROCESSES = 20


class Pressure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Pressure stall information of Linux: share of time in which tasks waited (kernel: accounting/psi)."""

    some_10s_percent: Annotated[Percent, Meta(description="some task waited, mean of 10 s")] = UNSET
    some_60s_percent: Annotated[Percent, Meta(description="some task waited, mean of 60 s")] = UNSET
    some_300s_percent: Annotated[Percent, Meta(description="some task waited, mean of 300 s")] = UNSET
    full_10s_percent: Annotated[Percent, Meta(description="all tasks waited, mean of 10 s")] = UNSET
    full_60s_percent: Annotated[Percent, Meta(description="all tasks waited, mean of 60 s")] = UNSET
    full_300s_percent: Annotated[Percent, Meta(description="all tasks waited, mean of 300 s")] = UNSET


class Group(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The detail of one group of metrics at one tick."""

    time: Time
    tick: Tick


class Cpu(Group, kw_only=True, omit_defaults=True):
    """Processor use, frequency and load."""

    total_percent: Annotated[Percent, Meta(description="busy share of all cores")] = UNSET
    core_percents: Annotated[list[float] | UnsetType, Meta(description="busy share of each core")] = UNSET
    core_numbers: Annotated[
        list[int] | UnsetType,
        Meta(description="number of each core in the lists, unless they are 0, 1, 2, …: some are offline"),
    ] = UNSET
    user_percent: Annotated[Percent, Meta(description="in user mode")] = UNSET
    nice_percent: Annotated[Percent, Meta(description="in user mode with low priority")] = UNSET
    system_percent: Annotated[Percent, Meta(description="in the kernel")] = UNSET
    idle_percent: Annotated[Percent, Meta(description="doing nothing")] = UNSET
    iowait_percent: Annotated[Percent, Meta(description="idle with input or output outstanding")] = UNSET
    irq_percent: Annotated[Percent, Meta(description="serving interrupts")] = UNSET
    softirq_percent: Annotated[Percent, Meta(description="serving software interrupts")] = UNSET
    steal_percent: Annotated[Percent, Meta(description="taken by the hypervisor")] = UNSET
    guest_percent: Annotated[Percent, Meta(description="running virtual machines")] = UNSET
    frequency_hertz: Annotated[Hertz, Meta(description="mean frequency of the cores now")] = UNSET
    frequency_min_hertz: Annotated[Hertz, Meta(description="lowest possible frequency")] = UNSET
    frequency_max_hertz: Annotated[Hertz, Meta(description="highest possible frequency")] = UNSET
    core_frequencies_hertz: Annotated[
        list[int] | UnsetType, Meta(description="frequency of each core now")
    ] = UNSET
    load_1m: Annotated[float | UnsetType, Meta(description="load average of 1 minute")] = UNSET
    load_5m: Annotated[float | UnsetType, Meta(description="load average of 5 minutes")] = UNSET
    load_15m: Annotated[float | UnsetType, Meta(description="load average of 15 minutes")] = UNSET
    context_switches_per_second: Annotated[Rate, Meta(description="context switches")] = UNSET
    interrupts_per_second: Annotated[Rate, Meta(description="interrupts")] = UNSET
    pressure: Annotated[Pressure | UnsetType, Meta(description="time waited for a processor")] = UNSET


class Memory(Group, kw_only=True, omit_defaults=True):
    """Memory and swap."""

    total_bytes: Annotated[Bytes, Meta(description="memory of the host")] = UNSET
    available_bytes: Annotated[Bytes, Meta(description="can be given to programs without swapping")] = UNSET
    used_bytes: Annotated[Bytes, Meta(description="total less available")] = UNSET
    free_bytes: Annotated[Bytes, Meta(description="not used for anything")] = UNSET
    cached_bytes: Annotated[Bytes, Meta(description="page cache")] = UNSET
    buffers_bytes: Annotated[Bytes, Meta(description="buffers of block devices")] = UNSET
    shared_bytes: Annotated[Bytes, Meta(description="shared between processes")] = UNSET
    used_percent: Annotated[Percent, Meta(description="total less available, of total")] = UNSET
    swap_total_bytes: Annotated[Bytes, Meta(description="swap of the host")] = UNSET
    swap_used_bytes: Annotated[Bytes, Meta(description="swap in use")] = UNSET
    swap_free_bytes: Annotated[Bytes, Meta(description="swap not in use")] = UNSET
    swap_percent: Annotated[Percent, Meta(description="swap in use, of total")] = UNSET
    swap_in_bytes_per_second: Annotated[Rate, Meta(description="read back from swap")] = UNSET
    swap_out_bytes_per_second: Annotated[Rate, Meta(description="written to swap")] = UNSET
    pressure: Annotated[Pressure | UnsetType, Meta(description="time waited for memory")] = UNSET


class DiskDevice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One block device."""

    read_bytes_per_second: Annotated[Rate, Meta(description="read")] = UNSET
    write_bytes_per_second: Annotated[Rate, Meta(description="written")] = UNSET
    reads_per_second: Annotated[Rate, Meta(description="read operations")] = UNSET
    writes_per_second: Annotated[Rate, Meta(description="write operations")] = UNSET
    busy_percent: Annotated[Percent, Meta(description="time with an operation in flight")] = UNSET
    read_total_bytes: Annotated[Bytes, Meta(description="read since boot")] = UNSET
    write_total_bytes: Annotated[Bytes, Meta(description="written since boot")] = UNSET
    read_total: Annotated[Count, Meta(description="read operations since boot")] = UNSET
    write_total: Annotated[Count, Meta(description="write operations since boot")] = UNSET
    in_total: Annotated[
        bool | UnsetType, Meta(description="whether it is part of the sums; a partition is part of its disk")
    ] = UNSET


class Disk(Group, kw_only=True, omit_defaults=True):
    """Input and output of every block device, and of all disks, each byte counted once."""

    read_bytes_per_second: Annotated[Rate, Meta(description="read from all disks")] = UNSET
    write_bytes_per_second: Annotated[Rate, Meta(description="written to all disks")] = UNSET
    read_total_bytes: Annotated[Bytes, Meta(description="read from all disks since boot")] = UNSET
    write_total_bytes: Annotated[Bytes, Meta(description="written to all disks since boot")] = UNSET
    devices: Annotated[dict[str, DiskDevice], Meta(description="by name, such as `sda`")]
    pressure: Annotated[Pressure | UnsetType, Meta(description="time waited for disks")] = UNSET


class Mount(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One mounted filesystem."""

    device: Annotated[str | UnsetType, Meta(description="what is mounted")] = UNSET
    type: Annotated[str | UnsetType, Meta(description="type of the filesystem")] = UNSET
    total_bytes: Annotated[Bytes, Meta(description="size")] = UNSET
    used_bytes: Annotated[Bytes, Meta(description="in use")] = UNSET
    free_bytes: Annotated[Bytes, Meta(description="free to ordinary users")] = UNSET
    used_percent: Annotated[Percent, Meta(description="in use, relative to the space for ordinary users")] = (
        UNSET
    )
    inodes_percent: Annotated[Percent, Meta(description="inodes in use")] = UNSET


class Filesystem(Group, kw_only=True, omit_defaults=True):
    """Every mounted filesystem with data, without those in memory (tmpfs), of the kernel or of an image."""

    mounts: Annotated[dict[str, Mount], Meta(description="by mount point")]


class NetworkInterface(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One network interface."""

    receive_bytes_per_second: Annotated[Rate, Meta(description="received")] = UNSET
    transmit_bytes_per_second: Annotated[Rate, Meta(description="transmitted")] = UNSET
    receive_packets_per_second: Annotated[Rate, Meta(description="packets received")] = UNSET
    transmit_packets_per_second: Annotated[Rate, Meta(description="packets transmitted")] = UNSET
    receive_total_bytes: Annotated[Bytes, Meta(description="received since boot")] = UNSET
    transmit_total_bytes: Annotated[Bytes, Meta(description="transmitted since boot")] = UNSET
    receive_packets_total: Annotated[Count, Meta(description="packets received since boot")] = UNSET
    transmit_packets_total: Annotated[Count, Meta(description="packets transmitted since boot")] = UNSET
    receive_errors_total: Annotated[Count, Meta(description="receive errors since boot")] = UNSET
    transmit_errors_total: Annotated[Count, Meta(description="transmit errors since boot")] = UNSET
    receive_drops_total: Annotated[Count, Meta(description="received and dropped since boot")] = UNSET
    transmit_drops_total: Annotated[Count, Meta(description="dropped before transmission since boot")] = UNSET
    up: Annotated[bool | UnsetType, Meta(description="whether the interface is up")] = UNSET
    speed_bytes_per_second: Annotated[Bytes, Meta(description="speed of the link")] = UNSET
    signal_dbm: Annotated[int | UnsetType, Meta(description="signal of the Wi-Fi")] = UNSET
    in_total: Annotated[
        bool | UnsetType,
        Meta(description="whether it is part of the sums; a bridge carries what its ports do"),
    ] = UNSET


class Network(Group, kw_only=True, omit_defaults=True):
    """Traffic of every network interface, and its sums: what the wire carries, each byte once."""

    interfaces: Annotated[dict[str, NetworkInterface], Meta(description="by name, such as `eth0`")]
    receive_bytes_per_second: Annotated[Rate, Meta(description="received, each byte once")] = UNSET
    transmit_bytes_per_second: Annotated[Rate, Meta(description="transmitted, each byte once")] = UNSET
    receive_total_bytes: Annotated[
        Bytes, Meta(description="received since boot; of an interface that comes later, since it came")
    ] = UNSET
    transmit_total_bytes: Annotated[
        Bytes, Meta(description="transmitted since boot; of an interface that comes later, since it came")
    ] = UNSET
    tcp_connections: Annotated[
        dict[str, int] | UnsetType, Meta(description="TCP sockets by state, such as `established`")
    ] = UNSET


class Temperature(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One temperature sensor."""

    chip: Annotated[str | UnsetType, Meta(description="the chip it belongs to")] = UNSET
    label: Annotated[str | UnsetType, Meta(description="what the chip calls it")] = UNSET
    current_celsius: Annotated[Celsius, Meta(description="now")] = UNSET
    high_celsius: Annotated[Celsius, Meta(description="high from here")] = UNSET
    critical_celsius: Annotated[Celsius, Meta(description="critical from here")] = UNSET
    alarm: Annotated[
        bool | UnsetType, Meta(description="`true` while the chip raises an alarm, else absent")
    ] = UNSET


class Fan(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One fan."""

    chip: Annotated[str | UnsetType, Meta(description="the chip it belongs to")] = UNSET
    label: Annotated[str | UnsetType, Meta(description="what the chip calls it")] = UNSET
    speed_rpm: Annotated[Count, Meta(description="turns per minute")] = UNSET
    alarm: Annotated[
        bool | UnsetType, Meta(description="`true` while the chip raises an alarm, else absent")
    ] = UNSET


class Throttling(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The causes that slow down the processor of a Raspberry Pi.

    Words: `under-voltage`, `frequency-capped`, `throttled`, `soft-temperature-limit`.
    """

    now: Annotated[list[str], Meta(description="causes at this moment; empty if there are none")]
    since_boot: Annotated[list[str], Meta(description="causes at any time since boot")]


class Sensor(Group, kw_only=True, omit_defaults=True):
    """Every temperature and every fan."""

    temperatures: Annotated[dict[str, Temperature], Meta(description="by `chip/label`")]
    fans: Annotated[dict[str, Fan] | UnsetType, Meta(description="by `chip/label`")] = UNSET
    throttling: Annotated[
        Throttling | UnsetType, Meta(description="causes that slow down a Raspberry Pi")
    ] = UNSET


class Battery(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One battery or UPS.

    Warnings of a UPS: `low-battery`, `replace-battery`, `overload`, `off`, `bypass`, `shutting-down`.
    """

    charge_percent: Annotated[Percent, Meta(description="charge")] = UNSET
    plugged: Annotated[bool | UnsetType, Meta(description="whether external power is connected")] = UNSET
    left_seconds: Annotated[
        Count, Meta(description="time until empty, while discharging; of a UPS also what it would last now")
    ] = UNSET
    to_full_seconds: Annotated[Count, Meta(description="time until full, while charging")] = UNSET
    status: Annotated[
        str | UnsetType, Meta(description="`charging`, `discharging`, `full` or `not-charging`")
    ] = UNSET
    power_watts: Annotated[
        float | UnsetType, Meta(description="power now, into it or out of it; of a UPS what its load draws")
    ] = UNSET
    voltage_volts: Annotated[float | UnsetType, Meta(description="voltage now")] = UNSET
    energy_watt_hours: Annotated[float | UnsetType, Meta(description="energy in it now")] = UNSET
    energy_full_watt_hours: Annotated[float | UnsetType, Meta(description="energy when full")] = UNSET
    energy_design_watt_hours: Annotated[
        float | UnsetType, Meta(description="energy when full, by design")
    ] = UNSET
    charge_ampere_hours: Annotated[
        float | UnsetType, Meta(description="charge in it now, of a battery that does not report energy")
    ] = UNSET
    charge_full_ampere_hours: Annotated[float | UnsetType, Meta(description="charge when full")] = UNSET
    charge_design_ampere_hours: Annotated[
        float | UnsetType, Meta(description="charge when full, by design")
    ] = UNSET
    health_percent: Annotated[Percent, Meta(description="charge when full, relative to the design")] = UNSET
    cycles: Annotated[Count, Meta(description="charge cycles")] = UNSET
    ups: Annotated[bool | UnsetType, Meta(description="`true` for a UPS, else absent")] = UNSET
    model: Annotated[str | UnsetType, Meta(description="maker and model of a UPS")] = UNSET
    load_percent: Annotated[Percent, Meta(description="load of a UPS, of what it can carry")] = UNSET
    warnings: Annotated[list[str] | UnsetType, Meta(description="warnings of a UPS")] = UNSET


class Power(Group, kw_only=True, omit_defaults=True):
    """Batteries and UPSes; sent only by hosts that have one."""

    batteries: Annotated[dict[str, Battery], Meta(description="by name, such as `BAT0`")]


class GpuProcess(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One process that uses a GPU."""

    pid: Annotated[int, Meta(description="process id")]
    name: Annotated[str | UnsetType, Meta(description="name of the program")] = UNSET
    user: Annotated[str | UnsetType, Meta(description="owner")] = UNSET
    memory_bytes: Annotated[
        Bytes,
        Meta(description="memory of the GPU that it holds; system memory where the GPU has none of its own"),
    ] = UNSET
    busy_percent: Annotated[
        Percent, Meta(description="time with work on the engine of the GPU that it uses most")
    ] = UNSET
    container: Annotated[
        str | UnsetType, Meta(description="container that it runs in: its name if known, else its short id")
    ] = UNSET
    instance: Annotated[
        str | UnsetType, Meta(description="MIG instance that it runs on, a key of `instances`")
    ] = UNSET


class GpuInstance(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One MIG instance: a part of an NVIDIA GPU with memory of its own."""

    profile: Annotated[str | UnsetType, Meta(description="such as `1g.10gb`")] = UNSET
    memory_used_bytes: Annotated[Bytes, Meta(description="its memory in use")] = UNSET
    memory_total_bytes: Annotated[Bytes, Meta(description="its memory")] = UNSET


class GpuDevice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One GPU. It has no values while it sleeps, or while the agent leaves it alone so that it can sleep."""

    name: Annotated[str | UnsetType, Meta(description="name of the model")] = UNSET
    vendor: Annotated[str | UnsetType, Meta(description="such as `AMD`, `Intel` or `NVIDIA`")] = UNSET
    index: Annotated[
        int | UnsetType,
        Meta(description="number in `nvidia-smi`; for other makers, in the order of PCI addresses per maker"),
    ] = UNSET
    state: Annotated[
        Literal["active", "idle", "suspended"] | UnsetType,
        Meta(description="`suspended`: asleep; `idle`: not read for a while, so that it can fall asleep"),
    ] = UNSET
    busy_percent: Annotated[Percent, Meta(description="time with work")] = UNSET
    awake_percent: Annotated[
        Percent, Meta(description="time not in the idle state RC6 of Intel: at least the time with work")
    ] = UNSET
    memory_used_bytes: Annotated[Bytes, Meta(description="memory of its own in use")] = UNSET
    memory_total_bytes: Annotated[Bytes, Meta(description="memory of its own")] = UNSET
    memory_percent: Annotated[Percent, Meta(description="memory of its own in use, of total")] = UNSET
    temperature_celsius: Annotated[Celsius, Meta(description="temperature of its hottest sensor")] = UNSET
    power_watts: Annotated[float | UnsetType, Meta(description="electric power drawn")] = UNSET
    clock_hertz: Annotated[Hertz, Meta(description="frequency of its cores now")] = UNSET
    fan_percent: Annotated[Percent, Meta(description="speed of its fan, of the highest")] = UNSET
    fan_rpm: Annotated[Count, Meta(description="turns of its fan per minute")] = UNSET
    process_count: Annotated[
        Count, Meta(description="processes that use it, as far as the agent may see them")
    ] = UNSET
    processes: Annotated[
        list[GpuProcess] | UnsetType,
        Meta(
            description=f"the {MAX_GPU_PROCESSES} of them with most memory, largest first; "
            "absent if the agent cannot see who uses it"
        ),
    ] = UNSET
    instances: Annotated[
        dict[str, GpuInstance] | UnsetType,
        Meta(description="MIG instances by ids of GPU instance and compute instance, such as `7/0`"),
    ] = UNSET


class Gpu(Group, kw_only=True, omit_defaults=True):
    """GPUs; sent only by hosts with a GPU that the agent can read."""

    devices: Annotated[dict[str, GpuDevice], Meta(description="by PCI address, such as `0000:03:00.0`")]


class ProcessEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One process."""

    pid: Annotated[int, Meta(description="process id")]
    name: Annotated[str, Meta(description="name of the program")]
    user: Annotated[str | UnsetType, Meta(description="owner")] = UNSET
    cpu_percent: Annotated[Percent, Meta(description="of one core, as in top: can exceed 100")] = UNSET
    memory_percent: Annotated[Percent, Meta(description="resident memory, relative to the host's memory")] = (
        UNSET
    )
    resident_bytes: Annotated[Bytes, Meta(description="resident memory")] = UNSET
    threads: Annotated[Count, Meta(description="threads")] = UNSET


class Process(Group, kw_only=True, omit_defaults=True):
    """The number of processes, and the largest."""

    count: Annotated[int, Meta(description="processes")]
    states: Annotated[dict[str, int], Meta(description="processes by state, such as `sleeping`")]
    top_cpu: Annotated[list[ProcessEntry], Meta(description="the largest by CPU, largest first")]
    top_memory: Annotated[list[ProcessEntry], Meta(description="the largest by memory, largest first")]


class CollectorRun(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The last run of one collector."""

    state: Annotated[Literal["ok", "failed", "late"], Meta(description="result of the run")]
    duration_seconds: Annotated[Seconds, Meta(description="time it took")] = UNSET
    reason: Annotated[str | UnsetType, Meta(description="why it failed or is late")] = UNSET


class CollectorReport(Group, kw_only=True, omit_defaults=True):
    """The agent's own work (group `collector`); the last message of every tick."""

    collectors: Annotated[dict[str, CollectorRun], Meta(description="by group")]
    cpu_percent: Annotated[Percent, Meta(description="the agent's own use of one core")] = UNSET
    resident_bytes: Annotated[Bytes, Meta(description="the agent's own resident memory")] = UNSET
    dropped_messages: Annotated[Count, Meta(description="messages dropped without a broker, since start")] = (
        UNSET
    )
    skipped_ticks: Annotated[Count, Meta(description="ticks missed because sampling took too long")] = UNSET
    internal_errors: Annotated[Count, Meta(description="unexpected errors of the agent, since start")] = UNSET
    slept_seconds: Annotated[Seconds, Meta(description="how long the host slept before this tick")] = UNSET
    clock_set_seconds: Annotated[
        Seconds, Meta(description="how far the clock was set before this tick; negative is back")
    ] = UNSET
