"""Own metrics: a folder of programs and JSON files, each of which becomes a group."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fleetglass.agent.readings.files import read_file
from fleetglass.agent.readings.program import Program
from fleetglass.wire import PayloadError, is_host_id
from fleetglass.wire.bounds import check_bounds
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.fields import field_of
from fleetglass.wire.hosts import HOST_ID_MAX_LENGTH
from fleetglass.wire.payloads import FieldInfo

GROUP_PREFIX = "custom-"
MAX_BYTES = 32 * 1024
DEFAULT_SECONDS = 10.0

_MAX_SECONDS = 3600
_MAX_RUN_SECONDS = 60.0
_MAX_FIELDS = 256
_MAX_SOURCES = 100
_DECLARATIONS = "_fields"
_RESERVED = ("time", "tick", "session")
_INTERVAL = re.compile(r"\d{1,9}s\Z", re.ASCII)
_OTHER_INTERVAL = re.compile(r"\d+(ms|s|m|min|h|d)\Z", re.ASCII)
_NAME_RULE = f"1 to {HOST_ID_MAX_LENGTH - len(GROUP_PREFIX)} of a-z 0-9 _ - before the first dot"


class CustomSource(NamedTuple):
    """One file that becomes a group."""

    group: str
    path: Path
    interval: float
    """Seconds between two readings."""
    executable: bool


class Values(NamedTuple):
    """What a source says, and what its numbers mean."""

    values: dict[str, Any]
    fields: dict[str, FieldInfo]


class SourceReader:
    """Reads one source: runs its program, or reads its file."""

    def __init__(self, source: CustomSource) -> None:
        self._source = source
        self._program = Program()
        # The agent's own settings, a password among them, and its line to systemd are none of its business.
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FLEETGLASS_") and name != "NOTIFY_SOCKET"
        }

    def __call__(self) -> Values:
        """Return what it says now.

        Raises:
            CollectionError: it fails, takes longer than its interval, or says what is no metric.
        """
        return parse_values(self._output())

    def cancel(self) -> None:
        """Make a reading end soon."""
        self._program.cancel()

    def _output(self) -> bytes:
        path = self._source.path
        if self._source.executable:
            return self._program.run(
                [str(path)],
                seconds=min(self._source.interval, _MAX_RUN_SECONDS),
                most_bytes=MAX_BYTES,
                environment=self._environment,
                folder=path.parent,
            )
        try:
            output = read_file(str(path), MAX_BYTES + 1)
        except OSError as error:
            raise CollectionError(f"cannot be read: {error.strerror}") from error
        if len(output) > MAX_BYTES:
            raise CollectionError(f"holds more than {MAX_BYTES} bytes")
        return output


def find_sources(folder: Path) -> tuple[list[CustomSource], list[str]]:
    """Return the sources in a folder, and what is wrong with the files that are none.

    Hidden files, backups (`~`) and folders are passed over.

    Raises:
        CollectionError: the folder cannot be read, or others may write to it.
    """
    try:
        _check_owner(folder)
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are what is wanted
    except (CollectionError, OSError) as error:
        raise CollectionError(f"{folder}: {_reason(error)}") from error
    found: dict[str, CustomSource] = {}
    problems = []
    for name in names:
        if name.startswith(".") or name.endswith("~"):
            continue
        try:
            source = _source(folder / name)
        except (CollectionError, OSError) as error:
            problems.append(f"{name}: {_reason(error)}")
            continue
        if source is not None and source.group in found:
            problems.append(f"{name}: got a second file for {source.group}, expected one")
        elif source is not None and len(found) >= _MAX_SOURCES:
            problems.append(f"{name}: got more than {_MAX_SOURCES} files, expected at most so many")
            break
        elif source is not None:
            found[source.group] = source
    return list(found.values()), problems


def parse_name(name: str) -> tuple[str, float]:
    """Return the group and the interval that a file's name says: `ups.30s.sh` is `custom-ups` every 30 s.

    Raises:
        CollectionError: it breaks the rule.
    """
    stem, *rest = name.split(".")
    group = GROUP_PREFIX + stem
    if not stem or not is_host_id(group):
        raise CollectionError(f"file name not usable as a group name, expected {_NAME_RULE}")
    if rest and _OTHER_INTERVAL.match(rest[0]) and not _INTERVAL.match(rest[0]):
        raise CollectionError(f"got an interval of {rest[0]}, expected seconds, such as 30s")
    if not rest or not _INTERVAL.match(rest[0]):
        return group, DEFAULT_SECONDS
    seconds = int(rest[0][:-1])
    if not 1 <= seconds <= _MAX_SECONDS:
        raise CollectionError(f"got an interval of {seconds} s, expected 1 to {_MAX_SECONDS}")
    return group, float(seconds)


def parse_values(output: bytes) -> Values:
    """Return the values and their units of what a source says: a JSON object, or one number.

    Nulls are left out. A field's unit is the end of its name, unless the object `_fields` declares unit and
    limit under its name: `{"level": 1.2, "_fields": {"level": {"unit": "metres", "limit": 3}}}`.

    Raises:
        CollectionError: it is anything else.
    """
    if not output.strip():
        raise CollectionError("got nothing, expected a JSON object or one number")
    try:
        content = msgspec.json.decode(output)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CollectionError(f"got no JSON, expected an object or one number: {_kind_of(error)}") from error
    try:
        check_bounds(output)
    except PayloadError as error:
        raise CollectionError(str(error).removeprefix("payload: ")) from error
    if isinstance(content, int | float) and not isinstance(content, bool):
        content = {"value": content}
    if not isinstance(content, dict):
        raise CollectionError(f"got {type(content).__name__}, expected a JSON object or one number")
    try:
        declared = msgspec.convert(content.pop(_DECLARATIONS, {}), dict[str, FieldInfo])
    except msgspec.ValidationError as error:
        raise CollectionError(f"{_DECLARATIONS}: expected unit and limit of each field: {error}") from error
    for name in _RESERVED:
        if name in content:
            raise CollectionError(f"got a field named {name}, which the agent sets itself; rename it")
    values = _without_nulls(content)
    fields = {name: info for name in _numbers(values) if (info := field_of(name)) is not None}
    fields |= declared
    if len(fields) > _MAX_FIELDS:
        raise CollectionError(f"got {len(fields)} fields with a unit, expected at most {_MAX_FIELDS}")
    return Values(values, fields)


def _source(path: Path) -> CustomSource | None:
    mode = _check_owner(path)
    if stat.S_ISDIR(mode):
        return None
    if not stat.S_ISREG(mode):
        raise CollectionError("got a special file, expected a program or a JSON file")
    group, interval = parse_name(path.name)
    plain = path.suffix == ".json"
    if not plain and (sys.platform == "win32" or not os.access(path, os.X_OK)):
        raise CollectionError("got a file that cannot be executed, expected a program (chmod +x) or .json")
    return CustomSource(group, path, interval, executable=not plain)


def _check_owner(path: Path) -> int:
    """Return the mode of a file that nobody but root and the agent's user may change."""
    found = path.stat()
    if sys.platform != "win32" and (found.st_uid not in {0, os.geteuid()} or found.st_mode & 0o022):
        raise CollectionError(
            "other users may write to it, expected only root or the agent's user (chown, chmod go-w)"
        )
    return found.st_mode


def _kind_of(error: Exception) -> str:
    """Return what is wrong and where, without a word of the output: the reason is published."""
    if isinstance(error, UnicodeError):
        return "text that is not UTF-8"
    return str(error).removeprefix("JSON is malformed: ")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _without_nulls(content: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in content.items()
        if value is not None
    }


def _numbers(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif isinstance(value, int | float | list) and not isinstance(value, bool):
            yield name
