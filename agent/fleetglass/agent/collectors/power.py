from collections.abc import Callable

from msgspec import UNSET

from fleetglass.agent import readings
from fleetglass.agent.collectors.arithmetic import known
from fleetglass.agent.readings.kinds import BatteryReading
from fleetglass.wire.payloads import Battery, Power


class PowerCollector:
    """Every battery and UPS."""

    group = "power"
    interval = 5.0  # firmware takes milliseconds to answer, and the charge does not hurry

    def __init__(self, read: Callable[[], list[BatteryReading]] = readings.read_batteries) -> None:
        self._read = read

    def collect(self, time: float, tick: int) -> Power | None:
        """Return what the batteries say now."""
        batteries = {one.name: battery_message(one) for one in self._read()}
        return Power(time=time, tick=tick, batteries=batteries) if batteries else None


def battery_message(now: BatteryReading) -> Battery:
    """Return one reading as a message."""
    return Battery(
        charge_percent=UNSET if now.charge is None else round(min(max(float(now.charge), 0.0), 100.0), 1),
        plugged=known(now.plugged),
        left_seconds=known(now.left),
    )
