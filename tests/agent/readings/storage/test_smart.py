import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from fleetglass.agent.readings.storage.smart import parse_smart, smartctl_version
from fleetglass.wire.bounds import check_bounds
from fleetglass.wire.payloads import StorageDisk
from support.smartctl import ata_disk, ata_ssd, attribute, nvme_disk, said, sas_disk


def disk_of(told: dict[str, Any]) -> StorageDisk:
    reading = parse_smart(json.dumps(told).encode())
    assert reading is not None
    return reading.disk


def statistics(*rows: tuple[str, int], valid: bool = True) -> dict[str, Any]:
    table = [{"name": name, "value": value, "flags": {"valid": valid}} for name, value in rows]
    return {"ata_device_statistics": {"pages": [{"number": 1, "name": "General", "table": table}]}}


def test_a_disk_that_turns() -> None:
    """Counts are the first number of the raw value, which may be several packed into one."""
    assert disk_of(ata_disk()) == StorageDisk(
        state="active",
        health="passed",
        kind="hdd",
        model="Turner Works TW40",
        serial_end="00AB",
        size_bytes=4000787030016,
        temperature_celsius=36.0,
        power_on_seconds=31000 * 3600 + 1800,
        power_cycles=41,
        reallocated_sectors=8,
        pending_sectors=2,
        uncorrectable_sectors=1,
        interface_errors=3,
        error_log_entries=5,
    )


def test_an_nvme_disk() -> None:
    """Its log is defined by the standard; a data unit is 512,000 bytes."""
    assert disk_of(nvme_disk()) == StorageDisk(
        state="active",
        health="passed",
        kind="nvme",
        model="Fast Lane 990",
        serial_end="777X",
        size_bytes=1000204886016,
        wear_percent=4.0,
        spare_percent=100.0,
        spare_threshold_percent=10.0,
        temperature_celsius=41.0,
        power_on_seconds=3_240_000,
        power_cycles=120,
        unsafe_shutdowns=6,
        media_errors=0,
        error_log_entries=33,
        read_total_bytes=1_024_000_000,
        write_total_bytes=2_048_000_000,
    )


def test_a_sas_disk() -> None:
    """Grown defects are reallocated sectors; uncorrected errors are those of all ways of access."""
    disk = disk_of(sas_disk())
    assert (disk.model, disk.kind, disk.health) == ("HEAVY IRON10K", "hdd", "passed")
    assert (disk.reallocated_sectors, disk.media_errors) == (4, 3)
    assert (disk.read_total_bytes, disk.write_total_bytes) == (1_234_500_000_000, 10_000_000_000)
    assert disk.power_on_seconds == 100 * 3600 + 12 * 60
    worn = sas_disk(rotation_rate=0, scsi_percentage_used_endurance_indicator=7)
    assert (disk_of(worn).kind, disk_of(worn).wear_percent) == ("ssd", 7.0)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, UNSET),
        (0b1, ["spare-low"]),
        (0b1010, ["temperature", "read-only"]),
        (0b110100, ["reliability-degraded", "backup-failed", "persistent-memory-read-only"]),
    ],
)
def test_warnings_of_nvme_are_words(bits: int, words: object) -> None:
    """Each bit of the critical warning has one."""
    assert disk_of(nvme_disk(critical_warning=bits)).warnings == words


def test_a_failing_disk() -> None:
    """The verdict is the disk's; what it warns of, an attribute and its last self-test, is in words."""
    log = {"standard": {"table": [{"status": {"value": 112, "string": "read failure", "passed": False}}]}}
    told = ata_disk(smart_status={"passed": False}, ata_smart_self_test_log=log)
    told["smartctl"]["exit_status"] = 0b1101_1000
    disk = disk_of(told)
    assert (disk.state, disk.health) == ("active", "failed")
    assert disk.warnings == ["attribute-below-threshold", "self-test-failed"]


@pytest.mark.parametrize(
    ("row", "wear"),
    [
        (attribute(177, "Wear_Leveling_Count", 93, "112"), 7.0),
        (attribute(202, "Percent_Lifetime_Remain", 88, "12"), 12.0),
        (attribute(231, "SSD_Life_Left", 100, "100"), 0.0),
        (attribute(233, "Media_Wearout_Indicator", 71, "0"), 29.0),
        (attribute(231, "Temperature_Celsius", 64, "36"), UNSET),
        (attribute(233, "Lifetime_Writes_GiB", 100, "5120"), UNSET),
        (attribute(230, "Media_Wearout_Indicator", 100, "0x0023"[2:], 35), UNSET),
        (attribute(177, "Wear_Range_Delta", 90, "9"), UNSET),
        (attribute(173, "Unknown_Attribute", 95, "5"), UNSET),
        (attribute(177, "Wear_Leveling_Count", 200, "1"), UNSET),
        (attribute(177, "Wear_Leveling_Count", 0, "1"), UNSET),
    ],
)
def test_wear_of_attributes_is_told_where_their_meaning_is_known(row: dict[str, Any], wear: object) -> None:
    """The same number means something else on the disk of another maker, and has another name."""
    told = ata_ssd(ata_smart_attributes={"table": [row]})
    assert disk_of(told).wear_percent == wear
    assert disk_of(told | {"in_smartctl_database": False}).wear_percent is UNSET


def test_wear_of_a_standard_goes_before_attributes() -> None:
    """So does what smartctl itself says; both can exceed 100, and what is not valid is left out."""
    assert disk_of(ata_ssd(endurance_used={"current_percent": 130})).wear_percent == 130.0
    row = ("Percentage Used Endurance Indicator", 12)
    assert disk_of(ata_ssd(**statistics(row))).wear_percent == 12.0
    assert disk_of(ata_ssd(**statistics(row, valid=False))).wear_percent == 7.0


def test_totals_count_in_the_unit_of_their_name() -> None:
    """A disk that is not in the database has no such name; the standard's statistics are in sectors."""

    def written(name: str, raw: str) -> object:
        table = {"table": [attribute(241, name, 99, raw)]}
        return disk_of(ata_ssd(ata_smart_attributes=table)).write_total_bytes

    assert written("Total_LBAs_Written", "2000000") == 1_024_000_000
    assert written("Host_Writes_32MiB", "10") == 320 * 2**20
    assert written("Lifetime_Writes_GiB", "3") == 3 * 2**30
    assert written("Host_Writes_GiB", "3") == 3 * 2**30
    assert written("NAND_Writes_GiB", "3") is UNSET
    assert written("Unknown_Attribute", "3") is UNSET
    assert disk_of(ata_ssd(in_smartctl_database=False)).write_total_bytes is UNSET
    told = ata_disk(logical_block_size=4096, **statistics(("Logical Sectors Written", 10)))
    assert disk_of(told).write_total_bytes == 40960


def test_numbers_that_cannot_be_are_absent() -> None:
    """A temperature of absolute zero, an age of centuries, a share of more than all, a negative count."""
    disk = disk_of(
        nvme_disk(available_spare=255, percentage_used=-1, media_errors=-1, data_units_read=2**60)
        | {"temperature": {"current": -273}, "power_on_time": {"hours": 2**40}, "power_cycle_count": True}
    )
    assert disk.temperature_celsius is UNSET
    assert disk.spare_percent is UNSET
    assert disk.wear_percent is UNSET
    assert disk.media_errors is UNSET
    assert disk.read_total_bytes is UNSET
    assert (disk.power_on_seconds, disk.power_cycles) == (3_240_000, 120)  # as its own log tells them


def test_a_disk_in_standby_is_known_by_its_message() -> None:
    """The exit status is the same as that of a disk that could not be opened; the words differ by version."""
    for text in (
        "Device is in STANDBY mode, exit(2)",
        "Device is in SLEEP mode, exit(2)",
        "Device is in STANDBY BY COMMAND mode, exit(2)",
        "Device is in STANDBY (OS) mode, exit(2)",
    ):
        assert disk_of(said(2, text)).state == "standby"
    assert disk_of(said(2, "Read Device Identity failed: Input/output error")).state == "unreadable"
    assert disk_of(said(2) | {"power_mode": {"ata_value": 0, "name": "STANDBY"}}).state == "standby"
    assert disk_of(said(2) | {"power_mode": "SLEEP"}).state == "standby"
    assert disk_of(ata_disk(power_mode={"name": "ACTIVE or IDLE"})).state == "active"


@pytest.mark.parametrize(
    ("told", "state", "is_denied"),
    [
        (said(2, "Smartctl open device: /dev/sda failed: Permission denied"), "unreadable", True),
        (said(2, "Smartctl open device: /dev/sda failed: Operation not permitted"), "unreadable", True),
        (
            said(1, "/dev/sdb: Unknown USB bridge [0xabcd:0x1234 (0x100)]", "Please specify device type"),
            "unsupported",
            False,
        ),
        (said(1, "/dev/vdb: Unable to detect device type"), "unsupported", False),
        (
            said(2, "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding"),
            "unsupported",
            False,
        ),
        (said(2), "unreadable", False),
        (said(4) | {"scsi_vendor": "QEMU", "scsi_product": "HARDDISK"}, "unsupported", False),
    ],
)
def test_a_disk_that_gives_nothing_says_why(told: dict[str, Any], state: str, is_denied: object) -> None:
    """A bridge that refuses or a virtual disk is unsupported; anything else is unreadable."""
    reading = parse_smart(json.dumps(told).encode())
    assert reading is not None
    assert (reading.disk.state, reading.is_denied) == (state, is_denied)
    assert reading.disk.reason


def test_two_ways_to_one_disk_have_one_identity() -> None:
    """It reveals no serial number, and a serial number of zeros is none."""
    first, second, other = (parse_smart(json.dumps(ata_disk(one)).encode()) for one in ("A12", "A12", "B12"))
    assert first is not None
    assert second is not None
    assert other is not None
    assert first.identity == second.identity != other.identity
    assert "A12" not in str(first.identity)
    nameless = parse_smart(json.dumps(ata_disk("0000000000")).encode())
    assert nameless is not None
    assert nameless.identity is None


def test_versions() -> None:
    """Of the JSON, or of the text of a program that knows none."""
    assert smartctl_version(json.dumps(said(0)).encode()) == (7, 3)
    assert smartctl_version(b"smartctl 6.6 2016-05-31 r4324\n") == (6, 6)
    assert smartctl_version(b"sh: not found") is None


@pytest.mark.parametrize(
    "output", [b"", b"smartctl 7.3", b"[1]", b"{}", b'{"smartctl": 5}', b"\xff", b"[" * 9999]
)
def test_what_is_no_answer(output: bytes) -> None:
    """Nothing is made of it."""
    assert parse_smart(output) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({*ata_ssd(), *nvme_disk(), *sas_disk(), "endurance_used", "ata_device_statistics"})


@given(told=st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_whatever_a_disk_says_can_be_sent(told: dict[str, Any]) -> None:
    """No type, size or shape of a field makes it fail, or makes a message that breaks the contract."""
    told["smartctl"] = {"exit_status": 0}
    reading = parse_smart(json.dumps(told).encode())
    assert reading is not None
    payload = msgspec.json.encode(reading.disk)
    check_bounds(payload)
    msgspec.json.decode(payload, type=StorageDisk)
