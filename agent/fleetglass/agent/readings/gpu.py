"""Readings of GPUs, of whatever maker."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from fleetglass.agent.readings.nvidia import NvidiaReader
from fleetglass.agent.readings.types import GpuReading
from fleetglass.agent.selection import EVERYTHING, Selection

if sys.platform == "linux":
    from fleetglass.agent.readings.linux_gpu import CardReader


class GpuReader:
    """Reads every GPU: AMD and Intel through `/sys`, NVIDIA through its own library."""

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
        *,
        sensors: Selection = EVERYTHING,
    ) -> None:
        self._nvidia = NvidiaReader(root, clock)
        self._read_cards: Callable[[], list[GpuReading]] = list
        if sys.platform == "linux":
            self._read_cards = CardReader(root, clock, sensors=sensors)

    @property
    def problem(self) -> str | None:
        """Why a GPU that is there could not be read just now."""
        return self._nvidia.problem

    def __call__(self) -> list[GpuReading]:
        """Read every GPU; those that do not answer are left out."""
        return [*self._read_cards(), *self._nvidia()]
