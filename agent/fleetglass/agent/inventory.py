"""What the host is: all that does not change from second to second."""

import platform
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors import Collector
from fleetglass.agent.collectors.arithmetic import known
from fleetglass.agent.identity import host_name, machine_id_hash
from fleetglass.agent.readings import Readings
from fleetglass.agent.sampler import turns_between
from fleetglass.agent.settings import AgentSettings
from fleetglass.wire.fields import numeric_fields
from fleetglass.wire.payloads import (
    GROUPS,
    Disk,
    Filesystem,
    Group,
    GroupInfo,
    Info,
    Memory,
    Network,
    Power,
    Sensor,
)
from fleetglass.wire.version import VERSION

_NO_MEMORY = Memory(time=0, tick=0)


class Inventory:
    """Gathers what never changes once, and the rest whenever it is asked."""

    def __init__(
        self,
        settings: AgentSettings,
        *,
        session: str,
        readings: Readings,
        collectors: Sequence[Collector],
    ) -> None:
        self._readings = readings
        self._intervals = {
            one.group: settings.interval * turns_between(one.interval, settings.interval)
            for one in collectors
        }
        self._intervals["collector"] = settings.interval
        self._groups: dict[str, GroupInfo] = {}
        host = readings.host()
        self._fixed = Info(
            time=0,
            session=session,
            host_name=host_name(settings.root),
            agent_version=VERSION,
            interval_seconds=settings.interval,
            groups={},
            machine_id_hash=known(machine_id_hash(settings.root)),
            os_name=known(host.os_name),
            kernel=known(host.kernel),
            architecture=known(host.architecture),
            python_version=platform.python_version(),
            manufacturer=known(host.manufacturer),
            model=known(host.model),
            cpu_model=known(host.cpu_model),
            physical_cores=known(host.physical_cores),
            logical_cores=known(host.logical_cores),
            boot_time=known(host.boot_time),
            tags=list(settings.tags) or UNSET,
            demand=settings.demand or UNSET,
        )

    @property
    def boot_time(self) -> float | UnsetType:
        """When the host started: UTC, seconds since the epoch."""
        return self._fixed.boot_time

    def info(self, groups: Mapping[str, Group], *, time: float, conflict: str | None) -> Info:
        """Return the inventory of a host that gives these groups."""
        memory = groups.get("memory")
        sizes = memory if isinstance(memory, Memory) else _NO_MEMORY
        return msgspec.structs.replace(
            self._fixed,
            time=time,
            groups={
                name: self._group_info(name) for name in [*groups, "collector"] if name in self._intervals
            },
            memory_total_bytes=sizes.total_bytes,
            swap_total_bytes=sizes.swap_total_bytes,
            addresses=self._addresses() or UNSET,
            devices=devices_of(groups) or UNSET,
            conflict=conflict or UNSET,
        )

    def _addresses(self) -> dict[str, list[str]]:
        try:
            return self._readings.addresses()
        except OSError:
            return {}

    def _group_info(self, name: str) -> GroupInfo:
        if name not in self._groups:
            fields = numeric_fields(GROUPS[name]) if name in GROUPS else {}
            self._groups[name] = GroupInfo(interval_seconds=self._intervals[name], fields=fields or UNSET)
        return self._groups[name]


def devices_of(groups: Mapping[str, Group]) -> dict[str, list[str]]:
    """Return the names of the devices that the newest messages tell of, by group."""
    devices: dict[str, list[str]] = {}
    for name, group in groups.items():
        match group:
            case Disk():
                devices[name] = sorted(group.devices)
            case Filesystem():
                devices[name] = sorted(group.mounts)
            case Network():
                devices[name] = sorted(group.interfaces)
            case Power():
                devices[name] = sorted(group.batteries)
            case Sensor():
                fans = group.fans if not isinstance(group.fans, UnsetType) else {}
                devices[name] = sorted({*group.temperatures, *fans})
            case _:
                pass
    return devices
