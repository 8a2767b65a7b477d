import contextlib
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetglass.agent.readings.custom import (
    MAX_BYTES,
    SourceReader,
    Values,
    find_sources,
    parse_name,
    parse_values,
)
from fleetglass.wire import is_host_id
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import FieldInfo

posix = pytest.mark.skipif(sys.platform == "win32", reason="programs are run on POSIX systems only")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that nobody else may write to."""
    made = tmp_path / "custom.d"
    made.mkdir(mode=0o755)
    return made


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("name", "group", "interval"),
    [
        ("ups", "custom-ups", 10.0),
        ("ups.sh", "custom-ups", 10.0),
        ("ups.30s.sh", "custom-ups", 30.0),
        ("water-tank_2.1s", "custom-water-tank_2", 1.0),
        ("room.3600s.json", "custom-room", 3600.0),
        ("room.v2.30s.py", "custom-room", 10.0),
    ],
)
def test_a_name_tells_group_and_interval(name: str, group: str, interval: float) -> None:
    """The group is what stands before the first dot; the interval what stands behind it, in seconds."""
    assert parse_name(name) == (group, interval)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Ups.sh", "file name not usable as a group name, expected 1 to 56 of a-z 0-9 _ - before"),
        ("my ups", "file name not usable"),
        ("a" * 57, "file name not usable"),
        ("ü", "file name not usable"),
        ("ups.0s.sh", "got an interval of 0 s, expected 1 to 3600"),
        ("ups.3601s", "got an interval of 3601 s"),
        ("ups.5m.sh", "got an interval of 5m, expected seconds, such as 30s"),
        ("ups.1h", "got an interval of 1h"),
        ("ups.500ms.py", "got an interval of 500ms"),
    ],
)
def test_a_bad_name_is_refused(name: str, reason: str) -> None:
    """What cannot be one level of a topic, and an interval out of bounds, are told."""
    with pytest.raises(CollectionError, match=reason):
        parse_name(name)


@given(st.text())
def test_any_name_is_a_group_or_the_error(name: str) -> None:
    """No name gives a group that is no level of a topic."""
    try:
        group, interval = parse_name(name)
    except CollectionError:
        return
    assert is_host_id(group)
    assert 1 <= interval <= 3600


def test_an_object_is_kept_as_it_is() -> None:
    """What a script says is kept and nothing invented: nulls left out, units as the names say."""
    said = {
        "room_celsius": 21.5,
        "fan": {"speed_rpm": 900, "label": "rear", "broken": None},
        "fill_percent": 80,
        "cpu_percent": 150,
        "door": "open",
        "open": True,
        "cells_percent": [1, 2],
        "gone": None,
    }
    values, fields = parse_values(json.dumps(said).encode())
    assert values == {
        "room_celsius": 21.5,
        "fan": {"speed_rpm": 900, "label": "rear"},
        "fill_percent": 80,
        "cpu_percent": 150,
        "door": "open",
        "open": True,
        "cells_percent": [1, 2],
    }
    assert fields == {
        "room_celsius": FieldInfo(unit="celsius"),
        "speed_rpm": FieldInfo(unit="rpm"),
        "fill_percent": FieldInfo(unit="percent", limit=100),
        "cpu_percent": FieldInfo(unit="percent"),
        "cells_percent": FieldInfo(unit="percent", limit=100),
    }


def test_units_and_limits_may_be_declared() -> None:
    """A declaration goes before what the name says, and is no value."""
    declared = {"level": {"unit": "metres", "limit": 3}, "load_percent": {"limit": 50}}
    values, fields = parse_values(json.dumps({"level": 1.2, "load_percent": 7, "_fields": declared}).encode())
    assert values == {"level": 1.2, "load_percent": 7}
    assert fields == {"level": FieldInfo(unit="metres", limit=3), "load_percent": FieldInfo(limit=50)}


@pytest.mark.parametrize(("said", "value"), [(b"42\n", 42), (b" -1.5e3 ", -1500.0), (b"0", 0)])
def test_a_single_number_is_the_value(said: bytes, value: float) -> None:
    """A program may print just a number."""
    assert parse_values(said) == Values({"value": value}, {})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "got nothing"),
        (b"  \n", "got nothing"),
        (b"NaN", "got no JSON"),
        (b'{"a": NaN}', "got no JSON"),
        (b'{"a": Infinity}', "got no JSON"),
        (b'{"a": 1e999}', "got no JSON"),
        (b"{'a': 1}", "got no JSON"),
        (b'{"a": 1} {"b": 2}', "got no JSON"),
        (b"21.5 C", r"\Agot no JSON, expected an object or one number: trailing characters \(byte 6\)\Z"),
        (b"Name?\n" + b"x" * 90, r"invalid character \(byte 0\)\Z"),
        (b"\xff", "got no JSON"),
        (b'{"a": "\xff"}', "got no JSON"),
        (b"[" * 30_000, "got no JSON"),
        (b'{"a": 1e308}', "got the number 1e308, expected -1e24 to 1e24"),
        (b"-1e25", "got the number -1e25, expected -1e24 to 1e24"),
        (b"9" * 300, "got the number 9{40}…, expected"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "got more than 32 levels of nesting, expected at most 32"),
        (b"[1]", "got list, expected a JSON object or one number"),
        (b'"text"', "got str"),
        (b"true", "got bool"),
        (b"null", "got NoneType"),
        (b'{"time": 5}', "got a field named time, which the agent sets itself"),
        (b'{"session": 5}', "got a field named session"),
        (b'{"_fields": 5}', "_fields: expected unit and limit of each field"),
        (b'{"_fields": {"a": {"unit": 5}}}', "_fields: expected unit and limit of each field"),
        (json.dumps({f"a{number}_percent": 1 for number in range(300)}).encode(), "got 300 fields"),
    ],
)
def test_what_is_no_metric_is_refused(said: bytes, reason: str) -> None:
    """Anything but an object or a number is one clear line, and NaN is no number."""
    with pytest.raises(CollectionError, match=reason):
        parse_values(said)


@pytest.mark.parametrize(
    "text",
    [
        "{word}:*:20228",
        "21 {word}",
        '{{"a": {word}}}',
        '"{word}"',
        '{{"_fields": "{word}"}}',
        "[{word}",
        '{{"_fields": {{"{word}": {{"unit": 5}}}}}}',
        '{{"{word}": "\\q"}}',
        '{{"a": "\udcff{word}"}}',
    ],
)
def test_no_word_of_the_output_is_in_the_reason(text: str) -> None:
    """The reason is published: a file that was linked by mistake may hold what nobody is to read."""
    said = text.format(word="Geheimnis").encode(errors="surrogateescape")
    with pytest.raises(CollectionError) as raised:
        parse_values(said)
    assert "Geheimnis" not in str(raised.value)


@given(st.binary() | st.text().map(str.encode))
def test_any_output_is_values_or_the_error(said: bytes) -> None:
    """Whatever is printed, nothing else is raised."""
    with contextlib.suppress(CollectionError):
        parse_values(said)


@posix
def test_a_folder_holds_programs_and_files(folder: Path) -> None:
    """Programs are run and JSON files read; folders, hidden files and backups are passed over."""
    program(folder, "ups.30s.sh", "echo 1")
    (folder / "room.json").write_text('{"a": 1}')
    (folder / ".hidden").write_text("")
    (folder / "ups.sh~").write_text("")
    (folder / "lib").mkdir()
    sources, problems = find_sources(folder)
    assert problems == []
    assert [(one.group, one.interval, one.executable) for one in sources] == [
        ("custom-room", 10.0, False),
        ("custom-ups", 30.0, True),
    ]


@posix
def test_what_is_wrong_with_a_file_is_told(folder: Path) -> None:
    """Each file that is no source has its line; the others are sources all the same."""
    program(folder, "good", "echo 1")
    program(folder, "good.py", "echo 1")
    program(folder, "Bad Name", "echo 1")
    program(folder, "open", "echo 1").chmod(0o777)
    (folder / "notes.txt").write_text("")
    (folder / "dangling.json").symlink_to("/nowhere")
    os.mkfifo(folder / "pipe.json")
    sources, problems = find_sources(folder)
    assert [one.group for one in sources] == ["custom-good"]
    assert [problem.partition(",")[0] for problem in problems] == [
        "Bad Name: file name not usable as a group name",
        "dangling.json: No such file or directory",
        "good.py: got a second file for custom-good",
        "notes.txt: got a file that cannot be executed",
        "open: other users may write to it",
        "pipe.json: got a special file",
    ]


def test_a_folder_of_too_many_files_has_an_end(folder: Path) -> None:
    """Only so many become groups, and one line says so."""
    for number in range(150):
        (folder / f"room-{number:03}.json").write_text("1")
    sources, problems = find_sources(folder)
    assert [one.group for one in sources][::99] == ["custom-room-000", "custom-room-099"]
    assert problems == ["room-100.json: got more than 100 files, expected at most so many"]


@posix
def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    """Whoever may put a file there could make the agent run it; one line says so."""
    program(folder, "good", "echo 1")
    for mode in (0o777, 0o775, 0o1777):
        folder.chmod(mode)
        with pytest.raises(
            CollectionError, match=r"custom\.d: other users may write to it, expected only root"
        ):
            find_sources(folder)
    with pytest.raises(CollectionError, match="nowhere: No such file or directory"):
        find_sources(folder / "nowhere")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to be someone else")
def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    """A folder must belong to root or to the agent's user."""
    os.chown(folder, 65534, 65534)
    with pytest.raises(CollectionError, match="other users may write to it"):
        find_sources(folder)


@posix
def test_a_program_is_run_without_the_agents_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the environment of the agent, but not its settings, in which a password may be."""
    monkeypatch.setenv("FLEETGLASS_PASSWORD", "geheim")
    monkeypatch.setenv("OTHER", "there")
    program(folder, "env", 'printf \'{"password": "%s", "other": "%s"}\' "$FLEETGLASS_PASSWORD" "$OTHER"')
    ((source,), _) = find_sources(folder)
    assert SourceReader(source)().values == {"password": "", "other": "there"}


@posix
def test_a_program_has_its_interval_to_end(folder: Path) -> None:
    """One that hangs is killed when it would be its turn again."""
    program(folder, "hang.1s", "sleep 600")
    ((source,), _) = find_sources(folder)
    with pytest.raises(CollectionError, match="took more than 1 s"):
        SourceReader(source)()


def test_a_file_is_read_as_it_is(folder: Path) -> None:
    """A JSON file is a source like a program, within the same size; one that is gone is an error."""
    path = folder / "room.json"
    path.write_text('{"room_celsius": 21.5}')
    ((source,), _) = find_sources(folder)
    read = SourceReader(source)
    assert read().values == {"room_celsius": 21.5}
    path.write_text('{"a": "' + "x" * MAX_BYTES + '"}')
    with pytest.raises(CollectionError, match="holds more than 32768 bytes"):
        read()
    path.unlink()
    with pytest.raises(CollectionError, match="cannot be read: No such file"):
        read()
