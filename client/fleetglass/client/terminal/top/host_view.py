"""The page of one host in sight."""

from fleetglass.client.terminal.top.alerts import alerts_of
from fleetglass.client.terminal.top.drawing import Line, dimmed, fit_line, sides
from fleetglass.client.terminal.top.host_page import host_lines
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.client.terminal.top.numbers import plain


class HostView:
    """Which host is shown, and which of its lines."""

    def __init__(self, fleet: FleetModel, host_id: str) -> None:
        self.host_id = host_id
        self.by_memory = False
        """Whether its processes are the largest by memory, instead of by CPU."""
        self._fleet = fleet
        self._now = 0.0
        self._first = 0
        self._length = 0
        self._height = 0

    def survey(self, now: float) -> None:
        """Take note of the time."""
        self._now = now

    def open(self, host_id: str) -> None:
        """Show another host from its first line on."""
        self.host_id = host_id
        self._first = 0

    def scroll(self, by: int) -> None:
        """Go down by so many lines."""
        self._first = max(0, min(self._first + by, self._length - self._height))

    def page(self, pages: int) -> None:
        """Go down by so many pages."""
        self.scroll(pages * max(1, self._height - 1))

    def click(self, line: int, column: int) -> None:
        """Nothing here can be clicked."""

    def lines(self, width: int, height: int) -> list[Line]:
        """Return what is in sight."""
        host = self._fleet.find(self.host_id)
        if host is None:
            known = "this host has not been heard of" if self._fleet.told else "no host is known yet"
            return [[], fit_line([(f"  Waiting: {known}", "")], width)]
        self.host_id = host.id
        alerts = alerts_of(host, self._fleet)
        lines = host_lines(host, self._fleet, alerts, self._now, width, by_memory=self.by_memory)
        self._length, self._height = len(lines), height
        self.scroll(0)
        shown = lines[self._first : self._first + height]
        is_old = self._fleet.is_old or host.state in {"lost", "suspended", "stopped"}
        return list(map(dimmed, shown)) if is_old else shown

    def heading(self, clock: str, width: int) -> Line:
        """Return its name."""
        host = self._fleet.hosts.get(self.host_id)
        name = plain(self._fleet.name_of(host)) if host is not None else self.host_id
        line: Line = [("Fleetglass  ", "strong"), (name, "strong")]
        if host is not None:
            tags = [*host.tags, *(["synthetic"] if host.facts.synthetic else [])]
            line += [(f"  #{plain(tag)}", "dim") for tag in dict.fromkeys(tags)]
        return sides(line, [(clock, "")], width)

    def footing(self, width: int) -> Line:
        """Return which lines are in sight."""
        last = min(self._length, self._first + self._height)
        more = " · more below" if last < self._length else ""
        return sides(
            [], [(f"lines {min(self._first + 1, last)}-{last} of {self._length}{more}", "dim")], width
        )
