"""Which processes use AMD and Intel GPUs.

Each open file of a GPU tells in `/proc/<pid>/fdinfo` what was done through it (kernel:
Documentation/gpu/drm-usage-stats.rst). ROCm's processes are in `/sys/class/kfd` as well, where everybody
may see them.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from fleetglass.agent.readings.files import list_folder, read_file, read_text, read_whole
from fleetglass.agent.readings.types import GpuProcessReading

_YOUNG_SECONDS = 60.0  # a program opens its GPU soon after it was started, if ever
_LOOK_AGAIN_SECONDS = 60.0
_LONGEST = 16_384  # of an fdinfo
_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_MEMORY_KINDS = ("drm-resident-", "drm-memory-", "drm-total-")  # the best first
_OWN_REGIONS = ("vram", "local", "device")


class DrmUsers(NamedTuple):
    """Processes by the PCI address of their GPU, and whether there may be others that must not be seen."""

    processes: dict[str, list[GpuProcessReading]]
    is_partial: bool


class DrmClient(NamedTuple):
    """What one `fdinfo` tells: work by engine as busy and total counts, `total` None for nanoseconds."""

    driver: str
    address: str
    id: str
    memory: int | None
    engines: dict[str, tuple[int, int | None]]
    capacities: dict[str, int]


class DrmClients:
    """Finds the processes that have a GPU open; work is that since the last reading.

    Going through the open files of a process is dear. One that had no GPU open is left alone for a minute,
    unless it is young.
    """

    def __init__(
        self,
        root: str = "",
        *,
        takes: Callable[[int], bool] = lambda _: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`takes` says whether a process is to be read at all."""
        self._proc = f"{root}/proc"
        self._kfd = f"{root}/sys/class/kfd/kfd"
        self._takes = takes
        self._clock = clock
        self._first_seen: dict[str, float] = {}
        self._look_at: dict[str, float] = {}
        self._hidden: set[str] = set()
        """Processes whose files must not be seen."""
        self._before: dict[tuple[str, str], tuple[float, DrmClient]] = {}

    def read(self, addresses: Collection[str]) -> DrmUsers:
        """Read who uses the GPUs with these PCI addresses.

        A card whose address is not known, as in a copy of `/sys` without its links, has what is of no other.
        """
        strange = [address for address in addresses if ":" not in address]
        other = strange[0] if len(strange) == 1 else ""
        clients: dict[tuple[str, str], tuple[float, DrmClient]] = {}
        openings: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for pid in self._due():
            is_user = False
            try:
                for at, one in self._clients_of(pid):
                    is_user = True
                    address = one.address if one.address in addresses else other
                    if address:
                        clients[address, one.id] = at, one
                        openings[address, one.id][int(pid)] += 1
                self._hidden.discard(pid)
            except PermissionError:
                self._hidden.add(pid)
            except OSError:
                continue  # it has ended
            if not is_user:
                self._look_at[pid] = self._clock() + _LOOK_AGAIN_SECONDS
        processes = self._summed(clients, _holders(openings))
        self._before = clients
        for address, memory in self._rocm(addresses).items():
            known = processes.setdefault(address, {})
            for number, used in memory.items():
                process = known.get(number, GpuProcessReading(number))
                known[number] = process._replace(memory=max(process.memory or 0, used))
        # A /proc without a first process hides all those of others.
        is_partial = bool(self._hidden) or not Path(f"{self._proc}/1").exists()
        return DrmUsers({address: list(found.values()) for address, found in processes.items()}, is_partial)

    def _due(self) -> Iterator[str]:
        """Yield the processes whose open files are to be gone through now."""
        now = self._clock()
        pids = [name for name in list_folder(self._proc) if name.isdigit()]
        for pid in self._first_seen.keys() - set(pids):
            del self._first_seen[pid]
            self._look_at.pop(pid, None)
            self._hidden.discard(pid)
        for pid in pids:
            young = now - self._first_seen.setdefault(pid, now) < _YOUNG_SECONDS
            if (young or now >= self._look_at.get(pid, now)) and self._takes(int(pid)):
                yield pid

    def _clients_of(self, pid: str) -> Iterator[tuple[float, DrmClient]]:
        """Yield what the open GPUs of a process tell.

        Raises:
            PermissionError: its files must not be seen.
        """
        folder = f"{self._proc}/{pid}"
        try:
            numbers = [
                number
                for number in os.listdir(f"{folder}/fd")  # noqa: PTH208 -- a Path costs more than the reading
                if _is_gpu(f"{folder}/fd/{number}")
            ]
        except FileNotFoundError:
            return  # it has ended
        except PermissionError:
            # The right to trace a process gives its fdinfo, and not its fd.
            numbers = os.listdir(f"{folder}/fdinfo")  # noqa: PTH208 -- as above
        for number in numbers:
            try:
                text = read_file(f"{folder}/fdinfo/{number}", _LONGEST)
            except FileNotFoundError:
                continue  # closed meanwhile
            if b"drm-driver" in text and (client := parse_client(text.decode(errors="replace"))) is not None:
                yield self._clock(), client

    def _summed(
        self, clients: dict[tuple[str, str], tuple[float, DrmClient]], holders: dict[tuple[str, str], int]
    ) -> dict[str, dict[int, GpuProcessReading]]:
        parts: dict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
        for key, pid in holders.items():
            parts[key[0], pid].append(key)
        found: dict[str, dict[int, GpuProcessReading]] = defaultdict(dict)
        for (address, pid), keys in parts.items():
            sizes = [size for key in keys if (size := clients[key][1].memory) is not None]
            shares = [client_use(*self._before[key], *clients[key]) for key in keys if key in self._before]
            found[address][pid] = GpuProcessReading(
                pid, sum(sizes) if sizes else None, busiest([one for one in shares if one is not None])
            )
        return found

    def _rocm(self, addresses: Collection[str]) -> dict[str, dict[int, int]]:
        """Return the memory of the processes of ROCm by PCI address."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        pids = list_folder(f"{self._kfd}/proc")
        if not pids:
            return found
        nodes = [f"{self._kfd}/topology/nodes/{name}" for name in list_folder(f"{self._kfd}/topology/nodes")]
        gpus = {
            gpu_id: address
            for node in nodes
            if (gpu_id := read_text(f"{node}/gpu_id")) not in {None, "0"}
            and (address := _node_address(read_text(f"{node}/properties") or "")) in addresses
        }
        for pid in filter(str.isdigit, pids):
            if not self._takes(int(pid)):
                continue
            for gpu_id, address in gpus.items():
                if used := read_whole(f"{self._kfd}/proc/{pid}/vram_{gpu_id}"):
                    found[address][int(pid)] = used
        return found


def parse_client(text: str) -> DrmClient | None:
    """Read an `fdinfo`; None where it names no GPU on a PCI bus."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.startswith("drm-"):
            values[key] = value.strip()
    address, client = values.get("drm-pdev"), values.get("drm-client-id")
    if address is None or client is None:
        return None
    engines: dict[str, tuple[int, int | None]] = {}
    for key, value in values.items():
        if key.startswith("drm-engine-capacity-"):
            continue
        if key.startswith("drm-engine-") and (spent := _count(value)) is not None:
            engines[key.removeprefix("drm-engine-")] = spent, None
        elif key.startswith("drm-cycles-") and (spent := _count(value)) is not None:
            name = key.removeprefix("drm-cycles-")
            if (total := _count(values.get(f"drm-total-cycles-{name}", ""))) is not None:
                engines.setdefault(name, (spent, total))
    capacities = {
        key.removeprefix("drm-engine-capacity-"): count
        for key, value in values.items()
        if key.startswith("drm-engine-capacity-") and (count := _count(value))
    }
    driver = values.get("drm-driver", "")
    return DrmClient(driver, address.lower(), client, _memory(values), engines, capacities)


def client_use(then_at: float, then: DrmClient, now_at: float, now: DrmClient) -> dict[str, float] | None:
    """Return the work of one client by engine, in percent of all engines of that kind; None if unknown."""
    use = {}
    for name, (spent, total) in now.engines.items():
        spent_then, total_then = then.engines.get(name, (0, None))
        passed = (now_at - then_at) * 1e9 if total is None else total - total_then if total_then else 0
        if passed > 0 and spent >= spent_then:
            use[name] = 100 * (spent - spent_then) / (passed * now.capacities.get(name, 1))
    # amdgpu tells only the engines that a client has used.
    return use if use or now.driver == "amdgpu" else None


def busiest(uses: Collection[dict[str, float]]) -> float | None:
    """Return the use of the engine that the clients of a process use most; None if none is known."""
    total: dict[str, float] = defaultdict(float)
    for use in uses:
        for name, share in use.items():
            total[name] += share
    return min(max(total.values(), default=0.0), 100.0) if uses else None


def _holders(openings: dict[tuple[str, str], dict[int, int]]) -> dict[tuple[str, str], int]:
    """Return the one process that each client counts for.

    A process can inherit an open GPU, or get it from a broker such as systemd-logind, which keeps it open.
    The process with the most open files of the GPU uses it; of equal ones the first, which is the parent.
    """
    files: dict[tuple[str, int], int] = defaultdict(int)
    for (address, _), pids in openings.items():
        for pid, count in pids.items():
            files[address, pid] += count
    return {
        key: min(pids, key=lambda pid, address=key[0]: (-files[address, pid], pid))  # type: ignore[misc] # a default
        for key, pids in openings.items()
    }


def _is_gpu(link: str) -> bool:
    try:
        return os.readlink(link).startswith("/dev/dri/")  # noqa: PTH115 -- as above
    except OSError:
        return False


def _memory(values: dict[str, str]) -> int | None:
    regions: dict[str, int] = {}
    for kind in _MEMORY_KINDS:
        for key, value in values.items():
            if key.startswith(kind) and (size := _count(value)) is not None:
                regions.setdefault(key.removeprefix(kind), size)
    regions = {name: size for name, size in regions.items() if not name.startswith("cycles-")}
    own = [size for name, size in regions.items() if name.startswith(_OWN_REGIONS)]
    return sum(own) if own else sum(regions.values()) if regions else None


def _count(text: str) -> int | None:
    number, _, unit = text.partition(" ")
    factor = 1 if unit in {"ns", "Hz"} else _UNITS.get(unit.strip())
    return int(number) * factor if number.isdecimal() and factor is not None else None


def _node_address(properties: str) -> str:
    """Return the PCI address of a node of ROCm's topology."""
    fields = dict(line.split(" ", 1) for line in properties.splitlines() if " " in line)
    try:
        location, domain = int(fields.get("location_id", "")), int(fields.get("domain", "0"))
    except ValueError:
        return ""
    return f"{domain:04x}:{location >> 8 & 0xFF:02x}:{location >> 3 & 0x1F:02x}.{location & 7}"
