import json

import pytest

from fleetglass.client import Interrupted
from fleetglass.client.terminal import Terminal
from fleetglass.wire.codec import decode_text
from fleetglass.wire.protocol import BridgeMessage


class Screen:
    """A terminal whose lines are kept."""

    def __init__(self, *hosts: str, style: str = "simple", colour: bool = False) -> None:
        self.shown: list[str] = []
        self.said: list[str] = []
        self.terminal = Terminal(hosts, style, colour=colour, show=self.shown.append, say=self.said.append)

    def take(self, **message: object) -> None:
        """Take one message of the bridge, given as its fields."""
        decoded: BridgeMessage = decode_text(json.dumps(message), BridgeMessage)  # type: ignore[arg-type] # as in stream.py
        self.terminal.take(decoded)


PULSE = {"time": 1.0, "tick": 1, "session": "s", "cpu_percent": 5.0}


def test_pulses_of_all() -> None:
    """Without names every host is shown."""
    screen = Screen()
    screen.take(type="pulse", time=1.0, hosts={"a": PULSE, "b": PULSE})
    assert screen.shown == ["a  CPU: 5.0% | RAM: — | Disk: —", "b  CPU: 5.0% | RAM: — | Disk: —"]


def test_pulses_of_some() -> None:
    """With names only those are shown, and one that is not there is told once."""
    screen = Screen("b", "c")
    for _ in range(2):
        screen.take(type="fleet", time=1.0, hosts=[{"id": "a", "state": "lost", "since": 1.0}])
    screen.take(type="pulse", time=1.0, hosts={"a": PULSE, "b": PULSE})
    assert screen.shown == ["b  CPU: 5.0% | RAM: — | Disk: —"]
    assert [line.partition(":")[0] for line in screen.said] == ["b", "c"]


def test_states_are_told_when_they_change() -> None:
    """A host that is live at first is no news; every change is, once."""
    screen = Screen()
    screen.take(
        type="fleet",
        time=1.0,
        hosts=[{"id": "a", "state": "live", "since": 1.0}, {"id": "b", "state": "lost", "since": 1.0}],
    )
    screen.take(type="host", id="a", state="late", since=2.0)
    screen.take(type="host", id="a", state="late", since=2.0)
    screen.take(type="host", id="a", info={"host_name": "x"})
    screen.take(type="host", id="a", state="live", since=3.0)
    assert [line.partition(" since")[0] for line in screen.shown] == [
        "b  is lost",
        "a  is late",
        "a  is live",
    ]


def test_states_as_json() -> None:
    """In JSON a change of state is an object too."""
    screen = Screen(style="json")
    screen.take(type="host", id="a", state="lost", since=2.5)
    assert [json.loads(line) for line in screen.shown] == [{"host": "a", "state": "lost", "since": 2.5}]


def test_what_is_no_data() -> None:
    """Broker, notices and breaks are said apart from the data."""
    screen = Screen()
    screen.take(type="broker", state="connecting", since=1.0)
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
    """A pulse of wrong types is told, and the next host is shown all the same."""
    screen = Screen()
    screen.take(type="pulse", time=1.0, hosts={"a": {"time": "x"}, "b": PULSE})
    assert screen.said[0].startswith("a: payload: expected pulse")
    assert len(screen.shown) == 1


@pytest.mark.parametrize("colour", [True, False])
def test_colour(*, colour: bool) -> None:
    """Escape sequences appear only when colour is wanted."""
    screen = Screen(colour=colour)
    screen.take(type="pulse", time=1.0, hosts={"a": PULSE})
    screen.take(type="host", id="a", state="lost", since=2.0)
    assert all(("\x1b[" in line) is colour for line in screen.shown)
