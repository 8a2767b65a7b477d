"""Whether the agent runs in the container of an application, whose values are not those of its host.

A container with an init of its own (LXC, systemd-nspawn) is a machine of its own.
"""

import os
import re
from collections.abc import Mapping

from fleetglass.agent.readings.files import read_text

SHOW_THE_HOST = "mount the host with --volume /:/host:ro,rslave and set --root /host (docs/containers.md)"

# systemd's names of them (sd_bus's Virtualization property, systemd-detect-virt(1)).
_MACHINES = frozenset(("lxc", "lxc-libvirt", "openvz", "systemd-nspawn", "wsl"))
_CGROUPS = (
    (re.compile(r"kubepods"), "kubernetes"),
    (re.compile(r"/docker[/-][0-9a-f]{12}"), "docker"),
    (re.compile(r"libpod-[0-9a-f]{12}"), "podman"),
    (re.compile(r"cri-containerd|crio-|/containerd/"), "containerd"),
)
_CONTAINER_ID = re.compile(r"[0-9a-f]{12}([0-9a-f]{52})?\Z")


def own_container(files: str = "", environment: Mapping[str, str] = os.environ) -> str | None:
    """Return what runs the container that this process is in, such as `docker`; None outside of one.

    `files` is the folder of the files that tell, instead of `/`.
    """
    manager = read_text(f"{files}/run/systemd/container") or environment.get("container") or _of_init(files)
    if manager in _MACHINES:
        return None
    if "KUBERNETES_SERVICE_HOST" in environment:
        return "kubernetes"
    if os.path.exists(f"{files}/.dockerenv"):  # noqa: PTH110 -- an agent loads little
        return "docker"
    if os.path.exists(f"{files}/run/.containerenv"):  # noqa: PTH110 -- as above
        return "podman"
    if manager:
        return manager
    cgroups = read_text(f"{files}/proc/self/cgroup") or ""
    return next((name for pattern, name in _CGROUPS if pattern.search(cgroups)), None)


def shown_instead(container: str, host_id: str, *, has_kept_id: bool) -> str:
    """Return in one line what an agent in a container shows without `--root`, and how long its name lasts."""
    text = f"in a container ({container}) and without --root, so it shows the container and not the host"
    if has_kept_id or not (container == "kubernetes" or is_container_id(host_id)):
        return text
    return f"{text}, under the host id {host_id}, which the next container will not have"


def is_container_id(name: str) -> bool:
    """Return whether a host name is the one that engines give each new container."""
    return _CONTAINER_ID.match(name) is not None


def _of_init(files: str) -> str | None:
    """Return what the first process was told; only its own user and root may read that."""
    for one in (read_text(f"{files}/proc/1/environ") or "").split("\0"):
        name, _, value = one.partition("=")
        if name == "container":
            return value or None
    return None
