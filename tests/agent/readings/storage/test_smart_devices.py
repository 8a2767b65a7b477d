import json
from pathlib import Path

from msgspec import UNSET

from fleetglass.agent.readings.storage.smart_devices import SmartDevice, SmartDevices
from fleetglass.agent.selection import EVERYTHING, Selection
from support.smartctl import sys_disk


def devices(root: Path, selection: Selection = EVERYTHING) -> SmartDevices:
    return SmartDevices(f"{root}/sys", selection)


def scan(*found: tuple[object, object]) -> bytes:
    return json.dumps({"devices": [{"name": path, "type": kind} for path, kind in found]}).encode()


def test_disks_of_the_kernel(tmp_path: Path) -> None:
    """A disk that libata drives is asked as such: finding out would take commands that may wake it."""
    sys_disk(tmp_path, "sda")
    sys_disk(tmp_path, "sdaa", vendor="HEAVY")
    sys_disk(tmp_path, "sdb", vendor="Generic", size=0)
    for name in ("vda", "zram0", "sr0", "md0", "dm-0", "mmcblk0", "nvme0n1"):
        sys_disk(tmp_path, name)
    (tmp_path / "sys/class/nvme/nvme0").mkdir(parents=True)
    assert devices(tmp_path).of_kernel() == {
        "sda": SmartDevice("/dev/sda", "sat"),
        "sdaa": SmartDevice("/dev/sdaa"),
        "nvme0": SmartDevice("/dev/nvme0"),
    }
    assert devices(tmp_path / "nothing").of_kernel() == {}


def test_namespaces_stand_for_their_controller(tmp_path: Path) -> None:
    """Also on a kernel that lists no controllers; the paths of a namespace are no disks."""
    for name in ("nvme1n1", "nvme1n2", "nvme1c1n1"):
        sys_disk(tmp_path, name)
    assert devices(tmp_path).of_kernel() == {"nvme1": SmartDevice("/dev/nvme1")}


def test_a_scan_adds_what_the_kernel_does_not_know(tmp_path: Path) -> None:
    """Members of RAID controllers need their type; for others the scan only guesses one."""
    sys_disk(tmp_path, "sda")
    kernel = devices(tmp_path).of_kernel()
    output = scan(
        ("/dev/sda", "scsi"),
        ("/dev/sdc", "scsi"),
        ("/dev/nvme0", "nvme"),
        ("/dev/nvme0n1", "nvme"),
        ("/dev/bus/0", "megaraid,8"),
        ("/dev/bus/1", "sat+megaraid,8"),
        ("/dev/sg2", "cciss,1"),
        ("/dev/sg3", "areca,3/1"),
        ("/dev/sdd; rm -rf /", "scsi"),
        ("/dev/sde", "-q silent,"),
        (None, 5),
    )
    assert devices(tmp_path).of_scan(output, kernel) == {
        "sdc": SmartDevice("/dev/sdc"),
        "nvme0": SmartDevice("/dev/nvme0"),
        "bus0/megaraid,8": SmartDevice("/dev/bus/0", "megaraid,8"),
        "bus1/megaraid,8": SmartDevice("/dev/bus/1", "sat+megaraid,8"),
        "sg2/cciss,1": SmartDevice("/dev/sg2", "cciss,1"),
        "sg3/areca,3/1": SmartDevice("/dev/sg3", "areca,3/1"),
        "sde": SmartDevice("/dev/sde"),
    }
    for nothing in (b"", b"[]", b'{"devices": 5}', b'{"devices": [5]}', b"\xff"):
        assert devices(tmp_path).of_scan(nothing, {}) == {}


def test_what_is_left_out_is_no_disk(tmp_path: Path) -> None:
    """People name an NVMe disk by its namespaces, as the group `disk` does."""
    for name in ("sda", "sdb", "nvme0n1", "nvme1n1"):
        sys_disk(tmp_path, name)
    some = devices(tmp_path, Selection(exclude=("sdb", "nvme0*", "*megaraid*")))
    assert some.of_kernel().keys() == {"sda", "nvme1"}
    found = some.of_scan(scan(("/dev/sdb", ""), ("/dev/nvme0", ""), ("/dev/bus/0", "megaraid,1")), {})
    assert not found
    assert devices(tmp_path, Selection(include=("nvme1n1",))).of_kernel().keys() == {"nvme1"}


def test_facts_need_no_question(tmp_path: Path) -> None:
    """Model, size and kind; a USB stick says that it rotates, so its kind is not known."""
    sys_disk(tmp_path, "sda", size=1000)
    facts = devices(tmp_path).facts("sda")
    assert (facts.model, facts.size_bytes, facts.kind) == ("Turner Works TW40", 512000, "hdd")
    sys_disk(tmp_path, "sdb", vendor="Stick Co", device__model="Pocket 3.0")
    facts = devices(tmp_path).facts("sdb")
    assert (facts.model, facts.kind) == ("Stick Co Pocket 3.0", UNSET)
    sys_disk(tmp_path, "sdc", queue__rotational="0")
    assert devices(tmp_path).facts("sdc").kind == "ssd"
    model = tmp_path / "sys/class/nvme/nvme0/model"
    model.parent.mkdir(parents=True)
    model.write_text("Fast Lane 990    \n")
    assert devices(tmp_path).facts("nvme0").model == "Fast Lane 990"


def test_a_disk_that_the_kernel_suspended(tmp_path: Path) -> None:
    """Opening it would wake it, whatever smartctl is told."""
    sys_disk(tmp_path, "sda", device__power__runtime_status="suspended")
    sys_disk(tmp_path, "sdb", device__power__runtime_status="active")
    assert devices(tmp_path).is_suspended("sda")
    assert not devices(tmp_path).is_suspended("sdb")
    assert not devices(tmp_path).is_suspended("nvme0")
