"""Topic names, built and parsed in this one place.

The leaves are disjoint, so that no wildcard filter of the fleet overlaps the filter of one host:
brokers differ in whether overlapping subscriptions deliver a message once or twice.
"""

import re
from dataclasses import dataclass
from typing import Literal

from fleetglass.wire.errors import PrefixError
from fleetglass.wire.hosts import check_host_id, is_host_id

DEFAULT_PREFIX = "fleet"
PREFIX_RULE = "1 to 6 levels of A-Z a-z 0-9 _ -, separated by /"

Leaf = Literal["status", "info", "summary", "pulse", "live", "backfill", "demand", "doctor"]

STATUS_SECONDS = 60.0
"""Between two times that `status` is said, with some jitter, though nothing changed."""
INFO_SECONDS = 600.0
"""The same for `info`."""
SUMMARY_SECONDS = 15.0
"""Between two summaries; at least the time between two ticks."""

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+){0,5}\Z")
_LEAVES: dict[str, Leaf] = {
    "status": "status",
    "info": "info",
    "summary": "summary",
    "pulse": "pulse",
    "backfill": "backfill",
    "demand": "demand",
}


@dataclass(frozen=True, slots=True)
class Address:
    """What a topic says: whose it is, which leaf, and for `live` which group."""

    host: str
    leaf: Leaf
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics under one prefix.

    Raises:
        PrefixError: the prefix breaks the rule.
    """

    prefix: str = DEFAULT_PREFIX

    def __post_init__(self) -> None:
        if not _PREFIX.match(self.prefix):
            raise PrefixError(f"prefix: got {self.prefix[:80]!r}, expected {PREFIX_RULE}")

    def leaf(self, host: str, leaf: Leaf) -> str:
        """Return a topic of a host such as `fleet/web-1/pulse`.

        Raises:
            HostIdError: `host` is not a host id.
        """
        return f"{self.prefix}/{check_host_id(host)}/{leaf}"

    def live(self, host: str, group: str) -> str:
        """Return the topic of one group of a host, such as `fleet/web-1/live/cpu`.

        Raises:
            HostIdError: `host` or `group` is not one level of the rule.
        """
        return f"{self.prefix}/{check_host_id(host)}/live/{check_host_id(group)}"

    def fleet_filter(self, leaf: Leaf) -> str:
        """Return the filter of one leaf of every host: `fleet/+/pulse`."""
        return f"{self.prefix}/+/{leaf}"

    def live_filter(self, host: str) -> str:
        """Return the filter of all groups of one host: `fleet/web-1/live/#`.

        Raises:
            HostIdError: `host` is not a host id.
        """
        return f"{self.prefix}/{check_host_id(host)}/live/#"

    @property
    def site(self) -> str:
        """Where a site's broker, bridged to ours, says whether it is connected: `fleet/paris/site`.

        `1` or `0`, retained: what mosquitto's bridge publishes as its notification, `0` by its will. No
        filter of hosts overlaps it.
        """
        return f"{self.prefix}/site"

    def parse(self, topic: str) -> Address | None:
        """Return what a topic says, or None when it is none of ours, or `doctor`, which tells of no host."""
        if not topic.startswith(self.prefix + "/"):
            return None
        levels = topic[len(self.prefix) + 1 :].split("/")
        if not is_host_id(levels[0]):
            return None
        match levels:
            case [host, "live", group] if is_host_id(group):
                return Address(host, "live", group)
            case [host, name] if name in _LEAVES:
                return Address(host, _LEAVES[name])
        return None
