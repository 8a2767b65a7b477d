"""What is read from the host, at the edge: values as the system gives them, and nothing computed.

Linux is read from `/proc` and `/sys` directly, which costs a fraction of psutil; every other system is
read through psutil. Both give the kinds of `kinds`. A value the system does not have is None.
"""

import sys
from typing import TYPE_CHECKING

from fleetglass.agent.readings.base import Readings
from fleetglass.agent.selection import EVERY_SELECTION, Selections

if TYPE_CHECKING:
    from fleetglass.agent.readings.packages.package_manager import UpdateCount

__all__ = ["Readings", "host_readings", "update_count"]


def host_readings(root: str = "/", selections: Selections = EVERY_SELECTION) -> Readings:
    """Return the readings of this host, or of the one whose `/proc` and `/sys` lie under `root`.

    Only Linux has them lying anywhere else; other systems read themselves.
    """
    if sys.platform == "linux":
        from fleetglass.agent.readings.linux import LinuxReadings  # one system needs one

        return LinuxReadings(root, selections=selections)
    from fleetglass.agent.readings.portable import PortableReadings  # psutil is 1 MiB

    return PortableReadings(selections)


def update_count() -> "UpdateCount":
    """Return what asks the package manager of this host how many updates wait."""
    from fleetglass.agent.readings.packages.package_manager import (
        UpdateCount,  # runs programs, which few agents do
    )

    return UpdateCount()
