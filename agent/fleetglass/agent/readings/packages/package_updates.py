"""How many updates of packages wait, as far as a file of the host tells it."""

import os
import re
from typing import NamedTuple

from fleetglass.agent.readings.files import read_text

_NOTIFIER = "var/lib/update-notifier/updates-available"
_APPLICABLE = re.compile(r"^(\d+) updates? can be (?:applied|installed) immediately", re.MULTILINE)
_SECURITY = re.compile(r"^(\d+) of these updates (?:is a|are)(?: standard)? security updates?", re.MULTILINE)


class PackageUpdates(NamedTuple):
    """What waits to be updated."""

    pending: int | None
    security: int | None = None
    """None where the system does not say it."""
    refreshed: float | None = None
    """When the system last asked its sources: UTC, seconds since the epoch."""


def notified_updates(root: str = "/") -> PackageUpdates | None:
    """Return what Ubuntu's update-notifier wrote for those who log in."""
    path = f"{root.rstrip('/')}/{_NOTIFIER}"
    text = read_text(path)
    found = _APPLICABLE.search(text or "")
    if text is None or found is None:
        return None
    security = _SECURITY.search(text)
    return PackageUpdates(int(found[1]), int(security[1]) if security else 0, changed(path))


def changed(path: str) -> float | None:
    """Return when a file or folder was changed, or None where there is none."""
    try:
        return round(os.stat(path).st_mtime, 3)  # noqa: PTH116 - a Path costs more
    except OSError:
        return None
