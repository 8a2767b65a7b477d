"""Readings of what does not change while the host is up."""

import os
import shlex

from fleetglass.agent.readings.files import read_file, read_text
from fleetglass.agent.readings.linux_proc import parse_boot_time, parse_stat
from fleetglass.agent.readings.linux_processor import cpuinfo_values, physical_cores
from fleetglass.agent.readings.types import HostReading

_UNWRITTEN = {
    "default string",
    "none",
    "not applicable",
    "not specified",
    "o.e.m.",
    "system manufacturer",
    "system product name",
    "to be filled by o.e.m.",
    "unknown",
}


def read_host(root: str) -> HostReading:
    """Return what the files under a root tell; what is not there is None."""
    kernel = f"{root}/proc/sys/kernel"
    try:
        stat = read_file(f"{root}/proc/stat")
    except OSError:
        stat = b""
    cores = parse_stat(0.0, stat).cores
    return HostReading(
        os_name=_os_name(root),
        kernel=" ".join(filter(None, (read_text(f"{kernel}/{name}") for name in ("ostype", "osrelease"))))
        or None,
        # Only kernels since 6.1 tell it in a file. It is that of the agent's own machine in any case.
        architecture=read_text(f"{kernel}/arch") or os.uname().machine or None,
        cpu_model=cpu_model(root),
        physical_cores=physical_cores(root, cores),
        logical_cores=len(cores) or None,
        boot_time=parse_boot_time(stat),
        manufacturer=_firmware_text(f"{root}/sys/class/dmi/id/sys_vendor"),
        model=_firmware_text(f"{root}/sys/class/dmi/id/product_name")
        or read_text(f"{root}/proc/device-tree/model"),
    )


def is_replaced(root: str, path: str) -> bool:
    """Return whether another file is mounted over one of `/proc`, as lxcfs does for a container of LXC."""
    try:
        mountinfo = read_file(f"{root}/proc/{'1' if root else 'self'}/mountinfo")
    except OSError:
        return False
    return f" {path} ".encode() in mountinfo


def cpu_model(root: str) -> str | None:
    """Return the name of the processor.

    x86 says `model name`, LoongArch `Model Name`, MIPS `cpu model`, POWER `cpu`, many ARM boards `Model`.
    """
    values = cpuinfo_values(read_text(f"{root}/proc/cpuinfo") or "")
    for name in ("model name", "Model Name", "cpu model", "Model", "Hardware", "cpu"):
        if values.get(name):
            return values[name]
    return read_text(f"{root}/proc/device-tree/model")


def _firmware_text(path: str) -> str | None:
    """Return what a maker wrote into the firmware (SMBIOS type 1), and nothing where it wrote nothing."""
    text = read_text(path)
    return None if text is None or text.lower() in _UNWRITTEN else text


def _os_name(root: str) -> str | None:
    """Return the name of the distribution (os-release(5))."""
    for path in (f"{root}/etc/os-release", f"{root}/usr/lib/os-release"):
        for line in (read_text(path) or "").splitlines():
            name, _, value = line.partition("=")
            if name == "PRETTY_NAME":
                try:
                    return " ".join(shlex.split(value)) or None
                except ValueError:
                    return value
    return None
