import pytest

from fleetglass.agent.readings.plausible import is_limit, is_speed, is_temperature


@pytest.mark.parametrize(
    "celsius", [511.0, -128.0, -127.0, 125.0, 127.0, 127.875, 129.0, 255.0, 256.0, 65261.8, -273.0, 400.0]
)
def test_what_a_sensor_says_that_is_not_connected(celsius: float) -> None:
    """The ends of registers are no temperatures."""
    assert not is_temperature(celsius)


@pytest.mark.parametrize("celsius", [-40.0, 0.0, 45.5, 115.0, 125.1, 126.9, 210.0])
def test_what_a_sensor_can_measure(celsius: float) -> None:
    """From a winter outdoors to an oven."""
    assert is_temperature(celsius)


@pytest.mark.parametrize(
    ("rpm", "plausible"), [(-1, False), (0, True), (255, True), (32000, True), (65535, False)]
)
def test_how_fast_a_fan_can_turn(rpm: int, plausible: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """A fan may stand still, but not turn backwards or faster than any."""
    assert is_speed(rpm) is plausible


@pytest.mark.parametrize(
    ("celsius", "plausible"), [(0.0, False), (0.1, False), (128.0, True), (65261.8, False)]
)
def test_a_limit_that_somebody_set(celsius: float, plausible: bool) -> None:  # noqa: FBT001 -- as above
    """A limit may be one that no chip survives, such as 128 degrees, but not one in every winter."""
    assert is_limit(celsius) is plausible
