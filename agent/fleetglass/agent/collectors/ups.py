"""Batteries together with the UPSes of upsd, read in the background; imported only where it is asked for."""

from collections.abc import Callable

from fleetglass.agent.collectors.background import BackgroundCollector
from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.power import PowerCollector, battery_message
from fleetglass.agent.readings.nut import UpsdReader, UpsReadings
from fleetglass.agent.readings.types import BatteryReading
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Power


def power_collector(
    read_batteries: Callable[[], list[BatteryReading]], upsd: tuple[str, int]
) -> BackgroundCollector:
    """Return the collector of batteries and of the UPSes of one upsd."""
    power = PowerAndUps(read_batteries, UpsdReader(upsd))
    return BackgroundCollector(PowerCollector.group, PowerCollector.interval, power.read)


class PowerAndUps:
    """Makes messages of readings."""

    def __init__(
        self, read_batteries: Callable[[], list[BatteryReading]], read_upses: Callable[[], UpsReadings]
    ) -> None:
        self._read_batteries = read_batteries
        self._read_upses = read_upses

    def read(self) -> Power | Partial:
        """Return what batteries and UPSes say now, without a stamp of its own.

        Raises:
            CollectionError: there is neither a battery nor a UPS to tell of.
        """
        readings = self._read_batteries()
        try:
            found = self._read_upses()
        except CollectionError as error:
            found = UpsReadings([], [str(error)])
        problem = "; ".join(found.problems)
        readings = [*readings, *found.upses]
        if not readings:
            raise CollectionError(problem)
        message = Power(time=0, tick=0, batteries={one.name: battery_message(one) for one in readings})
        return Partial(message, problem) if problem else message
