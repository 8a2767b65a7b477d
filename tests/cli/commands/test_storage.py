import json
import os
from pathlib import Path

import pytest

from fleetglass.agent.readings.storage import smart_devices
from fleetglass.agent.readings.storage.storage_report import read_report
from fleetglass.cli.main import main
from support.smartctl import FakeSmartctl, ata_disk, nvme_disk, said

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs are run on POSIX systems only")


@pytest.fixture
def smartctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSmartctl:
    """Give a machine whose only disks are those of the fake."""
    fake = FakeSmartctl(tmp_path)
    monkeypatch.setenv("PATH", fake.environment["PATH"])
    monkeypatch.setattr(smart_devices.SmartDevices, "of_kernel", lambda _: {})
    fake.scan(("/dev/sdx", "scsi"), ("/dev/nvme9", "nvme"))
    fake.say("sdx", ata_disk())
    fake.say("nvme9", nvme_disk())
    return fake


@pytest.mark.usefixtures("smartctl")
def test_disks_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, in the fields of the group `storage`."""
    assert main(["storage"]) == 0
    disks = json.loads(capsys.readouterr().out)
    assert disks["sdx"]["power_on_seconds"] == 111_601_800
    assert disks["nvme9"]["wear_percent"] == 4


def test_the_report_keeps_what_a_disk_told_before_it_slept(smartctl: FakeSmartctl, tmp_path: Path) -> None:
    """Each run is a process of its own, which knows what the last one wrote."""
    path = tmp_path / "report"
    assert main(["storage", "--output", str(path)]) == 0
    first = read_report(path)
    assert first is not None
    smartctl.put("sdx.sleeps")
    assert main(["storage", "--output", str(path)]) == 0
    second = read_report(path)
    assert second is not None
    assert second.disks["sdx"].state == "standby"
    assert second.disks["sdx"].read_time == first.disks["sdx"].read_time
    assert second.disks["nvme9"].read_time != first.disks["nvme9"].read_time
    assert smartctl.notes("wakings") == []
    assert "ZX1000AB" not in path.read_text()


def test_disks_are_left_out(smartctl: FakeSmartctl, capsys: pytest.CaptureFixture[str]) -> None:
    """They are not asked."""
    assert main(["storage", "--exclude-disk", "sd*"]) == 0
    assert json.loads(capsys.readouterr().out).keys() == {"nvme9"}
    assert smartctl.asked() == ["/dev/nvme9"]


def test_problems_are_told_and_reported(
    smartctl: FakeSmartctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report that is none is replaced, and a run without an answer is still a run."""
    path = tmp_path / "report"
    path.write_text("{}")
    smartctl.say("sdx", said(2, "Smartctl open device: /dev/sdx failed: Permission denied"))
    assert main(["storage", "--output", str(path)]) == 0
    report = read_report(path)
    assert report is not None
    assert [line.partition(":")[0] for line in report.problems] == ["sdx"]
    assert "it is replaced" in capsys.readouterr().err


def test_a_report_that_cannot_be_written(
    smartctl: FakeSmartctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ends with one line."""
    assert main(["storage", "--output", str(tmp_path / "no" / "report")]) == 1
    assert capsys.readouterr().err.startswith("fleetglass: storage: cannot write ")
    assert smartctl.asked() == []


def test_the_command_reads_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs as root: neither a configuration nor a variable tells it anything."""
    monkeypatch.setenv("FLEETGLASS_CONFIG", str(tmp_path / "nothing.yaml"))
    monkeypatch.setattr(smart_devices.SmartDevices, "of_kernel", lambda _: {})
    assert main(["storage"]) == 0
