"""Every file that the agent reads on three machines, damaged in turn: it costs no values but its own."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from fleetglass.agent.collectors import default_collectors
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.identity import host_name, machine_id_hash
from fleetglass.agent.settings import AgentSettings
from fleetglass.mqtt.address import BrokerURL
from fleetglass.mqtt.credentials import BrokerAccess
from support.programs import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")

if sys.platform == "linux":
    from fleetglass.agent.readings.linux import LinuxReadings

# The values that come from each file; the first pattern that fits a file counts.
OWN: Final[dict[str, tuple[str, ...]]] = {
    "/etc/hostname": ("info.host_name",),
    "/etc/machine-id": ("info.machine_id_hash",),
    "/etc/os-release": ("info.os_name",),
    "/etc/passwd": ("process.top_*.user",),
    "/proc/1/mountinfo": ("filesystem.*",),
    "/proc/1/net/dev": ("network.[!t]*", "network.transmit_*"),
    "/proc/1/net/snmp": ("network.tcp_connections.established",),
    "/proc/1/net/sockstat": ("network.tcp_connections.[!e]*",),
    "/proc/1/net/*": ("info.addresses.*", "info.main_address", "network.*"),
    "/proc/*/cmdline": ("process.top_*.name",),
    "/proc/[0-9]*/status": ("process.top_*.user",),
    "/proc/[0-9]*/stat*": ("process.*",),
    "/proc/cpuinfo": ("info.cpu_model", "info.physical_cores", "cpu.*frequenc*"),
    "/proc/device-tree/model": ("info.model", "sensor.*"),
    "/proc/diskstats": ("disk.[!p]*",),
    "/proc/loadavg": ("cpu.load_*",),
    "/proc/meminfo": ("memory.[!p]*", "process.top_*.memory_percent"),
    "/proc/pressure/cpu": ("cpu.pressure.*",),
    "/proc/pressure/io": ("disk.pressure.*",),
    "/proc/pressure/memory": ("memory.pressure.*",),
    "/proc/stat": ("cpu.*_second", "cpu.*percent*", "info.boot_time", "info.logical_cores"),
    "/proc/sys/kernel/arch": ("info.architecture",),
    "/proc/sys/kernel/os*": ("info.kernel",),
    "/proc/uptime": ("info.uptime",),
    "/proc/vmstat": ("memory.swap_in_*", "memory.swap_out_*"),
    "/sys/class/dmi/id/product_name": ("info.model",),
    "/sys/class/dmi/id/sys_vendor": ("info.manufacturer",),
    "/sys/class/block/*": ("disk.*",),
    "/sys/class/drm/*": ("gpu.*", "sensor.*"),
    "/sys/class/hwmon/*": ("sensor.*", "gpu.*"),
    "/sys/class/net/*": ("network.*", "info.*address*"),
    "/sys/class/power_supply/*": ("power.*",),
    "/sys/class/thermal/*": ("sensor.*",),
    "/sys/devices/system/cpu/*/cpufreq/*": ("cpu.*frequenc*",),
    "/sys/devices/system/cpu/*/online": ("cpu.*frequenc*", "info.physical_cores"),
    "/sys/devices/system/cpu/*/topology/*": ("info.physical_cores",),
}
# What is lost with these must be seen, or the test would see nothing at all.
MISSED: Final = {
    "/proc/1/net/dev",
    "/proc/1/net/snmp",
    "/proc/1/net/sockstat",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/vmstat",
}
GARBAGE: Final = b"\xff\x00 nan: -1 kB\n\n- x"


class Opened:
    """Notes which files below a folder are opened; an audit hook cannot be taken away, only be idle."""

    def __init__(self) -> None:
        self._below = "\0"
        self._paths: set[str] = set()
        sys.addaudithook(self._hear)

    @contextmanager
    def below(self, folder: Path) -> Iterator[set[str]]:
        """Give the files that are opened meanwhile."""
        self._below, self._paths = f"{folder}/", set()
        try:
            yield self._paths
        finally:
            self._below = "\0"

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(self._below):
            self._paths.add(arguments[0])


@pytest.fixture(scope="module")
def opened() -> Opened:
    """Give the only hook."""
    return Opened()


@pytest.mark.parametrize("machine", ["raspberry-pi-4", "laptop", "server"])
def test_a_damaged_file_costs_its_own_values(machine: str, tmp_path: Path, opened: Opened) -> None:
    """Gone, refused, empty or garbage: whatever else the host tells stays as it was."""
    root = tmp_path / "root"
    shutil.copytree(REPOSITORY / "tests" / "fixtures" / machine, root, symlinks=True)
    with opened.below(root) as paths:
        whole = values(root)
    files = sorted(path.removeprefix(str(root)) for path in paths if Path(path).is_file())
    assert set(files) >= MISSED
    wrong = []
    for name in files:
        own = next((OWN[pattern] for pattern in OWN if fnmatch(name, pattern)), ())
        for damage in ("gone", "refused", "empty", "garbage"):
            with damaged(root / name[1:], damage):
                left = values(root)
            lost = {path for path, value in whole.items() if left.get(path) != value}
            others = sorted(path for path in lost if not any(fnmatch(path, pattern) for pattern in own))
            if others or (name in MISSED and not lost):
                wrong.append((name, damage, others))
    assert wrong == [], "\n".join(map(str, wrong))


@contextmanager
def damaged(file: Path, damage: str) -> Iterator[None]:
    """Damage a file for a while. Root may read everything, but nobody can read a folder."""
    file = Path(os.path.realpath(file))
    kept = file.read_bytes()
    file.unlink()
    if damage == "refused":
        file.mkdir()
    elif damage != "gone":
        file.write_bytes(GARBAGE if damage == "garbage" else b"")
    try:
        yield
    finally:
        if damage == "refused":
            file.rmdir()
        file.write_bytes(kept)


def values(root: Path) -> dict[str, Any]:
    """Return each value that two ticks and the inventory of a host give, by its path."""
    now = 100.0
    settings = AgentSettings(
        broker=BrokerAccess(url=BrokerURL("127.0.0.1", 1883)), host_id="web-1", root=str(root)
    )
    readings = LinuxReadings(str(root), clock=lambda: now)
    collectors = default_collectors(settings, readings)
    found: dict[str, Any] = {}
    for tick in range(2):
        for one in collectors:
            try:
                message = one.collect(1.0, tick)
            except (OSError, ValueError):
                continue  # the group is lost, which its other values show
            message = message.message if isinstance(message, Partial) else message
            found |= flat(one.group, msgspec.to_builtins(message))
        now += 1.0
    inventory = {
        **readings.host()._asdict(),
        "addresses": readings.addresses(),
        "uptime": readings.uptime_seconds(),
        "host_name": host_name(str(root)),
        "machine_id_hash": machine_id_hash(str(root)),
    }
    return found | flat("info", inventory)


def flat(path: str, value: Any) -> dict[str, Any]:
    """Return the values of nested objects by their paths, those of processes as lists."""
    if isinstance(value, dict):
        return {
            key: one
            for name in value
            if name not in ("time", "tick")
            for key, one in flat(f"{path}.{name}", value[name]).items()
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        fields = dict.fromkeys(name for one in value for name in one)
        return {f"{path}.{name}": [one.get(name) for one in value] for name in fields}
    if path.startswith("filesystem.") and isinstance(value, int | float):
        return {path: "…"}  # of the disk of this machine, which fills and empties
    return {} if value is None else {path: value}
