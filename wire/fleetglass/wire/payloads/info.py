"""What a host is, and what its groups mean."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire.payloads.common import Bytes, Count, Session, Time


class FieldInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a field of a group means, for readers that do not know the group."""

    unit: Annotated[str | UnsetType, Meta(description="unit of the number")] = UNSET
    limit: Annotated[float | UnsetType, Meta(description="highest possible value")] = UNSET


class GroupInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One group that a host publishes."""

    interval_seconds: Annotated[float, Meta(description="time between two messages")]
    fields: Annotated[dict[str, FieldInfo] | UnsetType, Meta(description="numeric fields by name")] = UNSET


class Info(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The facts of a host that do not change from second to second."""

    time: Time
    session: Session
    host_name: Annotated[str, Meta(description="host name of the system")]
    agent_version: Annotated[str, Meta(description="version of the agent")]
    interval_seconds: Annotated[float, Meta(description="time between two ticks")]
    groups: Annotated[dict[str, GroupInfo], Meta(description="the groups published under `live/`")]
    machine_id_hash: Annotated[str | UnsetType, Meta(description="a stable hash that reveals no secret")] = (
        UNSET
    )
    os_name: Annotated[str | UnsetType, Meta(description="such as `Debian GNU/Linux 12 (bookworm)`")] = UNSET
    kernel: Annotated[str | UnsetType, Meta(description="such as `Linux 6.1.0-18-amd64`")] = UNSET
    architecture: Annotated[str | UnsetType, Meta(description="such as `x86_64`")] = UNSET
    python_version: Annotated[str | UnsetType, Meta(description="the agent's Python")] = UNSET
    manufacturer: Annotated[str | UnsetType, Meta(description="manufacturer of the machine")] = UNSET
    model: Annotated[str | UnsetType, Meta(description="the manufacturer's name for the model")] = UNSET
    cpu_model: Annotated[str | UnsetType, Meta(description="name of the processor")] = UNSET
    physical_cores: Annotated[Count, Meta(description="cores")] = UNSET
    logical_cores: Annotated[Count, Meta(description="threads of all cores")] = UNSET
    memory_total_bytes: Annotated[Bytes, Meta(description="memory")] = UNSET
    swap_total_bytes: Annotated[Bytes, Meta(description="swap")] = UNSET
    boot_time: Annotated[float | UnsetType, Meta(description="UTC, seconds since the epoch")] = UNSET
    pending_updates: Annotated[Count, Meta(description="package updates that wait")] = UNSET
    security_updates: Annotated[Count, Meta(description="those of them that fix security")] = UNSET
    updates_time: Annotated[
        float | UnsetType,
        Meta(description="last refresh of the package lists: UTC, seconds since the epoch"),
    ] = UNSET
    reboot_required: Annotated[
        bool | UnsetType,
        Meta(description="the system asks for a reboot, or a newer kernel is installed than runs"),
    ] = UNSET
    addresses: Annotated[
        dict[str, list[str]] | UnsetType, Meta(description="IP addresses by network interface")
    ] = UNSET
    networks: Annotated[
        dict[str, list[str]] | UnsetType,
        Meta(description="the same with the length of the network's prefix, such as `192.0.2.9/24`"),
    ] = UNSET
    mac_addresses: Annotated[
        dict[str, str] | UnsetType, Meta(description="hardware addresses by network interface")
    ] = UNSET
    main_address: Annotated[str | UnsetType, Meta(description="source address of the default route")] = UNSET
    devices: Annotated[
        dict[str, list[str]] | UnsetType, Meta(description="names of the devices found, by group")
    ] = UNSET
    tags: Annotated[list[str] | UnsetType, Meta(description="labels given by the user")] = UNSET
    container: Annotated[
        str | UnsetType,
        Meta(
            description="what runs the container that the agent shows instead of its host, such as `docker`"
        ),
    ] = UNSET
    synthetic: Annotated[bool | UnsetType, Meta(description="a simulated host, not a real one")] = UNSET
    demand: Annotated[bool | UnsetType, Meta(description="the agent accepts leases on `demand`")] = UNSET
    conflict: Annotated[
        str | UnsetType, Meta(description="session of another machine that publishes under this host id")
    ] = UNSET
