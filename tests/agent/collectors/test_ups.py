import pytest

from fleetglass.agent.collectors.base import Partial
from fleetglass.agent.collectors.ups import PowerAndUps, power_collector
from fleetglass.agent.readings.nut import UpsReadings
from fleetglass.agent.readings.types import BatteryReading
from fleetglass.agent.sampler import Sampler
from fleetglass.wire.errors import CollectionError
from fleetglass.wire.payloads import Power
from support.ports import free_port
from support.waiting import wait_for

BATTERY = BatteryReading("BAT0", 50, plugged=True, left=None)
UPS = BatteryReading("rack", 100, plugged=True, left=900, is_ups=True)


def refuse() -> UpsReadings:
    raise CollectionError("upsd is gone")


def test_batteries_and_upses_are_one_group() -> None:
    """Both are told by name, and a UPS as such."""
    message = PowerAndUps(lambda: [BATTERY], lambda: UpsReadings([UPS], [])).read()
    assert isinstance(message, Power)
    assert {name: one.ups is True for name, one in message.batteries.items()} == {"BAT0": False, "rack": True}


def test_a_ups_that_is_missing_leaves_the_rest() -> None:
    """What can be read is told, with the reason why not all is."""
    found = PowerAndUps(
        lambda: [BATTERY], lambda: UpsReadings([UPS], ["UPS b: stale", "UPS c: stale"])
    ).read()
    assert isinstance(found, Partial)
    assert isinstance(found.message, Power)
    assert (list(found.message.batteries), found.reason) == (["BAT0", "rack"], "UPS b: stale; UPS c: stale")
    alone = PowerAndUps(lambda: [BATTERY], refuse).read()
    assert isinstance(alone, Partial)
    assert isinstance(alone.message, Power)
    assert (list(alone.message.batteries), alone.reason) == (["BAT0"], "upsd is gone")


def test_without_a_battery_a_missing_upsd_is_a_failure() -> None:
    """The group has nothing to tell then."""
    with pytest.raises(CollectionError, match="upsd is gone"):
        PowerAndUps(list, refuse).read()


def test_a_missing_upsd_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """It delays no tick, and the log has one line however long it is gone."""
    sampler = Sampler([power_collector(lambda: [BATTERY], ("127.0.0.1", free_port()))], interval=1.0)
    found = wait_for(lambda: sampler.sample(1.0, 1), "the battery")
    assert list(getattr(found[0].message, "batteries", ())) == ["BAT0"]
    for tick in range(2, 20):
        sampler.sample(float(tick), tick)
    sampler.close()
    assert len([one for one in caplog.records if "is nut-server running there?" in one.getMessage()]) == 1
