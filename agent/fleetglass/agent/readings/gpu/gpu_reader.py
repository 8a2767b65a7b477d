"""Readings of GPUs, of whatever maker."""

import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from fleetglass.agent.readings.gpu.nvidia import NvidiaReader
from fleetglass.agent.readings.types import GpuReading, GpuUsersReading
from fleetglass.agent.selection import EVERYTHING, Selection

if sys.platform == "linux":
    from fleetglass.agent.readings.gpu.linux_gpu import CardReader

    if TYPE_CHECKING:
        from fleetglass.agent.readings.gpu.linux_drm_client import DrmClients

_OTHERS_HIDDEN = (
    "of AMD and Intel GPUs only the agent's own processes can be seen; "
    "CAP_SYS_PTRACE, or root, lets it see all"
)


class GpuReader:
    """Reads every GPU: AMD and Intel through `/sys`, NVIDIA through its own library."""

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
        *,
        takes: Callable[[int], bool] = lambda _: True,
        sensors: Selection = EVERYTHING,
    ) -> None:
        """`takes` says whether a process is to be told as a user of a GPU."""
        self._root = root
        self._clock = clock
        self._takes = takes
        self._clients: DrmClients | None = None
        self.users_problem: str | None = None
        """Why `users` did not see everything the last time."""
        self._nvidia = NvidiaReader(root, clock)
        self._read_cards: Callable[[], list[GpuReading]] = list
        if sys.platform == "linux":
            self._read_cards = self._cards = CardReader(root, clock, sensors=sensors)

    @property
    def problem(self) -> str | None:
        """Why a GPU that is there could not be read just now."""
        return self._nvidia.problem

    def __call__(self) -> list[GpuReading]:
        """Read every GPU; those that do not answer are left out."""
        return [*self._read_cards(), *self._nvidia()]

    def users(self, keys: Collection[str]) -> dict[str, GpuUsersReading]:
        """Read who uses these GPUs, which is dear, and wakes those that sleep.

        It may be called on another thread than everything else here.
        """
        found = self._nvidia.users(keys, self._takes)
        if sys.platform == "linux":
            addresses = {key: address for key, address in self._cards.addresses().items() if key in keys}
            if addresses:
                found |= self._card_users(addresses)
        return found

    def _card_users(self, addresses: dict[str, str]) -> dict[str, GpuUsersReading]:
        from fleetglass.agent.readings.gpu.linux_drm_client import DrmClients  # most hosts have no such GPU

        if self._clients is None:
            root = str(self._root).rstrip("/")
            self._clients = DrmClients(root, takes=self._takes, clock=self._clock)
        processes, is_partial = self._clients.read(addresses.values())
        self.users_problem = _OTHERS_HIDDEN if is_partial else None
        return {
            # That nobody uses it can be said only by who sees everybody.
            key: GpuUsersReading(processes.get(address, None if is_partial else []), {})
            for key, address in addresses.items()
        }
