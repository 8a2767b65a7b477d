from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.wire.payloads import Gpu, GpuDevice, Group


class LastGpus:
    """The GPUs of a host for its summary: one that the agent leaves alone keeps its last values."""

    def __init__(self) -> None:
        self._devices: dict[str, GpuDevice] = {}
        self._users: frozenset[tuple[str, int]] | None = None

    def hear(self, newest: Mapping[str, Group]) -> bool:
        """Take in the group of a tick, and return whether other processes use GPUs than before."""
        group = newest.get("gpu")
        if not isinstance(group, Gpu):
            self._devices = {}
            return False
        self._devices = {key: self._last(key, device) for key, device in group.devices.items()}
        if all(isinstance(device.processes, UnsetType) for device in self._devices.values()):
            return False
        before, self._users = (
            self._users,
            frozenset(
                (key, one.pid) for key, device in self._devices.items() for one in device.processes or ()
            ),
        )
        return self._users != before

    def told(self) -> dict[str, GpuDevice] | UnsetType:
        """Return what the summary tells, absent on a host without a GPU."""
        return self._devices or UNSET

    def _last(self, key: str, device: GpuDevice) -> GpuDevice:
        before = self._devices.get(key)
        if before is None or device.state == "active":
            return device
        if device.state == "suspended":
            return msgspec.structs.replace(device, memory_total_bytes=before.memory_total_bytes)
        return msgspec.structs.replace(before, state=device.state)


def without_users(gpus: Mapping[str, GpuDevice]) -> dict[str, GpuDevice]:
    """Return the same GPUs in fewer bytes, without their processes."""
    return {key: msgspec.structs.replace(one, processes=UNSET) for key, one in gpus.items()}
