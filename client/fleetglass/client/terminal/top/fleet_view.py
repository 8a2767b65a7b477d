"""The table of the fleet in sight: its order, its filter, and the host that is chosen."""

from typing import Final

from rich.cells import cell_len

from fleetglass.client.terminal.top.alerts import Alert, Level, alerts_of
from fleetglass.client.terminal.top.drawing import GLYPHS, SHORT, Line, fit_line, sides
from fleetglass.client.terminal.top.fleet_table import (
    Layout,
    TableMoment,
    layout,
    order_in_words,
    row,
    titles,
)
from fleetglass.client.terminal.top.model import FleetModel, SeenHost
from fleetglass.client.terminal.top.numbers import plain
from fleetglass.client.terminal.top.order import TROUBLE_FIRST, Order, chosen, ordered
from fleetglass.wire.protocol import HostState

HOLD_SECONDS: Final = 5
"""For so long after a key that moved the choice no row moves, so that Enter opens what was aimed at."""
LEVELS: Final[tuple[Level, ...]] = ("critical", "warn")
STATES: Final[tuple[HostState, ...]] = ("live", "late", "lost", "suspended", "stopped", "waiting")


class FleetView:
    """What of the fleet is shown. Told the time, and asked for lines."""

    def __init__(self, fleet: FleetModel) -> None:
        self.order = TROUBLE_FIRST
        self.words = ""
        """The filter."""
        self.cursor: str | None = None
        """The host that is chosen."""
        self.shown: list[SeenHost] = []
        """All that fit the filter, in order."""
        self.alerts: dict[str, list[Alert]] = {}
        """What needs attention, by host."""
        self._fleet = fleet
        self._now = 0.0
        self._first = 0
        self._height = 0
        self._columns: Layout = ()
        self._held_until = 0.0
        self._at_top = True
        """Whether the first row is chosen, whichever host that is."""
        self._places: dict[str, int] = {}
        """The place of each host that is shown."""

    def survey(self, now: float) -> None:
        """Judge, choose and order the hosts as they are now."""
        self._now = now
        hosts = self._fleet.hosts
        self.alerts = {}
        for host in hosts.values():
            if alerts := alerts_of(host, self._fleet):
                self.alerts[host.id] = alerts
        fitting = chosen(hosts.values(), self.words, self.alerts, self._fleet.name_of)
        self.shown = ordered(fitting, self.order, self.alerts, self._fleet.name_of)
        if now < self._held_until:
            self._keep_places()
        self._places = {host.id: place for place, host in enumerate(self.shown)}
        if self._at_top:
            self.move_to(0)
        elif self.cursor not in self._places:
            self.cursor = self.shown[min(self._first, len(self.shown) - 1)].id if self.shown else None

    def sort(self, order: Order) -> None:
        """Sort so; what is sorted so already is turned round."""
        same = order.by == self.order.by and order.by != TROUBLE_FIRST.by
        self.order = Order(order.by, not self.order.descending) if same else order
        self._held_until = 0
        self._at_top = True
        self.survey(self._now)

    def filter(self, words: str) -> None:
        """Show only hosts that fit these words."""
        self.words = words
        self._held_until = 0
        self.survey(self._now)

    def move(self, by: int) -> None:
        """Choose the host so many rows further down."""
        self.move_to(self._place() + by)
        self._held_until = self._now + HOLD_SECONDS

    def move_to(self, place: int) -> None:
        """Choose the host at a place; the last one beyond the end."""
        place = max(0, min(place, len(self.shown) - 1))
        self._at_top = place == 0
        self.cursor = self.shown[place].id if self.shown else None

    def choose(self, host_id: str) -> None:
        """Choose a host, where it is shown."""
        if host_id in self._places:
            self.move_to(self._places[host_id])

    def page(self, pages: int) -> None:
        """Choose the host so many pages further down."""
        self.move(pages * max(1, self._height - 1))

    def scroll(self, by: int) -> None:
        """Choose further down, as the wheel does."""
        self.move(by)

    def click(self, line: int, column: int) -> None:
        """Choose the host at a line, or sort by the column whose title is there."""
        if line > 0 and self._first + line - 1 < len(self.shown):
            self.move_to(self._first + line - 1)
            self._held_until = self._now + HOLD_SECONDS
        start = 0
        for one, width in self._columns if line == 0 else ():
            if start <= column < start + width and one.sort is not None:
                self.sort(one.sort)
            start += width + 1

    def neighbour(self, host_id: str, by: int) -> str | None:
        """Return the host so many places after another."""
        place = self._places.get(host_id)
        return None if place is None else self.shown[(place + by) % len(self.shown)].id

    def in_sight(self) -> list[SeenHost]:
        """Return the hosts whose rows were drawn last."""
        return self.shown[self._first : self._first + self._height]

    def lines(self, width: int, height: int) -> list[Line]:
        """Return titles and rows."""
        longest = max((cell_len(self._fleet.name_of(host)) for host in self.shown), default=0)
        self._columns = layout(width, longest)
        self._height = max(0, height - 1)
        place = self._place()
        self._first = max(min(self._first, place), place - self._height + 1)
        self._first = max(0, min(self._first, len(self.shown) - self._height))
        rows = [fit_line(titles(self._columns, self.order), width)]
        if not self.shown:
            return [
                fit_line(titles(self._columns, self.order), width),
                *_nobody(self._fleet, self.words, width),
            ]
        moment = TableMoment(self._fleet, self.alerts, self._now)
        rows = [fit_line(titles(self._columns, self.order), width)]
        for host in self.in_sight():
            line = fit_line(row(host, self._columns, moment), width)
            rows.append([(text, "selected") for text, _ in line] if host.id == self.cursor else line)
        return rows[:height]

    def heading(self, clock: str, width: int) -> Line:
        """Return how many hosts are in each state, and what needs attention."""
        counts = dict.fromkeys(STATES, 0)
        for host in self._fleet.hosts.values():
            counts[host.state] += 1
        line: Line = [("Fleetglass ", "strong")]
        for state, count in counts.items():
            if count or state == "live":
                glyph, role = GLYPHS[state]
                line += [(" ", ""), (glyph, role), (f" {count} {state}", "")]
        line.append((" ", ""))
        for level in LEVELS:
            glyph, role = GLYPHS[level]
            count = sum(alerts[0].level == level for alerts in self.alerts.values())
            line += [(" ", ""), (glyph, role), (f" {count} {SHORT[level]}", "")] if count else []
        return sides(line, [(clock, "")], width)

    def footing(self, width: int) -> Line:
        """Return what is known of the chosen host, and which rows are in sight."""
        last = min(len(self.shown), self._first + self._height)
        words = f"filter {plain(self.words)} · " if self.words.strip() else ""
        first = self._first + 1 if last else 0
        where = f"{words}{first}-{last} of {len(self.shown)} · {order_in_words(self.order)}"
        line: Line = []
        host = self._fleet.hosts.get(self.cursor or "")
        for alert in self.alerts.get(self.cursor or "", ()):
            glyph, role = GLYPHS[alert.level]
            line += [(f"{glyph} ", role), (alert.words, ""), ("  ", "")]
        if host is not None and not line:
            facts = host.facts
            cores = f"{facts.logical_cores} cores" if facts.logical_cores else ""
            notes = " ".join(host.notes.split())
            said = [facts.os_name, cores, *(f"#{tag}" for tag in host.tags), notes]
            line = [(" · ".join(plain(text) for text in said if text), "dim")]
        return sides(line, [(where, "dim")], width, shorten=True)

    def _place(self) -> int:
        return self._places.get(self.cursor or "", 0) if self.shown else 0

    def _keep_places(self) -> None:
        fitting = {host.id: host for host in self.shown}
        kept = [fitting.pop(host_id) for host_id in self._places if host_id in fitting]
        self.shown = kept + list(fitting.values())


def _nobody(fleet: FleetModel, words: str, width: int) -> list[Line]:
    if words and fleet.hosts:
        text = f"No host fits {plain(words)!r}; Esc shows all"
    elif fleet.told:
        text = "No host has been heard yet; on each, run: fleetglass agent --broker mqtt://BROKER"
    else:
        text = "Waiting for the fleet …"
    return [[], fit_line([("  " + text, "")], width)]
