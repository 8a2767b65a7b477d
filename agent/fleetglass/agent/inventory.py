"""What the host is: all that does not change from second to second."""

import logging
import platform
import threading
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors import Collector, current
from fleetglass.agent.collectors.rates import known
from fleetglass.agent.identity import host_name, machine_id_hash
from fleetglass.agent.readings import Readings
from fleetglass.agent.sampler import turns_between
from fleetglass.agent.settings import AgentSettings
from fleetglass.wire.fields import numeric_fields
from fleetglass.wire.payloads import (
    GROUPS,
    Custom,
    Disk,
    FieldInfo,
    Filesystem,
    Gpu,
    Group,
    GroupInfo,
    Info,
    Memory,
    Network,
    Power,
    Sensor,
)
from fleetglass.wire.version import VERSION

_log = logging.getLogger(__name__)

_NO_MEMORY = Memory(time=0, tick=0)


_PATIENCE_SECONDS = 0.5


class Inventory:
    """Gathers what hardly ever changes when told to, and the rest whenever it is asked.

    Files of the host may be served by another process that hangs (lxcfs), so they are read on a thread of
    its own; what has not come by then is absent until it does.
    """

    def __init__(
        self,
        settings: AgentSettings,
        *,
        session: str,
        readings: Readings,
        collectors: Sequence[Collector],
    ) -> None:
        self._readings = readings
        self._interval = settings.interval
        self._collectors = collectors
        self._fields: dict[str, dict[str, FieldInfo]] = {}
        self._fixed = Info(
            time=0,
            session=session,
            host_name=host_name(settings.root),
            agent_version=VERSION,
            interval_seconds=settings.interval,
            groups={},
            machine_id_hash=known(machine_id_hash(settings.root)),
            python_version=platform.python_version(),
            tags=list(settings.tags) or UNSET,
            demand=settings.demand or UNSET,
        )
        self._looking = self._start_looking()
        self._looking.join(_PATIENCE_SECONDS)

    def look_again(self) -> None:
        """Read the host anew: setting its clock also changes when it says that it started."""
        if not self._looking.is_alive():
            self._looking = self._start_looking()

    @property
    def boot_time(self) -> float | UnsetType:
        """When the host started: UTC, seconds since the epoch."""
        return self._fixed.boot_time

    def info(self, groups: Mapping[str, Group], *, time: float, conflict: str | None) -> Info:
        """Return the inventory of a host that gives these groups."""
        memory = groups.get("memory")
        sizes = memory if isinstance(memory, Memory) else _NO_MEMORY
        turns = {one.group: turns_between(one.interval, self._interval) for one in current(self._collectors)}
        return msgspec.structs.replace(
            self._fixed,
            time=time,
            groups={
                **{
                    name: self._group_info(name, message, turns[name])
                    for name, message in groups.items()
                    if name in turns
                },
                "collector": self._group_info("collector", None, 1),
            },
            memory_total_bytes=sizes.total_bytes,
            swap_total_bytes=sizes.swap_total_bytes,
            addresses=self._addresses() or UNSET,
            devices=devices_of(groups) or UNSET,
            conflict=conflict or UNSET,
        )

    def _start_looking(self) -> threading.Thread:
        thread = threading.Thread(target=self._look, name="fleetglass-host", daemon=True)
        thread.start()
        return thread

    def _look(self) -> None:
        try:
            host = self._readings.host()
        except (OSError, ValueError) as error:
            _log.warning("what this host is cannot be read: %s", error)
            return
        told = {name: known(value) for name, value in host._asdict().items()}
        self._fixed = msgspec.structs.replace(self._fixed, **told)

    def _addresses(self) -> dict[str, list[str]]:
        try:
            return self._readings.addresses()
        except (OSError, ValueError):
            return {}

    def _group_info(self, name: str, message: Group | None, turns: int) -> GroupInfo:
        if isinstance(message, Custom):
            fields = message.fields
        else:
            if name not in self._fields:
                self._fields[name] = numeric_fields(GROUPS[name]) if name in GROUPS else {}
            fields = self._fields[name]
        return GroupInfo(interval_seconds=self._interval * turns, fields=fields or UNSET)


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
            case Gpu():
                devices[name] = sorted(group.devices)
            case Power():
                devices[name] = sorted(group.batteries)
            case Sensor():
                fans = group.fans if not isinstance(group.fans, UnsetType) else {}
                devices[name] = sorted({*group.temperatures, *fans})
            case _:
                pass
    return devices
