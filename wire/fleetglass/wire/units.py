"""The unit of a field is the end of its name."""

from typing import Final

UNITS: Final = {
    "_bytes_per_second": "bytes per second",
    "_per_second": "per second",
    "_percents": "percent",
    "_percent": "percent",
    "_bytes": "bytes",
    "_celsius": "celsius",
    "_hertz": "hertz",
    "_seconds": "seconds",
    "_watts": "watts",
    "_watt_hours": "watt hours",
    "_ampere_hours": "ampere hours",
    "_volts": "volts",
    "_rpm": "rpm",
    "_dbm": "dBm",
}
"""Ends of field names, the longer before the shorter, and the unit each stands for."""


def unit_of(field: str) -> str | None:
    """Return the unit a field's name gives, or None for a count, a text or a structure."""
    for suffix, unit in UNITS.items():
        if field.endswith(suffix):
            return unit
    return None
