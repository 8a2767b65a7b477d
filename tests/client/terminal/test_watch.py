import json
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import pytest

from fleetglass.client import Interrupted
from fleetglass.client.formatting.formatters import JSONFormatter, formatter
from fleetglass.client.statistics import ConnectionState, Statistics
from fleetglass.client.terminal.watch import Terminal
from fleetglass.wire.codec import decode_text
from fleetglass.wire.protocol import BridgeMessage, Watch
from support.scripted_bridge import WELCOME

PULSE = {"time": 1.0, "tick": 1, "session": "s", "cpu_percent": 5.0}


def decoded(message: dict[str, Any]) -> BridgeMessage:
    return decode_text(json.dumps(message), BridgeMessage)  # type: ignore[arg-type] # a union is no type to mypy


def fleet(**states: str) -> dict[str, Any]:
    hosts = [{"id": host, "state": state, "since": 1.0} for host, state in states.items()]
    return {"type": "fleet", "time": 1.0, "hosts": hosts}


def pulses(*hosts: str) -> dict[str, Any]:
    return {"type": "pulse", "time": 1.0, "hosts": dict.fromkeys(hosts, PULSE)}


class Screen:
    """A terminal whose lines are kept."""

    def __init__(self, *hosts: str, style: str = "simple", colour: bool = False) -> None:
        self.shown: list[str] = []
        self.said: list[str] = []
        self.kept: list[Any] = []
        self.statistics = Statistics()
        self.terminal = Terminal(
            hosts,
            JSONFormatter(indent=None) if style == "json" else formatter(style, color=colour, time_zone=UTC),
            self.statistics,
            show=self.shown.append,
            say=self.said.append,
            keep=self.kept.append,
        )

    def take(self, **message: object) -> None:
        """Take one message of the bridge, given as its fields."""
        self.terminal.take(decoded(message))


class Script:
    """A source that says what it was given, and keeps what is selected."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.selected: list[Watch] = []
        self._messages = messages

    async def select(self, watch: Watch) -> None:
        """Keep what is selected."""
        self.selected.append(watch)

    async def messages(self) -> AsyncIterator[BridgeMessage | Interrupted]:
        """Yield what it was given."""
        for message in self._messages:
            yield decoded(message)


def test_pulses_of_all() -> None:
    """Without names every host is shown, those of one message at once."""
    screen = Screen()
    screen.take(**pulses("a", "b"))
    assert screen.shown == ["a  CPU: 5.0% | RAM: — | Disk: —\nb  CPU: 5.0% | RAM: — | Disk: —"]
    assert [message["host"] for message in screen.kept] == ["a", "b"]


def test_pulses_of_some() -> None:
    """With names only those are shown, and one that is not there is told once."""
    screen = Screen("b", "c")
    for _ in range(2):
        screen.take(**fleet(a="lost"))
    screen.take(**pulses("a", "b"))
    assert screen.shown == ["b  CPU: 5.0% | RAM: — | Disk: —"]
    assert [line.partition(":")[0] for line in screen.said] == ["b", "c"]


def test_states_are_told_when_they_change() -> None:
    """A host that is live at first is no news; every change is, once."""
    screen = Screen()
    screen.take(**fleet(a="live", b="lost"))
    screen.take(type="host", id="a", state="late", since=2.0)
    screen.take(type="host", id="a", state="late", since=2.0)
    screen.take(type="host", id="a", info={"host_name": "x"})
    screen.take(type="host", id="a", state="live", since=3.0)
    screen.take(type="host", id="a", removed=True)
    assert screen.shown == [
        "b  is lost since 00:00:01",
        "a  is late since 00:00:02",
        "a  is live since 00:00:03",
    ]


def test_expected_hosts() -> None:
    """One that waits is told of with its name on the list, and once more when it comes; so are its pulses."""
    screen, machine = Screen("b"), Screen(style="json")
    waiting = {"id": "b", "state": "waiting", "since": 1.0, "expected": {"name": "Orders"}}
    for one in (screen, machine):
        for _ in range(2):
            one.take(type="fleet", time=1.0, hosts=[waiting])
        one.take(type="host", id="b", state="live", since=2.0, expected={"name": "Orders"})
        one.take(**pulses("b"))
        one.take(type="host", id="b", state="lost", since=3.0)
    assert screen.said == []
    assert screen.shown == [
        "b (Orders)  has not reported yet, waiting since 00:00:01",
        "b (Orders)  is live since 00:00:02",
        "b (Orders)  CPU: 5.0% | RAM: — | Disk: —",
        "b  is lost since 00:00:03",
    ]
    lines = [json.loads(line) for line in machine.shown]
    assert [(line["type"], line["host"], line.get("name")) for line in lines] == [
        ("host_state", "b", "Orders"),
        ("host_state", "b", "Orders"),
        ("monitoring_data", "b", "Orders"),
        ("host_state", "b", None),
    ]


async def test_a_host_that_waits_is_selected_once_it_is_heard() -> None:
    """Also one that was forgotten in between."""
    script = Script(
        WELCOME,
        fleet(a="waiting", b="live"),
        {"type": "host", "id": "a", "state": "live", "since": 2.0},
        pulses("a", "b"),
        {"type": "host", "id": "a", "removed": True},
        {"type": "host", "id": "a", "state": "waiting", "since": 3.0},
        pulses("b"),
        {"type": "host", "id": "a", "state": "live", "since": 4.0},
        pulses("a", "b"),
    )
    await Screen(style="compact").terminal.follow(script)
    assert [set(watch.hosts) for watch in script.selected[1:]] == [{"b"}, {"a", "b"}, {"b"}, {"a", "b"}]


def test_states_as_json() -> None:
    """In JSON a change of state is an envelope too."""
    screen = Screen(style="json")
    screen.take(type="host", id="a", state="lost", since=2.5)
    assert [json.loads(line) for line in screen.shown] == [
        {
            "timestamp": "1970-01-01T00:00:02.500+00:00",
            "type": "host_state",
            "host": "a",
            "data": {"state": "lost"},
        }
    ]


def test_a_site_that_is_cut_off_is_told_once() -> None:
    """Not of each of its hosts, neither then nor at its return; who stays away is told of. JSON has all."""
    screen, machine = Screen(), Screen(style="json")
    away = {"type": "broker", "state": "connected", "since": 1.0, "sites_away": {"fleet/paris": 5.0}}
    for one in (screen, machine):
        one.take(**fleet(a="live", b="live"))
        one.take(**away)
        one.take(type="host", id="a", state="late", since=5.0, cut_off=True)
        one.take(type="host", id="b", state="late", since=5.0, cut_off=True)
        one.take(**(away | {"sites_away": {}}))
        one.take(type="host", id="a", state="live", since=9.0)
        one.take(type="host", id="b", state="lost", since=9.0)
    assert screen.said == [
        "site fleet/paris is cut off since 00:00:05; what is shown of its hosts is old",
        "site fleet/paris is connected again",
    ]
    assert screen.shown == ["b  is lost since 00:00:09"]
    assert [json.loads(line)["data"]["state"] for line in machine.shown] == ["late", "late", "live", "lost"]


def test_what_is_no_data() -> None:
    """Broker, notices and breaks are said apart from the data."""
    screen = Screen()
    screen.statistics.enter(ConnectionState.CONNECTING)
    screen.take(**(WELCOME | {"broker": "connecting"}))
    screen.take(type="broker", state="connected", since=2.0)
    screen.take(type="notice", code="slow", text="you are slow")
    screen.terminal.take(Interrupted("bridge: gone", 1.25))
    assert screen.shown == []
    assert screen.said == [
        "the bridge has no broker at present; waiting",
        "the bridge has its broker again",
        "you are slow",
        "bridge: gone; trying again in 1.2 s",
    ]


def test_wrong_pulse_harms_no_other() -> None:
    """A pulse of wrong types is passed over, and the next host is shown all the same."""
    screen = Screen()
    screen.take(type="pulse", time=1.0, hosts={"a": {"time": "x"}, "b": PULSE})
    assert screen.shown == ["b  CPU: 5.0% | RAM: — | Disk: —"]


@pytest.mark.parametrize("colour", [True, False])
def test_colour(*, colour: bool) -> None:
    """Escape sequences appear only when colour is wanted."""
    screen = Screen(colour=colour)
    screen.take(**pulses("a"))
    screen.take(type="host", id="a", state="lost", since=2.0)
    assert all(("\x1b[" in line) is colour for line in screen.shown)


async def test_detail_of_up_to_64_hosts_is_asked_for() -> None:
    """The detailed format selects the groups it shows, of named hosts or of a small fleet."""
    many = {f"h-{number}": "live" for number in range(65)}
    for hosts, told, wanted in [
        (["a"], {"a": "live", "b": "live"}, ["a"]),
        ([], {"a": "live", "b": "live"}, ["a", "b"]),
        ([], many, []),
        ([*many], many, []),
    ]:
        source = Script(WELCOME, fleet(**told))
        await Screen(*hosts, style="detailed").terminal.follow(source)
        assert sorted(source.selected[-1].hosts) == wanted
        assert all(watch.fleet for watch in source.selected)
        assert set(map(tuple, source.selected[-1].hosts.values())) <= {("cpu", "memory", "filesystem", "gpu")}


async def test_formats_of_one_line_ask_for_less() -> None:
    """The simple format needs pulses only, and compact the memory of GPUs besides."""
    for style, groups in (("simple", {}), ("compact", {"a": ["gpu"]})):
        source = Script(WELCOME, fleet(a="live"))
        await Screen("a", style=style).terminal.follow(source)
        assert source.selected[-1].hosts == groups


async def test_a_host_that_comes_later_is_selected_then() -> None:
    """Whom the bridge did not know at first is selected once it does, and not again with every message."""
    source = Script(
        WELCOME,
        fleet(),
        {"type": "host", "id": "a", "state": "live", "since": 1.0},
        pulses("a"),
        pulses("a"),
    )
    await Screen("a", style="detailed").terminal.follow(source)
    assert [list(watch.hosts) for watch in source.selected] == [["a"], ["a"]]


def test_the_past_fills_in_what_comes_seldom() -> None:
    """The last sample of each group of the past that is sent first is shown; older ones are not."""
    screen = Screen("a", style="detailed")
    for hertz in (2_000_000_000, 1_000_000_000):
        samples = [{"time": 1.0, "tick": 1, "frequency_hertz": hertz + step} for step in (-100_000_000, 0)]
        screen.take(type="history", host="a", samples={"pulse": [PULSE], "cpu": samples})
    screen.take(**pulses("a"))
    assert "Frequency    2000 MHz" in screen.shown[0]


def test_statistics_of_the_connection() -> None:
    """Connections, breaks and tries are counted as they come."""
    screen = Screen()
    screen.statistics.enter(ConnectionState.CONNECTING)
    for _ in range(2):
        screen.terminal.take(Interrupted("bridge: gone", 1.0))
    screen.take(**WELCOME)
    screen.terminal.take(Interrupted("bridge: gone again", 1.0))
    found = screen.statistics.as_dict()
    assert (found["reconnect_attempts"], found["total_disconnections"], found["error_count"]) == (3, 1, 3)
    assert (found["current_state"], found["last_error"]) == ("reconnecting", "bridge: gone again")
