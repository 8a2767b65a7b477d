from msgspec import UNSET

from fleetglass.agent.collectors.sensor import SensorCollector, sensor_message
from fleetglass.agent.readings.types import FanReading, SensorReading, TemperatureReading, ThrottlingReading
from fleetglass.wire.payloads import Throttling


def test_sensors_are_keyed_by_their_name() -> None:
    """A temperature and a fan have their chip and label beside their values, which are rounded."""
    message = sensor_message(
        SensorReading(
            [TemperatureReading("k10temp/Tctl", "k10temp", "Tctl", 48.6789, 80.0, None)],
            [FanReading("nct6798/fan1", "nct6798", "fan1", 912)],
        ),
        time=1.0,
        tick=1,
    )
    assert message is not None
    temperature = message.temperatures["k10temp/Tctl"]
    assert (temperature.current_celsius, temperature.high_celsius) == (48.7, 80.0)
    assert temperature.critical_celsius is UNSET
    assert isinstance(message.fans, dict)
    assert message.fans["nct6798/fan1"].speed_rpm == 912


def test_an_alarm_is_told_while_it_lasts() -> None:
    """There is no word of an alarm that is not raised."""
    message = sensor_message(
        SensorReading(
            [
                TemperatureReading("a/one", "a", "one", 90.0, alarm=True),
                TemperatureReading("a/two", "a", "two", 40.0),
            ],
            [FanReading("a/fan1", "a", "fan1", 0, alarm=True), FanReading("a/fan2", "a", "fan2", 800)],
        ),
        time=1.0,
        tick=1,
    )
    assert message is not None
    assert [one.alarm for one in message.temperatures.values()] == [True, UNSET]
    assert isinstance(message.fans, dict)
    assert [one.alarm for one in message.fans.values()] == [True, UNSET]


def test_nonsense_is_left_out() -> None:
    """A sensor that is not connected is absent, and so is a limit that is not set."""
    message = sensor_message(
        SensorReading(
            [
                TemperatureReading("chip/loose", "chip", "loose", -128.0),
                TemperatureReading("chip/good", "chip", "good", 30.0, 65261.8, 0.0),
            ],
            [FanReading("chip/none", "chip", "none", 65535), FanReading("chip/fan", "chip", "fan", 0)],
        ),
        time=1.0,
        tick=1,
    )
    assert message is not None
    assert list(message.temperatures) == ["chip/good"]
    assert message.temperatures["chip/good"].high_celsius is UNSET
    assert message.temperatures["chip/good"].critical_celsius is UNSET
    assert isinstance(message.fans, dict)
    assert list(message.fans) == ["chip/fan"]


def test_a_host_without_sensors_has_no_message() -> None:
    """A virtual machine has no temperature, and so no group."""
    assert SensorCollector(lambda: SensorReading([], [])).collect(1.0, 1) is None


def test_what_holds_the_processor_back_is_told() -> None:
    """Throttling is told even by a host without sensors: now and since boot, and empty lists are news too."""
    message = sensor_message(
        SensorReading([], []), ThrottlingReading([], ["under-voltage"]), time=1.0, tick=1
    )
    assert message is not None
    assert isinstance(message.throttling, Throttling)
    assert (message.throttling.now, message.throttling.since_boot) == ([], ["under-voltage"])
