"""Numbers as people read them."""

import time
from typing import Final

ABSENT: Final = "—"

BINARY_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def percent(value: float | None) -> str:
    """Return `45.2%`, or a dash."""
    return ABSENT if value is None else f"{value:.1f}%"


def size(value: float) -> str:
    """Return bytes with a unit, three digits at the most: `1.2 MiB`."""
    for unit in BINARY_UNITS:
        if abs(value) < 1000 or unit == BINARY_UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def rate(value: float) -> str:
    """Return bytes per second with a unit: `1.2 MiB/s`."""
    return size(value) + "/s"


def duration(seconds: float) -> str:
    """Return `3 d 4 h`, `2 h 5 min` or `45 s`: the two largest units."""
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock_time(seconds: float) -> str:
    """Return `14:02:11` in the zone of this machine."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # no moment that a calendar has
        return ABSENT


def whole(value: float) -> str:
    """Return the nearest whole number, the upper one of two: `29` of 28.5."""
    return str(int(value + 0.5))


def short(value: float) -> str:
    """Return two digits or more: `8.2`, `13`, `250`."""
    return f"{value:.1f}" if value < 9.95 else whole(value)


def printable(value: object, instead: str = "\ufffd") -> str:
    """Return the text of a value that others gave, so that it cannot command the terminal."""
    text = str(value)
    return text if text.isprintable() else "".join(one if one.isprintable() else instead for one in text)
