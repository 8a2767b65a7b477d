"""The shapes of readings. `at` is the monotonic time of the reading, in seconds."""

import os
from typing import NamedTuple


class CpuReading(NamedTuple):
    """Time spent since boot. Its unit does not matter: only shares of it are used.

    `times` is by kind (user, nice, system, idle, …), each kind apart from the others: guest time is
    not also in user. `cores` is busy and total time by the name of the core.
    """

    at: float
    times: dict[str, float]
    cores: dict[str, tuple[float, float]]
    context_switches: int | None
    interrupts: int | None


class FrequencyReading(NamedTuple):
    """Frequency in hertz."""

    current: int | None
    lowest: int | None
    highest: int | None


class MemoryReading(NamedTuple):
    """Sizes in bytes; what was moved to and from swap since boot, in bytes."""

    at: float
    total: int
    available: int
    free: int
    cached: int | None
    buffers: int | None
    shared: int | None
    swap_total: int
    swap_free: int
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
    """Every block device by name."""

    at: float
    devices: dict[str, DiskCounters]


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


class Link(NamedTuple):
    """State of one network interface; `speed` is in bytes per second."""

    up: bool
    speed: int | None


class TemperatureReading(NamedTuple):
    """One sensor, in degrees celsius. `device` tells two chips of one name apart."""

    chip: str
    device: str
    label: str
    current: float
    high: float | None
    critical: float | None


class FanReading(NamedTuple):
    """One fan, in turns per minute."""

    chip: str
    device: str
    label: str
    speed: int


class SensorReading(NamedTuple):
    """Everything that could be read just now."""

    temperatures: list[TemperatureReading]
    fans: list[FanReading]


class BatteryReading(NamedTuple):
    """One battery or UPS. `left` is in seconds, while discharging."""

    name: str
    charge: float | None
    plugged: bool | None
    left: int | None


class ProcessStat(NamedTuple):
    """One process. `started` is only for telling two processes of one pid apart."""

    name: str
    state: str
    started: float
    cpu_seconds: float
    resident_bytes: int
    threads: int


class ProcessReading(NamedTuple):
    """Every process by pid."""

    at: float
    processes: dict[int, ProcessStat]


def printable(name: str) -> str:
    """Return a name that fits into UTF-8: bytes that were not are replaced."""
    return name if name.isascii() else os.fsencode(name).decode(errors="replace")
