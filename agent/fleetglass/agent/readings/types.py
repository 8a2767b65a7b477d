"""The shapes of readings. `at` is the monotonic time of the reading, in seconds."""

import os
from collections.abc import Callable, Collection, Sequence
from typing import Literal, NamedTuple

GpuState = Literal["active", "idle", "suspended"]
CoreTimes = tuple[float, float, float]

Choice = Callable[[Sequence[str]], Collection[str]]
"""Tells which of the interfaces that a host has are to be read."""


def all_of(names: Sequence[str]) -> Collection[str]:
    """Choose all."""
    return names


class CpuReading(NamedTuple):
    """Time spent since boot. Its unit does not matter: only shares of it are used.

    `times` is by kind (user, nice, system, idle, …), each kind apart from the others: guest time is
    not also in user. `cores` has the time of each core that is switched on, by its number: busy, idle, and
    idle with input or output outstanding.
    """

    at: float
    times: dict[str, float]
    cores: dict[int, CoreTimes]
    context_switches: int | None
    interrupts: int | None


class FrequencyReading(NamedTuple):
    """Frequency in hertz. `cores` is of each core that tells its own, by its number."""

    current: int | None
    cores: dict[int, int]
    lowest: int | None
    highest: int | None


class MemoryReading(NamedTuple):
    """Sizes in bytes; what was moved to and from swap since boot, in bytes."""

    at: float
    total: int | None
    available: int | None
    free: int | None
    cached: int | None
    buffers: int | None
    shared: int | None
    swap_total: int | None
    swap_free: int | None
    swapped_in: int | None
    swapped_out: int | None


class DiskCounters(NamedTuple):
    """Counts since boot of one block device; `busy` is in seconds."""

    reads: int
    writes: int
    read_bytes: int
    written_bytes: int
    busy: float | None


class DiskReading(NamedTuple):
    """Every block device by name. What all disks did is the sum of what those in `summed` did."""

    at: float
    devices: dict[str, DiskCounters]
    summed: frozenset[str]


class FilesystemReading(NamedTuple):
    """One mounted filesystem: sizes in bytes, `available` being what ordinary users can still fill."""

    mount: str
    device: str
    type: str
    total: int
    free: int
    available: int
    inodes: int | None
    free_inodes: int | None


class FilesystemsReading(NamedTuple):
    """Every filesystem that answered, and the mount points of those that did not in time."""

    filesystems: list[FilesystemReading]
    silent: list[str]


class InterfaceCounters(NamedTuple):
    """Counts since boot of one network interface."""

    received_bytes: int
    transmitted_bytes: int
    received_packets: int
    transmitted_packets: int
    receive_errors: int
    transmit_errors: int
    receive_drops: int
    transmit_drops: int


class NetworkReading(NamedTuple):
    """Every network interface by name."""

    at: float
    interfaces: dict[str, InterfaceCounters]


class Attachment(NamedTuple):
    """What one network interface is, and what it runs over."""

    ifindex: int | None = None
    iflink: int | None = None
    """The `ifindex` of what it runs over, or of the other end of a cable; else its own."""
    hardware_type: int | None = None
    """As in `<linux/if_arp.h>`."""
    kind: str = ""
    """Such as `bridge`, `bond`, `vlan`, `tun`, `wlan`; ordinary interfaces have none."""
    flags: int = 0
    """As in netdevice(7)."""
    has_device: bool = False
    """Whether there is hardware behind it, or what a virtual machine takes for it."""
    driver: str = ""
    bus: str = ""
    port: str = ""
    """What a switch in the hardware calls its port."""
    master: str = ""
    lowers: frozenset[str] = frozenset()
    is_bridge_port: bool = False
    has_default_route: bool = False
    has_gateway: bool = False
    carries_pppoe: bool = False


class Link(NamedTuple):
    """State of one network interface: `speed` is in bytes per second, `signal` in dBm."""

    up: bool | None
    speed: int | None
    signal: int | None = None
    attachment: Attachment | None = None


class TemperatureReading(NamedTuple):
    """One sensor, in degrees celsius. `name` is its own in messages, such as `coretemp/Core 0`."""

    name: str
    chip: str
    label: str
    current: float
    high: float | None = None
    critical: float | None = None
    alarm: bool = False
    """Whether the chip raises an alarm."""


class FanReading(NamedTuple):
    """One fan, in turns per minute. `name` and `alarm` are as for a temperature."""

    name: str
    chip: str
    label: str
    speed: int
    alarm: bool = False


class SensorReading(NamedTuple):
    """Everything that could be read just now."""

    temperatures: list[TemperatureReading]
    fans: list[FanReading]


class ThrottlingReading(NamedTuple):
    """What holds a processor back, in words such as `under-voltage`: now, and at any time since boot."""

    now: list[str]
    since_boot: list[str]


class BatteryReading(NamedTuple):
    """One battery or UPS.

    `charge` is in percent; `left` in seconds, while discharging, and `to_full` while charging; energy in watt
    hours where the battery counts it, charge in ampere hours where it counts that instead. Of a UPS, `watts`
    is what its load draws.
    """

    name: str
    charge: float | None
    plugged: bool | None
    left: int | None
    status: str | None = None
    watts: float | None = None
    volts: float | None = None
    energy: float | None = None
    energy_full: float | None = None
    energy_design: float | None = None
    ampere_hours: float | None = None
    ampere_hours_full: float | None = None
    ampere_hours_design: float | None = None
    cycles: int | None = None
    to_full: int | None = None
    is_ups: bool = False
    model: str | None = None
    load: float | None = None
    """Load of a UPS, in percent of what it can carry."""
    warnings: tuple[str, ...] = ()


class ProcessStat(NamedTuple):
    """One process. `started` is on a clock of the system's own, which `ProcessReading` names the time of."""

    name: str
    state: str
    started: float
    cpu_seconds: float
    resident_bytes: int
    threads: int


class ProcessReading(NamedTuple):
    """Every process by pid."""

    at: float
    start_clock: float
    """The moment of the reading on the clock of `ProcessStat.started`."""
    processes: dict[int, ProcessStat]


class ProcessFacts(NamedTuple):
    """Who a process is, as far as it may be known; of its container the name, or else the short id."""

    name: str | None = None
    user: str | None = None
    container: str | None = None


class HostReading(NamedTuple):
    """What does not change while a host is up. `boot_time` is UTC, in seconds since the epoch."""

    os_name: str | None
    kernel: str | None
    architecture: str | None
    cpu_model: str | None
    physical_cores: int | None
    logical_cores: int | None
    boot_time: float | None
    manufacturer: str | None
    model: str | None


class GpuReading(NamedTuple):
    """One GPU. `key` is its PCI address; the counters run since some moment.

    Temperature is in degrees celsius, power in watts, energy in joules, frequency in hertz.
    """

    at: float
    key: str
    vendor: str
    state: GpuState = "active"
    name: str | None = None
    number: int | None = None
    """As the tools of its vendor count."""
    busy: float | None = None
    """Share of the time with work, in percent."""
    asleep_seconds: float | None = None
    """Counter of the time in which the whole GPU was idle."""
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: float | None = None
    power: float | None = None
    energy: float | None = None
    """Counter of the energy used."""
    frequency: int | None = None
    fan_percent: float | None = None
    fan_rpm: int | None = None


class GpuProcessReading(NamedTuple):
    """One process that uses a GPU: memory in bytes, work in percent, its MIG instance."""

    pid: int
    memory: int | None = None
    busy: float | None = None
    instance: str | None = None


class GpuInstanceReading(NamedTuple):
    """One MIG instance; sizes in bytes."""

    profile: str | None
    memory_used: int | None
    memory_total: int | None


class GpuUsersReading(NamedTuple):
    """Who uses one GPU; `processes` is None where that cannot be seen."""

    processes: list[GpuProcessReading] | None
    instances: dict[str, GpuInstanceReading]


class ContainerUse(NamedTuple):
    """What a container uses: counters since its start, in seconds and bytes, and memory now."""

    cpu_seconds: float | None = None
    memory_used: int | None = None
    memory_limit: int | None = None
    received: int | None = None
    transmitted: int | None = None
    read: int | None = None
    written: int | None = None


def printable(name: str) -> str:
    """Return a name that fits into UTF-8: bytes that were not are replaced."""
    return name if name.isascii() else os.fsencode(name).decode(errors="replace")
