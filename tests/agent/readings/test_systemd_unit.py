import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.readings.program import Program
from fleetglass.agent.readings.systemd_unit import (
    UnitReader,
    UnitReading,
    parse_list,
    parse_show,
    parse_timestamp,
)
from fleetglass.wire.errors import CollectionError

# systemd 252: systemctl list-units --state=failed --plain --no-legend --full
FAILED = """\
backup-home.service loaded failed failed Nightly backup of /home
dev-disk-by\\x2dlabel-DATA.swap loaded failed failed /dev/disk/by-label/DATA
"""
# systemd 239 marks them even so
FAILED_OLD = "● backup-home.service loaded failed failed Nightly backup of /home\n"
# systemd 252: systemctl show --property=… -- ssh.service backup-home.service nothing.service tmp.mount
SHOWN = """\
Id=ssh.service
LoadState=loaded
ActiveState=active
SubState=running
StateChangeTimestamp=Fri 2026-11-20 18:40:01 UTC
MemoryCurrent=5435392
CPUUsageNSec=1834512000
NRestarts=2

Id=backup-home.service
LoadState=loaded
ActiveState=failed
SubState=failed
StateChangeTimestamp=Sat 2026-11-21 03:00:07 UTC
MemoryCurrent=[not set]
CPUUsageNSec=18446744073709551615
NRestarts=0

Id=nothing.service
LoadState=not-found
ActiveState=inactive
SubState=dead
StateChangeTimestamp=
MemoryCurrent=[not set]
CPUUsageNSec=[not set]
NRestarts=0

Id=tmp.mount
LoadState=loaded
ActiveState=active
SubState=mounted
StateChangeTimestamp=Fri 2026-11-20 18:39:58 UTC
MemoryCurrent=4096
CPUUsageNSec=3096000
"""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a host with systemd: a `systemctl` that prints what a real one did, and notes its arguments."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "failed").write_text(FAILED)
    (tmp_path / "shown").write_text(SHOWN)
    script = programs / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho "$TZ $LC_ALL" > {tmp_path}/environment\n'
        f'case "$2" in list-units) cat {tmp_path}/failed;; show) cat {tmp_path}/shown;; esac\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_units_are_parsed() -> None:
    """States, time of the last change, memory, CPU, restarts; what systemd does not know is None."""
    ssh, backup, nothing, mount = parse_show(SHOWN)
    assert ssh == UnitReading(
        "ssh.service", "loaded", "active", "running", 1795200001.0, 5435392, 1.834512, 2
    )
    assert backup[1:4] == ("loaded", "failed", "failed")
    assert (backup.memory_bytes, backup.cpu_seconds, backup.restarts) == (None, None, 0)
    assert (nothing.load_state, nothing.since) == ("not-found", None)
    assert (mount.sub_state, mount.restarts) == ("mounted", None)
    assert parse_show("") == []


def test_names_of_failed_units_are_parsed() -> None:
    """A name comes without the mark that older versions put before it."""
    assert parse_list(FAILED) == ["backup-home.service", "dev-disk-by\\x2dlabel-DATA.swap"]
    assert parse_list(FAILED_OLD) == ["backup-home.service"]
    assert parse_list("") == []


def test_times_are_parsed() -> None:
    """Times are in UTC; `n/a` and other zones are none."""
    assert parse_timestamp("Thu 1970-01-01 00:01:00 UTC") == 60.0
    assert parse_timestamp("Fri 2026-11-20 19:40:01 CET") is None
    assert parse_timestamp("n/a") is None


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    """Whatever is printed, there is a value or none."""
    parse_list(text)
    parse_show(f"Id=a\n{text}")
    parse_timestamp(text)


@pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")
def test_systemd_is_asked(systemd: Path) -> None:
    """Two runs of systemctl tell all; a name that begins with a dash is no option."""
    reader = UnitReader(["ssh.service", "-x", "a;b"], root=systemd, program=Program(), clock=lambda: 7.0)
    reading = reader()
    assert (reading.at, len(reading.failed), len(reading.units)) == (7.0, 2, 4)
    first, second = (systemd / "asked").read_text().splitlines()
    assert first == "--no-pager list-units --state=failed --plain --no-legend --full"
    assert second.startswith("--no-pager show --property=Id,")
    assert second.endswith(" -- ssh.service -x a;b")
    assert (systemd / "environment").read_text() == "UTC C\n"


@pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")
def test_what_systemctl_complains_of_is_told(systemd: Path) -> None:
    """A failure names the command and gives its last line."""
    script = systemd / "bin/systemctl"
    script.write_text("#!/bin/sh\necho Failed to connect to bus: Host is down >&2\nexit 1\n")
    reader = UnitReader(["ssh.service"], root=systemd, program=Program())
    with pytest.raises(
        CollectionError, match=r"systemctl list-units: ended with exit code 1: Failed to connect to bus"
    ):
        reader()


def test_a_host_without_systemd_says_so(tmp_path: Path) -> None:
    """Nothing is run, and the reason says what is missing."""
    with pytest.raises(CollectionError, match=r"systemd is not running \(.*/run/systemd/system is missing\)"):
        UnitReader(["ssh.service"], root=tmp_path, program=Program())()
