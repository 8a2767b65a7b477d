import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings import linux_firmware
    from fleetglass.agent.readings.linux_firmware import FirmwareReader, parse_temperature, parse_throttled


def raspberry(folder: Path) -> Path:
    """Make a folder look like the root of a Raspberry Pi, and return the file of its flags."""
    (folder / "proc/device-tree").mkdir(parents=True)
    (folder / "proc/device-tree/model").write_text("Raspberry Pi 4 Model B Rev 1.4\0")
    file = folder / "sys/devices/platform/soc/soc:firmware/get_throttled"
    file.parent.mkdir(parents=True)
    return file


def test_flags_become_words() -> None:
    """The low bits are of now, the high ones since boot, from the program as from the file."""
    assert parse_throttled("throttled=0x50005\n") == (
        ["under-voltage", "throttled"],
        ["under-voltage", "throttled"],
    )
    assert parse_throttled("a0000") == ([], ["frequency-capped", "soft-temperature-limit"])
    assert parse_throttled("throttled=0x0") == ([], [])
    assert parse_throttled("VCHI initialization failed") is None


def test_degrees_are_read() -> None:
    """The program's answer is degrees celsius, and anything else is nothing."""
    assert parse_temperature("temp=42.8'C\n") == 42.8
    assert parse_temperature("temp=nan'C") is None


@given(st.text())
def test_no_answer_can_harm(text: str) -> None:
    """Whatever a program says, it is a value or nothing."""
    parse_throttled(text)
    parse_temperature(text)


def test_the_flags_of_sys_are_read_every_ten_seconds(tmp_path: Path) -> None:
    """The file is asked, and not more than once in 10 s."""
    file = raspberry(tmp_path)
    now = [0.0]
    reader = FirmwareReader(str(tmp_path), lambda: now[0])
    file.write_text("50005\n")
    assert reader.throttling() == (["under-voltage", "throttled"], ["under-voltage", "throttled"])
    file.write_text("50000\n")
    now[0] = 9.0
    assert reader.throttling() == (["under-voltage", "throttled"], ["under-voltage", "throttled"])
    now[0] = 10.0
    assert reader.throttling() == ([], ["under-voltage", "throttled"])


def test_another_machine_is_not_asked(tmp_path: Path) -> None:
    """Where no Raspberry Pi is, neither file nor program is touched."""
    reader = FirmwareReader(str(tmp_path), find=lambda: pytest.fail("looked for a program"))
    assert reader.throttling() is None
    assert reader.temperatures() == []


def test_a_mounted_raspberry_pi_is_only_read(tmp_path: Path) -> None:
    """Of a host under another folder no program is asked: it would tell of this machine."""
    raspberry(tmp_path)
    reader = FirmwareReader(str(tmp_path), find=lambda: pytest.fail("looked for a program"))
    assert reader.throttling() is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('case $1 in get_throttled) echo throttled=0x1;; *) echo "temp=42.8\'C";; esac', ["under-voltage"]),
        ("exit 255", None),
        ("exec sleep 60", None),
    ],
)
def test_the_program_is_asked_where_sys_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, expected: list[str] | None
) -> None:
    """A program that fails or hangs gives nothing, and is given up soon."""
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    if expected is not None:
        monkeypatch.setattr(linux_firmware, "_PATIENCE_SECONDS", 20)
    monkeypatch.setattr(linux_firmware, "read_text", lambda path: "Raspberry Pi" if "model" in path else None)
    reader = FirmwareReader()
    found = reader.throttling()
    assert (found.now if found else None) == expected
    assert [one.current for one in reader.temperatures()] == ([42.8] if expected else [])
