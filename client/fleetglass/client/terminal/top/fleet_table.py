"""The columns of the fleet, and how they share the width of a terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import UNSET
from rich.cells import cell_len

from fleetglass.client.terminal.top.alerts import BUSY_METER, FILESYSTEM, METER, Alert, Limit, state_in_words
from fleetglass.client.terminal.top.drawing import (
    Line,
    Role,
    bar,
    dimmed,
    fit,
    fit_line,
    minute,
    role_of,
    state_mark,
)
from fleetglass.client.terminal.top.model import FleetModel, SeenHost
from fleetglass.client.terminal.top.numbers import (
    Number,
    celsius,
    load,
    percent,
    plain,
    short_size,
    short_time,
)
from fleetglass.client.terminal.top.order import Order


class TableMoment(NamedTuple):
    """What a row is drawn from beside its host."""

    fleet: FleetModel
    alerts: Mapping[str, Sequence[Alert]]
    now: float


Draw = Callable[[SeenHost, TableMoment, int], Line]


class Column(NamedTuple):
    """One column: what is drawn, in how many cells, and what it is sorted by."""

    title: str
    sort: Order | None
    width: int
    most: int
    """Where there is room; columns further to the front of `_GROWING` get it first."""
    rank: int
    """The highest goes first where there is no room."""
    draw: Draw
    right: bool = True
    """Whether its title stands at the right."""


def _number(field: str, show: Callable[[Number], str], limit: Limit | None = None) -> Draw:
    def draw(host: SeenHost, _moment: TableMoment, width: int) -> Line:
        value: Number = UNSET if host.pulse is None else getattr(host.pulse, field)
        role = "dim" if value is UNSET else role_of(value, limit)
        return [(fit(show(value), width, right=True), role)]

    return draw


def _meter(field: str, limit: Limit) -> Draw:
    def draw(host: SeenHost, _moment: TableMoment, width: int) -> Line:
        value: Number = UNSET if host.pulse is None else getattr(host.pulse, field)
        number: Role = "dim" if value is UNSET else role_of(value, limit)
        return [(fit(percent(value), 3, right=True), number), (" ", ""), *bar(value, width - 4, limit)]

    return draw


def _state(host: SeenHost, moment: TableMoment, width: int) -> Line:
    alerts = moment.alerts.get(host.id)
    return fit_line(state_mark(host.state, alerts[0].level if alerts else None), width)


def _name(host: SeenHost, moment: TableMoment, width: int) -> Line:
    name, own_id = moment.fleet.name_of(host), f" ({host.id})"
    shown = plain(host.listed_name)
    room = width - len(own_id)
    if shown and cell_len(name) > width and room >= _LEAST_NAME:
        return [(fit(shown, room), "strong"), (own_id, "strong")]
    return [(fit(name, width), "strong")]


def _minute(host: SeenHost, moment: TableMoment, width: int) -> Line:
    return [(minute(host, "cpu_percent", moment.now, width), "bar")]


def _attention(host: SeenHost, moment: TableMoment, width: int) -> Line:
    alerts = moment.alerts.get(host.id, ())
    if host.state != "live":
        return [(fit(state_in_words(host, moment.fleet, moment.now), width), "dim")]
    return [(fit(" · ".join(alert.words for alert in alerts), width), "")]


COLUMNS: Final = (
    Column("state", Order("attention"), 9, 9, 0, _state, right=False),
    Column("name", Order("name", descending=False), 13, 40, 0, _name, right=False),
    Column("cpu %", Order("cpu_percent"), 8, 16, 0, _meter("cpu_percent", BUSY_METER), right=False),
    Column("last min", None, 8, 30, 5, _minute, right=False),
    Column("mem %", Order("memory_percent"), 8, 14, 1, _meter("memory_percent", METER), right=False),
    Column("disk", Order("filesystem_percent"), 4, 4, 3, _number("filesystem_percent", percent, FILESYSTEM)),
    Column("load", Order("load_1m"), 4, 4, 4, _number("load_1m", load)),
    Column(
        "↓in",
        Order("network_receive_bytes_per_second"),
        4,
        4,
        6,
        _number("network_receive_bytes_per_second", short_size),
    ),
    Column(
        "↑out",
        Order("network_transmit_bytes_per_second"),
        4,
        4,
        7,
        _number("network_transmit_bytes_per_second", short_size),
    ),
    Column("temp", Order("temperature_celsius"), 4, 4, 8, _number("temperature_celsius", celsius)),
    Column("up", Order("uptime_seconds"), 4, 4, 9, _number("uptime_seconds", short_time)),
    Column("attention", None, 24, 60, 10, _attention, right=False),
)

KEYS: Final[dict[str, Order]] = {
    "a": COLUMNS[0].sort or Order("attention"),
    "n": Order("name", descending=False),
    "c": Order("cpu_percent"),
    "m": Order("memory_percent"),
    "d": Order("filesystem_percent"),
    "l": Order("load_1m"),
    "i": Order("network_receive_bytes_per_second"),
    "o": Order("network_transmit_bytes_per_second"),
    "t": Order("temperature_celsius"),
    "u": Order("uptime_seconds"),
}
"""Keys that sort: the letter that is underlined in the title, and `a` for what needs attention."""

_GROWING: Final = ("name", "last min", "cpu %", "mem %", "attention")

_LEAST_NAME: Final = 6
"""Cells of a name on the list of expected hosts, below which its id is cut with it."""

Layout = tuple[tuple[Column, int], ...]


def layout(width: int, longest_name: int) -> Layout:
    """Return the columns that fit into so many cells, and the cells of each; between two is one."""
    shown = list(COLUMNS)
    while len(shown) > 1 and sum(column.width + 1 for column in shown) - 1 > width:
        shown.remove(max(shown, key=lambda column: column.rank))
    widths = {column.title: column.width for column in shown}
    room = width - sum(widths.values()) - len(shown) + 1
    for column in sorted(shown, key=lambda one: _GROWING.index(one.title) if one.title in _GROWING else 9):
        most = min(column.most, longest_name) if column.title == "name" else column.most
        more = min(room, most - column.width)
        widths[column.title] += max(0, more)
        room -= max(0, more)
    return tuple((column, min(width, widths[column.title])) for column in shown)


def titles(columns: Layout, order: Order) -> Line:
    """Return the titles; the key of each is underlined, and the one sorted by says which way."""
    line: Line = []
    for column, width in columns:
        if line:
            line.append((" ", ""))
        line += _title(column, width, order)
    return line


def row(host: SeenHost, columns: Layout, moment: TableMoment) -> Line:
    """Return one host; what is old of one that is not heard is dim."""
    line: Line = []
    old = host.state not in {"live", "late"}
    for place, (column, width) in enumerate(columns):
        if line:
            line.append((" ", ""))
        if host.is_unheard and column.draw not in (_state, _name):
            # There is no value to show: neither a dash nor an empty bar.
            room = sum(one + 1 for _, one in columns[place:]) - 1
            return [*line, (fit(_unheard_in_words(host, moment), room), "dim")]
        cells = column.draw(host, moment, width)
        line += dimmed(cells) if moment.fleet.is_old or (old and column.draw is not _state) else cells
    return line


def order_in_words(order: Order) -> str:
    """Return what it is sorted by and which way."""
    title = next(column.title for column in COLUMNS if column.sort and column.sort.by == order.by)
    if order.by == "attention":
        return "attention first"
    return f"{title} {'▾' if order.descending else '▴'}"


def _unheard_in_words(host: SeenHost, moment: TableMoment) -> str:
    notes = " ".join(host.notes.split())
    return " · ".join(filter(None, (state_in_words(host, moment.fleet, moment.now), notes)))


def _title(column: Column, width: int, order: Order) -> Line:
    sorted_by = column.sort is not None and column.sort.by == order.by
    text = column.title
    if sorted_by and len(text) + 2 <= width:
        text += " ▾" if order.descending else " ▴"
    text = fit(text, width, right=column.right)
    role: Role = "selected" if sorted_by else "title"
    key = next((key for key, one in KEYS.items() if column.sort is not None and one.by == column.sort.by), "")
    at = text.find(key) if key else -1
    if at < 0 or sorted_by:
        return [(text, role)]
    return [(text[:at], role), (key, "key"), (text[at + 1 :], role)]
