import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from fleetglass.client.source import Interrupted
from fleetglass.client.terminal.top.app import TopApp
from fleetglass.client.terminal.top.fleet_view import FleetView
from fleetglass.client.terminal.top.model import FleetModel
from fleetglass.wire.errors import Refused
from fleetglass.wire.protocol import BrokerChange, History, Watch
from support.samples import MadeUpHost
from support.scripted_source import ScriptedSource, changed, fleet, live, pulses, raw, welcome
from support.waiting import wait_until

NOW = 1_795_000_000.0
HOSTS = [MadeUpHost(f"web-{number}", number, busy=float(number)) for number in range(1, 41)]


class Terminal:
    """An app over a scripted source, as somebody at a terminal sees it."""

    def __init__(self, app: TopApp, source: ScriptedSource, pilot: Pilot[None]) -> None:
        self.app = app
        self.source = source
        self.pilot = pilot

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        return [
            "".join(segment.text for segment in strip)
            for strip in self.app.screen._compositor.render_strips()
        ]

    async def until(self, condition: Callable[[list[str]], object], what: str) -> list[str]:
        """Wait until the screen fulfils a condition."""

        async def fulfilled() -> bool:
            await self.pilot.pause()
            return bool(condition(self.lines))

        await wait_until(fulfilled, what)
        return self.lines

    async def press(self, *keys: str) -> list[str]:
        """Press keys, and return the screen after that."""
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.lines

    def names(self) -> list[str]:
        """Return the names of the hosts in sight."""
        return [line[10:23].strip() for line in self.lines[2:-2] if line[10:23].strip()]

    def chosen(self) -> str:
        """Return the host that is chosen."""
        return self.app.fleet_view.cursor or ""


@asynccontextmanager
async def terminal(
    hosts: list[MadeUpHost] = HOSTS, host: str | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Terminal]:
    source = ScriptedSource()
    app = TopApp(source, host)
    async with app.run_test(size=size) as pilot:
        source.say(welcome(NOW), fleet(hosts, NOW), pulses(hosts, NOW))
        seen = Terminal(app, source, pilot)
        await wait_until(lambda: app.fleet.hosts and app.fleet.hosts[hosts[0].id].pulse, "the fleet")
        app.draw()
        await pilot.pause()
        yield seen


async def test_fleet() -> None:
    """The fleet fills 80 by 24: how many are in each state, titles, hosts, what is known of one, the keys."""
    async with terminal() as seen:
        assert [len(line) for line in seen.lines] == [80] * 24
        assert seen.lines[0].startswith("Fleetglass  ● 40 live  ")
        assert seen.lines[1].startswith("state ▾   name ")
        assert seen.lines[-2].endswith("1-20 of 40 · attention first")
        assert seen.lines[-1].startswith("j k Enter open")


async def test_order_by_keys() -> None:
    """A key sorts by its column, again turns it round, and `a` brings back what needs attention."""
    async with terminal() as seen:
        await seen.press("c")
        assert seen.names()[:2] == ["web-40", "web-39"]
        assert seen.lines[-2].endswith("cpu % ▾")
        await seen.press("c")
        assert seen.names()[:2] == ["web-1", "web-2"]
        await seen.press("n", "n")
        assert seen.names()[0] == "web-40"
        await seen.press("a")
        assert seen.lines[-2].endswith("attention first")


async def test_trouble_comes_first() -> None:
    """A host that is lost rises to the top, and the counts say so."""
    async with terminal() as seen:
        seen.source.say(changed("web-33", "lost", NOW))
        lines = await seen.until(lambda lines: "✗ 1 lost" in lines[0], "the count")
        assert "✗ lost" in next(line for line in lines[2:] if "web-33" in line)


async def test_moving_and_opening() -> None:
    """j, k, arrows and pages choose a host, Enter opens it, Esc comes back to it."""
    async with terminal() as seen:
        await seen.press("n", "j", "down", "k")
        assert seen.chosen() == "web-2"
        await seen.press("pagedown")
        assert seen.chosen() == "web-21"
        await seen.press("end")
        assert (seen.chosen(), seen.names()[-1]) == ("web-40", "web-40")
        await seen.press("enter")
        await seen.until(lambda lines: lines[0].startswith("Fleetglass  web-40"), "the host")
        await seen.press("escape")
        await seen.until(lambda lines: lines[0].startswith("Fleetglass  ●"), "the fleet")
        assert seen.chosen() == "web-40"


async def test_rows_do_not_move_under_the_hand() -> None:
    """Right after a key that moved the choice no row changes its place, whatever the values do."""
    async with terminal() as seen:
        await seen.press("c", "j")
        before = seen.names()
        seen.source.say(pulses([HOSTS[0]], NOW + 1, cpu_percent=99.0))
        await wait_until(lambda: seen.app.fleet.hosts["web-1"].minute[-1].cpu_percent == 99, "the pulse")
        seen.app.draw()
        assert seen.names() == before
        await seen.press("c", "c")
        assert seen.names()[0] == "web-1"


async def test_filter() -> None:
    """`/` asks for words, Enter goes back to the hosts that fit, Esc shows all."""
    async with terminal() as seen:
        await seen.press("slash", *"web-1")
        assert len(seen.names()) == 11
        await seen.press("enter", "n", "j")
        assert seen.chosen() == "web-10"
        assert "filter web-1 · 1-11 of 11" in seen.lines[-2]
        await seen.press("slash", *"xx")
        assert "No host fits 'web-1xx'" in "".join(seen.lines)
        await seen.press("escape")
        assert seen.lines[-2].endswith("1-20 of 40 · name ▴")
        await seen.press("slash", *"cmpq", "space", *"?dlu")
        assert seen.app.fleet_view.words == "cmpq ?dlu"


async def test_mouse() -> None:
    """A click on a title sorts, on a row chooses, and the wheel moves on."""
    async with terminal() as seen:
        await seen.pilot.click("#body", offset=(12, 0))
        assert seen.lines[-2].endswith("name ▴")
        await seen.pilot.click("#body", offset=(12, 3))
        assert seen.chosen() == "web-3"


async def test_host_page() -> None:
    """A host shows its detail as soon as it comes, scrolls, and goes on to the next by `]`."""
    async with terminal(host="web-3") as seen:
        seen.source.say(live(HOSTS[2], NOW))
        lines = await seen.until(lambda lines: "PROCESSES" in "".join(lines), "the panels")
        assert [len(line) for line in lines] == [80] * 24
        assert "more below" in lines[-2]
        await seen.press("end")
        assert "more below" not in seen.lines[-2]
        await seen.press("m")
        await seen.press("right_square_bracket")
        assert seen.lines[0].startswith("Fleetglass  web-4")
        assert seen.app.fleet.hosts["web-3"].groups == {}
        await seen.press("left_square_bracket", "left_square_bracket")
        assert seen.lines[0].startswith("Fleetglass  web-2")
        await seen.press("escape")
        assert seen.chosen() == "web-2"


async def test_unknown_host() -> None:
    """A host that nobody heard of is waited for."""
    async with terminal(host="nobody") as seen:
        assert "this host has not been heard of" in "".join(seen.lines)


async def test_selections() -> None:
    """It asks for the last minute of the hosts in sight, and for all groups of the one that is open only."""
    async with terminal() as seen:
        asked = await selection(seen, lambda watch: len(watch.hosts) == 20)
        assert asked.fleet
        assert asked.history == 60
        assert set(map(str, asked.hosts.values())) == {"[]"}
        await seen.press("enter")
        opened = await selection(seen, lambda watch: watch.hosts == {seen.chosen(): "*"})
        assert opened.fleet
        await seen.press("escape")
        await selection(seen, lambda watch: "*" not in watch.hosts.values())


async def selection(seen: Terminal, condition: Callable[[Watch], Any]) -> Watch:
    await wait_until(lambda: seen.source.selections and condition(seen.source.selections[-1]), "a selection")
    return seen.source.selections[-1]


async def test_the_past_is_drawn() -> None:
    """The last minute is full as soon as its past is told."""
    async with terminal(HOSTS[:1]) as seen:
        past = [raw(pulse) for pulse in HOSTS[0].past_pulses(NOW, 90)]
        seen.source.say(History(host="web-1", samples={"pulse": past}))
        await seen.until(lambda lines: "▁▁▁▁▁▁▁▁" in lines[2], "a full sparkline")


async def test_pause() -> None:
    """`p` lets time stand still and says so; on going on the past that was missed is asked for again."""
    async with terminal() as seen:
        await selection(seen, lambda watch: len(watch.hosts) == 20)
        await seen.press("p")
        assert "paused at" in seen.lines[-2]
        before = seen.lines[2:-2]
        seen.source.say(pulses(HOSTS, NOW + 1, cpu_percent=77.0), changed("web-40", "late", NOW))
        await seen.until(lambda lines: "◐ 1 late" in lines[0], "the state")
        assert {line for line in seen.lines[2:-2] if "web-40" not in line} <= set(before)
        told = len(seen.source.selections)
        await seen.press("p")
        await wait_until(lambda: len(seen.source.selections) >= told + 2, "the past is wanted")
        assert seen.source.selections[told] == Watch(fleet=True)


async def test_connection_lost() -> None:
    """Without a bridge, and while it has no broker, the line above the keys says so and all is dim."""
    async with terminal() as seen:
        seen.source.say(Interrupted("bridge: connection lost", 3))
        await seen.until(lambda lines: "bridge: connection lost; trying again in" in lines[-2], "the words")
        seen.source.say(welcome(NOW), BrokerChange(state="connecting", since=NOW))
        await seen.until(lambda lines: "the bridge has no broker since" in lines[-2], "the words")
        seen.source.say(BrokerChange(state="connected", since=NOW))
        await seen.until(lambda lines: "no broker" not in lines[-2], "all is well")


async def test_help() -> None:
    """`?` lists every key and mark within 80 by 24, and any key goes back."""
    async with terminal() as seen:
        await seen.press("question_mark")
        await seen.until(lambda lines: "Fleetglass: keys" in lines[0], "the help")
        assert "…" not in "".join(seen.lines)
        assert "✗ lost" in "".join(seen.lines)
        await seen.press("x")
        await seen.until(lambda lines: "● 40 live" in lines[0], "the fleet")


async def test_resize() -> None:
    """Every size is filled, and a wide terminal says what needs attention beside each host."""
    async with terminal() as seen:
        for width, height in ((140, 40), (30, 6), (10, 3), (80, 24)):
            await seen.pilot.resize_terminal(width, height)
            await seen.pilot.pause()
            assert [len(line) for line in seen.lines] == [width] * height
        await seen.pilot.resize_terminal(140, 40)
        await seen.until(lambda lines: "attention" in lines[1], "the column")


async def test_refused() -> None:
    """What ends the source ends the program, and whoever runs it learns why."""
    async with terminal() as seen:
        seen.source.say(Refused("bridge: expected a token"))
        await wait_until(lambda: not seen.app.is_running, "the end")
    assert str(seen.app.failure) == "bridge: expected a token"


async def test_hostile_words() -> None:
    """What a bridge says of itself is no command to the terminal."""
    async with terminal() as seen:
        seen.source.say(Interrupted("gone\x1b[2J\x07", 3))
        await seen.until(lambda lines: "gone?[2J?" in lines[-2], "the words")


async def test_500_hosts_in_time() -> None:
    """A second of 500 hosts, taken in, judged, ordered and drawn, costs a small part of that second."""
    hosts = [MadeUpHost(f"web-{number}", number) for number in range(500)]
    frames = [pulses(hosts, NOW + second) for second in range(1, 61)]
    fleet_model = FleetModel()
    view = FleetView(fleet_model)
    fleet_model.take(fleet(hosts, NOW), NOW)
    started = time.process_time()
    for second, frame in enumerate(frames, 1):
        fleet_model.take(frame, NOW + second)
        view.survey(NOW + second)
        view.lines(80, 22)
    assert (time.process_time() - started) / len(frames) < 0.1


async def test_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error ends it, and is raised for whoever runs it to say in one line."""

    def fail(*_arguments: object) -> list[str]:
        raise ZeroDivisionError

    async def meet_it() -> None:
        async with terminal() as seen:
            apps.append(seen.app)
            monkeypatch.setattr(seen.app.fleet_view, "survey", fail)
            seen.source.say(pulses(HOSTS, NOW + 1))
            await wait_until(lambda: seen.app.failure, "the failure")

    apps: list[TopApp] = []
    with pytest.raises(ZeroDivisionError):
        await meet_it()
    assert isinstance(apps[0].failure, ZeroDivisionError)


async def test_its_tasks_end_with_it() -> None:
    """Nothing of it outlives it."""
    async with terminal():
        pass
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"source", "selection"})
