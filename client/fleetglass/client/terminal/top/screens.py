"""What fills the terminal: the fleet, a host, or the keys; each with the keys that work there."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from fleetglass.client.formatting.quantities import clock_time
from fleetglass.client.terminal.top.drawing import Line, fit_line
from fleetglass.client.terminal.top.fleet_table import KEYS
from fleetglass.client.terminal.top.fleet_view import FleetView
from fleetglass.client.terminal.top.help import help_lines
from fleetglass.client.terminal.top.host_view import HostView
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.client.terminal.top.widgets import LineBar, Lines


def _steps(action: str) -> list[BindingType]:
    """Return the keys that go through lines, by an action that takes how many down."""
    return [
        Binding("j,down", f"{action}(1)", show=False),
        Binding("k,up", f"{action}(-1)", show=False),
        Binding("home", f"{action}(-1000000)", show=False),
        Binding("end,G", f"{action}(1000000)", show=False),
    ]


class ScreensApp(App[None]):
    """The application as its screens see it."""

    fleet: FleetModel
    fleet_view: FleetView

    @property
    def now(self) -> float:
        """The moment that is shown: UTC, seconds since the epoch."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what is known now."""
        raise NotImplementedError

    def status(self) -> Line:
        """Return what stands between the viewer and live data; an empty line while all is well."""
        raise NotImplementedError

    def open(self, host: str) -> None:
        """Show a host."""
        raise NotImplementedError


class View(Screen[None]):
    """A heading, a body of lines, a footing and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,space,ctrl+f", "page(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
    ]
    KEYS_LINE: ClassVar[str] = ""

    app: ScreensApp

    def __init__(self, view: FleetView | HostView, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._view = view

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield LineBar(lambda width: self._view.heading(clock_time(self.app.now), width), id="heading")
        yield Lines(self._view, id="body")
        yield LineBar(self._footing, id="footing")
        yield LineBar(lambda width: fit_line([(self.KEYS_LINE, "dim")], width), id="keys")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one(Lines).focus()
        self.draw(self.app.now)

    def on_screen_resume(self) -> None:
        """Show what came meanwhile."""
        if self.is_mounted:
            self.app.draw()

    def draw(self, now: float) -> None:
        """Show what is known at a moment."""
        self._view.survey(now)
        self.query_one("#body", Lines).redraw()
        for bar in self.query(LineBar):
            bar.redraw()

    def on_click(self) -> None:
        """Show what the mouse has changed."""
        self.app.draw()

    def on_mouse_scroll_down(self) -> None:
        """Show what the wheel has changed."""
        self.app.draw()

    def on_mouse_scroll_up(self) -> None:
        """Show what the wheel has changed."""
        self.app.draw()

    def action_page(self, pages: int) -> None:
        """Go down by so many pages."""
        self._view.page(pages)
        self.app.draw()

    def _footing(self, width: int) -> Line:
        return fit_line(self.app.status() or self._view.footing(width), width)


class FleetScreen(View):
    """The fleet as a table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_steps("move"),
        Binding("enter", "open", show=False),
        Binding("slash", "filter", show=False),
        Binding("escape", "clear", show=False),
        *(Binding(key, f"sort('{key}')", show=False) for key in KEYS),
    ]
    KEYS_LINE = "j k Enter open  / filter  a n c m d l i o t u sort  p pause  ? keys  q quit"

    def __init__(self, view: FleetView, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(view, id=id)
        self.view = view

    def compose(self) -> ComposeResult:
        """Lay it out, with the filter in the place of the keys while it is typed."""
        yield from super().compose()
        yield Input(
            placeholder="filter: name, system, tag, state, attention",
            id="filter",
            compact=True,
            select_on_focus=False,
        )

    def action_move(self, by: int) -> None:
        """Choose another host."""
        self.view.move(by)
        self.app.draw()

    def action_open(self) -> None:
        """Open the host that is chosen."""
        if self.view.cursor is not None:
            self.app.open(self.view.cursor)

    def action_sort(self, key: str) -> None:
        """Sort by the column of a key."""
        self.view.sort(KEYS[key])
        self.app.draw()

    def action_filter(self) -> None:
        """Ask for words."""
        self._show_filter(shown=True)

    def action_clear(self) -> None:
        """Show all hosts."""
        self.query_one(Input).value = ""
        self._show_filter(shown=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits so far."""
        self.view.filter(event.value)
        self.app.draw()

    def on_input_submitted(self) -> None:
        """Go to the hosts that fit."""
        self._show_filter(shown=False)

    def _show_filter(self, *, shown: bool) -> None:
        words = self.query_one(Input)
        kept = shown or bool(words.value)
        words.display = kept
        self.query_one("#keys").display = not kept
        self.set_focus(words if shown else self.query_one(Lines))  # at once: keys may wait


class HostScreen(View):
    """One host in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_steps("scroll"),
        Binding("left_square_bracket", "step(-1)", show=False),
        Binding("right_square_bracket", "step(1)", show=False),
        Binding("m", "processes(True)", show=False),
        Binding("c", "processes(False)", show=False),
        Binding("escape,backspace", "back", show=False),
    ]
    KEYS_LINE = "Esc fleet  [ ] other host  j k scroll  c m processes  p pause  ? keys  q quit"

    def __init__(self, view: HostView) -> None:
        super().__init__(view)
        self.view = view

    def on_unmount(self) -> None:
        """Forget its detail, which grows old from now on."""
        self._forget()

    def action_scroll(self, by: int) -> None:
        """Go down by so many lines."""
        self.view.scroll(by)
        self.app.draw()

    def action_step(self, by: int) -> None:
        """Show the host before or after it in the fleet."""
        self.app.fleet_view.survey(self.app.now)
        if (other := self.app.fleet_view.neighbour(self.view.host_id, by)) is not None:
            self._forget()
            self.view.open(other)
            self.app.fleet_view.choose(other)
            self.app.draw()

    def action_processes(self, by_memory: bool) -> None:  # noqa: FBT001 - Textual passes actions their arguments so
        """Show the largest processes by memory or by CPU."""
        self.view.by_memory = by_memory
        self.app.draw()

    def action_back(self) -> None:
        """Show the fleet."""
        self.app.fleet_view.survey(self.app.now)
        self.app.fleet_view.choose(self.view.host_id)
        self.app.pop_screen()

    def _forget(self) -> None:
        host = self.app.fleet.hosts.get(self.view.host_id)
        if host is not None:
            host.groups.clear()


class HelpScreen(Screen[None]):
    """The keys, and what the marks mean; any key goes back."""

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Lines(_Help(), id="help")

    def on_key(self) -> None:
        """Go back."""
        self.app.pop_screen()


class _Help:
    def lines(self, width: int, height: int) -> list[Line]:
        return [fit_line(line, width) for line in help_lines()][:height]

    def scroll(self, by: int) -> None:
        """All of it is in sight."""

    def click(self, line: int, column: int) -> None:
        """Nothing here can be clicked."""
