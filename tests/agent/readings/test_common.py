import os
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from fleetglass.agent.readings import common
from fleetglass.agent.readings.kinds import printable


class Part(NamedTuple):
    """A partition as psutil tells it."""

    device: str
    mountpoint: str
    fstype: str


def mounted(monkeypatch: pytest.MonkeyPatch, *parts: Part) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: list(parts))


def test_each_device_is_told_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A device that is mounted twice is told at its shortest mount point; files and images are not told."""
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    file = tmp_path / "resolv.conf"
    file.touch()
    mounted(
        monkeypatch,
        Part("/dev/sda1", str(deeper), "ext4"),
        Part("/dev/sda1", str(tmp_path), "ext4"),
        Part("/dev/sda2", str(file), "ext4"),
        Part("/dev/loop3", str(deeper), "squashfs"),
        Part("overlay", "/", "overlay"),
    )
    assert [(one.mount, one.type) for one in common.read_filesystems()] == [
        (str(tmp_path), "ext4"),
        ("/", "overlay"),
    ]


def test_a_mount_that_vanishes_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filesystem that cannot be asked does not cost the others."""
    mounted(monkeypatch, Part("/dev/sda1", "/", "ext4"), Part("/dev/sdb1", "/no/such/mount", "ext4"))
    assert [one.mount for one in common.read_filesystems()] == ["/"]


def test_the_root_is_told_on_the_real_host() -> None:
    """Whatever carries the root, its size is known."""
    root = next(one for one in common.read_filesystems() if one.mount == "/")
    assert root.total >= root.free >= root.available > 0


def test_uptime_grows_with_the_clock() -> None:
    """The host has been up for as long as since its boot."""
    assert common.uptime_seconds() == pytest.approx(time.time() - psutil.boot_time(), abs=5)


def test_a_name_that_is_not_utf8_can_be_written() -> None:
    """A name that the system gave as bytes beyond UTF-8 is made to fit, others stay as they are."""
    assert printable(os.fsdecode(b"/mnt/\xff")) == "/mnt/�"
    assert printable("/mnt/größe") == "/mnt/größe"
