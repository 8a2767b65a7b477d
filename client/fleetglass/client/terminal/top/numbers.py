"""Numbers as people read them, short enough for a column. What a host does not give is a dash, never 0."""

from typing import Final

from msgspec import UNSET, UnsetType

from fleetglass.client.formatting.quantities import ABSENT, BINARY_UNITS, printable

_UNITS: Final = ("", "K", "M", "G", "T", "P")

Number = float | UnsetType


def plain(text: str) -> str:
    """Return a text of a host with all that a terminal would obey, or that turns text around, as `?`."""
    return printable(text, instead="?")


def percent(value: Number) -> str:
    """Return at most three characters: `9.4`, `42`, `100`."""
    if value is UNSET:
        return ABSENT
    return f"{value:.1f}" if round(value, 1) < 10 else f"{value:.0f}"


def load(value: Number) -> str:
    """Return at most four characters: `0.42`, `12.3`, `128`."""
    if value is UNSET:
        return ABSENT
    return (
        f"{value:.2f}"
        if round(value, 2) < 10
        else f"{value:.1f}"
        if round(value, 1) < 100
        else f"{value:.0f}"
    )


def short_size(value: Number) -> str:
    """Return at most four characters, in powers of 1024: `512`, `1.2K`, `310M`."""
    if value is UNSET:
        return ABSENT
    size, unit = _scaled(value)
    digits = f"{size:.1f}" if unit and round(size, 1) < 10 else f"{size:.0f}"
    return digits + _UNITS[unit]


def size(value: Number) -> str:
    """Return three digits and a unit: `1.50 GiB`, `512 B`."""
    if value is UNSET:
        return ABSENT
    number, unit = _scaled(value)
    decimals = 0 if unit == 0 or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{decimals}f} {BINARY_UNITS[unit]}"


def celsius(value: Number) -> str:
    """Return at most four characters: `47°`."""
    return ABSENT if value is UNSET else f"{value:.0f}°"


def hertz(value: Number) -> str:
    """Return `3.40 GHz`."""
    return ABSENT if value is UNSET else f"{value / 1e9:.2f} GHz"


def short_time(seconds: Number) -> str:
    """Return at most four characters: `40s`, `12m`, `5h`, `52d`, `3.1y`."""
    if seconds is UNSET:
        return ABSENT
    for limit, length, unit in (
        (100, 1, "s"),
        (6000, 60, "m"),
        (172_800, 3600, "h"),
        (86_400_000, 86_400, "d"),
    ):
        if seconds < limit:
            return f"{int(seconds / length)}{unit}"
    years = seconds / 31_557_600
    return f"{years:.1f}y" if years < 9.95 else f"{years:.0f}y"


def uptime(seconds: Number) -> str:
    """Return `52 d 05:25`, under a day `05:25:13`."""
    if seconds is UNSET:
        return ABSENT
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}:{rest:02}"


def length_of_time(seconds: float) -> str:
    """Return about how long: `12 s`, `5 min`, `3 h`, `2 d`."""
    for limit, length, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def _scaled(value: float) -> tuple[float, int]:
    unit = 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    return value, unit
