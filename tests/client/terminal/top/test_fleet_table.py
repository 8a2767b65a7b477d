from typing import Any

import pytest

from fleetglass.client.terminal.top.alerts import alerts_of
from fleetglass.client.terminal.top.drawing import Line, width_of
from fleetglass.client.terminal.top.fleet_table import COLUMNS, KEYS, TableMoment, layout, row, titles
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.client.terminal.top.order import TROUBLE_FIRST, Order
from fleetglass.wire.protocol import ExpectedFacts, Fleet, HostEntry
from support.samples import MadeUpHost
from support.scripted_source import fleet, pulses, welcome

NOW = 1_795_000_000.0
WEB = MadeUpHost("web-1", 1)


def model(host: MadeUpHost = WEB, **states: Any) -> FleetModel:
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    seen.take(fleet([host], NOW, **states), NOW)
    seen.take(pulses([host], NOW, cpu_percent=42, memory_percent=96), NOW)
    return seen


def shown(seen: FleetModel, width: int) -> Line:
    host = next(iter(seen.hosts.values()))
    alerts = {host.id: alerts_of(host, seen)}
    return row(host, layout(width, len(host.id)), TableMoment(seen, alerts, NOW))


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize("width", [*range(9, 130), 200, 300])
def test_every_width(width: int) -> None:
    """Titles and rows never take more than the terminal has, and all columns but one are there at 80."""
    columns = layout(width, 20)
    assert width_of(titles(columns, TROUBLE_FIRST)) <= width
    assert width_of(shown(model(), width)) <= width
    if width == 80:
        assert [column.title for column, _ in columns] == [column.title for column in COLUMNS[:-1]]


def test_row_at_80() -> None:
    """State, name, bars, last minute, disk, load, network, temperature and time up stand in one line."""
    assert text_of(shown(model(), 80)) == (
        "◆ crit    web-1          42 █▋··        ▄  96 ███▉   50 1.82 210K 760K  48°  53d"
    )


def test_row_of_a_host_that_told_nothing() -> None:
    """What is not known is a dash or blank, never 0."""
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    seen.take(Fleet(time=NOW, hosts=[HostEntry(id="new", state="waiting", since=NOW)]), NOW)
    assert text_of(shown(seen, 80)).split() == ["·", "waiting", "new", *["—"] * 8]


@pytest.mark.parametrize("width", [*range(9, 130), 200])
def test_row_of_an_expected_host_that_was_not_heard(width: int) -> None:
    """Words and notes stand in place of its values; the id stays where a long name is cut."""
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    listed = ExpectedFacts(name="Orders database of the shop", notes="Rack 3.\nAsk Jane.")
    entry = HostEntry(id="db-2", state="waiting", since=NOW, expected=listed)
    seen.take(Fleet(time=NOW, hosts=[entry]), NOW)
    text = text_of(row(seen.hosts["db-2"], layout(width, 40), TableMoment(seen, {}, NOW)))
    assert len(text) <= width
    assert "—" not in text
    if width == 80:
        assert text.rstrip() == "· waiting Order… (db-2) has not reported yet · Rack 3. Ask Jane."
    if width == 200:
        assert "Orders database of the shop (db-2)" in text
        assert "has not reported yet · Rack 3. Ask Jane." in text


def test_what_is_old_is_dim() -> None:
    """Of a host that is lost all but its state is dim; without a connection all is."""
    seen = model(WEB, **{"web-1": "lost"})
    roles = [role for _, role in shown(seen, 80)]
    assert roles[:2] == ["critical", "critical"]
    assert set(roles[3:]) <= {"dim", ""}
    seen.connected = False
    assert {role for _, role in shown(seen, 80)} <= {"dim", ""}


def test_titles_say_keys_and_order() -> None:
    """The key of each column is a letter of its title, and the one sorted by says which way."""
    line = titles(layout(120, 9), Order("cpu_percent"))
    assert ("cpu % ▾", "selected") in [(text.strip(), role) for text, role in line]
    keys = {text for text, role in line if role == "key"}
    assert keys == KEYS.keys() - {"c"}
    assert all(column.sort is None or column.sort in KEYS.values() for column in COLUMNS)
