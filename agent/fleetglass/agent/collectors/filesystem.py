from collections.abc import Callable

from msgspec import UNSET

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.rates import known, percent
from fleetglass.agent.readings.types import FilesystemReading, FilesystemsReading
from fleetglass.wire.payloads import Filesystem, Mount

_MOST_BYTES = 2**63 - 1


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

    As df(1) does, the percentage is of what ordinary users can fill: the reserve of root is left out. Some
    filesystems tell numbers that went below zero as huge ones: those are absent, and what follows from them.
    """
    total = _up_to(_MOST_BYTES, now.total)
    free = _up_to(total, now.free)
    available = _up_to(total, now.available)
    used = None if total is None or free is None else total - free
    free_inodes = _up_to(now.inodes, now.free_inodes)
    return Mount(
        device=now.device or UNSET,
        type=now.type or UNSET,
        total_bytes=known(total),
        used_bytes=known(used),
        free_bytes=known(available),
        used_percent=UNSET if used is None or available is None else percent(used, used + available),
        inodes_percent=(
            UNSET
            if now.inodes is None or free_inodes is None
            else percent(now.inodes - free_inodes, now.inodes)
        ),
    )


def _up_to(most: int | None, value: int | None) -> int | None:
    return None if most is None or value is None or not 0 <= value <= most else value
