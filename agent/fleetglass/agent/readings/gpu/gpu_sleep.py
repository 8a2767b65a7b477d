from pathlib import Path

from fleetglass.agent.readings.files import read_text
from fleetglass.agent.readings.types import GpuState

_REST_SECONDS = 15.0  # longer than the drivers wait before they let a GPU sleep: 5 to 10 s


def may_sleep(device: Path) -> bool:
    """Whether a GPU may fall asleep (kernel: Documentation/power/runtime_pm.rst).

    `device` is its folder under `/sys`, which need not exist. One that drives a display never sleeps.
    """
    if read_text(f"{device}/power/control") != "auto":
        return False
    return "connected" not in map(read_text, map(str, device.glob("drm/card*/card*-*/status")))


class Sleep:
    """Whether a GPU may be read now.

    Reading wakes a GPU that sleeps, and keeps awake one that would fall asleep: the battery of a laptop
    pays for it. So one that may sleep is left alone for a while after it was seen idle.
    """

    def __init__(self, device: Path) -> None:
        """`device` is its folder under `/sys`, which need not exist."""
        self._status = f"{device}/power/runtime_status"
        self._may_sleep = may_sleep(device)
        self._rest_until = float("-inf")

    def state(self, now: float) -> GpuState:
        """Return `active` when it may be read."""
        if read_text(self._status) in {"suspended", "suspending"}:
            return "suspended"
        return "idle" if now < self._rest_until else "active"

    def was_read(self, now: float, *, idle: bool) -> None:
        """Note what a reading found."""
        if idle and self._may_sleep:
            self._rest_until = now + _REST_SECONDS
