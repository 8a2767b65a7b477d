from msgspec import UNSET

from fleetglass.agent.collectors.power import PowerCollector
from fleetglass.agent.readings.kinds import BatteryReading


def test_every_battery_has_its_entry() -> None:
    """What a battery does not tell is absent from its entry."""
    message = PowerCollector(
        lambda: [
            BatteryReading("BAT0", 81.25, plugged=False, left=5400),
            BatteryReading("BAT1", None, None, None),
        ]
    ).collect(1.0, 1)
    assert message is not None
    assert message.batteries["BAT0"].charge_percent == 81.2
    assert message.batteries["BAT0"].plugged is False
    assert message.batteries["BAT0"].left_seconds == 5400
    assert message.batteries["BAT1"].charge_percent is UNSET


def test_a_host_without_battery_has_no_message() -> None:
    """A server publishes no power group."""
    assert PowerCollector(list).collect(1.0, 1) is None
