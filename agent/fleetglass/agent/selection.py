"""Which interfaces, disks, filesystems, sensors and users an agent reads, by shell patterns."""

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate

_FEW_CABLES = 4
_EVERY_NAME = ("*",)
# Loopback, and the tunnels that the kernel makes in every network once it has the module.
_LEADS_NOWHERE = re.compile(r"(lo\d*|(tunl|sit|gre|gretap|erspan|ip_vti|ip6_vti|ip6tnl|ip6gre)0)\Z")


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


DEFAULT_INTERFACES = Selection(
    exclude=("veth*", "cali*", "lxc?????*", "azv*", "gke?????*", "eni????????*", "ve-*", "vb-*"),
    is_default=True,
)
"""The host's end of the virtual cables of containers: one per container, named anew at each start.

`lxcbr0` is not one, nor is `eni0`.
"""
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


class InterfaceChoice:
    """Chooses by a selection which of the interfaces that a host has are read."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._names: Sequence[str] = ()
        self._chosen: Collection[str] = ()

    def __call__(self, names: Sequence[str]) -> Collection[str]:
        """Return those to read.

        The default patterns are for hosts with many containers: a few cables are read, and so is the only way
        out of a container, which may look like a cable.
        """
        if names != self._names:
            self._names = names
            self._chosen = {name for name in names if self._selection.takes(name)}
            is_short = len(names) - len(self._chosen) <= _FEW_CABLES
            if self._selection.is_default and (is_short or all(map(_LEADS_NOWHERE.match, self._chosen))):
                self._chosen = set(names)
        return self._chosen


@functools.cache
def _compiled(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")
