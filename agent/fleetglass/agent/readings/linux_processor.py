"""Readings of what processors there are and how fast they run.

Kernel: Documentation/admin-guide/pm/cpufreq.rst and Documentation/ABI/stable/sysfs-devices-system-cpu.
"""

import re
from collections.abc import Collection

from fleetglass.agent.readings.files import finite, list_folder, read_text, read_whole
from fleetglass.agent.readings.types import FrequencyReading

_FOLDER = re.compile(r"cpu(\d+)\Z")
_SIBLINGS = re.compile(r"[\d,-]+\Z")
# How `/proc/cpuinfo` calls the frequency: most machines; s390, which tells two; POWER.
_FREQUENCIES = ("cpu mhz", "cpu mhz dynamic", "clock", "cpu mhz static")


def read_frequency(root: str, cores: Collection[int] = ()) -> FrequencyReading | None:
    """Return the frequencies that cpufreq gives, or else those of `/proc/cpuinfo`, as virtual machines do.

    `cores` are those that are switched on, if that is known.
    """
    folders = _folders(root, cores)
    now = _hertz(folders, "scaling_cur_freq")
    if not now:
        told = cpuinfo_frequencies(read_text(f"{root}/proc/cpuinfo") or "")
        now = {core: hertz for core, hertz in told.items() if core in cores or not cores}
    if not now:
        return None
    return FrequencyReading(
        current=round(sum(now.values()) / len(now)),
        cores=now,
        lowest=min(_hertz(folders, "cpuinfo_min_freq").values(), default=None),
        highest=max(_hertz(folders, "cpuinfo_max_freq").values(), default=None),
    )


def physical_cores(root: str, cores: Collection[int] = ()) -> int | None:
    """Return how many cores there are when the threads that share one count once.

    `cores` are those that are switched on, if that is known.
    """
    shared = [
        read_text(f"{folder}/topology/thread_siblings_list") or ""
        for folder in _folders(root, cores).values()
    ]
    if shared and all(map(_SIBLINGS.match, shared)):
        return len(set(shared))
    pairs = set()
    for block in (read_text(f"{root}/proc/cpuinfo") or "").split("\n\n"):
        values = cpuinfo_values(block)
        if "core id" in values:
            pairs.add((values.get("physical id"), values["core id"]))
    count = min(len(pairs), len(cores) or len(pairs))
    return count or None


def cpuinfo_values(text: str) -> dict[str, str]:
    """Return the values of `/proc/cpuinfo` by name, the last one where a name comes again."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def cpuinfo_frequencies(text: str) -> dict[int, int]:
    """Return the frequency in hertz by the number of the core: one of each, where two are told as well."""
    told: dict[int, dict[str, int]] = {}
    core: int | None = None
    for line in text.splitlines():
        name, _, value = line.partition(":")
        name = name.strip().lower()
        if name in {"processor", "cpu number"} and value.strip().isdecimal():
            core = int(value)
        elif name in _FREQUENCIES and core is not None:
            megahertz = finite(value.lower().removesuffix("mhz"))
            if megahertz is not None and megahertz > 0:
                told.setdefault(core, {})[name] = round(megahertz * 1e6)
    return {core: next(found[name] for name in _FREQUENCIES if name in found) for core, found in told.items()}


def _folders(root: str, cores: Collection[int]) -> dict[int, str]:
    """Return the folder of each core that is switched on, in order of their numbers.

    A container of LXC numbers its cores anew, but sees the folders of all: they tell it nothing.
    """
    base = f"{root}/sys/devices/system/cpu"
    numbers = sorted(int(found[1]) for name in list_folder(base) if (found := _FOLDER.match(name)))
    folders = {number: f"{base}/cpu{number}" for number in numbers}
    if not cores:
        return {number: folder for number, folder in folders.items() if read_whole(f"{folder}/online") != 0}
    if any(_is_on(folder) for number, folder in folders.items() if number not in cores):
        return {}
    return {number: folder for number, folder in folders.items() if number in cores}


def _is_on(folder: str) -> bool:
    """Return whether a core runs: one that is switched off has a folder, but almost nothing in it."""
    if read_whole(f"{folder}/online") == 0:
        return False
    return bool(list_folder(f"{folder}/topology") or list_folder(f"{folder}/cpufreq"))


def _hertz(folders: dict[int, str], name: str) -> dict[int, int]:
    """Return a frequency of each core that tells it; the files tell kilohertz."""
    found = {core: read_whole(f"{folder}/cpufreq/{name}") for core, folder in folders.items()}
    return {core: number * 1000 for core, number in found.items() if number is not None and number > 0}
