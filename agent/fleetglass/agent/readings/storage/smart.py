"""What `smartctl --json` says of one disk: smartctl(8), NVM Express, ACS and SCSI log pages."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.agent.identity import digest
from fleetglass.wire.payloads import StorageDisk

T = TypeVar("T")

DENIED: Final = ("Permission denied", "Operation not permitted")
"""How the messages of a program end that may not open a disk."""

_ASLEEP = re.compile(r"Device is in .*\b(STANDBY|SLEEP)", re.IGNORECASE)
_UNSUPPORTED = re.compile(
    r"Unknown USB bridge|Unable to detect device type|[Pp]lease (try|specify)|"
    r"SMART .*not (available|supported)"
)
_OPEN_FAILED = 0b10  # bits of the exit status
_BELOW_THRESHOLD = 0b1_0000
_NVME_WARNINGS: Final = (
    "spare-low",
    "temperature",
    "reliability-degraded",
    "read-only",
    "backup-failed",
    "persistent-memory-read-only",
)
_NVME_UNIT_BYTES = 512_000
_SECTOR_BYTES = 512
_MAX_HOURS = 100 * 366 * 24
_MAX_TEXT = 100

# Attributes by the names that smartctl's database gives them: the numbers alone mean something else on
# other disks. Of wear, the normalized value is what is left.
_WEAR: Final = (
    (177, "Wear_Leveling_Count"),
    (202, "Percent_Lifetime_Remain"),
    (202, "Percent_Lifetime_Used"),
    (231, "SSD_Life_Left"),
    (233, "Media_Wearout_Indicator"),
    (169, "Remaining_Lifetime_Perc"),
)
_UNSAFE_SHUTDOWNS: Final = {
    (174, "Unexpect_Power_Loss_Ct"),
    (174, "Unsafe_Shutdown_Count"),
    (192, "Unsafe_Shutdown_Count"),
    (235, "POR_Recovery_Count"),
}
_TOTALS: Final = {
    "LBAs": _SECTOR_BYTES,
    "32MiB": 32 * 2**20,
    "MiB": 2**20,
    "GiB": 2**30,
    "GB": 10**9,
}
_TOTAL_NAME = re.compile(
    r"(?:Total|Host|Lifetime)_(?:(LBAs)_)?(Written|Writes|Read|Reads)(?:_(32MiB|MiB|GiB|GB))?\Z"
)


class SmartReading(NamedTuple):
    """One disk: what it says, and what tells it from every other disk, for two ways to one."""

    disk: StorageDisk
    identity: str | None
    is_denied: bool = False
    """Whether the agent is not permitted to ask it."""


def parse_smart(output: bytes) -> SmartReading | None:
    """Return what smartctl printed about a disk, or None when it is not its JSON.

    Whatever the disk does not give, or gives as a number that cannot be, is absent.
    """
    try:
        told = msgspec.json.decode(output)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("smartctl"), dict):
        return None
    messages = list(_messages(told))
    exit_status = _whole(told, "smartctl", "exit_status") or 0
    disk = _facts(told)
    serial = _text(told, "serial_number")
    identity = digest(f"{disk.model} {serial}".encode())[:16] if serial and len(set(serial)) > 2 else None
    if any(map(_ASLEEP.search, messages)) or _is_low_power(told):
        disk.state = "standby"
        return SmartReading(disk, identity)
    if exit_status & _OPEN_FAILED or (exit_status & 1 and messages):
        is_denied = any(message.endswith(DENIED) for message in messages)
        is_unsupported = not is_denied and any(map(_UNSUPPORTED.search, messages))
        disk.state = "unsupported" if is_unsupported else "unreadable"
        disk.reason = _short(messages[0]) if messages else "smartctl could not open it"
        return SmartReading(disk, None, is_denied)
    _read_common(told, disk)
    if isinstance(nvme := told.get("nvme_smart_health_information_log"), dict):
        _read_nvme(nvme, disk)
    _read_ata(told, disk, exit_status)
    _read_scsi(told, disk)
    silent = disk.health is UNSET and disk.power_on_seconds is UNSET and disk.temperature_celsius is UNSET
    disk.state = "unsupported" if silent else "active"
    if silent:
        disk.reason = _short(next(filter(_UNSUPPORTED.search, messages), "it has no SMART"))
    return SmartReading(disk, identity)


def smartctl_version(output: bytes) -> tuple[int, int] | None:
    """Return the version that smartctl tells in its JSON, or in its first line where it knows no JSON."""
    found = re.search(rb'"version":\[(\d+),(\d+)\]', output.replace(b" ", b"").replace(b"\n", b""))
    found = found or re.search(rb"smartctl (\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else None


def _is_low_power(told: dict[str, Any]) -> bool:
    """Whether newer versions say so in a field; of a disk that was read all the same, it is no news."""
    mode = _text(told, "power_mode") or _text(told, "power_mode", "name") or ""
    return "smart_status" not in told and mode.upper().startswith(("STANDBY", "SLEEP"))


def _facts(told: dict[str, Any]) -> StorageDisk:
    vendor = " ".join(filter(None, (_text(told, "scsi_vendor"), _text(told, "scsi_product"))))
    model = _text(told, "model_name") or _text(told, "scsi_model_name") or vendor or None
    serial = _text(told, "serial_number")
    return StorageDisk(
        model=_known(model),
        serial_end=serial[-4:] if serial and len(serial) >= 8 else UNSET,
        kind=_kind(told),
        size_bytes=_known(
            _whole(told, "user_capacity", "bytes") or _whole(told, "nvme_total_capacity") or None
        ),
    )


def _kind(told: dict[str, Any]) -> str | UnsetType:
    if (
        "NVM" in (_text(told, "device", "protocol") or "").upper()
        or "nvme_smart_health_information_log" in told
    ):
        return "nvme"
    rotation = _whole(told, "rotation_rate")
    return UNSET if rotation is None else "hdd" if rotation else "ssd"


def _read_common(told: dict[str, Any], disk: StorageDisk) -> None:
    passed = _at(told, "smart_status", "passed")
    if isinstance(passed, bool):
        disk.health = "passed" if passed else "failed"
    degrees = _at(told, "temperature", "current")
    if (
        isinstance(degrees, int | float)
        and not isinstance(degrees, bool)
        and -40 <= degrees <= 150
        and degrees
    ):
        disk.temperature_celsius = float(degrees)
    hours = _whole(told, "power_on_time", "hours")
    if hours is not None and hours <= _MAX_HOURS:
        disk.power_on_seconds = hours * 3600 + (_whole(told, "power_on_time", "minutes") or 0) * 60
    disk.power_cycles = _known(_whole(told, "power_cycle_count"))
    disk.wear_percent = _percent(_at(told, "endurance_used", "current_percent"), highest=255)
    disk.spare_percent = _percent(_at(told, "spare_available", "current_percent"))
    disk.spare_threshold_percent = _percent(_at(told, "spare_available", "threshold_percent"))


def _read_nvme(log: dict[str, Any], disk: StorageDisk) -> None:
    bits = _whole(log, "critical_warning") or 0
    disk.warnings = [word for bit, word in enumerate(_NVME_WARNINGS) if bits >> bit & 1] or UNSET
    disk.wear_percent = _percent(log.get("percentage_used"), highest=255)
    disk.spare_percent = _percent(log.get("available_spare"))
    disk.spare_threshold_percent = _percent(log.get("available_spare_threshold"))
    if disk.power_on_seconds is UNSET and (hours := _whole(log, "power_on_hours") or 0) <= _MAX_HOURS:
        disk.power_on_seconds = hours * 3600 or UNSET
    if disk.power_cycles is UNSET:
        disk.power_cycles = _known(_whole(log, "power_cycles"))
    disk.unsafe_shutdowns = _known(_whole(log, "unsafe_shutdowns"))
    disk.media_errors = _known(_whole(log, "media_errors"))
    disk.error_log_entries = _known(_whole(log, "num_err_log_entries"))
    disk.read_total_bytes = _bytes(_whole(log, "data_units_read"), _NVME_UNIT_BYTES)
    disk.write_total_bytes = _bytes(_whole(log, "data_units_written"), _NVME_UNIT_BYTES)


def _read_ata(told: dict[str, Any], disk: StorageDisk, exit_status: int) -> None:
    warnings = []
    if exit_status & _BELOW_THRESHOLD:
        warnings.append("attribute-below-threshold")
    if _at(_first(_at(told, "ata_smart_self_test_log", "standard", "table")), "status", "passed") is False:
        warnings.append("self-test-failed")
    if warnings:
        disk.warnings = warnings
    log = "ata_smart_error_log"
    count = _whole(told, log, "extended", "count")
    if count is None:
        count = _whole(told, log, "summary", "count")
    if count is not None:
        disk.error_log_entries = count
    is_in_database = told.get("in_smartctl_database") is True
    for attribute in _rows(_at(told, "ata_smart_attributes", "table")):
        _read_attribute(attribute, disk, is_in_database=is_in_database)
    # Defined by a standard, and so better than the attributes.
    for page in _rows(_at(told, "ata_device_statistics", "pages")):
        for row in _rows(page.get("table")):
            if _at(row, "flags", "valid") is not False:
                _read_statistic(row, disk, sector_bytes=_whole(told, "logical_block_size") or _SECTOR_BYTES)


def _read_attribute(attribute: dict[str, Any], disk: StorageDisk, *, is_in_database: bool) -> None:
    number, name = _whole(attribute, "id") or 0, _text(attribute, "name") or ""
    # The first number of the text: the whole raw value may be several numbers in one.
    leading = re.match(r"\d+", _text(attribute, "raw", "string") or "")
    raw = int(leading[0]) if leading and len(leading[0]) < 19 else None
    if number == 5 and name.startswith("Reallocated_Sector"):
        disk.reallocated_sectors = _known(raw)
    elif number == 197 and name == "Current_Pending_Sector":
        disk.pending_sectors = _known(raw)
    elif number == 198 and name == "Offline_Uncorrectable":
        disk.uncorrectable_sectors = _known(raw)
    elif number == 187 and name in {"Reported_Uncorrect", "Uncorrectable_Error_Cnt"}:
        disk.media_errors = _known(raw)
    elif number == 199 and "CRC_Error" in name:
        disk.interface_errors = _known(raw)
    elif (number, name) in _UNSAFE_SHUTDOWNS:
        disk.unsafe_shutdowns = _known(raw)
    elif disk.kind == "ssd" and disk.wear_percent is UNSET and is_in_database and (number, name) in _WEAR:
        left = _whole(attribute, "value")
        disk.wear_percent = float(100 - left) if left is not None and 1 <= left <= 100 else UNSET
    elif is_in_database and number in {241, 242} and (found := _TOTAL_NAME.match(name)):
        total = _bytes(raw, _TOTALS.get(found[1] or found[3], 0))
        if found[2].startswith("W"):
            disk.write_total_bytes = total
        else:
            disk.read_total_bytes = total


def _read_statistic(row: dict[str, Any], disk: StorageDisk, *, sector_bytes: int) -> None:
    value = _whole(row, "value")
    if value is None:
        return
    match row.get("name"):
        case "Percentage Used Endurance Indicator":
            disk.wear_percent = _percent(value, highest=255)
        case "Logical Sectors Written":
            disk.write_total_bytes = _bytes(value, sector_bytes)
        case "Logical Sectors Read":
            disk.read_total_bytes = _bytes(value, sector_bytes)
        case "Number of Reported Uncorrectable Errors":
            disk.media_errors = value


def _read_scsi(told: dict[str, Any], disk: StorageDisk) -> None:
    defects = _whole(told, "scsi_grown_defect_list")
    if defects is not None:
        disk.reallocated_sectors = defects
    if disk.wear_percent is UNSET:
        disk.wear_percent = _percent(told.get("scsi_percentage_used_endurance_indicator"), highest=255)
    log = told.get("scsi_error_counter_log")
    if not isinstance(log, dict):
        return
    errors = [_whole(log, way, "total_uncorrected_errors") for way in ("read", "write", "verify")]
    if counted := [count for count in errors if count is not None]:
        disk.media_errors = sum(counted)
    disk.read_total_bytes = _gigabytes(_at(log, "read", "gigabytes_processed"))
    disk.write_total_bytes = _gigabytes(_at(log, "write", "gigabytes_processed"))


def _messages(told: dict[str, Any]) -> Iterator[str]:
    for row in _rows(_at(told, "smartctl", "messages")):
        if text := _text(row, "string"):
            yield text


def _short(text: str) -> str:
    line = " ".join(text.split()).removeprefix("Smartctl open device: ")
    return line if len(line) <= _MAX_TEXT else line[: _MAX_TEXT - 1] + "…"


def _at(told: Any, *path: str) -> Any:
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def _first(rows: Any) -> Any:
    return rows[0] if isinstance(rows, list) and rows else None


def _rows(rows: Any) -> Iterator[dict[str, Any]]:
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, dict))


def _whole(told: Any, *path: str) -> int | None:
    value = _at(told, *path)
    is_whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if is_whole else None


def _known(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _text(told: Any, *path: str) -> str | None:
    value = _at(told, *path)
    return " ".join(value.split())[:_MAX_TEXT] or None if isinstance(value, str) else None


def _percent(value: Any, *, highest: int = 100) -> float | UnsetType:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest
    return float(value) if is_number else UNSET


def _bytes(count: int | None, unit: int) -> int | UnsetType:
    return count * unit if count is not None and unit > 0 and count * unit < 2**63 else UNSET


def _gigabytes(text: Any) -> int | UnsetType:
    try:
        amount = float(text) * 1e9
    except (TypeError, ValueError, OverflowError):
        return UNSET
    return round(amount) if 0 <= amount < 2**63 else UNSET
