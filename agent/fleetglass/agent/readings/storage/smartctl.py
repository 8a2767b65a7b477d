"""Asks every disk for its health through `smartctl`, which is run once per disk (smartctl(8))."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from fleetglass.agent.readings.files import read_text
from fleetglass.agent.readings.program import Program
from fleetglass.agent.readings.storage.smart import SmartReading, parse_smart, smartctl_version
from fleetglass.agent.readings.storage.smart_devices import SmartDevice, SmartDevices
from fleetglass.agent.selection import EVERYTHING, Selection
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import StorageDisk

INTERVAL_SECONDS: Final = 1800.0

_RUN_SECONDS = 20.0
_SCAN_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_MAX_RUNNING = 4
_MAX_BYTES = 1024 * 1024
_MAX_DISKS = 256
_JSON_VERSION = (7, 0)
_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on the PATH of every user
_OPTIONS = ("--json=c", "-n", "standby", "-a", "-l", "devstat", "-l", "ssd")
_HELPER = "sudo fleetglass service install agent --storage"


class DisksReading(NamedTuple):
    """Every disk with its last values, and what went wrong, in one line each."""

    disks: dict[str, StorageDisk]
    problems: list[str]


class DiskReader:
    """Reads each disk at most every 30 minutes, and never wakes one.

    A few are read at a time, each on a thread of its own. So a disk that does not answer costs itself only:
    its `smartctl` is killed, and while that does not end there is no other.
    """

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        selection: Selection = EVERYTHING,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        run_seconds: float = _RUN_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._devices = SmartDevices(f"{str(root).rstrip('/')}/sys", selection)
        self._path = os.pathsep.join((environment.get("PATH", os.defpath), *_FOLDERS))
        self._clock = clock
        self._wall = wall
        self._run_seconds = run_seconds
        self._patience_seconds = patience_seconds
        self._ended = threading.Event()  # a reading came to its end
        self._scanner = Program()
        self._program = ""
        self._disks: dict[str, _Disk] = {}
        self._scan_due = float("-inf")
        self._problem: str | None = None  # of all disks
        self._scan_problem: str | None = None

    def read(self) -> DisksReading:
        """Begin to read the disks that are due, wait a moment for them, and return the last values."""
        if self._clock() >= self._scan_due:
            self._find()
        until = time.monotonic() + self._patience_seconds
        while not self.is_done:
            self._begin_readings()
            self._ended.clear()
            if any(disk.is_running for disk in self._disks.values()):
                self._ended.wait(min(max(until - time.monotonic(), 0.0), _LOOK_SECONDS))
            if time.monotonic() >= until:
                break
        return self.last()

    @property
    def is_done(self) -> bool:
        """Whether no disk is read now, and none is due."""
        return not any(disk.is_running or self._is_due(disk) for disk in self._disks.values())

    def last(self) -> DisksReading:
        """Return the last values of every disk; one that can be reached in two ways is told once."""
        owners: dict[str, str] = {}
        for name, disk in self._disks.items():
            if disk.identity is not None:
                owners.setdefault(disk.identity, name)
        told = {
            name: disk
            for name, disk in self._disks.items()
            if disk.values.state is not UNSET and owners.get(disk.identity or "", name) == name
        }
        problems: dict[str, list[str]] = {}
        for name, disk in told.items():
            if disk.problem is not None:
                problems.setdefault(disk.problem, []).append(name)
        lines = [f"{', '.join(names)}: {reason}" for reason, names in problems.items()]
        general = [self._problem, self._scan_problem]
        return DisksReading(
            {name: disk.values for name, disk in told.items()},
            [*(line for line in general if line is not None), *lines],
        )

    def identities(self) -> dict[str, str]:
        """Return what tells each disk from the others, as far as it is known."""
        return {name: disk.identity for name, disk in self._disks.items() if disk.identity is not None}

    def left_over(self) -> dict[str, int]:
        """Return the processes that were killed and do not end, by disk."""
        return {name: pid for name, disk in self._disks.items() if (pid := disk.left_over) is not None}

    def restore(
        self, disks: Mapping[str, StorageDisk], identities: Mapping[str, str], left_over: Mapping[str, int]
    ) -> None:
        """Take over what an earlier reader knew; what is not found again is forgotten."""
        for name, values in disks.items():
            self._disks[name] = _Disk(
                SmartDevice(""), values, identity=identities.get(name), earlier=left_over.get(name)
            )

    def cancel(self) -> None:
        """Make a reading end soon. May be called from another thread."""
        self._scanner.cancel()
        for disk in list(self._disks.values()):
            disk.program.cancel()

    def _is_due(self, disk: "_Disk") -> bool:
        return self._problem is None and not disk.is_running and disk.due <= self._clock()

    def _begin_readings(self) -> None:
        running = sum(disk.is_running for disk in self._disks.values())
        for name, disk in self._disks.items():
            if running < _MAX_RUNNING and self._is_due(disk):
                disk.due = self._clock() + INTERVAL_SECONDS
                work = threading.Thread(
                    target=self._read, args=(name, disk), name=f"fleetglass-disk-{name}", daemon=True
                )
                work.start()
                disk.thread = work
                running += 1

    def _find(self) -> None:
        found = self._devices.of_kernel()
        self._problem = self._scan_problem = None
        self._program = shutil.which("smartctl", path=self._path) or ""
        if self._program:
            self._scan_due = self._clock() + INTERVAL_SECONDS
            try:
                output = self._run(self._scanner, "--scan", "--json=c", seconds=_SCAN_SECONDS)
            except CollectionError as error:
                self._scan_problem = f"smartctl --scan: {error}"
            else:
                found |= self._devices.of_scan(output, found)
                version = smartctl_version(output)
                if version is not None and version < _JSON_VERSION:
                    got = ".".join(map(str, version))
                    self._problem = f"smartctl: got version {got}, expected 7.0 or newer, with --json"
        elif found:  # looked for again at the next call: it costs little
            self._problem = "smartctl is not installed: install the package smartmontools"
        before = self._disks
        kept: dict[str, _Disk] = {}
        for name, device in list(found.items())[:_MAX_DISKS]:
            disk = kept[name] = before.get(name) or _Disk(device, StorageDisk())
            disk.device = device
            disk.values = _filled(disk.values, self._devices.facts(name))
            if self._problem is not None and disk.values.state is UNSET:
                disk.values.state = "unreadable"
        self._disks = kept

    def _read(self, name: str, disk: "_Disk") -> None:
        try:
            self._read_disk(name, disk)
        finally:
            self._ended.set()

    def _read_disk(self, name: str, disk: "_Disk") -> None:
        disk.problem = None
        if self._devices.is_suspended(name):
            disk.values = msgspec.structs.replace(disk.values, state="standby", reason=UNSET)
            return
        try:
            reading = self._ask(disk)
        except CollectionError as error:
            disk.problem = str(error)
            disk.values = msgspec.structs.replace(disk.values, state="unreadable", reason=str(error)[:100])
            return
        told = reading.disk
        if told.state == "active":
            disk.identity = reading.identity
            told.read_time = round(self._wall(), 3)
            disk.values = _filled(told, self._devices.facts(name))
            return
        if reading.is_denied:
            disk.problem = f"smartctl is not permitted to read it; run: {_HELPER}"
        elif told.state == "unreadable":
            disk.problem = str(told.reason)
        disk.values = msgspec.structs.replace(
            _filled(disk.values, told), state=told.state, reason=told.reason
        )

    def _ask(self, disk: "_Disk") -> SmartReading:
        if (pid := disk.left_over) is not None:
            raise CollectionError(f"smartctl (process {pid}) was killed, but does not end")
        kind = [] if disk.device.type is None else ["-d", disk.device.type]
        reading = parse_smart(
            self._run(disk.program, *_OPTIONS, *kind, disk.device.path, seconds=self._run_seconds)
        )
        if reading is None:
            raise CollectionError("smartctl printed no JSON")
        return reading

    def _run(self, program: Program, *arguments: str, seconds: float) -> bytes:
        return program.run(
            [self._program, *arguments],
            seconds=seconds,
            most_bytes=_MAX_BYTES,
            environment={"PATH": self._path, "LC_ALL": "C"},
            good_codes=range(256),
        )


@dataclass(slots=True)
class _Disk:
    device: SmartDevice
    values: StorageDisk
    identity: str | None = None
    earlier: int | None = None
    """A process of an earlier reader that did not end."""
    due: float = float("-inf")
    thread: threading.Thread | None = None
    """What reads it, or read it last."""
    problem: str | None = None
    program: Program = field(default_factory=Program)

    @property
    def is_running(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    @property
    def left_over(self) -> int | None:
        if self.earlier is not None and not _is_smartctl(self.earlier):
            self.earlier = None
        return self.program.left_over or self.earlier


def _is_smartctl(pid: int) -> bool:
    """Whether a process is a smartctl that has not ended. Its status can be read whatever it waits for."""
    text = read_text(f"/proc/{pid}/stat") or ""
    return "(smartctl)" in text and text.rpartition(")")[2].split()[:1] != ["Z"]


def _filled(values: StorageDisk, more: StorageDisk) -> StorageDisk:
    """Return the values, and for those that are absent the others."""
    absent = {
        name: value
        for name in values.__struct_fields__
        if getattr(values, name) is UNSET and (value := getattr(more, name)) is not UNSET
    }
    return msgspec.structs.replace(values, **absent)
