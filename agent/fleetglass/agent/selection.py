"""Which interfaces, disks, filesystems, sensors and users an agent reads, by shell patterns."""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate

_EVERY_NAME = ("*",)


@dataclass(frozen=True, slots=True)
class Selection:
    """Names to read. Patterns are those of a shell (fnmatch), and upper and lower case differ."""

    include: tuple[str, ...] = ()
    """Read only names that match one of these; empty is every name."""
    exclude: tuple[str, ...] = ()
    """Do not read names that match one of these, even when they match `include`."""
    is_default: bool = False
    """Whether these are our patterns, and the user has given none."""

    def takes(self, *names: str) -> bool:
        """Return whether to read the thing that has these names, such as a mount point and its type.

        It is read when one of its names is included and no name is excluded.
        """
        return any(map(_compiled(self.include or _EVERY_NAME).match, names)) and not any(
            map(_compiled(self.exclude).match, names)
        )


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selections:
    """Names to read of every kind."""

    interfaces: Selection = EVERYTHING
    """Network interfaces, by name."""
    disks: Selection = EVERYTHING
    """Block devices, by name."""
    filesystems: Selection = EVERYTHING
    """Filesystems, by mount point or type."""
    sensors: Selection = EVERYTHING
    """Temperatures and fans, by `chip/label`."""
    users: Selection = EVERYTHING
    """Users whose processes are listed, by name."""


DEFAULT_INTERFACES = Selection(exclude=("veth*", "cali*", "lxc*", "ve-*", "vb-*"), is_default=True)
"""The host's end of the virtual cables of containers: one per container, named anew at each start."""
DEFAULT_DISKS = Selection(exclude=("loop*", "ram*"), is_default=True)
DEFAULT_FILESYSTEMS = Selection(
    exclude=(
        "/var/lib/docker/*",
        "/var/lib/containers/storage/*",
        "/var/lib/kubelet/pods/*",
        "/var/lib/kubelet/plugins/*",
        "/run/containerd/*",
        "/run/k3s/containerd/*",
        "/snap/*",
        "/var/snap/*",
    ),
    is_default=True,
)
"""Mounts that container engines, Kubernetes and snapd make for each container, pod or package."""

DEFAULT_SELECTIONS = Selections(
    interfaces=DEFAULT_INTERFACES, disks=DEFAULT_DISKS, filesystems=DEFAULT_FILESYSTEMS
)
EVERY_SELECTION = Selections()


def selection_of(
    include: Iterable[str] | None, exclude: Iterable[str] | None, default: Selection
) -> Selection:
    """Return the names that a user wants read; None is a list that was not given.

    The default patterns hold until the user gives either list: somebody who includes a name wants it.
    """
    if include is None and exclude is None:
        return default
    return Selection(tuple(include or ()), tuple(exclude or ()))


@functools.cache
def _compiled(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")
