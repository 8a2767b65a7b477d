"""Home Assistant's device discovery: what it is told of a host, and when.

One retained message names the host's entities and where their values come from: `summary`, which is slow
and of means, and `status`. The per-second topics stay away from Home Assistant, whose recorder keeps
every change. Format: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, device discovery,
understood since 2024.11.
"""

import logging
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol, get_args

import msgspec
from msgspec import UNSET

from fleetglass.agent.settings import AgentSettings
from fleetglass.wire import Topics
from fleetglass.wire.payloads import MAX_PAYLOAD_BYTES, Info, State, Summary
from fleetglass.wire.topics import SUMMARY_SECONDS
from fleetglass.wire.units import UNITS, unit_of

SUMMARY_FIELDS: Final = tuple(
    name for name in Summary.__struct_fields__ if name not in ("time", "tick", "gpus")
)
"""The fields of a summary that become entities."""

GONE_SUMMARIES: Final = 40
"""So many summaries without a field, 10 minutes, and its entity is removed."""

_MISSED_SUMMARIES = 4  # then a value counts as unavailable
_BIRTH_SECONDS = (1.0, 30.0)  # a fleet must not answer in one instant

_PRESENCE: Final = ("online", "status")
_log = logging.getLogger(__name__)

_Component = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What a field's name and unit do not say already.

    A device page opens with what people look at; the rest is `diagnostic`, and what few people look at
    waits to be `enabled`.
    """

    name: str | None = None
    icon: str | None = None
    device_class: str | None = None
    decimals: int = 0
    diagnostic: bool = False
    enabled: bool = True


_LOOKS: Final = {
    "cpu_percent": _Look(name="CPU", icon="mdi:cpu-64-bit"),
    "load_1m": _Look(name="Load", icon="mdi:gauge", decimals=1, diagnostic=True, enabled=False),
    "memory_percent": _Look(icon="mdi:memory"),
    "swap_percent": _Look(icon="mdi:swap-horizontal", diagnostic=True, enabled=False),
    "filesystem_percent": _Look(name="Fullest filesystem", icon="mdi:harddisk"),
    "disk_read_bytes_per_second": _Look(icon="mdi:harddisk", enabled=False),
    "disk_write_bytes_per_second": _Look(icon="mdi:harddisk", enabled=False),
    "network_receive_bytes_per_second": _Look(icon="mdi:download-network"),
    "network_transmit_bytes_per_second": _Look(icon="mdi:upload-network"),
    "gpu_percent": _Look(name="GPU", icon="mdi:expansion-card"),
    "battery_percent": _Look(device_class="battery", diagnostic=True),
    "process_count": _Look(name="Processes", icon="mdi:cogs", diagnostic=True, enabled=False),
    "failed_units": _Look(icon="mdi:alert-circle-outline", diagnostic=True),
    "boot_time": _Look(name="Last boot", device_class="timestamp", diagnostic=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """A unit in Home Assistant's terms.

    Numbers are divided and rounded until they rest while nothing to speak of changes: every new value is
    a row in the recorder.
    """

    name: str | None = None
    device_class: str | None = None
    divisor: int = 1


_UNITS: Final = {
    "percent": _Unit(name="%"),
    "bytes per second": _Unit(name="kB/s", device_class="data_rate", divisor=1000),
    "celsius": _Unit(name="°C", device_class="temperature"),
    None: _Unit(),
}


def discovery_topic(home_assistant_prefix: str, host_id: str) -> str:
    """Return the topic of a host's discovery message."""
    return f"{home_assistant_prefix}/device/{host_id}/config"


def birth_topic(settings: AgentSettings) -> str:
    """Return where Home Assistant says that it has started."""
    return f"{settings.home_assistant_prefix}/status"


def device_config(
    info: Info, *, host_id: str, prefix: str, present: Collection[str], gone: Collection[str] = ()
) -> dict[str, Any]:
    """Return the discovery message of a host whose summary has the fields `present`.

    The entities of the fields `gone` are removed. A field that is in neither is not spoken of: what Home
    Assistant may have of it stays. Ids derive from the machine, so that entities outlive its names.
    """
    unique = f"fleetglass_{host_id if info.machine_id_hash is UNSET else info.machine_id_hash[:12]}"
    topics = Topics(prefix)
    status = topics.leaf(host_id, "status")
    device = {
        "ids": [unique],
        "name": info.host_name or host_id,
        "mf": info.manufacturer,
        "mdl": info.model,
        "hw": info.cpu_model,
        "sw": info.os_name,
    }
    sensors = {name: _sensor(name, info.interval_seconds) for name in SUMMARY_FIELDS if name in present}
    components = sensors | _upkeep(topics.leaf(host_id, "info"), info) | _presence(status)
    for name, component in components.items():
        component["uniq_id"] = f"{unique}_{name}"
    return {
        "dev": {key: value for key, value in device.items() if value is not UNSET},
        "o": {"name": "Fleetglass", "sw": info.agent_version},
        "stat_t": topics.leaf(host_id, "summary"),
        "avty": [
            {"t": status, "val_tpl": "{{ 'online' if value_json.state == 'online' else 'offline' }}"},
        ],
        "cmps": components | {name: {"p": "sensor"} for name in SUMMARY_FIELDS if name in gone},
    }


def fitting(config: dict[str, Any], max_bytes: int) -> tuple[bytes, list[str]]:
    """Return the payload of a discovery message, and the entities left out of it because it is too large.

    First those go that wait to be enabled, then the diagnostic ones, and those of the host's presence last.
    """
    components = dict(config["cmps"])
    payload, left_out = msgspec.json.encode(config), []
    missed_least_last = sorted(components, key=_missed)
    while len(payload) > max_bytes and missed_least_last:
        name = missed_least_last.pop()
        del components[name]
        left_out.append(name)
        payload = msgspec.json.encode(config | {"cmps": components})
    return payload, left_out


def _missed(name: str) -> int:
    """Return how little an entity is missed."""
    look = _LOOKS.get(name, _Look())
    return 0 if name in _PRESENCE else 1 + look.diagnostic + 2 * (not look.enabled)


class Publishing(Protocol):
    """What is needed of the agent's connection."""

    def max_payload_bytes(self, topic: str) -> int:
        """Return how large a payload may be."""

    def announce(self, topic: str, payload: bytes) -> None:
        """Keep a retained message on the broker."""

    def announce_again(self, topic: str, *, after_seconds: float) -> None:
        """Say it once more."""

    def withdraw(self, topic: str) -> None:
        """Clear what an earlier run announced."""

    def listen(self, topic: str, take: Callable[[bytes, bool], None]) -> None:
        """Subscribe to a topic; `take` gets payload and whether it was retained."""


class HomeAssistant:
    """Keeps a host's discovery message on the broker and true, or off it when the user wants none.

    To be made before the connection. Fields become entities when a summary has them.
    """

    def __init__(
        self,
        settings: AgentSettings,
        publisher: Publishing,
        *,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._chance = chance
        self._topic = discovery_topic(settings.home_assistant_prefix, settings.host_id)
        self._missed = dict.fromkeys(SUMMARY_FIELDS, 0)  # summaries since a field was seen
        self._present: set[str] = set()
        self._gone: set[str] = set()
        self._info: Info | None = None  # of the last look, while nothing changed
        self._announced = b""
        self._room = MAX_PAYLOAD_BYTES
        self._left_out: list[str] = []
        if settings.home_assistant:
            publisher.listen(birth_topic(settings), self._hear_birth)
        else:
            publisher.withdraw(self._topic)

    def hear_summary(self, summary: Summary) -> None:
        """Take note of which fields the host has now."""
        for name in SUMMARY_FIELDS:
            if getattr(summary, name) is UNSET:
                self._missed[name] += 1
            else:
                self._missed[name] = 0
        gone = {name for name, missed in self._missed.items() if missed >= GONE_SUMMARIES}
        present = {name for name in SUMMARY_FIELDS if not self._missed[name]} | (self._present - gone)
        if (present, gone) != (self._present, self._gone):
            self._present, self._gone, self._info = present, gone, None

    def refresh(self, info: Info) -> None:
        """Announce the host if anything changed since the last time; costs nothing when nothing did."""
        if not (self._settings.home_assistant and self._present):
            return
        room = self._publisher.max_payload_bytes(self._topic)
        if info is self._info and room == self._room:
            return
        self._info, self._room = info, room
        config = device_config(
            info,
            host_id=self._settings.host_id,
            prefix=self._settings.prefix,
            present=self._present,
            gone=self._gone,
        )
        payload, left_out = fitting(config, room)
        if left_out and left_out != self._left_out:
            _log.warning("too large for one message to Home Assistant: left out %s", ", ".join(left_out))
        self._left_out = left_out
        if payload != self._announced:
            self._announced = payload
            self._publisher.announce(self._topic, payload)

    def _hear_birth(self, payload: bytes, retained: bool) -> None:  # noqa: FBT001 -- as it comes
        if payload == b"online" and not retained:
            self._publisher.announce_again(self._topic, after_seconds=self._chance(*_BIRTH_SECONDS))


def _sensor(name: str, interval_seconds: float) -> _Component:
    """Return the entity of one field. A message without the field makes it unknown instead of stale."""
    look, unit = _LOOKS.get(name, _Look()), _UNITS[unit_of(name)]
    value = f"value_json.{name}"
    component = {
        "p": "sensor",
        "name": look.name or _words(name),
        "ic": look.icon,
        "unit_of_meas": unit.name,
        "dev_cla": look.device_class or unit.device_class,
        "ent_cat": "diagnostic" if look.diagnostic else None,
        "en": None if look.enabled else False,
        "exp_aft": round(_MISSED_SUMMARIES * max(SUMMARY_SECONDS, interval_seconds)),
    }
    if look.device_class == "timestamp":
        shown = f"{value} | int | as_datetime"
    else:
        divided = f"({value} / {unit.divisor})" if unit.divisor > 1 else value
        shown = f"{divided} | round({look.decimals})"
        component |= {"stat_cla": "measurement", "sug_dsp_prc": look.decimals}
    component["val_tpl"] = f"{{{{ {shown} if {value} is defined else None }}}}"
    return {key: one for key, one in component.items() if one is not None}


def _upkeep(info_topic: str, info: Info) -> dict[str, _Component]:
    """Return the entities of what an inventory tells that asks for somebody's work."""
    common = {"stat_t": info_topic, "ent_cat": "diagnostic"}
    sensor = common | {"p": "sensor", "ic": "mdi:package-up", "stat_cla": "measurement"}
    components = {
        "pending_updates": sensor | {"name": "Pending updates"},
        "security_updates": sensor | {"name": "Security updates"},
        "reboot_required": common | {"p": "binary_sensor", "name": "Reboot required", "dev_cla": "problem"},
    }
    for name, component in components.items():
        shown = (
            f"('ON' if value_json.{name} else 'OFF')" if name == "reboot_required" else f"value_json.{name}"
        )
        component["val_tpl"] = f"{{{{ {shown} if value_json.{name} is defined else None }}}}"
    return {name: one for name, one in components.items() if getattr(info, name) is not UNSET}


def _presence(status_topic: str) -> dict[str, _Component]:
    """Return the entities of the host's presence, which stay available when the host is not."""
    common = {"stat_t": status_topic, "ent_cat": "diagnostic", "avty": []}
    return {
        "online": common
        | {
            "p": "binary_sensor",
            "name": "Online",
            "dev_cla": "connectivity",
            "val_tpl": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
        },
        "status": common
        | {
            "p": "sensor",
            "name": "Status",
            "ic": "mdi:heart-pulse",
            "dev_cla": "enum",
            "ops": list(get_args(State)),
            "val_tpl": "{{ value_json.state }}",
        },
    }


def _words(name: str) -> str:
    """Return a field's name without its unit: `disk_read_bytes_per_second` gives `Disk read`."""
    suffix = next((end for end in UNITS if name.endswith(end)), "")
    return name.removesuffix(suffix).replace("_", " ").capitalize()
