"""Whether a host is there, its numbers in one line, and what is asked of it."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire.payloads.common import Celsius, Count, Percent, Rate, Session, Tick, Time
from fleetglass.wire.payloads.groups import GpuDevice

State = Literal["online", "suspended", "stopped", "lost"]


class Status(msgspec.Struct, omit_defaults=True):
    """Whether the agent runs, or its host sleeps. Also the will, with the state `lost`."""

    state: State
    session: Session
    time: Time


class Headline(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The numbers that `pulse` and `summary` share: one host in one line."""

    time: Time
    tick: Tick
    cpu_percent: Annotated[Percent, Meta(description="busy share of all cores")] = UNSET
    load_1m: Annotated[float | UnsetType, Meta(description="load average of 1 minute")] = UNSET
    memory_percent: Annotated[Percent, Meta(description="memory in use")] = UNSET
    swap_percent: Annotated[Percent, Meta(description="swap in use")] = UNSET
    filesystem_percent: Annotated[Percent, Meta(description="use of the fullest filesystem")] = UNSET
    disk_read_bytes_per_second: Annotated[Rate, Meta(description="read from all disks")] = UNSET
    disk_write_bytes_per_second: Annotated[Rate, Meta(description="written to all disks")] = UNSET
    network_receive_bytes_per_second: Annotated[
        Rate, Meta(description="received; each byte on the wire counts once")
    ] = UNSET
    network_transmit_bytes_per_second: Annotated[
        Rate, Meta(description="transmitted; each byte on the wire counts once")
    ] = UNSET
    temperature_celsius: Annotated[Celsius, Meta(description="the hottest sensor below 150 °C")] = UNSET
    gpu_percent: Annotated[Percent, Meta(description="the busiest GPU")] = UNSET
    battery_percent: Annotated[Percent, Meta(description="charge of the battery")] = UNSET
    process_count: Annotated[Count, Meta(description="processes")] = UNSET
    failed_units: Annotated[Count, Meta(description="units of systemd that failed")] = UNSET


class Pulse(Headline, kw_only=True, omit_defaults=True):
    """Headline numbers of one tick, one message per host."""

    session: Session
    core_percents: Annotated[
        list[int] | UnsetType, Meta(description="busy share of each core, whole numbers, at most 64")
    ] = UNSET
    core_numbers: Annotated[
        list[int] | UnsetType,
        Meta(description="number of each core in `core_percents`, unless they are 0, 1, 2, …"),
    ] = UNSET
    uptime_seconds: Annotated[int | UnsetType, Meta(description="time since boot")] = UNSET


class Summary(Headline, kw_only=True, omit_defaults=True):
    """Headline numbers as means over a slow interval, for consumers that keep every message."""

    boot_time: Annotated[float | UnsetType, Meta(description="UTC, seconds since the epoch")] = UNSET
    gpus: Annotated[
        dict[str, GpuDevice] | UnsetType,
        Meta(
            description="GPUs, as in the group `gpu`; one that is `idle` keeps its last values, and one that "
            "is `suspended` its total memory"
        ),
    ] = UNSET


class Backfill(msgspec.Struct):
    """The pulses taken while the broker was away, in chunks of at most `MAX_PAYLOAD_BYTES`.

    A pulse at the start of the outage may come both as `pulse` and here, with one `session` and `tick`.
    """

    time: Time
    tick: Tick
    session: Session
    pulses: Annotated[list[msgspec.Raw], Meta(description="the missed pulses, unchanged, oldest first")]


class Demand(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A lease: until it ends, an agent with `demand: true` samples these groups more often, never less."""

    time: Time
    holder: Annotated[
        str, Meta(max_length=64, description="who requests it; a later lease of the same holder replaces it")
    ]
    groups: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(max_length=64, description="groups wanted at `interval_seconds`"),
    ]
    interval_seconds: Annotated[float, Meta(ge=0, le=3600, description="0 is every tick")] = 0
    lease_seconds: Annotated[float, Meta(ge=0, le=300, description="duration, starting at `time`")] = 30
