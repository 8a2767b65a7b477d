import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import UNSET

from fleetglass.agent.readings.program import Program
from fleetglass.agent.readings.storage import smartctl as module
from fleetglass.agent.readings.storage.smartctl import INTERVAL_SECONDS, DiskReader, DisksReading
from fleetglass.agent.selection import EVERYTHING, Selection
from support.smartctl import FakeSmartctl, ata_disk, ata_ssd, nvme_disk, said, sas_disk, sys_disk
from support.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")


class Machine:
    """A machine with disks, and the reader of them."""

    def __init__(self, root: Path, selection: Selection = EVERYTHING) -> None:
        self.root = root
        self.smartctl = FakeSmartctl(root)
        self.now = 100.0
        self.reader = self.another(selection)

    def another(
        self,
        selection: Selection = EVERYTHING,
        *,
        run_seconds: float = 20.0,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> DiskReader:
        """Return a reader that knows nothing yet."""
        return DiskReader(
            root=self.root,
            selection=selection,
            environment=self.smartctl.environment,
            clock=lambda: self.now,
            wall=lambda: 1_700_000_000 + self.now,
            run_seconds=run_seconds,
            patience_seconds=patience_seconds,
        )

    def later(self, seconds: float = INTERVAL_SECONDS) -> DisksReading:
        """Read again after a while."""
        self.now += seconds
        return self.reader.read()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    place = Machine(tmp_path)
    yield place
    place.reader.cancel()


def test_every_disk_is_read_once_in_half_an_hour(machine: Machine) -> None:
    """In between the last values stay, whoever asks how often."""
    sys_disk(machine.root, "sda")
    machine.smartctl.scan(("/dev/sda", "scsi"), ("/dev/nvme0", "nvme"), ("/dev/bus/0", "megaraid,3"))
    machine.smartctl.say("sda", ata_disk())
    machine.smartctl.say("nvme0", nvme_disk())
    machine.smartctl.say("bus0_megaraid_3", sas_disk())
    disks, problems = machine.reader.read()
    assert problems == []
    assert {name: disk.model for name, disk in disks.items()} == {
        "sda": "Turner Works TW40",
        "nvme0": "Fast Lane 990",
        "bus0/megaraid,3": "HEAVY IRON10K",
    }
    assert {disk.read_time for disk in disks.values()} == {1_700_000_100.0}
    for _ in range(5):
        assert machine.later(300).disks == disks
    assert len(machine.smartctl.asked()) == 3
    machine.later(300)
    assert len(machine.smartctl.asked()) == 6
    assert any(call.endswith("-d sat /dev/sda") for call in machine.smartctl.notes("calls"))


def test_a_disk_in_standby_is_not_woken(machine: Machine) -> None:
    """It keeps its values with the time at which they were read, until it is awake."""
    sys_disk(machine.root, "sda")
    machine.smartctl.say("sda", ata_disk())
    machine.smartctl.put("sda.sleeps")
    asleep = machine.reader.read().disks["sda"]
    assert (asleep.state, asleep.model, asleep.kind) == ("standby", "Turner Works TW40", "hdd")
    assert (asleep.health, asleep.read_time) == (UNSET, UNSET)
    machine.smartctl.take("sda.sleeps")
    awake = machine.later().disks["sda"]
    assert (awake.state, awake.read_time) == ("active", 1_700_001_900.0)
    machine.smartctl.put("sda.sleeps")
    asleep, problems = machine.later().disks["sda"], machine.reader.last().problems
    assert (asleep.state, asleep.read_time, asleep.health) == ("standby", 1_700_001_900.0, "passed")
    assert problems == []
    assert machine.smartctl.notes("wakings") == []


def test_a_disk_that_the_kernel_suspended_is_not_opened(machine: Machine) -> None:
    """It is in standby without anybody having asked it."""
    sys_disk(machine.root, "sda", device__power__runtime_status="suspended")
    machine.smartctl.scan(("/dev/sda", "scsi"))
    assert machine.reader.read().disks["sda"].state == "standby"
    assert machine.smartctl.asked() == []


def test_a_disk_that_hangs_costs_itself_only(machine: Machine) -> None:
    """Its smartctl is killed and it is named; the others are read, and its last values stay."""
    for name in ("sda", "sdb"):
        sys_disk(machine.root, name)
    machine.smartctl.say("sda", ata_disk("A12"))
    machine.smartctl.say("sdb", ata_disk("B12"))
    machine.reader = machine.another(run_seconds=2.0)
    machine.reader.read()
    machine.smartctl.put("sda.hangs")
    disks, problems = machine.later()
    assert problems == ["sda: took more than 2 s"]
    assert (disks["sda"].state, disks["sda"].health) == ("unreadable", "passed")
    assert disks["sda"].read_time == 1_700_000_100.0
    assert (disks["sdb"].state, disks["sdb"].read_time) == ("active", 1_700_001_900.0)
    (pid,) = machine.smartctl.notes("pids")
    assert not Path(f"/proc/{pid}").exists()


def test_a_smartctl_that_cannot_be_killed_gets_no_other(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel keeps a process that waits for a dead disk; one is enough, also for the next reader."""
    sys_disk(machine.root, "sda")
    machine.smartctl.put("sda.hangs")
    machine.reader = machine.another(run_seconds=1.0)
    monkeypatch.setattr(Program, "_kill", lambda *_: None)
    machine.reader.read()
    (pid,) = map(int, machine.smartctl.notes("pids"))
    try:
        assert machine.reader.left_over() == {"sda": pid}
        reason = f"smartctl (process {pid}) was killed, but does not end"
        assert machine.later().problems == [f"sda: {reason}"]
        heir = machine.another()
        heir.restore(machine.reader.last().disks, {}, {"sda": pid})
        if sys.platform == "linux":
            assert heir.read().problems == [f"sda: {reason}"]
        assert len(machine.smartctl.asked()) == 1
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not machine.reader.left_over(), "the end of the process")
    machine.smartctl.take("sda.hangs")
    machine.smartctl.say("sda", ata_disk())
    assert machine.later().disks["sda"].state == "active"


def test_a_call_does_not_wait_for_disks_that_take_long(machine: Machine) -> None:
    """What has been read is returned; the others come with a later call, and each is asked once."""
    names = [f"sd{letter}" for letter in "abcdefgh"]
    for name in names:
        sys_disk(machine.root, name)
        machine.smartctl.say(name, ata_disk(f"{name}12"))
    machine.smartctl.put("sda.hangs")
    reader = machine.another(patience_seconds=0.0)
    assert not reader.read().disks.keys() & {"sda"}
    others = wait_for(lambda: reader.read().disks.keys() == set(names[1:]), "the disks that answer")
    assert others
    assert not reader.is_done
    assert sorted(machine.smartctl.asked()) == [f"/dev/{name}" for name in names]
    reader.cancel()
    wait_for(lambda: reader.is_done, "the end of the one that hangs")


def test_what_is_left_out_is_not_asked(machine: Machine) -> None:
    """Neither by its name in the kernel nor by the scan."""
    for name in ("sda", "sdb"):
        sys_disk(machine.root, name)
    machine.smartctl.scan(("/dev/sda", "scsi"), ("/dev/sdb", "scsi"), ("/dev/sdc", "scsi"))
    reader = machine.another(Selection(exclude=("sdb", "sdc")))
    assert reader.read().disks.keys() == {"sda"}
    assert machine.smartctl.asked() == ["/dev/sda"]


def test_two_ways_to_one_disk_are_told_once(machine: Machine) -> None:
    """Multipath, or a controller that shows its members as well; also while one of them sleeps."""
    for name in ("sda", "sdb", "sdc"):
        sys_disk(machine.root, name)
        machine.smartctl.say(name, ata_disk("A123"))
    machine.smartctl.say("sdc", ata_disk("C123"))
    assert machine.reader.read().disks.keys() == {"sda", "sdc"}
    machine.smartctl.put("sdb.sleeps")
    assert machine.later().disks.keys() == {"sda", "sdc"}


def test_a_bridge_that_refuses_is_no_problem(machine: Machine) -> None:
    """Nobody can do anything about a USB stick without SMART; it says why it has no values."""
    sys_disk(machine.root, "sdb", vendor="Stick Co", device__model="Pocket")
    machine.smartctl.say("sdb", said(1, "/dev/sdb: Unknown USB bridge [0xabcd:0x1234 (0x100)]"))
    disks, problems = machine.reader.read()
    assert problems == []
    assert (disks["sdb"].state, disks["sdb"].model) == ("unsupported", "Stick Co Pocket")
    assert "Unknown USB bridge" in str(disks["sdb"].reason)


def test_an_agent_that_may_not_says_so_in_one_line(machine: Machine) -> None:
    """The line names the disks and the remedy."""
    for name in ("sda", "sdb"):
        sys_disk(machine.root, name)
        machine.smartctl.say(name, said(2, f"Smartctl open device: /dev/{name} failed: Permission denied"))
    assert machine.reader.read().problems == [
        "sda, sdb: smartctl is not permitted to read it; run: sudo fleetglass service install agent --storage"
    ]


def test_a_machine_without_smartctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with disks says which package; one without disks misses nothing. Once installed, it is used."""
    monkeypatch.setattr(module, "_FOLDERS", ())
    reader = DiskReader(root=tmp_path, environment={"PATH": str(tmp_path / "bin")})
    assert reader.read() == DisksReading({}, [])
    sys_disk(tmp_path, "sda")
    disks, problems = reader.read()
    assert problems == ["smartctl is not installed: install the package smartmontools"]
    assert disks["sda"].model == "Turner Works TW40"
    FakeSmartctl(tmp_path).say("sda", ata_disk())
    assert reader.read().disks["sda"].state == "active"


def test_a_smartctl_without_json_says_so(machine: Machine) -> None:
    """It is not asked for any disk."""
    sys_disk(machine.root, "sda")
    machine.smartctl.put("old")
    assert machine.reader.read().problems == ["smartctl: got version 6.6, expected 7.0 or newer, with --json"]
    assert machine.smartctl.asked() == []


def test_a_scan_that_says_nothing_leaves_the_disks_of_the_kernel(machine: Machine) -> None:
    """The kernel's list is enough for disks without a controller of RAID."""
    sys_disk(machine.root, "sda")
    machine.smartctl.say("sda", ata_ssd())
    (machine.root / "smartctl/scan").write_text("")
    assert machine.reader.read().disks["sda"].kind == "ssd"


def test_a_scan_that_hangs_leaves_the_disks_of_the_kernel(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller that does not answer is named, and costs its members only."""
    monkeypatch.setattr(module, "_SCAN_SECONDS", 0.3)
    sys_disk(machine.root, "sda")
    machine.smartctl.say("sda", ata_disk())
    machine.smartctl.put("scan.hangs")
    disks, problems = machine.reader.read()
    assert problems == ["smartctl --scan: took more than 0.3 s"]
    assert disks["sda"].health == "passed"


def test_a_disk_that_is_gone_is_forgotten(machine: Machine) -> None:
    """At the next search, together with what was wrong with it."""
    sys_disk(machine.root, "sda")
    assert machine.reader.read().problems == ["sda: /dev/sda failed: No such device"]
    shutil.rmtree(machine.root / "sys/block/sda")
    assert machine.later() == DisksReading({}, [])


@pytest.mark.skipif(not shutil.which("smartctl", path="/usr/sbin:/usr/bin"), reason="needs smartctl")
def test_the_real_smartctl_and_a_device_that_has_no_smart(tmp_path: Path) -> None:
    """It answers in JSON that it cannot tell what this is."""
    program = shutil.which("smartctl", path="/usr/sbin:/usr/bin")
    reader = DiskReader(root=tmp_path)
    sys_disk(tmp_path, "sdzz")
    disk = reader.read().disks["sdzz"]
    assert disk.state in {"unsupported", "unreadable"}
    assert disk.reason
    version = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("smartctl 7")
