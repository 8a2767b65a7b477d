"""Widgets that draw lines of spans themselves: only what is in sight is drawn, and only when asked."""

from collections.abc import Callable
from typing import Final, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fleetglass.client.terminal.top.drawing import Line, Role, fit_line

STYLES: Final[dict[Role, Style]] = {
    "": Style(),
    "dim": Style(dim=True),
    "title": Style(bold=True),
    "strong": Style(bold=True),
    "good": Style(color="green"),
    "warn": Style(color="yellow", bold=True),
    "critical": Style(color="red", bold=True),
    "bar": Style(color="cyan"),
    "key": Style(bold=True, underline=True),
    "selected": Style(reverse=True),
    "loud": Style(reverse=True, bold=True),
}
"""The first 16 colours only, as the user's terminal shows them, on its own background."""


class LineBar(Widget):
    """One line that is asked for whenever it is drawn."""

    DEFAULT_CSS = "LineBar { height: 1; }"

    def __init__(self, line: Callable[[int], Line], *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._line = line
        self._shown: Line = []

    def redraw(self) -> None:
        """Draw it anew where it changed."""
        line = self._line(self.size.width)
        if line != self._shown:
            self._shown = line
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw it."""
        width = self.size.width
        return strip(fit_line(self._shown, width)) if y == 0 else Strip.blank(width)

    def on_resize(self) -> None:
        """Fit it to the new width."""
        self.redraw()


class Body(Protocol):
    """What fills the rest of the screen."""

    def lines(self, width: int, height: int) -> list[Line]:
        """Return what is in sight, at most `height` lines."""

    def scroll(self, by: int) -> None:
        """Go down by so many lines; the wheel was turned."""

    def click(self, line: int, column: int) -> None:
        """Do what a click on a line in sight means."""


class Lines(Widget, can_focus=True):
    """The lines of a body. The mouse moves the body, and whoever holds this draws it anew."""

    DEFAULT_CSS = "Lines { height: 1fr; }"

    def __init__(self, body: Body, *, id: str) -> None:  # noqa: A002 - as above
        super().__init__(id=id)
        self._body = body
        self._shown: list[Line] = []

    def redraw(self) -> None:
        """Ask the body again."""
        width, height = self.size
        before = self._shown
        self._shown = self._body.lines(width, height)
        if len(before) != len(self._shown):
            self.refresh()
            return
        changed = [at for at, line in enumerate(self._shown) if line != before[at]]
        if changed:  # over a slow line every cell that is sent again costs
            self.refresh(*(Region(0, at, width, 1) for at in changed))

    def render_line(self, y: int) -> Strip:
        """Draw one of the lines."""
        return strip(self._shown[y]) if y < len(self._shown) else Strip.blank(self.size.width)

    def on_resize(self) -> None:
        """Fit the lines to the new size."""
        self.redraw()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Tell the body."""
        self._body.click(event.y, event.x)

    def on_mouse_scroll_down(self) -> None:
        """Go down."""
        self._body.scroll(3)

    def on_mouse_scroll_up(self) -> None:
        """Go up."""
        self._body.scroll(-3)


def strip(line: Line) -> Strip:
    """Return a line as Textual draws it."""
    return Strip([Segment(text, STYLES[role]) for text, role in line if text])
