from collections.abc import Callable

from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.rates import known, percent
from fleetglass.agent.readings.types import BatteryReading
from fleetglass.wire.payloads import Battery, Power


class PowerCollector:
    """Every battery and UPS."""

    group = "power"
    interval = 5.0  # firmware takes milliseconds to answer, and the charge does not hurry

    def __init__(self, read: Callable[[], list[BatteryReading]]) -> None:
        self._read = read

    def collect(self, time: float, tick: int) -> Power | None:
        """Return what the batteries say now."""
        batteries = {one.name: battery_message(one) for one in self._read()}
        return Power(time=time, tick=tick, batteries=batteries) if batteries else None


def battery_message(now: BatteryReading) -> Battery:
    """Return one reading as a message."""
    energy = now.energy_full is not None
    full = now.energy_full if energy else now.ampere_hours_full
    design = now.energy_design if energy else now.ampere_hours_design
    return Battery(
        charge_percent=percent(now.charge, 100),
        plugged=known(now.plugged),
        left_seconds=known(now.left),
        status=known(now.status),
        power_watts=_rounded(now.watts),
        voltage_volts=_rounded(now.volts),
        energy_watt_hours=_rounded(now.energy),
        energy_full_watt_hours=_rounded(now.energy_full),
        energy_design_watt_hours=_rounded(now.energy_design),
        charge_ampere_hours=_rounded(now.ampere_hours),
        charge_full_ampere_hours=_rounded(now.ampere_hours_full),
        charge_design_ampere_hours=_rounded(now.ampere_hours_design),
        # Twice what it was built for is no battery, but a wrong number.
        health_percent=UNSET
        if full is not None and design is not None and full > 2 * design
        else percent(full, design),
        cycles=known(now.cycles),
        to_full_seconds=known(now.to_full),
        ups=now.is_ups or UNSET,
        model=known(now.model),
        load_percent=percent(now.load, 100),
        warnings=list(now.warnings) or UNSET,
    )


def _rounded(value: float | None) -> float | UnsetType:
    return UNSET if value is None else round(value, 3)
