"""A host that tries to harm who looks at it: every name and text it gives is markup, endless or reversed."""

from dataclasses import dataclass
from typing import Any

from support.samples import MadeUpHost, Payload

MARKUP = "<img src=x onerror=alert(1)>"
LONG = "W" * 200
REVERSED = "\u202egnorw eht yaw dnuora"
EMOJI = "👩‍👩‍👧‍👦🏴‍☠️"
NAMES = (
    MARKUP,
    LONG,
    REVERSED,
    EMOJI,
    "__proto__",
    "constructor",
    "</script><b>bold",
    "&lt;&amp;",
    "' onfocus='alert(1)",
)

_KEYED = {
    "devices",
    "mounts",
    "interfaces",
    "temperatures",
    "fans",
    "tcp_connections",
    "collectors",
    "states",
    "addresses",
}


@dataclass(slots=True)  # which leaves no `super()`
class HostileHost(MadeUpHost):
    """Keys that name devices, and all texts, are replaced; the numbers are those of any host."""

    def info(self, now: float) -> Payload:
        """Return facts that are no facts."""
        info = MadeUpHost.info(self, now)
        groups = {
            "<b>group</b>": {"interval_seconds": 1},
            LONG: {"interval_seconds": 1, "fields": {MARKUP: {"unit": MARKUP}}},
        }
        spoilt: Payload = _spoilt(info)
        return spoilt | {
            "session": info["session"],
            "groups": info["groups"] | groups,
            "tags": list(NAMES),
            "networks": {name: [MARKUP, name] for name in NAMES},
            "mac_addresses": dict(zip(NAMES, reversed(NAMES), strict=True)),
            "main_address": MARKUP,
            "host_name": self.name or MARKUP,
        }

    def live(self, now: float) -> dict[str, Payload]:
        """Return every group of one tick, and some of unknown kind."""
        usual = MadeUpHost.live(self, now)
        stamp = {"time": usual["cpu"]["time"], "tick": usual["cpu"]["tick"]}
        own = {"<b>group</b>": stamp | dict.fromkeys(NAMES, 7), LONG: stamp | {MARKUP: 3, "text": MARKUP}}
        return {name: _spoilt(payload) | stamp for name, payload in usual.items()} | own


def _spoilt(value: Any, *, keyed: bool = False) -> Any:
    if isinstance(value, dict):
        names = dict(zip(value, NAMES, strict=False)) if keyed else {}
        return {names.get(key, key): _spoilt(one, keyed=key in _KEYED) for key, one in value.items()}
    if isinstance(value, list):
        return [_spoilt(one) for one in value]
    return MARKUP if isinstance(value, str) else value
