from collections.abc import Callable

from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.rates import percent
from fleetglass.agent.readings.types import FilesystemReading, FilesystemsReading
from fleetglass.wire.payloads import Filesystem, Mount


class FilesystemCollector:
    """How full every filesystem is."""

    group = "filesystem"
    interval = 10.0

    def __init__(self, read: Callable[[], FilesystemsReading]) -> None:
        self._read = read

    def collect(self, time: float, tick: int) -> Filesystem | Partial | None:
        """Return the sizes now; a filesystem that does not answer is absent, and named."""
        now = self._read()
        mounts = {one.mount: mount_use(one) for one in now.filesystems}
        message = Filesystem(time=time, tick=tick, mounts=mounts) if mounts else None
        if now.silent:
            return Partial(message, f"no answer from {', '.join(now.silent)}")
        return message


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
