"""Readings of what processors there are and how fast they run.

Kernel: Documentation/admin-guide/pm/cpufreq.rst and Documentation/ABI/stable/sysfs-devices-system-cpu.
"""

import re

from fleetglass.agent.readings.files import finite, list_folder, read_text, read_whole
from fleetglass.agent.readings.types import FrequencyReading

_CORE = re.compile(r"cpu(\d+)\Z")


def read_frequency(root: str) -> FrequencyReading | None:
    """Return the frequencies that cpufreq gives, or else those of `/proc/cpuinfo`, as virtual machines do."""
    cores = [core for core in core_folders(root) if read_whole(f"{core}/online") != 0]
    now = _hertz(cores, "scaling_cur_freq")
    if not any(now):
        now = [*cpuinfo_frequencies(read_text(f"{root}/proc/cpuinfo") or "")]
    known = [one for one in now if one is not None]
    if not known:
        return None
    return FrequencyReading(
        current=round(sum(known) / len(known)),
        cores=tuple(known) if len(known) == len(now) else (),
        lowest=min(filter(None, _hertz(cores, "cpuinfo_min_freq")), default=None),
        highest=max(filter(None, _hertz(cores, "cpuinfo_max_freq")), default=None),
    )


def core_folders(root: str) -> list[str]:
    """Return the folder of each core, in order of their numbers."""
    base = f"{root}/sys/devices/system/cpu"
    numbers = sorted(int(found[1]) for name in list_folder(base) if (found := _CORE.match(name)))
    return [f"{base}/cpu{number}" for number in numbers]


def physical_cores(root: str) -> int | None:
    """Return how many cores there are when the threads that share one count once."""
    shared = {
        siblings
        for core in core_folders(root)
        if (siblings := read_text(f"{core}/topology/thread_siblings_list")) is not None
    }
    if shared:
        return len(shared)
    pairs = set()
    for block in (read_text(f"{root}/proc/cpuinfo") or "").split("\n\n"):
        values = cpuinfo_values(block)
        if "core id" in values:
            pairs.add((values.get("physical id"), values["core id"]))
    return len(pairs) or None


def cpuinfo_values(text: str) -> dict[str, str]:
    """Return the values of `/proc/cpuinfo` by name, the last one where a name comes again."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def cpuinfo_frequencies(text: str) -> list[int]:
    """Return the frequency of each core in hertz; only x86 and a few others tell it here."""
    pairs = (line.partition(":") for line in text.splitlines() if line.startswith("cpu MHz"))
    values = [finite(value) for _, _, value in pairs]
    return [round(one * 1e6) for one in values if one is not None and one > 0]


def _hertz(cores: list[str], name: str) -> list[int | None]:
    """Return a frequency of every core; the files tell kilohertz."""
    numbers = (read_whole(f"{core}/cpufreq/{name}") for core in cores)
    return [number * 1000 if number is not None and number > 0 else None for number in numbers]
