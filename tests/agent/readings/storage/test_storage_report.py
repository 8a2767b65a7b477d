import os
import stat
import sys
from pathlib import Path

import pytest

from fleetglass.agent.readings.storage.storage_report import StorageReport, read_report, write_report
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import StorageDisk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have other owners there")

REPORT = StorageReport(
    time=1_700_000_000.0,
    disks={"sda": StorageDisk(state="standby", health="passed")},
    problems=["sdb: took more than 20 s"],
    identities={"sda": "0f"},
    left_over={"sdb": 17},
)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Everybody may read it, only its owner write; nothing else is left in the folder."""
    path = tmp_path / "storage.json"
    write_report(StorageReport(time=1, disks={}), path)
    write_report(REPORT, path)
    assert read_report(path) == REPORT
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]
    assert read_report(tmp_path / "nothing") is None


def test_a_report_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    """Nor one of another user, nor a link, nor anything but a file."""
    path = tmp_path / "storage.json"
    write_report(REPORT, path)
    path.chmod(0o664)
    with pytest.raises(CollectionError, match="only root or the agent's user may write"):
        read_report(path)
    path.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(CollectionError):
        read_report(link)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    with pytest.raises(CollectionError, match="only root or the agent's user may write"):
        read_report(pipe)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
        with pytest.raises(CollectionError, match="only root or the agent's user may write"):
            read_report(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"disks": {}}',
        b'{"time": -1, "disks": {}}',
        b'{"time": 1, "disks": {"sda": {"state": "fine"}}}',
        b'{"time": 1, "disks": {"": {}}}',
        b'{"time": 1, "disks": {"sda": {"temperature_celsius": 1e99}}}',
        b'{"time": 1, "disks": {}, "left_over": {"sda": -1}}',
        b'{"time": 1, "disks": {}, "x": ' + b"[" * 99 + b"]" * 99 + b"}",
        b'{"time": 1, "disks": {' + b",".join(b'"%d": {}' % number for number in range(300)) + b"}}",
        b"{" + b" " * 600_000 + b"}",
        b"\xff",
    ],
)
def test_what_is_no_report(tmp_path: Path, content: bytes) -> None:
    """Each is refused in one line that names the file."""
    path = tmp_path / "storage.json"
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(CollectionError, match=r"storage\.json: ") as caught:
        read_report(path)
    assert "\n" not in str(caught.value)


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """The old one stays whole."""
    path = tmp_path / "storage.json"
    path.mkdir()
    with pytest.raises(OSError, match="storage"):
        write_report(REPORT, path)
    assert list(tmp_path.iterdir()) == [path]
