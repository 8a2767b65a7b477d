from fleetglass.client.terminal.top.alerts import Alert
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.client.terminal.top.order import TROUBLE_FIRST, Order, chosen, ordered
from fleetglass.wire.protocol import ExpectedFacts, Host
from support.samples import MadeUpHost
from support.scripted_source import fleet, pulses, welcome

NOW = 1_795_000_000.0


def model(*hosts: MadeUpHost, **states: str) -> FleetModel:
    seen = FleetModel()
    seen.take(welcome(NOW), NOW)
    seen.take(fleet(list(hosts), NOW, **states), NOW)
    seen.take(pulses(list(hosts), NOW), NOW)
    return seen


def ids(seen: FleetModel, order: Order, alerts: dict[str, list[Alert]] | None = None) -> list[str]:
    return [host.id for host in ordered(seen.hosts.values(), order, alerts or {}, seen.name_of)]


def test_attention_first() -> None:
    """Critical, warned, late, lost, waiting, live, suspended, stopped: in this order; equal ones by name."""
    names = ("stopped", "suspended", "fine-10", "fine-2", "waiting", "lost", "late", "warned", "bad")
    hosts = [MadeUpHost(name) for name in names]
    states = {name: name for name in names if name in {"stopped", "suspended", "waiting", "lost", "late"}}
    alerts = {"warned": [Alert("warn", "")], "bad": [Alert("critical", "")], "lost": [Alert("critical", "")]}
    found = ids(model(*hosts, **states), TROUBLE_FIRST, alerts)
    assert found == ["bad", "warned", "late", "lost", "waiting", "fine-2", "fine-10", "suspended", "stopped"]


def test_by_value() -> None:
    """A host without a value comes last, whichever way it is sorted."""
    seen = model(MadeUpHost("a", busy=5.0), MadeUpHost("b", busy=50.0), MadeUpHost("c", busy=20.0))
    seen.take(fleet([MadeUpHost(name) for name in "abcd"], NOW), NOW)
    assert ids(seen, Order("cpu_percent")) == ["b", "c", "a", "d"]
    assert ids(seen, Order("cpu_percent", descending=False)) == ["a", "c", "b", "d"]


def test_by_name() -> None:
    """Numbers in names count as numbers, whatever the name is."""
    seen = model(*(MadeUpHost(name) for name in ("web-10", "web-2", "7", "web")))
    assert ids(seen, Order("name", descending=False)) == ["web", "web-2", "web-10", "7"]
    seen.hosts["7"].facts = type(seen.hosts["7"].facts)(host_name="9" * 9000)
    assert ids(seen, Order("name"))[0] == "7"


def test_filter() -> None:
    """Every word must be in the name, id, state, system or a tag; `attention` finds what needs it."""
    seen = model(MadeUpHost("web-1"), MadeUpHost("db-1", synthetic=True), **{"web-1": "late"})
    alerts = {"db-1": [Alert("warn", "x")]}

    def found(words: str) -> list[str]:
        return [host.id for host in chosen(seen.hosts.values(), words, alerts, seen.name_of)]

    assert found("") == found("DEBIAN rack") == ["web-1", "db-1"]
    assert found("web late") == ["web-1"]
    assert found("synthetic") == found("attention") == ["db-1"]
    assert found("web nothing") == []


def test_filter_by_the_list_of_expected_hosts() -> None:
    """Name, tags and notes of the list are found beside the host's own."""
    seen = model(MadeUpHost("web-1"), MadeUpHost("db-1"))
    listed = ExpectedFacts(name="Shop", tags=["paris"], notes="Ask Jane.")
    seen.take(Host(id="web-1", state="live", since=NOW, expected=listed), NOW)
    for words in ("shop", "web-1", "paris", "jane", "rack shop"):
        found = chosen(seen.hosts.values(), words, {}, seen.name_of)
        assert [host.id for host in found] == ["web-1"], words
