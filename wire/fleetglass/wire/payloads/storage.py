"""The health of disks, and of arrays and pools that are built from several disks."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fleetglass.wire.payloads.common import Bytes, Celsius, Count, Percent
from fleetglass.wire.payloads.groups import Group

Text = str | UnsetType


class StorageDisk(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One disk. A disk in standby is never woken: it keeps the values of `read_time`."""

    state: Annotated[
        Literal["active", "standby", "unsupported", "unreadable"] | UnsetType,
        Meta(description="`active`: read; `standby`: asleep; `unsupported`: tells nothing; `unreadable`"),
    ] = UNSET
    reason: Annotated[Text, Meta(description="why it is unsupported or unreadable")] = UNSET
    read_time: Annotated[
        float | UnsetType, Meta(description="when the values were read: UTC, seconds since the epoch")
    ] = UNSET
    health: Annotated[
        Literal["passed", "failed"] | UnsetType, Meta(description="the disk's own verdict on itself")
    ] = UNSET
    warnings: Annotated[
        list[str] | UnsetType,
        Meta(description="what the disk warns of, such as `spare-low`, `read-only`, `self-test-failed`"),
    ] = UNSET
    kind: Annotated[Text, Meta(description="`hdd`, `ssd`, `nvme`, `emmc` or `sd`")] = UNSET
    model: Annotated[Text, Meta(description="name of the model")] = UNSET
    serial_end: Annotated[Text, Meta(description="last four characters of the serial number")] = UNSET
    size_bytes: Annotated[Bytes, Meta(description="capacity")] = UNSET
    wear_percent: Annotated[
        Percent, Meta(description="share of the rated endurance that is used: can exceed 100")
    ] = UNSET
    spare_percent: Annotated[Percent, Meta(description="spare blocks left")] = UNSET
    spare_threshold_percent: Annotated[Percent, Meta(description="spare blocks below which it warns")] = UNSET
    temperature_celsius: Annotated[Celsius, Meta(description="temperature")] = UNSET
    power_on_seconds: Annotated[Count, Meta(description="time it has been switched on")] = UNSET
    power_cycles: Annotated[Count, Meta(description="times it was switched on")] = UNSET
    unsafe_shutdowns: Annotated[Count, Meta(description="times it lost power without warning")] = UNSET
    reallocated_sectors: Annotated[Count, Meta(description="bad sectors that were replaced by spares")] = (
        UNSET
    )
    pending_sectors: Annotated[Count, Meta(description="sectors that could not be read lately")] = UNSET
    uncorrectable_sectors: Annotated[
        Count, Meta(description="sectors that could not be read in a check of the whole disk")
    ] = UNSET
    media_errors: Annotated[Count, Meta(description="errors that the disk could not correct")] = UNSET
    interface_errors: Annotated[
        Count, Meta(description="transfers damaged on the way, as by a bad cable")
    ] = UNSET
    error_log_entries: Annotated[Count, Meta(description="errors that its log has counted")] = UNSET
    read_total_bytes: Annotated[Bytes, Meta(description="read by the host since it was made")] = UNSET
    write_total_bytes: Annotated[Bytes, Meta(description="written by the host since it was made")] = UNSET


class StorageArray(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One array of Linux (md), filesystem of btrfs, or pool of ZFS."""

    type: Annotated[Text, Meta(description="`md`, `btrfs` or `zfs`")] = UNSET
    level: Annotated[Text, Meta(description="such as `raid1`")] = UNSET
    health: Annotated[
        Literal["ok", "degraded", "failed"] | UnsetType,
        Meta(description="`degraded`: works without some of its devices or data"),
    ] = UNSET
    state: Annotated[Text, Meta(description="the system's word, such as `clean` or `degraded`")] = UNSET
    devices: Annotated[Count, Meta(description="devices that it is made for")] = UNSET
    degraded_devices: Annotated[Count, Meta(description="devices that are missing or failed")] = UNSET
    size_bytes: Annotated[Bytes, Meta(description="capacity")] = UNSET
    sync_action: Annotated[
        Text, Meta(description="what runs now, such as `resync`, `recover`, `check`, `scrub`, `resilver`")
    ] = UNSET
    sync_percent: Annotated[Percent, Meta(description="how much of it is done")] = UNSET
    read_errors: Annotated[Count, Meta(description="errors of its devices while reading")] = UNSET
    write_errors: Annotated[Count, Meta(description="errors of its devices while writing")] = UNSET
    checksum_errors: Annotated[Count, Meta(description="data that did not match its checksum")] = UNSET
    data_errors: Annotated[Count, Meta(description="damaged data that could not be repaired")] = UNSET


class Storage(Group, kw_only=True, omit_defaults=True):
    """Health of disks, arrays and pools; sent only with `storage: true`."""

    disks: Annotated[dict[str, StorageDisk], Meta(description="by name, such as `sda` or `nvme0`")]
    arrays: Annotated[
        dict[str, StorageArray] | UnsetType,
        Meta(description="by name, such as `md0`, `btrfs/data` or `zfs/tank`"),
    ] = UNSET
