from collections.abc import Callable

from msgspec import UNSET

from fleetglass.agent import readings
from fleetglass.agent.collectors.arithmetic import percent
from fleetglass.agent.readings.kinds import FilesystemReading
from fleetglass.wire.payloads import Filesystem, Mount


class FilesystemCollector:
    """How full every filesystem is."""

    group = "filesystem"
    interval = 10.0

    def __init__(self, read: Callable[[], list[FilesystemReading]] = readings.read_filesystems) -> None:
        self._read = read

    def collect(self, time: float, tick: int) -> Filesystem | None:
        """Return the sizes now."""
        mounts = {one.mount: mount_use(one) for one in self._read()}
        return Filesystem(time=time, tick=tick, mounts=mounts) if mounts else None


def mount_use(now: FilesystemReading) -> Mount:
    """Return the sizes of one filesystem.

    As df(1) does, the percentage is of what ordinary users can fill: the reserve of root is left out.
    """
    used = max(now.total - now.free, 0)
    return Mount(
        device=now.device or UNSET,
        type=now.type or UNSET,
        total_bytes=now.total,
        used_bytes=used,
        free_bytes=now.available,
        used_percent=percent(used, used + now.available),
        inodes_percent=(
            UNSET
            if now.inodes is None or now.free_inodes is None
            else percent(now.inodes - now.free_inodes, now.inodes)
        ),
    )
