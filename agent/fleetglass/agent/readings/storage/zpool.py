"""The pools of ZFS: `zpool status -j` (OpenZFS 2.3), else `zpool list`, else what the kernel module tells."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.agent.readings.files import list_folder, read_text
from fleetglass.agent.readings.program import Program
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import StorageArray

_INTERVAL_SECONDS = 1800.0
_RUN_SECONDS = 5.0
_MAX_BYTES = 4 * 1024 * 1024
_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_SUFFIXES: Final = "KMGTPE"
_WORKING: Final = {"ONLINE", "AVAIL", "INUSE"}
_HEALTH: Final[Mapping[str, Any]] = {"ONLINE": "ok", "DEGRADED": "degraded"}
"""Every other state (`FAULTED`, `SUSPENDED`, `UNAVAIL`, …) is a pool that does not work."""


class PoolReader:
    """Asks for the pools every 30 minutes, and when the kernel says that the state of one has changed."""

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kernel = f"{str(root).rstrip('/')}/proc/spl/kstat/zfs"
        self._path = os.pathsep.join((environment.get("PATH", os.defpath), *_FOLDERS))
        self._clock = clock
        self._program = Program()
        self._due = float("-inf")
        self._states: dict[str, str] = {}
        self._pools: dict[str, StorageArray] = {}
        self._problem: str | None = None

    def read(self, takes: Callable[[str], bool]) -> tuple[dict[str, StorageArray], str | None]:
        """Return the pools by `zfs/` and their name, and what went wrong."""
        states = {
            name: state
            for name in list_folder(self._kernel)
            if (state := read_text(f"{self._kernel}/{name}/state")) is not None
        }
        if self._clock() >= self._due or states != self._states:
            self._due = self._clock() + _INTERVAL_SECONDS
            self._states = states
            self._ask()
        return {key: pool for name, pool in self._pools.items() if takes(key := f"zfs/{name}")}, self._problem

    def cancel(self) -> None:
        """Make a reading end soon. May be called from another thread."""
        self._program.cancel()

    def _ask(self) -> None:
        of_kernel = {name: StorageArray(type="zfs", **_state(state)) for name, state in self._states.items()}
        self._problem = None
        try:
            told = parse_pools(self._run("status", "-j", "--json-int"))
            if told is None:  # OpenZFS before 2.3
                told = parse_list(self._run("list", "-H", "-o", "name,health"))
        except CollectionError as error:
            told = {}
            if self._states:
                self._problem = f"zpool: {error}"
        self._pools = of_kernel | told

    def _run(self, *arguments: str) -> bytes:
        program = shutil.which("zpool", path=self._path)
        if program is None:
            return b""
        return self._program.run(
            [program, *arguments],
            seconds=_RUN_SECONDS,
            most_bytes=_MAX_BYTES,
            # It would load the module of the kernel where there is none.
            environment={
                "PATH": self._path,
                "LC_ALL": "C",
                "ZFS_MODULE_LOADING": "NO",
                "ZFS_MODULE_TIMEOUT": "0",
            },
            good_codes=range(256),
        )


def parse_pools(output: bytes) -> dict[str, StorageArray] | None:
    """Return the pools that `zpool status -j` tells, or None when it is not its JSON."""
    try:
        told = msgspec.json.decode(output)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    pools = told.get("pools") if isinstance(told, dict) else None
    if not isinstance(pools, dict):
        return None
    return {name: _pool(pool) for name, pool in pools.items() if isinstance(pool, dict)}


def parse_list(output: bytes) -> dict[str, StorageArray]:
    """Return the pools that `zpool list -H -o name,health` tells."""
    lines = (line.split("\t") for line in output.decode(errors="replace").splitlines())
    return {line[0]: StorageArray(type="zfs", **_state(line[1])) for line in lines if len(line) == 2}


def _pool(pool: dict[str, Any]) -> StorageArray:
    array = StorageArray(type="zfs", **_state(str(pool.get("state", ""))))
    leaves = list(_leaves([pool.get(kind) for kind in ("vdevs", "logs", "special", "dedup")]))
    states = [leaf["state"] for leaf in leaves if isinstance(leaf.get("state"), str)]
    array.devices = len(leaves) or UNSET
    array.degraded_devices = sum(state not in _WORKING for state in states) if states else UNSET
    array.read_errors = _total(leaves, "read_errors")
    array.write_errors = _total(leaves, "write_errors")
    array.checksum_errors = _total(leaves, "checksum_errors")
    array.data_errors = _known(_number(pool.get("error_count")))
    scan = pool.get("scan_stats")
    if isinstance(scan, dict) and scan.get("state") == "SCANNING":
        array.sync_action = str(scan.get("function", "scan")).lower()
        all_bytes = (_number(scan.get("to_examine")) or 0) - (_number(scan.get("skipped")) or 0)
        done = _number(scan.get("issued"))
        if all_bytes > 0 and done is not None:
            array.sync_percent = round(min(100 * done / all_bytes, 100.0), 1)
    return array


def _state(state: str) -> dict[str, Any]:
    word = state.strip()
    return {"state": word.lower(), "health": _HEALTH.get(word, "failed")} if word else {}


def _leaves(trees: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the devices at the ends of a tree of groups such as mirrors."""
    for tree in trees:
        for vdev in tree.values() if isinstance(tree, dict) else ():
            if isinstance(vdev, dict):
                if isinstance(inner := vdev.get("vdevs"), dict) and inner:
                    yield from _leaves([inner])
                elif vdev.get("vdev_type") not in {"root", "hole", "indirect"}:
                    yield vdev


def _total(leaves: list[dict[str, Any]], name: str) -> int | UnsetType:
    counted = [number for leaf in leaves if (number := _number(leaf.get(name))) is not None]
    return sum(counted) if counted else UNSET


def _known(number: int | None) -> int | UnsetType:
    return UNSET if number is None else number


def _number(value: Any) -> int | None:
    """Return a number as it is, or in words such as `1.21K`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(value, 0)
    found = re.fullmatch(rf"(\d+(?:\.\d+)?)([{_SUFFIXES}]?)B?", value) if isinstance(value, str) else None
    if found is None:
        return None
    power = _SUFFIXES.find(found[2]) + 1 if found[2] else 0
    return round(float(found[1]) * (1 << 10 * power))
