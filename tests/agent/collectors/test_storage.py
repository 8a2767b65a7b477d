from pathlib import Path

import pytest
from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.storage import StorageHealth, storage_collector
from fleetglass.agent.readings.storage.smartctl import DisksReading
from fleetglass.agent.readings.storage.storage_report import REPORT, StorageReport, write_report
from fleetglass.agent.selection import EVERYTHING, Selection
from fleetglass.wire.payloads import Storage, StorageArray, StorageDisk
from support.smartctl import FakeSmartctl, ata_disk, sys_disk
from support.waiting import wait_for

DISK = StorageDisk(state="active", health="passed")
POOL = StorageArray(type="zfs", health="ok", state="online")


def health(
    root: Path,
    *,
    disks: DisksReading | None = None,
    pools: dict[str, StorageArray] | None = None,
    problem: str | None = None,
    selection: Selection = EVERYTHING,
    wall: float = 1000.0,
) -> StorageHealth:
    return StorageHealth(
        lambda: disks or DisksReading({}, []),
        lambda _: (pools or {}, problem),
        root=root,
        selection=selection,
        wall=lambda: wall,
    )


def helper_says(root: Path, *problems: str, at: float = 1000.0, **disks: StorageDisk) -> None:
    path = root / REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    write_report(StorageReport(time=at, disks=disks, problems=list(problems)), path)


def test_disks_arrays_and_pools_are_one_message(tmp_path: Path) -> None:
    """What could not be read is said beside what could."""
    folder = tmp_path / "sys/block/md0/md"
    folder.mkdir(parents=True)
    (folder / "array_state").write_text("clean\n")
    told = health(
        tmp_path,
        disks=DisksReading({"sda": DISK}, ["sdb: took more than 20 s"]),
        pools={"zfs/tank": POOL},
        problem="zpool: took more than 5 s",
    ).read()
    assert isinstance(told, Partial)
    assert isinstance(told.message, Storage)
    assert told.message.disks == {"sda": DISK}
    assert told.message.arrays is not UNSET
    assert told.message.arrays.keys() == {"md0", "zfs/tank"}
    assert told.reason == "sdb: took more than 20 s; zpool: took more than 5 s"


def test_a_host_with_nothing_of_the_kind(tmp_path: Path) -> None:
    """Has no message; where there is a reason, it is told."""
    assert health(tmp_path).read() is None
    assert health(tmp_path, problem="zpool: gone").read() == Partial(None, "zpool: gone")


def test_the_helper_goes_before_asking(tmp_path: Path) -> None:
    """Its disks are published, without those that are left out, and its problems with them."""
    helper_says(tmp_path, "sdc: gone", sda=DISK, sdb=DISK)
    own = DisksReading({"sdz": DISK}, ["smartctl is not permitted"])
    told = health(tmp_path, disks=own, selection=Selection(exclude=("sdb",))).read()
    assert told == Partial(Storage(time=0, tick=0, disks={"sda": DISK}), "sdc: gone")


def test_a_helper_that_runs_no_more_is_named(tmp_path: Path) -> None:
    """Its last values stay, with the time at which they were read."""
    helper_says(tmp_path, at=1000.0, sda=DISK)
    told = health(tmp_path, wall=1000.0 + 3 * 3600).read()
    assert isinstance(told, Partial)
    assert isinstance(told.message, Storage)
    assert told.message.disks == {"sda": DISK}
    assert told.reason == ("the disks were last read 3 h ago; look at: systemctl status fleetglass-storage")


def test_a_report_of_somebody_else_is_not_published(tmp_path: Path) -> None:
    """And the agent does not ask the disks in its stead: the reason is to be seen."""
    helper_says(tmp_path, sda=DISK)
    (tmp_path / REPORT).chmod(0o666)
    told = health(tmp_path, disks=DisksReading({"sdz": DISK}, [])).read()
    assert isinstance(told, Partial)
    assert told.message is None
    assert "only root or the agent's user may write" in told.reason


def test_disks_come_from_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No turn waits for them, and closing ends what runs."""
    smartctl = FakeSmartctl(tmp_path)
    monkeypatch.setenv("PATH", smartctl.environment["PATH"])
    sys_disk(tmp_path, "sda")
    smartctl.say("sda", ata_disk())
    collector = storage_collector(tmp_path, EVERYTHING)
    assert collector.collect(1.0, 1) is None
    message = wait_for(lambda: collector.collect(2.0, 2), "the disks")
    assert isinstance(message, Storage)
    assert (message.time, message.tick, message.disks["sda"].health) == (2.0, 2, "passed")
    collector.close()
