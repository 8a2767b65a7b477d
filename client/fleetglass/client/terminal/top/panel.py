"""What a panel of a host is: a title, what is said of the whole, and lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from fleetglass.client.terminal.top.drawing import Line

MAX_ROWS: Final = 24
"""Of one panel."""

Lines = Iterable[Line]


class Panel(NamedTuple):
    """One panel: its title, what is said of the whole, and its lines in so many cells."""

    title: str
    note: str
    draw: Callable[[int], Lines]


def listed(
    title: str, note: str, rows: Sequence[Any] | dict[str, Any], draw: Callable[[int], Lines]
) -> Panel | None:
    """Return a panel with a line for each row; none where there is none."""
    return Panel(title, note, cut(draw)) if rows else None


def cut(draw: Callable[[int], Lines]) -> Callable[[int], Lines]:
    """Return what draws at most `MAX_ROWS` lines, and says how many others there are."""

    def draw_most(width: int) -> Iterator[Line]:
        lines = list(draw(width))
        yield from lines[:MAX_ROWS]
        if len(lines) > MAX_ROWS:
            yield [(f"and {len(lines) - MAX_ROWS} more", "dim")]

    return draw_most
