"""What the host is: all that does not change from second to second."""

import logging
import platform
import threading
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from fleetglass.agent.clock_jumps import read_clocks
from fleetglass.agent.collectors import Collector, current
from fleetglass.agent.collectors.rates import known
from fleetglass.agent.identity import host_name, machine_id_hash
from fleetglass.agent.readings import Readings, update_count
from fleetglass.agent.readings.packages.package_updates import PackageUpdates, notified_updates
from fleetglass.agent.readings.packages.reboot import reboot_required
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
    Storage,
)
from fleetglass.wire.unexpected_errors import UnexpectedErrors
from fleetglass.wire.version import VERSION

_log = logging.getLogger(__name__)

_NO_UPDATES = PackageUpdates(None)
_NO_MEMORY = Memory(time=0, tick=0)

_FIRST_PATIENCE_SECONDS = 0.5
_PATIENCE_SECONDS = 0.1


class Inventory:
    """Gathers what hardly ever changes once, and the rest at each look.

    Files of the host may be served by another process that hangs (lxcfs), so they are read on a thread of
    their own. What it has not read yet is absent.
    """

    def __init__(
        self,
        settings: AgentSettings,
        *,
        session: str,
        readings: Readings,
        collectors: Sequence[Collector],
        errors: UnexpectedErrors,
    ) -> None:
        self._readings = readings
        self._errors = errors
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
            machine_id_hash=known(
                settings.kept_id_hash if settings.container else machine_id_hash(settings.root)
            ),
            container=known(settings.container),
            python_version=platform.python_version(),
            tags=list(settings.tags) or UNSET,
            demand=settings.demand or UNSET,
        )
        self._networks: dict[str, list[str]] = {}
        self._mac_addresses: dict[str, str] = {}
        self._main_address: str | None = None
        self._started: float | None = None  # on the clock that sleep does not stop
        self._host_is_due = True
        self._root = settings.root
        self._reboot_required: bool | None = None
        self._updates: PackageUpdates | None = None
        self._counting = update_count() if settings.updates and settings.root == "/" else None
        self._looking = self._start_looking()
        self._looking.join(_FIRST_PATIENCE_SECONDS)

    def look(self) -> None:
        """Read what may have changed, unless the last look has not come back; waits 0.1 s at most."""
        if not self._looking.is_alive():
            self._looking = self._start_looking()
            self._looking.join(_PATIENCE_SECONDS)

    def close(self) -> None:
        """End what was started to count updates."""
        if self._counting is not None:
            self._counting.close()

    def look_again(self) -> None:
        """Read the host anew as well: setting its clock also changes when it says that it started."""
        self._host_is_due = True
        self.look()

    @property
    def boot_time(self) -> float | UnsetType:
        """When the host started: UTC, seconds since the epoch."""
        return self._fixed.boot_time

    @property
    def uptime_seconds(self) -> int | UnsetType:
        """How long the host has been up, sleep included."""
        return UNSET if self._started is None else int(read_clocks().elapsed - self._started)

    def info(self, groups: Mapping[str, Group], *, time: float, conflict: str | None) -> Info:
        """Return the inventory of a host that gives these groups."""
        memory = groups.get("memory")
        updates = self._updates or _NO_UPDATES
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
            reboot_required=known(self._reboot_required),
            pending_updates=known(updates.pending),
            security_updates=known(updates.security),
            updates_time=known(updates.refreshed),
            addresses={
                name: [one.partition("/")[0] for one in found] for name, found in self._networks.items()
            }
            or UNSET,
            networks=self._networks or UNSET,
            mac_addresses=self._mac_addresses or UNSET,
            main_address=known(self._main_address),
            devices=devices_of(groups) or UNSET,
            conflict=conflict or UNSET,
        )

    def _start_looking(self) -> threading.Thread:
        thread = threading.Thread(target=self._look, name="fleetglass-host", daemon=True)
        thread.start()
        return thread

    def _look(self) -> None:
        if self._host_is_due:
            self._host_is_due = False
            self._errors.attempt("reading the host", self._read_host)
        attempt = self._errors.attempt
        self._networks = attempt("reading the addresses", self._read_networks) or {}
        self._mac_addresses = attempt("reading the hardware addresses", self._read_mac_addresses) or {}
        self._main_address = attempt("reading the main address", self._readings.main_address)
        self._started = attempt("reading the uptime", self._read_start)
        self._reboot_required = attempt("looking for a reboot", lambda: reboot_required(self._root))
        self._updates = attempt("looking for updates", self._read_updates)

    def _read_host(self) -> None:
        try:
            host = self._readings.host()
        except (OSError, ValueError) as error:
            _log.warning("inventory incomplete: %s", error)
            return
        told = {name: known(value) for name, value in host._asdict().items()}
        self._fixed = msgspec.structs.replace(self._fixed, **told)

    def _read_networks(self) -> dict[str, list[str]]:
        try:
            return self._readings.addresses()
        except (OSError, ValueError):
            return {}

    def _read_mac_addresses(self) -> dict[str, str]:
        try:
            return self._readings.mac_addresses()
        except (OSError, ValueError):
            return {}

    def _read_updates(self) -> PackageUpdates | None:
        if self._counting is not None:
            self._counting.look()
            if self._counting.newest is not None:
                return self._counting.newest
        return notified_updates(self._root)

    def _read_start(self) -> float | None:
        seconds = self._readings.uptime_seconds()
        return None if seconds is None else read_clocks().elapsed - seconds

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
            case Storage():
                devices[name] = sorted(group.disks)
            case Power():
                devices[name] = sorted(group.batteries)
            case Sensor():
                fans = group.fans if not isinstance(group.fans, UnsetType) else {}
                devices[name] = sorted({*group.temperatures, *fans})
            case _:
                pass
    return devices
