"""A `smartctl` that answers as the real one does, and notes its calls and each disk that it wakes."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAM = """#!{python} -IS
import os, sys, time
here, words = {folder!r}, sys.argv[1:]
def note(name, text):
    with open(os.path.join(here, name), "a") as file:
        file.write(text + "\\n")
def has(name):
    return os.path.exists(os.path.join(here, name))
note("calls", " ".join(words))
if "--json=c" not in words or has("old"):
    print("smartctl 6.6 2016-05-31 r4324 [x86_64-linux-4.19.0] (local build)")
    print("=======> UNRECOGNIZED OPTION: json=c")
    sys.exit(1)
if "--scan" in words:
    if has("scan.hangs"):
        time.sleep(600)
    print(open(os.path.join(here, "scan")).read())
    sys.exit(0)
name = words[-1].removeprefix("/dev/").replace("/", "")
kind = words[words.index("-d") + 1] if "-d" in words else ""
name += "_" + kind.replace(",", "_") if "," in kind else ""
if has(name + ".hangs"):
    note("pids", str(os.getpid()))
    time.sleep(600)
if has(name + ".sleeps"):
    if "-n" in words and words[words.index("-n") + 1].startswith("standby"):
        print(open(os.path.join(here, "asleep")).read())
        sys.exit(2)
    note("wakings", name)
    os.unlink(os.path.join(here, name + ".sleeps"))
if not has(name):
    print(open(os.path.join(here, "missing")).read().replace("NAME", words[-1]))
    sys.exit(2)
text = open(os.path.join(here, name)).read()
print(text)
sys.exit(int(text.partition('"exit_status": ')[2].partition("}}")[0] or 0))
"""


class FakeSmartctl:
    """Programs in a folder `bin`, which belongs on the PATH; what it says lies beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "smartctl"
        self._folder.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir(exist_ok=True)
        self.program = self.bin / "smartctl"
        self.program.write_text(_PROGRAM.format(python=sys.executable, folder=str(self._folder)))
        self.program.chmod(0o755)
        self.scan()
        (self._folder / "asleep").write_text(json.dumps(said(2, "Device is in STANDBY mode, exit(2)")))
        missing = "Smartctl open device: NAME failed: No such device"
        (self._folder / "missing").write_text(json.dumps(said(2, missing)))

    @property
    def environment(self) -> dict[str, str]:
        """An environment that finds it."""
        return {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}

    def scan(self, *devices: tuple[str, str]) -> None:
        """Let `--scan` list these paths and types."""
        listed = [{"name": path, "info_name": path, "type": kind, "protocol": "?"} for path, kind in devices]
        (self._folder / "scan").write_text(json.dumps(said(0) | {"devices": listed}))

    def say(self, name: str, told: Mapping[str, Any]) -> None:
        """Let a disk tell this; members of controllers are named like `bus0_megaraid_3`."""
        (self._folder / name).write_text(json.dumps(told))

    def put(self, name: str) -> None:
        """Let a disk be asleep (`sda.sleeps`) or hang (`sda.hangs`), or the program be an `old` one."""
        (self._folder / name).touch()

    def take(self, name: str) -> None:
        """Undo `put`."""
        (self._folder / name).unlink()

    def notes(self, name: str) -> list[str]:
        """Return the `calls`, the `wakings` or the `pids`."""
        path = self._folder / name
        return path.read_text().splitlines() if path.exists() else []

    def asked(self) -> list[str]:
        """Return the disks that were asked, each time that it was."""
        return [call.split()[-1] for call in self.notes("calls") if "--scan" not in call]


def said(exit_status: int, *messages: str) -> dict[str, Any]:
    """Return the head of an answer, with messages of errors."""
    told = [{"string": text, "severity": "error"} for text in messages]
    head: dict[str, Any] = {"version": [7, 3], "argv": ["smartctl"]}
    head |= {"messages": told} if told else {}
    return {"json_format_version": [1, 0], "smartctl": head | {"exit_status": exit_status}}


def attribute(number: int, name: str, value: int, raw: str, raw_value: int | None = None) -> dict[str, Any]:
    """Return one row of the table of ATA attributes."""
    packed = int(raw.split(maxsplit=1)[0]) if raw_value is None else raw_value
    return {
        "id": number,
        "name": name,
        "value": value,
        "worst": value,
        "thresh": 0,
        "when_failed": "",
        "raw": {"value": packed, "string": raw},
    }


def ata_disk(serial: str = "ZX1000AB", **more: Any) -> dict[str, Any]:
    """Return what a healthy disk that turns tells."""
    return (
        said(0)
        | {
            "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
            "model_name": "Turner Works TW40",
            "serial_number": serial,
            "user_capacity": {"blocks": 7814037168, "bytes": 4000787030016},
            "logical_block_size": 512,
            "rotation_rate": 7200,
            "in_smartctl_database": True,
            "smart_support": {"available": True, "enabled": True},
            "smart_status": {"passed": True},
            "ata_smart_attributes": {
                "revision": 10,
                "table": [
                    attribute(5, "Reallocated_Sector_Ct", 100, "8"),
                    attribute(194, "Temperature_Celsius", 111, "36 (Min/Max 14/52)", 0x0034000E0024),
                    attribute(197, "Current_Pending_Sector", 100, "2"),
                    attribute(198, "Offline_Uncorrectable", 100, "1"),
                    attribute(199, "UDMA_CRC_Error_Count", 200, "3"),
                ],
            },
            "power_on_time": {"hours": 31000, "minutes": 30},
            "power_cycle_count": 41,
            "temperature": {"current": 36},
            "ata_smart_error_log": {"summary": {"revision": 1, "count": 5}},
        }
        | more
    )


def ata_ssd(**more: Any) -> dict[str, Any]:
    """Return what an SSD tells that is known to smartctl's database, but has no log of statistics."""
    table = [
        attribute(5, "Reallocated_Sector_Ct", 100, "0"),
        attribute(177, "Wear_Leveling_Count", 93, "112"),
        attribute(187, "Uncorrectable_Error_Cnt", 100, "0"),
        attribute(235, "POR_Recovery_Count", 99, "17"),
        attribute(241, "Total_LBAs_Written", 99, "2000000"),
    ]
    disk = ata_disk("S5Y1NX0R123456", model_name="Flasher 870", rotation_rate=0)
    return disk | {"ata_smart_attributes": {"table": table}, "temperature": {"current": 29}} | more


def nvme_disk(**log: Any) -> dict[str, Any]:
    """Return what an NVMe disk tells."""
    return said(0) | {
        "device": {"name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"},
        "model_name": "Fast Lane 990",
        "serial_number": "FL99000000777X",
        "nvme_total_capacity": 1000204886016,
        "smart_status": {"passed": True, "nvme": {"value": 0}},
        "nvme_smart_health_information_log": {
            "critical_warning": 0,
            "temperature": 41,
            "available_spare": 100,
            "available_spare_threshold": 10,
            "percentage_used": 4,
            "data_units_read": 2000,
            "data_units_written": 4000,
            "power_cycles": 120,
            "power_on_hours": 900,
            "unsafe_shutdowns": 6,
            "media_errors": 0,
            "num_err_log_entries": 33,
        }
        | log,
        "temperature": {"current": 41},
        "power_cycle_count": 120,
        "power_on_time": {"hours": 900},
    }


def sas_disk(**more: Any) -> dict[str, Any]:
    """Return what a SAS disk tells."""
    return (
        said(0)
        | {
            "device": {"name": "/dev/bus/0", "type": "megaraid,3", "protocol": "SCSI"},
            "scsi_vendor": "HEAVY",
            "scsi_product": "IRON10K",
            "scsi_model_name": "HEAVY IRON10K",
            "serial_number": "HI10K000042",
            "user_capacity": {"blocks": 1, "bytes": 1200243695616},
            "rotation_rate": 10000,
            "smart_status": {"passed": True},
            "temperature": {"current": 33, "drive_trip": 65},
            "power_on_time": {"hours": 100, "minutes": 12},
            "scsi_grown_defect_list": 4,
            "scsi_error_counter_log": {
                "read": {"gigabytes_processed": "1234.500", "total_uncorrected_errors": 2},
                "write": {"gigabytes_processed": "10.000", "total_uncorrected_errors": 1},
                "verify": {"gigabytes_processed": "0.000", "total_uncorrected_errors": 0},
            },
        }
        | more
    )


def sys_disk(root: Path, name: str, *, vendor: str = "ATA", size: int = 7814037168, **files: str) -> None:
    """Make the folder of a disk under `/sys/block`; more files by path, `__` for a slash."""
    folder = root / "sys/block" / name
    texts = {"size": str(size), "device__vendor": vendor.ljust(8), "device__model": "Turner Works TW40 "}
    for path, text in (texts | {"queue__rotational": "1"} | files).items():
        file = folder / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
