"""The groups that a user asks for: containers, units of systemd, and own metrics."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire.payloads.common import Bytes, Count, Percent, Rate
from fleetglass.wire.payloads.groups import Group
from fleetglass.wire.payloads.info import FieldInfo

Text = str | UnsetType
Moment = float | UnsetType


class ContainerEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One container."""

    image: Annotated[Text, Meta(description="the image it was made of")] = UNSET
    state: Annotated[Text, Meta(description="such as `running` or `exited`")] = UNSET
    health: Annotated[Text, Meta(description="result of its health check, if it has one")] = UNSET
    cpu_percent: Annotated[Percent, Meta(description="of one core, as in top: can exceed 100")] = UNSET
    memory_used_bytes: Annotated[Bytes, Meta(description="memory, without unused file cache")] = UNSET
    memory_limit_bytes: Annotated[Bytes, Meta(description="memory limit, if there is one")] = UNSET
    memory_percent: Annotated[Percent, Meta(description="memory in use, relative to its limit")] = UNSET
    network_receive_bytes_per_second: Annotated[Rate, Meta(description="received, without loopback")] = UNSET
    network_transmit_bytes_per_second: Annotated[Rate, Meta(description="transmitted, without loopback")] = (
        UNSET
    )
    disk_read_bytes_per_second: Annotated[Rate, Meta(description="read from block devices")] = UNSET
    disk_write_bytes_per_second: Annotated[Rate, Meta(description="written to block devices")] = UNSET
    restarts: Annotated[Count, Meta(description="times its restart policy has started it again")] = UNSET
    started_time: Annotated[Moment, Meta(description="start: UTC, seconds since the epoch")] = UNSET


class Container(Group, kw_only=True, omit_defaults=True):
    """Containers of Docker or Podman; sent only with `containers: true`."""

    containers: Annotated[
        dict[str, ContainerEntry], Meta(description="by name, including stopped containers")
    ]


class UnitEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One unit of systemd."""

    load_state: Annotated[Text, Meta(description="such as `loaded` or `not-found`")] = UNSET
    active_state: Annotated[Text, Meta(description="such as `active` or `failed`")] = UNSET
    sub_state: Annotated[Text, Meta(description="such as `running` or `dead`")] = UNSET
    since_time: Annotated[Moment, Meta(description="last change: UTC, seconds since the epoch")] = UNSET
    memory_bytes: Annotated[Bytes, Meta(description="memory of all its processes")] = UNSET
    cpu_percent: Annotated[Percent, Meta(description="of one core, as in top: can exceed 100")] = UNSET
    restarts: Annotated[Count, Meta(description="times systemd has started it again")] = UNSET


class Unit(Group, kw_only=True, omit_defaults=True):
    """Units of systemd; sent only with the setting `units`."""

    failed_count: Annotated[int, Meta(description="units that failed")]
    failed: Annotated[list[str], Meta(description="units that failed, by name, at most 100")]
    units: Annotated[dict[str, UnitEntry], Meta(description="the watched units by name")]


class Custom(Group, kw_only=True):
    """What a script or file of the user says (groups `custom-<name>`); `payload` is what is sent."""

    values: dict[str, Any]
    """By name, as the user gave them; nulls left out."""
    fields: dict[str, FieldInfo]
    """What the numbers mean, by the last name that leads to each; goes into the host's inventory."""

    def payload(self) -> dict[str, Any]:
        """Return the values beside the stamp, which is the agent's own."""
        return {**self.values, "time": self.time, "tick": self.tick}
