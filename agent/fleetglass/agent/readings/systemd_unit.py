"""Readings of systemd's units through `systemctl`, which is run twice for each reading (systemctl(1))."""

import calendar
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fleetglass.agent.readings.program import Program
from fleetglass.wire.errors import CollectionError

_RUN_SECONDS = 5.0
_MAX_BYTES = 1024 * 1024
_PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "StateChangeTimestamp",
    "MemoryCurrent",
    "CPUUsageNSec",
    "NRestarts",
)
_TIMESTAMP = re.compile(r"\S+ (\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)? UTC\Z")
_NO_NUMBER = 2**64 - 1


class UnitReading(NamedTuple):
    """One unit. `since` is in seconds since the epoch, CPU in seconds since its start."""

    name: str
    load_state: str | None
    active_state: str | None
    sub_state: str | None
    since: float | None
    memory_bytes: int | None
    cpu_seconds: float | None
    restarts: int | None


class UnitsReading(NamedTuple):
    """The names of all units that failed, and the watched units."""

    at: float
    failed: list[str]
    units: list[UnitReading]


class UnitReader:
    """Asks systemd for what failed, and for the units of some names or patterns such as `backup-*.timer`."""

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        root: Path = Path("/"),
        program: Program,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patterns = patterns
        self._booted = root / "run/systemd/system"
        self._program = program
        # Numbers and times are as the program prints them in no language and in UTC.
        self._environment = {"PATH": environment.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        self._clock = clock

    def __call__(self) -> UnitsReading:
        """Ask systemd.

        Raises:
            CollectionError: no systemd runs here (sd_booted(3)), or it does not answer.
        """
        if not self._booted.exists():
            raise CollectionError(f"systemd is not running ({self._booted} is missing)")
        failed = self._ask("list-units", "--state=failed", "--plain", "--no-legend", "--full")
        units = self._ask("show", f"--property={','.join(_PROPERTIES)}", "--", *self._patterns)
        return UnitsReading(self._clock(), parse_list(failed), parse_show(units))

    def _ask(self, command: str, *arguments: str) -> str:
        try:
            output = self._program.run(
                ["systemctl", "--no-pager", command, *arguments],
                seconds=_RUN_SECONDS,
                most_bytes=_MAX_BYTES,
                environment=self._environment,
            )
        except CollectionError as error:
            raise CollectionError(f"systemctl {command}: {error}") from error
        return output.decode(errors="replace")


def parse_list(text: str) -> list[str]:
    """Return the names of what `systemctl list-units` prints; older versions put a mark before each."""
    names = []
    for line in text.splitlines():
        words = line.split()
        if words and len(words[0]) == 1:
            del words[0]
        if len(words) >= 4 and "." in words[0]:
            names.append(words[0])
    return names


def parse_show(text: str) -> list[UnitReading]:
    """Return the units that `systemctl show` prints: lines of `Name=value`, a blank line between two."""
    units = []
    for block in text.split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines())
        properties = {name: value for name, _, value in pairs}
        if not properties.get("Id"):
            continue
        nanoseconds = _whole(properties.get("CPUUsageNSec"))
        units.append(
            UnitReading(
                name=properties["Id"],
                load_state=properties.get("LoadState") or None,
                active_state=properties.get("ActiveState") or None,
                sub_state=properties.get("SubState") or None,
                since=parse_timestamp(properties.get("StateChangeTimestamp", "")),
                memory_bytes=_whole(properties.get("MemoryCurrent")),
                cpu_seconds=None if nanoseconds is None else nanoseconds / 1e9,
                restarts=_whole(properties.get("NRestarts")),
            )
        )
    return units


def parse_timestamp(text: str) -> float | None:
    """Return a moment such as `Sat 2026-11-21 10:00:00 UTC` in seconds since the epoch."""
    found = _TIMESTAMP.match(text)
    if found is None:
        return None
    seconds = calendar.timegm((*map(int, found.groups()), 0, 0, 0))
    return float(seconds) if seconds > 0 else None


def _whole(text: str | None) -> int | None:
    """Return a number; systemd says `[not set]` or the highest number for one that it does not know."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    number = int(text)
    return number if number < _NO_NUMBER else None
