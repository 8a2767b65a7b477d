import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.readings import Readings
from fleetglass.agent.readings.portable import PortableReadings
from fleetglass.agent.selection import Selection, Selections
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from fleetglass.wire import decode, encode
from fleetglass.wire.payloads import GROUPS, Group

SETTINGS = AgentSettings(broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="web-1")


def test_every_group_works_with_what_psutil_gives() -> None:
    """Windows and macOS are read by psutil alone; every message fits the contract there too."""
    readings: Readings = PortableReadings()
    for collector in default_collectors(SETTINGS, readings):
        collector.collect(1.0, 1)
        message = collector.collect(2.0, 2)
        if message is not None:
            assert isinstance(message, Group)
            assert decode(encode(message), GROUPS[collector.group]) == message
        else:
            assert collector.group in {"sensor", "power", "gpu"}


def test_this_process_is_found() -> None:
    """The test's own process is listed with its owner and its memory."""
    own = PortableReadings().processes().processes[os.getpid()]
    assert own.resident_bytes > 2**20
    assert PortableReadings().owner(os.getpid())
    assert PortableReadings().full_name(os.getpid(), own.name) == own.name


def test_the_host_is_described() -> None:
    """What does not change is told as psutil and the system know it."""
    host = PortableReadings().host()
    assert host.logical_cores == os.cpu_count()
    assert host.boot_time
    assert host.kernel
    assert PortableReadings().own_resident_bytes() > 2**20
    assert (PortableReadings().uptime_seconds() or 0) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="names another system's gaps")
def test_what_a_system_lacks_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sensors, frequency, load and battery nothing is told, and nothing fails."""
    import psutil  # only where it is changed

    for name in ("cpu_freq", "sensors_battery", "sensors_temperatures", "sensors_fans"):
        monkeypatch.delattr(psutil, name)
    monkeypatch.delattr(os, "getloadavg")
    readings = PortableReadings()
    assert readings.frequency() is None
    assert readings.load() is None
    assert readings.batteries() == []
    assert readings.sensors() == ([], [])
    assert readings.tcp() is None
    assert readings.pressure("cpu") is None


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="Windows asks psutil for sizes")
def test_filesystems_that_can_be_filled_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Discs, snapshots and what is left out are not asked; one whose server lost it is named."""
    import psutil  # only where it is changed

    asked = []
    parts = {
        "/": ("/dev/ada0p2", "ufs", "rw"),
        "/cdrom": ("/dev/cd0", "cd9660", "ro"),
        "D:\\": ("D:\\", "UDF", "ro,cdrom"),
        "/zfs/snapshot": ("tank/home@daily", "zfs", "ro"),
        "/mnt/lost": ("nas:/lost", "nfs", "rw"),
        "/mnt/other": ("nas:/other", "nfs", "rw"),
        "/skipped": ("/dev/ada1", "ufs", "rw"),
    }
    found = [
        SimpleNamespace(mountpoint=mount, device=device, fstype=kind, opts=options)
        for mount, (device, kind, options) in parts.items()
    ]
    sizes = os.statvfs(tmp_path)

    def statvfs(path: str) -> os.statvfs_result:
        asked.append(path)
        if path.startswith("/mnt"):
            lost = path == "/mnt/lost"
            raise OSError(errno.ESTALE if lost else errno.EACCES, "refused", path)
        return sizes

    monkeypatch.setattr(psutil, "disk_partitions", lambda all: found)  # noqa: A006, ARG005 -- as psutil has it
    monkeypatch.setattr(os, "statvfs", statvfs)
    reading = PortableReadings(Selections(filesystems=Selection(exclude=("/skip*",)))).filesystems()
    assert [one.mount for one in reading.filesystems] == ["/"]
    assert reading.silent == ["/mnt/lost"]
    assert asked == ["/", "/mnt/lost", "/mnt/other"]


def test_disks_that_are_left_out_are_neither_told_nor_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands on others is no disk; patterns choose by name."""
    import psutil  # only where it is changed

    one = SimpleNamespace(read_count=1, write_count=2, read_bytes=3, write_bytes=4)
    disks = dict.fromkeys(("ada0", "da1", "md0"), one)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: disks)
    reading = PortableReadings(Selections(disks=Selection(exclude=("da*",)))).disks()
    assert list(reading.devices) == ["ada0", "md0"]
    assert reading.summed == {"ada0"}
