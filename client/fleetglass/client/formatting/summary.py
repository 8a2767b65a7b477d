"""What many messages have in common: of each host the mean and the highest use."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

SECTIONS: Final = {"CPU": "processor", "RAM": "memory", "Disk": "disk", "GPU": "gpu"}


def summary(messages: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what there is by host.

    That is the number of `messages`, the timestamps of the `first` and the `last`, and of each section that
    has a use, `mean_percent` and `highest_percent`.
    """
    found: dict[str, dict[str, Any]] = {}
    uses: dict[tuple[str, str], list[float]] = {}
    for message in messages:
        host = found.setdefault(message["host"], {"messages": 0, "first": message["timestamp"]})
        host["messages"] += 1
        host["last"] = message["timestamp"]
        for section in SECTIONS.values():
            if (value := message["data"].get(section, {}).get("usage_percent")) is not None:
                uses.setdefault((message["host"], section), []).append(value)
    for (name, section), values in uses.items():
        found[name][section] = {
            "mean_percent": round(sum(values) / len(values), 1),
            "highest_percent": max(values),
        }
    return dict(sorted(found.items()))
