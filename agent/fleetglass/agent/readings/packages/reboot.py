"""Whether a host asks for a reboot: by its own mark, or because a newer kernel is installed than runs."""

import os
import re
from typing import NamedTuple

from fleetglass.agent.readings.files import list_folder, read_text

_MARKS = ("run/reboot-required", "var/run/reboot-required")
_MARKERS = (
    "usr/share/update-notifier/notify-reboot-required",
    "etc/kernel/postinst.d/unattended-upgrades",
    "etc/kernel/postinst.d/reboot-notifier",
)
"""What sets the mark on Debian and Ubuntu: where one of them is, no mark means no reboot."""
_MODULES = ("usr/lib/modules", "lib/modules")
_INSTALLED = ("kernel", "vmlinuz", "modules.builtin")
"""At least one is there for each kernel that is installed; what a removed one leaves behind has none."""
# Version and build, and then the flavour, whose digits say nothing about age: `-amd64`, `+rpt-rpi-2712`.
_RELEASE = re.compile(r"(\d+(?:\.\d+)+(?:-\d+(?:\.\d+)*)?)(.*)")
_DISTRIBUTION = re.compile(r"\.(fc|el|amzn|oe|uek|mga)\d+(?:[._]\d+)*|\+(deb|bpo)\d+(?:[.u]\d+)*")


class _Kernel(NamedTuple):
    version: tuple[int, ...]
    flavour: str


def reboot_required(root: str = "/") -> bool | None:
    """Return whether a reboot is asked for; None where that cannot be told.

    A kernel counts as newer only if it has the flavour of the one that runs, which has to be installed, too.
    In a container the host's kernel runs, and none of that name is installed.
    """
    base = root.rstrip("/")
    if any(_is_marked(base, mark) for mark in _MARKS):
        return True
    if any(os.path.exists(f"{base}/{one}") for one in _MARKERS):  # noqa: PTH110 - a Path costs more
        return False
    running = read_text(f"{base}/proc/sys/kernel/osrelease")
    folder = next((one for one in _MODULES if list_folder(f"{base}/{one}")), None)
    if running is None or folder is None:
        return None
    installed = [name for name in list_folder(f"{base}/{folder}") if _is_installed(f"{base}/{folder}/{name}")]
    if running not in installed:
        # pacman replaces the kernel in place, with its modules.
        return True if installed and list_folder(f"{base}/var/lib/pacman/local") else None
    own = _kernel(running)
    others = [kernel for name in installed if (kernel := _kernel(name)) is not None]
    if own is None:
        return None
    return any(one.flavour == own.flavour and one.version > own.version for one in others)


def _is_marked(base: str, mark: str) -> bool:
    # An absolute link under another root leads to the files of this machine.
    if base and os.path.islink(f"{base}/{mark.rpartition('/')[0]}"):  # noqa: PTH114 - as above
        return False
    return os.path.exists(f"{base}/{mark}")  # noqa: PTH110 - as above


def _is_installed(path: str) -> bool:
    return any(os.path.exists(f"{path}/{one}") for one in _INSTALLED)  # noqa: PTH110 - as above


def _kernel(release: str) -> _Kernel | None:
    found = _RELEASE.fullmatch(release)
    if found is None:
        return None
    version = tuple(map(int, re.findall(r"\d+", found[1])))
    return _Kernel(version, _DISTRIBUTION.sub("", found[2]))
