"""Which temperatures and speeds a sensor can mean, whatever chip tells them."""

_LOWEST_CELSIUS = -60.0
_HIGHEST_CELSIUS = 400.0  # a thermocouple may be in an oven
_LOWEST_LIMIT_CELSIUS = 5.0
_HIGHEST_RPM = 50_000
# What is told when no sensor is connected: the end of a phone's table, 125; what registers of 8 bits and
# more hold, 127, 127.9, 255; and in Macs -127 and -0.2 read without their sign, 129, 255.8.
_UNCONNECTED = ((125.0, 125.0), (127.0, 129.0), (255.0, 256.0))


def is_temperature(celsius: float) -> bool:
    """Return whether a sensor can measure this, and not only say it for want of one."""
    return _LOWEST_CELSIUS < celsius < _HIGHEST_CELSIUS and not any(
        low <= celsius <= high for low, high in _UNCONNECTED
    )


def is_limit(celsius: float) -> bool:
    """Return whether somebody set this limit; chips say 0, 1 or 65261.8 for one that is not set."""
    return _LOWEST_LIMIT_CELSIUS <= celsius < _HIGHEST_CELSIUS


def is_speed(rpm: float) -> bool:
    """Return whether a fan can turn this fast; -1 and 65535 mean that there is none."""
    return 0 <= rpm < _HIGHEST_RPM
