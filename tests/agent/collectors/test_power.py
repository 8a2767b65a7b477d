from msgspec import UNSET, UnsetType

from fleetglass.agent.collectors.power import PowerCollector, battery_message
from fleetglass.agent.readings.types import BatteryReading


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


def test_power_and_health_are_told_where_they_are_known() -> None:
    """What a battery holds is told in the unit it counts in, and its health is of what it was built for."""
    energy = battery_message(
        BatteryReading(
            "BAT0", 50, None, None, watts=7.0124, energy=10.0, energy_full=18.0, energy_design=24.0
        )
    )
    assert (energy.power_watts, energy.energy_full_watt_hours, energy.health_percent) == (7.012, 18.0, 75.0)
    assert energy.charge_ampere_hours is UNSET
    charge = battery_message(
        BatteryReading("BAT1", 50, None, None, ampere_hours=1.0, ampere_hours_full=1.8, ampere_hours_design=2)
    )
    assert (charge.charge_full_ampere_hours, charge.health_percent) == (1.8, 90.0)
    assert charge.energy_watt_hours is UNSET


def test_health_is_plausible() -> None:
    """A new battery may hold more than it was built for, but not twice as much."""

    def health(full: float) -> float | UnsetType:
        return battery_message(
            BatteryReading("BAT0", 50, None, None, energy_full=full, energy_design=50.0)
        ).health_percent

    assert (health(40.0), health(52.0), health(500.0)) == (80.0, 100.0, UNSET)


def test_what_a_ups_tells_is_told() -> None:
    """Its load and warnings, which no battery has."""
    ups = battery_message(
        BatteryReading(
            "rack", 100, plugged=True, left=900, is_ups=True, load=23, warnings=("off",), model="A 1"
        )
    )
    assert (ups.ups, ups.load_percent, ups.warnings, ups.model, ups.left_seconds) == (
        True,
        23.0,
        ["off"],
        "A 1",
        900,
    )
    battery = battery_message(BatteryReading("BAT0", 50, None, None, to_full=60))
    assert (battery.ups, battery.warnings, battery.to_full_seconds) == (UNSET, UNSET, 60)
