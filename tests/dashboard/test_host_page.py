import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.pixels import wait_for_ink
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0
CPU = '[data-panel="cpu"] canvas'


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge(
        now=NOW, hosts=[MadeUpHost("web-1", busy=50), MadeUpHost("web-2", number=1, busy=10, sensors=False)]
    )


def open_host(page: Page, host: str = "web-1") -> None:
    page.goto(f"/#/host/{host}")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile("%"))
    page.clock.set_fixed_time(NOW + 1)


def test_switching_host_leaves_no_old_series(page: Page) -> None:
    """The page is not loaded again, and the other host's line is where its own values are."""
    open_host(page)
    wait_for_ink(page, CPU)
    page.evaluate("window.stillHere = true")
    page.get_by_role("combobox", name="Host").select_option("web-2")
    expect(page.get_by_role("heading", level=1)).to_have_text("web-2")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text("10 %")
    found = wait_for_ink(page, CPU)
    assert found.top == pytest.approx(1 - 0.062, abs=0.03)
    assert page.evaluate("window.stillHere") is True
    page.keyboard.press("[")
    expect(page.get_by_role("heading", level=1)).to_have_text("web-1")


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_a_wrong_clock_is_said(page: Page, bridge: FakeBridge, ahead: float) -> None:
    """Of a host whose clock is an hour off the page says so in words."""
    bridge.hosts = [MadeUpHost("web-1", busy=50, clock_ahead=ahead)]
    open_host(page)
    bridge.tick()
    side = "ahead of" if ahead > 0 else "behind"
    expect(page.locator(".host-warning")).to_have_text(re.compile(f"clock 60 min {side} the bridge's"))


def test_what_a_host_lacks_is_said_in_words(page: Page) -> None:
    """A host without sensors has a panel that says so, and no empty chart."""
    open_host(page, "web-2")
    panel = page.locator('[data-panel="temp"]')
    expect(panel.locator(".note")).to_have_text("no sensors on this host")
    expect(panel.locator("canvas")).to_be_hidden()


def test_a_failed_collector_is_said_in_its_panel(page: Page, bridge: FakeBridge) -> None:
    """The panel of a group whose collector failed gives the reason; the others go on."""
    open_host(page)
    bridge.now += 1
    samples = bridge.hosts[0].live(bridge.now)
    del samples["disk"]
    samples["collector"]["collectors"]["disk"] = {"state": "failed", "reason": "<b>permission denied</b>"}
    bridge.send("live", host="web-1", samples=samples)
    expect(page.locator('[data-panel="disk"] .note')).to_have_text(
        "collector failed: <b>permission denied</b>"
    )
    expect(page.locator('[data-panel="mem"] .note')).to_be_hidden()


def test_failed_collectors_come_first(page: Page, bridge: FakeBridge) -> None:
    """What the agent could not read stands above what took longest, with its reason."""
    open_host(page)
    bridge.now += 1
    samples = bridge.hosts[0].live(bridge.now)
    runs = samples["collector"]["collectors"]
    runs["memory"]["reason"] = "one line is no number"
    runs["unit"] = {"state": "failed", "duration_seconds": 0.00001, "reason": "no systemd runs here"}
    bridge.send("live", host="web-1", samples=samples)
    rows = page.locator('[data-panel="agent"] tbody tr')
    expect(rows.nth(0)).to_contain_text("no systemd runs here")
    expect(rows.nth(1)).to_contain_text("one line is no number")
    expect(rows.nth(2)).to_contain_text("process")


def test_a_battery_is_in_trouble_when_it_is_low(page: Page, bridge: FakeBridge) -> None:
    """A full battery is well, an empty one is not, and each says what it does."""
    open_host(page)
    batteries = {
        "BAT0": {"charge_percent": 98.0, "status": "not-charging", "power_watts": 0.0},
        "BAT1": {"charge_percent": 15.0, "plugged": False, "left_seconds": 600},
        "BAT2": {"charge_percent": 5.0, "plugged": True},
    }
    bridge.send("live", host="web-1", samples={"power": {"time": NOW, "tick": 1, "batteries": batteries}})
    cards = page.locator('[data-panel="power"] .battery')
    expect(cards).to_have_text(
        ["BAT098 %not chargingpower0.0 W", "BAT115 %on batterytime left00:10:00", "BAT25.0 %plugged in"]
    )
    levels = [card.locator(".metered").get_attribute("data-level") for card in cards.all()]
    assert levels == [None, "warn", "critical"]


def test_names_of_sensors_can_be_told_apart(page: Page, bridge: FakeBridge) -> None:
    """Long names are shown whole, and every limit stays in sight."""
    open_host(page)
    names = ("Package id 0", "Core 0", "Core 1")
    temperatures = {
        f"coretemp/{name}": {
            "chip": "coretemp",
            "label": name,
            "current_celsius": 47.0,
            "high_celsius": 100.0,
            "critical_celsius": 100.0,
        }
        for name in names
    }
    bridge.send(
        "live", host="web-1", samples={"sensor": {"time": NOW, "tick": 1, "temperatures": temperatures}}
    )
    panel = page.locator('[data-panel="temp"]')
    expect(panel.locator("tbody tr")).to_have_count(3)
    cut_off = panel.locator(".table-box, tbody th").evaluate_all(
        "(boxes) => boxes.filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.textContent)"
    )
    assert cut_off == []


def test_every_interface_can_be_chosen(page: Page) -> None:
    """Real interfaces are drawn unasked; each can be added or taken out, and what is drawn is added up."""
    open_host(page)
    panel = page.locator('[data-panel="net"]')
    expect(panel.locator("tr.picked")).to_have_count(2)
    received = panel.locator(".reading.large dd").first
    both = received.inner_text()
    panel.get_by_role("button", name="wlan0").click()
    expect(received).to_have_text(both)
    panel.get_by_role("button", name="wg0").click()
    expect(received).not_to_have_text(both)
    panel.get_by_role("button", name="eth0").click()
    expect(panel.locator("tr.picked")).to_have_text([re.compile("^wg0")])
    expect(received).to_have_text(panel.locator("tr.picked td").first.inner_text())


def test_devices_that_come_and_go_are_followed(page: Page, bridge: FakeBridge) -> None:
    """An interface that vanishes leaves the table, and one that appears enters it, whatever its name."""
    open_host(page)
    bridge.now += 1
    samples = bridge.hosts[0].live(bridge.now)
    interfaces = samples["network"]["interfaces"]
    interfaces["__proto__x"] = interfaces.pop("eth0")
    bridge.send("live", host="web-1", samples=samples)
    rows = page.locator('[data-panel="net"] tbody')
    expect(rows).to_contain_text("__proto__x")
    expect(rows).not_to_contain_text("eth0")


def test_processes_can_be_ordered_by_memory(page: Page, bridge: FakeBridge) -> None:
    """The table of processes shows the largest by CPU, or by memory when asked."""
    open_host(page)
    bridge.now += 1
    samples = bridge.hosts[0].live(bridge.now)
    samples["process"]["top_memory"] = [{"pid": 1, "name": "hungry", "memory_percent": 61.0}]
    bridge.send("live", host="web-1", samples=samples)
    panel = page.locator('[data-panel="proc"]')
    expect(panel).to_contain_text("postgres")
    panel.get_by_role("button", name="by memory").click()
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.locator("tbody")).to_contain_text("hungry")


def test_a_group_this_page_does_not_know_is_drawn_all_the_same(page: Page, bridge: FakeBridge) -> None:
    """Numbers of an unknown group get a panel of their own, in the unit that the host gives."""
    fields = {"depth_bytes": {"unit": "bytes"}, "water_celsius": {"unit": "celsius"}}
    groups = bridge.hosts[0].info(NOW)["groups"] | {"queue": {"interval_seconds": 1, "fields": fields}}
    bridge.hosts[0].changes = {"groups": groups}
    open_host(page)
    bridge.send(
        "live",
        host="web-1",
        samples={"queue": {"time": NOW, "tick": 1, "depth_bytes": 2048, "jobs": 7, "water_celsius": 21.53}},
    )
    panel = page.locator('[data-panel="queue"]')
    expect(panel.locator("tbody tr").nth(0)).to_contain_text("2.00 KiB")
    expect(panel.locator("tbody tr").nth(1)).to_contain_text("jobs")
    expect(panel.locator("tbody tr").nth(2)).to_contain_text("21.5 °C")


def test_words_of_an_unknown_group_are_shown_with_its_numbers(page: Page, bridge: FakeBridge) -> None:
    """Texts, lists, switches and moments of an unknown group are rows of their own."""
    open_host(page)
    door = {"state": "open", "keys": ["red", "blue"], "locked": False, "since_time": NOW - 86_400}
    bridge.send("live", host="web-1", samples={"custom-door": {"time": NOW, "tick": 1, "front": door}})
    panel = page.locator('[data-panel="custom-door"]')
    expect(panel.get_by_role("heading")).to_have_text("door")
    expect(panel.locator("tbody th")).to_have_text(
        ["front / state", "front / keys", "front / locked", "front / since_time"]
    )
    expect(panel.locator("tbody td")).to_have_text(
        ["open", "red, blue", "false", re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")]
    )


def test_a_longer_window_asks_for_a_longer_past(page: Page, bridge: FakeBridge) -> None:
    """Choosing 5 minutes fills the chart with 5 minutes at once, and is kept for the next host."""
    open_host(page)
    page.get_by_role("button", name="5 min", exact=True).click()
    page.clock.set_fixed_time(NOW + 2)
    assert wait_for_ink(page, CPU).columns[0] < 0.02
    assert bridge.messages("watch")[-1] == {
        "type": "watch",
        "fleet": False,
        "hosts": {"web-1": "*"},
        "history": 305,
    }
    page.goto("/#/host/web-2")
    expect(page.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")


def test_an_unknown_host_is_said_in_words(page: Page) -> None:
    """An address of a host that nobody knows says so instead of showing empty panels."""
    page.goto("/#/host/nobody")
    expect(page.locator(".nothing:visible")).to_contain_text("No host of this name is known")
    expect(page.locator(".panel")).to_have_count(0)
