"""Every collector of the agent, run for real as the agent runs it."""

import time as clocks
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from fleetglass.agent.collectors import BackgroundCollector, Collector, current, default_collectors
from fleetglass.agent.inventory import devices_of
from fleetglass.agent.sampler import Sampler
from fleetglass.agent.settings import AgentSettings
from fleetglass.agent.wait_for_link import InterfaceGate
from fleetglass.cli.doctor.finding import Finding
from fleetglass.wire.payloads import CollectorRun, Group

_TICK_SECONDS: Final = 0.3
_BACKGROUND_SECONDS: Final = 5.0
_SHOWN_DEVICES: Final = 5
_REMEDIES: Final = {
    "gpu": "NVIDIA: pip install nvidia-ml-py; AMD and Intel: usermod -aG render,video USER",
    "container": "let the agent's user read the engine's socket: usermod -aG docker USER",
    "unit": "systemctl --version; without systemd leave out units",
    "power": "upsc -l HOST:PORT, as in nut; without NUT leave out nut",
    "custom": "chown -R root: {folder}; chmod -R go-w {folder}",
}


def check_collectors(
    settings: AgentSettings, collectors: Sequence[Collector] | None = None
) -> Iterator[Finding]:
    """Take two ticks, and wait for the readings that go on in the background."""
    collectors = default_collectors(settings) if collectors is None else collectors
    sampler = Sampler(collectors, interval=max(settings.interval, 1.0))
    found: dict[str, Group] = {}
    try:
        sampler.prime()
        until = clocks.monotonic() + _BACKGROUND_SECONDS
        tick = 0
        while tick < 1 or (_waits(collectors, sampler.runs, found) and clocks.monotonic() < until):
            clocks.sleep(_TICK_SECONDS)
            tick += 1
            found |= {one.group: one.message for one in sampler.sample(round(clocks.time(), 3), tick)}
        devices = devices_of(found)
        # Before `close` ends the readings that still run.
        findings = [
            _told(one, run, found.get(one.group), devices.get(one.group, []))
            for one in current(collectors)
            if (run := sampler.runs.get(one.group)) is not None
        ]
    finally:
        sampler.close()
    for finding in findings:
        remedy = finding.remedy.replace("{folder}", str(settings.custom_folder))
        yield msgspec.structs.replace(finding, remedy=remedy)
    if (reason := InterfaceGate(settings.interface).reason_to_wait()) is not None:
        yield Finding("interface", "note", f"the agent publishes nothing: {reason}", "ip address")


def _waits(collectors: Sequence[Collector], runs: dict[str, CollectorRun], found: dict[str, Group]) -> bool:
    return any(
        isinstance(one, BackgroundCollector)
        and one.duration is None
        and one.group not in found
        and (one.group not in runs or runs[one.group].state == "ok")
        for one in current(collectors)
    )


def _told(collector: Collector, run: CollectorRun, message: Group | None, devices: list[str]) -> Finding:
    what = f"collector {collector.group}"
    spent = f"{1000 * (run.duration_seconds or 0.0):.1f} ms"
    reason = "" if run.reason is UNSET else run.reason
    if run.state != "ok":
        remedy = _REMEDIES.get(collector.group, "fleetglass service logs agent")
        if collector.group.startswith("custom-"):
            remedy = "run it yourself; it lies in {folder}"
        return Finding(what, "wrong", f"{run.state}: {reason}", remedy)
    shown = ", ".join(devices[:_SHOWN_DEVICES]) + (", …" if len(devices) > _SHOWN_DEVICES else "")
    gave = f"{len(devices)} found: {shown}" if devices else "read"
    gave = "folder looked through" if collector.group == "custom" else gave
    if isinstance(collector, BackgroundCollector) and collector.duration is None:
        return Finding(
            what,
            "note",
            f"no reading ended within {_BACKGROUND_SECONDS:g} s",
            "fleetglass service logs agent",
        )
    if reason:
        partly = f"{gave}, but not all: {reason}" if message is not None else reason
        return Finding(what, "note", partly, "fleetglass service logs agent")
    if message is None and collector.group != "custom":
        return Finding(what, "ok", f"this host has none ({spent})")
    return Finding(what, "ok", f"{gave} ({spent})")
