"""Health of disks, arrays and pools, read in the background; imported only where it is asked for."""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import UNSET

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.readings.storage.linux_storage import read_btrfs, read_flash, read_md_arrays
from fleetglass.agent.readings.storage.smartctl import INTERVAL_SECONDS, DiskReader, DisksReading
from fleetglass.agent.readings.storage.storage_report import REPORT, read_report
from fleetglass.agent.readings.storage.zpool import PoolReader
from fleetglass.agent.selection import Selection
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Storage, StorageArray

_SECONDS = 30.0  # between two looks at what the kernel tells; disks are asked far less often
_STALE_SECONDS = 2 * INTERVAL_SECONDS + 600


def storage_collector(root: Path, selection: Selection) -> BackgroundCollector:
    """Return the collector of disks, arrays and pools."""
    reader = DiskReader(root=root, selection=selection)
    pools = PoolReader(root=root)
    health = StorageHealth(reader.read, pools.read, root=root, selection=selection)

    def cancel() -> None:
        reader.cancel()
        pools.cancel()

    return BackgroundCollector("storage", _SECONDS, health.read, cancel=cancel)


class StorageHealth:
    """Makes messages of what the kernel tells now and of what the disks told last.

    Disks are those of the helper's report. Without one, the agent asks them itself.
    """

    def __init__(
        self,
        read_disks: Callable[[], DisksReading],
        read_pools: Callable[[Callable[[str], bool]], tuple[dict[str, StorageArray], str | None]],
        *,
        root: Path,
        selection: Selection,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._read_disks = read_disks
        self._read_pools = read_pools
        self._root = root
        self._takes = selection.takes
        self._wall = wall

    def read(self) -> Storage | Partial | None:
        """Return what there is, without a stamp of its own, and what could not be read, if anything."""
        takes = self._takes
        disks, problems = self._disks()
        pools, problem = self._read_pools(takes)
        disks |= read_flash(self._root, takes)
        arrays = read_md_arrays(self._root, takes) | read_btrfs(self._root, takes) | pools
        reason = "; ".join([*problems, *([problem] if problem is not None else [])])
        message = Storage(time=0, tick=0, disks=disks, arrays=arrays or UNSET) if disks or arrays else None
        return Partial(message, reason) if reason else message

    def _disks(self) -> DisksReading:
        try:
            report = read_report(self._root / REPORT)
        except CollectionError as error:
            return DisksReading({}, [str(error)])
        if report is None:
            return self._read_disks()
        problems = list(report.problems)
        if (age := self._wall() - report.time) > _STALE_SECONDS:
            hours = f"{age / 3600:.0f} h"
            problems.insert(
                0, f"the disks were last read {hours} ago; look at: systemctl status fleetglass-storage"
            )
        return DisksReading(
            {name: disk for name, disk in report.disks.items() if self._takes(name)}, problems
        )
