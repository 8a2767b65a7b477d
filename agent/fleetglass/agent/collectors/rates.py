"""The few formulas that all groups share. What cannot be known is UNSET, and so absent."""

from collections.abc import Iterable
from typing import TypeVar

from msgspec import UNSET, UnsetType

T = TypeVar("T")


def known(value: T | None) -> T | UnsetType:
    """Return a value, or UNSET for None."""
    return UNSET if value is None else value


def rate(before: int | None, now: int | None, elapsed: float) -> int | UnsetType:
    """Return what a counter grew by per second; a counter that went backwards was reset, and gives none."""
    if before is None or now is None or elapsed <= 0 or now < before:
        return UNSET
    return round((now - before) / elapsed)


def total(values: Iterable[int | UnsetType]) -> int | UnsetType:
    """Return the sum of the values that are known; there is no sum of nothing."""
    found = [value for value in values if not isinstance(value, UnsetType)]
    return sum(found) if found else UNSET


def core_percent(before: float | None, now: float | None, elapsed: float) -> float | UnsetType:
    """Return the share of one core that a counter of CPU seconds grew by; rules as for `rate`."""
    if before is None or now is None or elapsed <= 0 or now < before:
        return UNSET
    return round(100 * (now - before) / elapsed, 1)


def percent(part: float | None, whole: float | None) -> float | UnsetType:
    """Return a share between 0 and 100, rounded to 0.1; there is no share of nothing."""
    if part is None or whole is None or whole <= 0:
        return UNSET
    return round(min(max(100 * part / whole, 0.0), 100.0), 1)
