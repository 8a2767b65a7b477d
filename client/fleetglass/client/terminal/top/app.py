"""The full-screen program: the keys, and what it asks of its source."""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.driver import Driver

from fleetglass.client.formatting.quantities import clock_time
from fleetglass.client.source import Source
from fleetglass.client.terminal.top.drawing import Line
from fleetglass.client.terminal.top.fleet_view import FleetView
from fleetglass.client.terminal.top.host_view import HostView
from fleetglass.client.terminal.top.model import MINUTE_SECONDS, FleetModel
from fleetglass.client.terminal.top.numbers import plain
from fleetglass.client.terminal.top.screens import FleetScreen, HelpScreen, HostScreen, ScreensApp, View
from fleetglass.mqtt.daemon_executor import DaemonExecutor
from fleetglass.wire.errors import ClientError
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
    loop.set_default_executor(DaemonExecutor())  # the end does not wait for a name server
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with suppress(NotImplementedError, AttributeError):  # Windows
            loop.add_signal_handler(getattr(signal, name), app.exit)
    await app.run_async()
    if app.failure is not None:
        raise app.failure


def _driver_class() -> type[Driver] | None:
    if sys.platform == "win32":
        return None
    from fleetglass.client.terminal.top.driver import TopDriver  # noqa: PLC0415 - for terminals of Unix only

    return TopDriver


class TopApp(ScreensApp):
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
        super().__init__(driver_class=_driver_class(), ansi_color=True)
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
        screens = self.screen_stack  # none while it ends
        if screens and isinstance(screens[-1], View):
            screens[-1].draw(self.now)
        self._sight_changed.set()

    def status(self) -> Line:
        """Return what stands between the viewer and live data; nothing while all is well."""
        fleet = self.fleet
        if fleet.interrupted is not None:
            left = fleet.interrupted.delay - (time.time() - fleet.interrupted_at)
            return [(f" {plain(fleet.interrupted.reason)}; trying again in {max(0, round(left))} s ", "loud")]
        if not fleet.connected:
            return [(" connecting … ", "loud")]
        if fleet.broker_away_since is not None:
            since = clock_time(fleet.broker_away_since + fleet.clock_offset)
            return [(f" the bridge has no broker since {since}; what is shown is old ", "loud")]
        if fleet.sites_away:
            sites = (
                f"{plain(prefix)} since {clock_time(since + fleet.clock_offset)}"
                for prefix, since in sorted(fleet.sites_away.items())
            )
            return [(f" cut off: {', '.join(sites)}; what is shown of its hosts is old ", "loud")]
        if fleet.paused_at is not None:
            return [(f" paused at {clock_time(fleet.paused_at)}; p goes on ", "loud")]
        return [(f" {plain(fleet.notice)} ", "warn")] if fleet.notice else []

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

    async def _owned(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ClientError as error:
            self.failure = error
            self.exit()
        except Exception as error:  # noqa: BLE001 - shown by whoever runs this
            self._handle_exception(error)

    async def _follow(self) -> None:
        async with aclosing(self._source.messages()) as messages:  # type: ignore[type-var] # it is a generator
            async for message in messages:
                self.fleet.take(message, time.time())
                if not self._redraw_due:
                    self._redraw_due = True
                    pause = self._drawn_at + REDRAW_SECONDS - time.monotonic()
                    self.set_timer(max(0.001, pause), self.draw, name="redraw")

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
