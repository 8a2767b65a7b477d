"""Readings of one control group, version 2 (kernel: Documentation/admin-guide/cgroup-v2.rst)."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from fleetglass.agent.readings.files import list_folder, read_file, read_text
from fleetglass.agent.readings.linux_block import disks_among
from fleetglass.agent.readings.linux_proc import parse_net_dev
from fleetglass.agent.readings.types import ContainerUse

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHORT_ID_LENGTH = 12  # as engines print it
# LXC, and systemd-nspawn, name the group after the container.
_NAMED = re.compile(r"/lxc(?:\.payload)?[./]([^/\n]+)|/systemd-nspawn@([^/\n]+)\.service")


def container_of(root: str, pid: int, names: Mapping[str, str]) -> str | None:
    """Return the container of a process: its name, or its short id where that is not known.

    `names` has those that a container engine tells, by id. A pod's container is `namespace/pod/container`.
    """
    text = read_text(f"{root}/proc/{pid}/cgroup") or ""
    ids: list[str] = _ID.findall(text)
    for one in ids:  # of a container within another, the outer one comes first
        if one in names:
            return names[one]
    if ids and "kubepods" in text and (pod := _pod_of(root, ids[-1])) is not None:
        return pod
    if ids:
        return ids[-1][:_SHORT_ID_LENGTH]
    named = _NAMED.search(text)
    return None if named is None else str(named[1] or named[2])


def _pod_of(root: str, container: str) -> str | None:
    """Return what the kubelet calls a container, from its link `<pod>_<namespace>_<container>-<id>.log`."""
    ending = f"-{container}.log"
    for name in list_folder(f"{root}/var/log/containers"):
        parts = name.removesuffix(ending).split("_")
        if name.endswith(ending) and len(parts) == 3:
            return f"{parts[1]}/{parts[0]}/{parts[2]}"
    return None


def read_use(root: Path, pid: int, container: str, *, own_network: bool) -> ContainerUse | None:
    """Return what the container of a process uses; None where its control group cannot be found."""
    process = root / "proc" / str(pid)
    path = parse_membership(read_text(f"{process}/cgroup") or "", container)
    if path is None:
        return None
    group = root / "sys/fs/cgroup" / path
    cpu = parse_pairs(read_text(f"{group}/cpu.stat") or "")
    if "usage_usec" not in cpu:
        return None
    memory = _number(read_text(f"{group}/memory.current") or "")
    cache = parse_pairs(read_text(f"{group}/memory.stat") or "").get("inactive_file", 0)
    traffic = _traffic(process / "net/dev") if own_network else (None, None)
    read, written = parse_io(
        read_text(f"{group}/io.stat") or "", lambda numbers: disks_among(f"{root}/sys", numbers)
    )
    return ContainerUse(
        cpu_seconds=cpu["usage_usec"] / 1e6,
        memory_used=None if memory is None else max(memory - cache, 0),
        memory_limit=_number(read_text(f"{group}/memory.max") or ""),
        received=traffic[0],
        transmitted=traffic[1],
        read=read,
        written=written,
    )


def parse_membership(text: str, container: str) -> str | None:
    """Return the container's group from `/proc/<pid>/cgroup`, without the leading `/`.

    The process may be in a group below it: its own systemd, or Podman, makes one.
    """
    for line in text.split("\n"):  # any other character may stand in a name
        if line.startswith("0::/"):
            parts = line.removeprefix("0::/").split("/")
            if ".." in parts or parts == [""]:
                return None  # seen from within another group, or the root of all
            named = [number for number, part in enumerate(parts) if container and container in part]
            return "/".join(parts[: named[0] + 1] if named else parts)
    return None


def parse_pairs(text: str) -> dict[str, int]:
    """Return the numbers of a file with a name and a number per line."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def parse_io(
    text: str, disks: Callable[[Iterable[str]], Collection[str]] = set
) -> tuple[int | None, int | None]:
    """Return what was read and written, in bytes, from `io.stat`; None where it tells none.

    What goes through a volume is told of the volume and of its disk. `disks` chooses those to be summed from
    the numbers of devices, such as `8:0`.
    """
    devices: dict[str, list[str]] = {}
    for line in text.split("\n"):
        words = line.split()
        # Some kernels begin the line with the numbers of devices that did nothing.
        numbers = [word for word in words if "=" not in word]
        if numbers:
            devices[numbers[-1]] = [word for word in words if "=" in word]
    chosen = disks(devices)
    read = written = None
    for number, fields in devices.items():
        for field in fields if number in chosen else ():
            name, _, value = field.partition("=")
            if name == "rbytes" and value.isdecimal():
                read = (read or 0) + int(value)
            elif name == "wbytes" and value.isdecimal():
                written = (written or 0) + int(value)
    return read, written


def _traffic(path: Path) -> tuple[int | None, int | None]:
    try:
        interfaces = parse_net_dev(0.0, read_file(str(path))).interfaces
    except (OSError, ValueError, IndexError):
        return None, None
    outer = [counters for name, counters in interfaces.items() if name != "lo"]
    return sum(one.received_bytes for one in outer), sum(one.transmitted_bytes for one in outer)


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
