"""The full-screen program: the keys, and what it asks of its source."""

import asyncio
import contextlib
import signal
import time
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from fleetglass.client.errors import ClientError
from fleetglass.client.source import Source
from fleetglass.client.top.drawing import Line, fit_line
from fleetglass.client.top.fleet_table import KEYS
from fleetglass.client.top.fleet_view import FleetView
from fleetglass.client.top.help import help_lines
from fleetglass.client.top.host_view import HostView
from fleetglass.client.top.model import MINUTE_SECONDS, FleetModel
from fleetglass.client.top.numbers import clock_time
from fleetglass.client.top.widgets import LineBar, Lines
from fleetglass.wire.protocol import MAX_WATCHED_HOSTS, Watch

REDRAW_SECONDS: Final = 0.1
"""The shortest time between two drawings of what comes; keys are answered at once."""
SELECT_SECONDS: Final = 0.25
"""The shortest time between two selections: a bridge takes ten messages at once."""


async def run_top(source: Source, host: str | None) -> None:
    """Show what a source tells until somebody quits, or a signal says so.

    `host` is open at first; without one it is the fleet.

    Raises:
        ClientError: the source cannot go on.
    """
    app = TopApp(source, host)
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows
            loop.add_signal_handler(getattr(signal, name), app.exit)
    await app.run_async()
    if app.failure is not None:
        raise app.failure


class TopApp(App[None]):
    """Fleet, hosts and help over one source."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; layers: base; }
    #filter { height: 1; padding: 0; background: ansi_default; color: ansi_default; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,q", "quit", show=False),
        Binding("ctrl+z", "suspend_process", show=False),
        Binding("p", "pause", show=False),
        Binding("question_mark", "help", show=False),
    ]

    def __init__(self, source: Source, host: str | None = None) -> None:
        super().__init__(ansi_color=True)
        self.fleet = FleetModel()
        self.fleet_view = FleetView(self.fleet)
        self.failure: Exception | None = None
        """What ended it, where that was no wish of the user."""
        self._source = source
        self._first_host = host
        self._tasks: list[asyncio.Task[None]] = []
        self._redraw_due = False
        self._drawn_at = 0.0
        self._sight_changed = asyncio.Event()
        self._asked: set[str] = set()
        """The hosts in sight whose past was asked for."""
        self._renewed = False
        """Whether the past is wanted again of hosts that are selected already."""

    async def on_mount(self) -> None:
        """Begin to listen."""
        await self.push_screen(FleetScreen(self.fleet_view, id="fleet"))
        if self._first_host is not None:
            await self.push_screen(HostScreen(HostView(self.fleet, self._first_host)))
        self._tasks = [
            asyncio.create_task(self._owned(self._follow()), name="source"),
            asyncio.create_task(self._owned(self._select()), name="selection"),
        ]
        self.set_interval(1, self.draw)

    async def on_unmount(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def now(self) -> float:
        """The moment that is shown."""
        return time.time() if self.fleet.paused_at is None else self.fleet.paused_at

    def draw(self) -> None:
        """Show what is known now."""
        self._redraw_due = False
        self._drawn_at = time.monotonic()
        if isinstance(screen := self.screen, View):
            screen.draw(self.now)
        self._sight_changed.set()

    def status(self) -> Line:
        """Return what stands between the viewer and live data; nothing while all is well."""
        fleet = self.fleet
        if fleet.interrupted is not None:
            left = fleet.interrupted.delay - (time.time() - fleet.interrupted_at)
            return [(f" {fleet.interrupted.reason}; trying again in {max(0, round(left))} s ", "loud")]
        if not fleet.connected:
            return [(" connecting … ", "loud")]
        if fleet.broker_away_since is not None:
            since = clock_time(fleet.broker_away_since + fleet.clock_offset)
            return [(f" the bridge has no broker since {since}; what is shown is old ", "loud")]
        if fleet.paused_at is not None:
            return [(f" paused at {clock_time(fleet.paused_at)}; p goes on ", "loud")]
        return [(f" {fleet.notice} ", "warn")] if fleet.notice else []

    def action_pause(self) -> None:
        """Let time stand still, or go on."""
        self.fleet.pause(time.time())
        self._renewed = True
        self.draw()

    def action_help(self) -> None:
        """Show the keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def open(self, host_id: str) -> None:
        """Show a host."""
        self.push_screen(HostScreen(HostView(self.fleet, host_id)))

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a page of its own; whoever runs this says it in one line.
        self.failure = error
        super()._handle_exception(error)
        self._exit_renderables.clear()

    async def _owned(self, work: "asyncio.Future[None] | object") -> None:
        try:
            await work  # type: ignore[misc]
        except ClientError as error:
            self.failure = error
            self.exit()
        except Exception as error:  # noqa: BLE001 - shown by whoever runs this
            self._handle_exception(error)

    async def _follow(self) -> None:
        async for message in self._source.messages():
            self.fleet.take(message, time.time())
            if not self._redraw_due:
                self._redraw_due = True
                pause = self._drawn_at + REDRAW_SECONDS - time.monotonic()
                asyncio.get_running_loop().call_later(max(0.0, pause), self.draw)

    async def _select(self) -> None:
        selected = None
        while True:
            await self._sight_changed.wait()
            self._sight_changed.clear()
            if self._renewed and self.fleet.paused_at is None:
                self._renewed = False
                self._asked = set()
                selected = Watch(fleet=True)
                await self._source.select(selected)  # a bridge tells the past of what is added
            wanted = self._wanted()
            if wanted != selected:
                selected = wanted
                await self._source.select(wanted)
                await asyncio.sleep(SELECT_SECONDS)

    def _wanted(self) -> Watch:
        for screen in reversed(self.screen_stack):
            if isinstance(screen, HostScreen):
                self._asked = set()
                return Watch(fleet=True, hosts={screen.view.host_id: "*"}, history=MINUTE_SECONDS)
        seen = self.fleet_view.in_sight()
        missing = [host.id for host in seen if not host.filled]
        # What stays in sight stays asked for: the bridge then tells what comes late, too.
        asked = [host.id for host in seen if host.filled and host.id in self._asked]
        ids = (missing + asked)[:MAX_WATCHED_HOSTS]
        if set(ids) - self._asked or not self._asked:
            self._asked = set(ids)
        return Watch(
            fleet=True, hosts={host_id: [] for host_id in sorted(self._asked)}, history=MINUTE_SECONDS
        )


class View(Screen[None]):
    """A heading, a body of lines, a footing and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,space,ctrl+f", "page(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
    ]
    KEYS_LINE: ClassVar[str] = ""

    app: TopApp

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
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("home", "move(-1000000)", show=False),
        Binding("end,G", "move(1000000)", show=False),
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
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("home", "scroll(-1000000)", show=False),
        Binding("end,G", "scroll(1000000)", show=False),
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
            self.app.fleet_view.cursor = other
            self.app.draw()

    def action_processes(self, by_memory: bool) -> None:  # noqa: FBT001 - Textual passes actions their arguments so
        """Show the largest processes by memory or by CPU."""
        self.view.by_memory = by_memory
        self.app.draw()

    def action_back(self) -> None:
        """Show the fleet."""
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
