"""A synthetic host: what it is, and the curves its values follow."""

import random
from dataclasses import dataclass
from typing import Final

from fleetglass.cli.simulator.roles import ROLES, Role
from fleetglass.cli.simulator.waves import Flow, Wave, make_flow, make_wave

_DAY: Final = 86_400.0
_SEASON: Final = 90 * _DAY
"""Boot times stay the same in all runs of one season, so that a host does not reboot with the simulation."""


@dataclass(frozen=True, slots=True)
class SyntheticHost:
    """One host; the same seed and number give the same one in every run."""

    id: str
    name: str
    role: Role
    cores: int
    boot_time: float
    cpu: Wave
    core_waves: tuple[Wave, ...]
    memory: Wave
    swap: Wave
    disk_use: Wave
    heat: Wave
    read: Flow
    write: Flow
    receive: Flow
    transmit: Flow


def make_host(number: int, *, cores: int, now: float, seed: int = 0) -> SyntheticHost:
    """Return host `number` (from 1); the same seed gives the same host, and `now` its time of boot."""
    source = random.Random(seed * 1_000_003 + number)
    role = ROLES[(number - 1) % len(ROLES)]
    return SyntheticHost(
        id=f"sim-{number:04}",
        name=f"{role.name}-{(number - 1) // len(ROLES) + 1:02}",
        role=role,
        cores=cores,
        boot_time=round(now - now % _SEASON - source.uniform(1, 90) * _DAY),
        cpu=make_wave(source, role.cpu_level * source.uniform(0.6, 1.4), 0.09),
        core_waves=tuple(make_wave(source, 0.5, 0.16) for _ in range(cores)),
        memory=make_wave(source, role.memory_level * source.uniform(0.8, 1.2), 0.03),
        swap=make_wave(source, 0.05, 0.02),
        disk_use=make_wave(source, source.uniform(0.2, 0.85), 0.01),
        heat=make_wave(source, 0.4, 0.1),
        read=make_flow(source, role.disk_peak * 0.6),
        write=make_flow(source, role.disk_peak * 0.4),
        receive=make_flow(source, role.network_peak),
        transmit=make_flow(source, role.network_peak * 0.6),
    )
