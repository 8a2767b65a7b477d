"""What the host is: all that does not change from second to second."""

import os
import platform
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import msgspec
import psutil
from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors import Collector
from fleetglass.agent.identity import host_name, machine_id_hash
from fleetglass.agent.readings.kinds import printable
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
    Network,
    Power,
    Sensor,
)


class Inventory:
    """Gathers what never changes once, and the rest whenever it is asked."""

    def __init__(self, settings: AgentSettings, *, session: str, collectors: Sequence[Collector]) -> None:
        self._intervals = {
            one.group: settings.interval * turns_between(one.interval, settings.interval)
            for one in collectors
        }
        self._intervals["collector"] = settings.interval
        self._groups: dict[str, GroupInfo] = {}
        self._fixed = Info(
            time=0,
            session=session,
            host_name=host_name(),
            agent_version=_version(),
            interval_seconds=settings.interval,
            groups={},
            machine_id_hash=machine_id_hash() or UNSET,
            os_name=_os_name() or UNSET,
            kernel=f"{platform.system()} {platform.release()}",
            architecture=platform.machine() or UNSET,
            python_version=platform.python_version(),
            cpu_model=_cpu_model() or UNSET,
            physical_cores=psutil.cpu_count(logical=False) or UNSET,
            logical_cores=os.cpu_count() or UNSET,
            boot_time=psutil.boot_time(),
            tags=list(settings.tags) or UNSET,
            demand=settings.demand or UNSET,
        )

    @property
    def boot_time(self) -> float | UnsetType:
        """When the host started: UTC, seconds since the epoch."""
        return self._fixed.boot_time

    def info(self, groups: Mapping[str, Group], *, time: float, conflict: str | None) -> Info:
        """Return the inventory of a host that gives these groups."""
        return msgspec.structs.replace(
            self._fixed,
            time=time,
            groups={
                name: self._group_info(name) for name in [*groups, "collector"] if name in self._intervals
            },
            memory_total_bytes=psutil.virtual_memory().total,
            swap_total_bytes=psutil.swap_memory().total,
            addresses=_addresses() or UNSET,
            devices=devices_of(groups) or UNSET,
            conflict=conflict or UNSET,
        )

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


def _addresses() -> dict[str, list[str]]:
    """Return the IP addresses by interface, without the zone that IPv6 addresses carry."""
    addresses = {
        printable(name): [
            one.address.partition("%")[0] for one in found if one.family in (socket.AF_INET, socket.AF_INET6)
        ]
        for name, found in psutil.net_if_addrs().items()
    }
    return {name: found for name, found in addresses.items() if found}


def _version() -> str:
    try:
        return metadata.version("fleetglass")
    except metadata.PackageNotFoundError:
        return "0"


def _os_name() -> str:
    if sys.platform == "linux":
        try:
            return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
        except OSError:
            return "Linux"
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.version()}"


def _cpu_model() -> str:
    """Return the name of the processor; x86 says `model name`, many ARM boards only `Model` or `Hardware`."""
    if sys.platform == "linux":
        text = Path("/proc/cpuinfo").read_text(errors="replace")
        pairs = (line.partition(":") for line in text.splitlines())
        values = {name.strip(): value.strip() for name, _, value in pairs}
        for name in ("model name", "Model", "Hardware", "cpu"):
            if values.get(name):
                return values[name]
    return platform.processor()
