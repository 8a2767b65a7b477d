"""Lines of a terminal as spans of text with a role, and the figures in them; the widgets know the looks."""

import math
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import UNSET
from rich.cells import cell_len, set_cell_size

from fleetglass.client.terminal.top.alerts import Level, Limit
from fleetglass.client.terminal.top.model import Sample, SeenHost
from fleetglass.client.terminal.top.numbers import Number, plain
from fleetglass.wire.protocol import HostState

Role = Literal["", "dim", "title", "strong", "good", "warn", "critical", "bar", "key", "selected", "loud"]
Span = tuple[str, Role]
Line = list[Span]

GLYPHS: Final[dict[HostState | Level, tuple[str, Role]]] = {
    "live": ("●", "good"),
    "late": ("◐", "warn"),
    "lost": ("✗", "critical"),
    "suspended": ("◌", "dim"),
    "stopped": ("○", "dim"),
    "waiting": ("·", "dim"),
    "warn": ("▲", "warn"),
    "critical": ("◆", "critical"),
}
"""Each state and level has a form of its own, and its word beside it: colour says nothing alone."""

SHORT: Final[dict[HostState | Level, str]] = {"warn": "warn", "critical": "crit", "suspended": "asleep"}

_EIGHTHS: Final = "▏▎▍▌▋▊▉"
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return a text of a host in exactly so many cells; what is cut ends in `…`."""
    text = plain(text[: 4 * width + 4])
    length = cell_len(text)
    if length > width:
        text = set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""
        length = cell_len(text)
    padding = " " * (width - length)
    return padding + text if right else text + padding


def width_of(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def fit_line(line: Line, width: int) -> Line:
    """Return a line in exactly so many cells."""
    fitted: Line = []
    left = width
    for text, role in line:
        length = cell_len(text)
        if length > left:
            fitted.append((fit(text, left), role))
            return fitted
        fitted.append((text, role))
        left -= length
    return [*fitted, (" " * left, "")] if left else fitted


def sides(left: Line, right: Line, width: int, *, shorten: bool = False) -> Line:
    """Return a line with two ends; without room for both the left one is shortened, or alone."""
    room = width - width_of(right) - 1
    if room < 0 or (room < width_of(left) and not shorten):
        return fit_line(left, width)
    return [*fit_line(left, room), (" ", ""), *right]


def dimmed(line: Line) -> Line:
    """Return a line as of old data."""
    return [(text, "dim") for text, _ in line]


def bar(value: Number, width: int, limit: Limit | None = None) -> Line:
    """Return a bar of 0 to 100 percent in eighths of a cell, its rest dotted."""
    if value is UNSET:
        return [(" " * width, "")]
    eighths = round(min(100.0, max(0.0, value)) / 100 * width * 8)
    if value > 0:
        eighths = max(1, eighths)  # what is more than nothing is seen
    whole, rest = divmod(eighths, 8)
    filled = "█" * whole + (_EIGHTHS[rest - 1] if rest else "")
    return [(filled, role_of(value, limit) or "bar"), ("·" * (width - len(filled)), "dim")]


def upright_bars(values: Sequence[float]) -> str:
    """Return one cell for each value of 0 to 100 percent."""
    return "".join(_HEIGHTS[min(7, int(max(0.0, value) * 8 / 100))] for value in values)


def minute(host: SeenHost, field: str, now: float, width: int) -> str:
    """Return the last minute of a percentage, a field of `Sample`; it goes on while nothing comes."""
    if not host.minute:
        return " " * width
    place = Sample._fields.index(field)
    silence = now - host.heard
    # Until a sample is missing, the newest one is the end: its place would be blank half of the time.
    end = host.minute[-1].time + (silence if silence > 2.5 * max(1.0, host.facts.interval_seconds) else 0.0)
    return sparkline(((sample.time, sample[place]) for sample in host.minute), end, width)


def sparkline(
    points: Iterable[tuple[float, float]], end: float, width: int, *, seconds: float = 60, top: float = 100
) -> str:
    """Return the means over `width` spans of time up to `end`; blank where nothing is known.

    `points` are times and values, of which NaN is none; `top` is the value of a full cell.
    """
    span = seconds / width
    # Spans begin at multiples of their length: a point stays in its span while time goes on.
    last = math.floor(end / span)
    sums = [0.0] * width
    counts = [0] * width
    for time, value in points:
        place = math.floor(time / span) - last + width - 1
        if 0 <= place < width and not math.isnan(value):
            sums[place] += value
            counts[place] += 1
    return "".join(
        _HEIGHTS[min(7, max(0, int(total / count * 8 / top)))] if count else " "
        for total, count in zip(sums, counts, strict=True)
    )


def role_of(value: Number, limit: Limit | None) -> Role:
    """Return the role of a number for what its limit says."""
    return (limit.level(value) or "") if limit is not None else ""


def state_mark(state: HostState, worst: Level | None = None) -> Line:
    """Return glyph and word in nine cells: of a live host the worst of its alerts, of others the state."""
    shown = worst if worst is not None and state == "live" else state
    glyph, role = GLYPHS[shown]
    word = SHORT.get(shown, shown)
    return [(glyph, role), (f" {word:<7}", role if role != "good" else "")]
