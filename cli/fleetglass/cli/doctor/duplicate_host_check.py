"""Whether this host's id is its own, or another machine speaks under it as well."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import psutil
from msgspec import UNSET

from fleetglass.agent.identity import machine_id_hash
from fleetglass.agent.settings import AgentSettings
from fleetglass.cli.doctor.finding import Finding
from fleetglass.cli.doctor.mqtt_session import Heard
from fleetglass.wire import PayloadError, decode
from fleetglass.wire.payloads import Info, Status
from fleetglass.wire.topics import STATUS_SECONDS
from fleetglass.wire.version import VERSION

_SILENT_SECONDS: Final = 2.5 * STATUS_SECONDS


class OwnHost(NamedTuple):
    """What this machine knows of itself."""

    host_id: str
    machine_id_hash: str | None
    runs_agent: bool

    @classmethod
    def of(cls, settings: AgentSettings) -> "OwnHost":
        """Look at this machine."""
        return cls(settings.host_id, machine_id_hash(settings.root), _runs_agent())


def check_claim(own: OwnHost, status: Heard | None, info: Heard | None, now: float) -> Iterator[Finding]:
    """Judge by what the broker keeps: the last status and, where it may be read, the inventory."""
    said, told = _status(status), _info(info)
    if said is None or said.state != "online":
        how = "nothing is known of it yet" if said is None else f"its agent is {said.state}"
        yield Finding("host id", "ok", f"{own.host_id}: {how}")
        return
    conflict = told is not None and told.conflict is not UNSET
    if told is not None and told.session == said.session and told.agent_version != VERSION:
        text = f"the agent online is {told.agent_version}, this is {VERSION}"
        yield Finding("versions", "note", text, "fleetglass service restart agent")
    elsewhere = _is_elsewhere(own, told) if told is not None and told.session == said.session else None
    if conflict or elsewhere:
        where = f" ({told.host_name})" if told is not None and elsewhere else ""
        text = f"another machine{where} publishes as {own.host_id} as well"
        yield Finding("host id", "wrong", text, f"give one of the two another id: --host-id {own.host_id}-2")
    elif now - said.time > _SILENT_SECONDS:
        text = f"{own.host_id}: said to be online {now - said.time:.0f} s ago, not since: is its agent dead?"
        yield Finding("host id", "note", text, "fleetglass service restart agent")
    elif own.runs_agent or elsewhere is False:
        yield Finding(
            "host id", "ok", f"{own.host_id}: held by the agent of this machine (session {said.session})"
        )
    else:
        text = f"{own.host_id}: an agent is online (session {said.session}), but none is seen on this machine"
        yield Finding("host id", "note", text, f"if it is another machine: --host-id {own.host_id}-2")


def _is_elsewhere(own: OwnHost, told: Info) -> bool | None:
    """Return whether an inventory is of another machine, or None where that is not known."""
    if own.machine_id_hash is None or told.machine_id_hash is UNSET:
        return None
    return told.machine_id_hash != own.machine_id_hash


def _status(heard: Heard | None) -> Status | None:
    try:
        return decode(heard.payload, Status) if heard is not None else None
    except PayloadError:
        return None


def _info(heard: Heard | None) -> Info | None:
    try:
        return decode(heard.payload, Info) if heard is not None else None
    except PayloadError:
        return None


def _runs_agent() -> bool:
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        for word, following in itertools.pairwise(words):
            if following == "agent" and Path(word).name in {"fleetglass", "fleetglass.cli"}:
                return True
    return False
