"""Mounts of a host whose files are copied: this machine has none of the devices of its mountinfo."""

import os
from collections.abc import Callable
from pathlib import Path

from fleetglass.agent.readings.linux_filesystem import parse_mountinfo


def stat_as_mounted(root: str) -> Callable[[str], os.stat_result]:
    """Return a stat(2) that finds each mount point on the device that `mountinfo` names."""
    mounts = parse_mountinfo((Path(root) / "proc/1/mountinfo").read_bytes())
    numbers = {f"{root}{one.mount}".rstrip("/"): one.superblock for one in mounts}

    def stat(path: str) -> os.stat_result:
        found = list(Path(path).stat())
        if path in numbers:
            found[2] = os.makedev(*map(int, numbers[path].split(":")))
        return os.stat_result(found)

    return stat


def mount_root(root: Path, mountinfo: str = "proc/1/mountinfo") -> None:
    """Make the root of a copied host one whose numbers can be read: it lies on this machine's device."""
    file, device = root / mountinfo, root.stat().st_dev
    lines = [line.split(" ") for line in file.read_text().splitlines()]
    for fields in lines:
        if fields[4] == "/":
            fields[2] = f"{os.major(device)}:{os.minor(device)}"
    file.write_text("".join(" ".join(fields) + "\n" for fields in lines))
