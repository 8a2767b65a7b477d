"""A host may publish any number that JSON can write: the pages go on, and show the number as unknown."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost, Payload

pytestmark = pytest.mark.browser

BEYOND_FLOATS = 10**308 * 17
"""An integer of 310 digits: JavaScript reads it as Infinity."""
ABSURD = {"1e308": 1e308, "integer": BEYOND_FLOATS, "negative": -1e308, "denormal": 5e-324}

every_number = pytest.mark.parametrize("number", ABSURD.values(), ids=ABSURD)


@dataclass(slots=True)  # which leaves no `super()`
class AbsurdHost(MadeUpHost):
    """A made-up host that publishes one number wherever a host may choose its numbers."""

    absurd: float = 0.0

    def info(self, now: float) -> Payload:
        """Return facts that name the custom group, with a limit for one of its fields."""
        info = MadeUpHost.info(self, now)
        fields = {"a_bytes": {"unit": "bytes"}, "limited": {"unit": "percent", "limit": self.absurd}}
        info["groups"]["custom-x"] = {"interval_seconds": self.absurd, "fields": fields}
        return info

    def pulse(self, now: float, **changes: object) -> Payload:
        """Return headline numbers, one of them absurd."""
        return MadeUpHost.pulse(self, now, network_receive_bytes_per_second=self.absurd, **changes)

    def live(self, now: float) -> dict[str, Payload]:
        """Return every group of one tick with absurd numbers among the usual ones."""
        groups = MadeUpHost.live(self, now)
        stamp = {"time": groups["cpu"]["time"], "tick": groups["cpu"]["tick"]}
        groups["network"]["interfaces"]["eth0"]["receive_bytes_per_second"] = self.absurd
        groups["memory"]["total_bytes"] = self.absurd
        groups["custom-x"] = stamp | {"a_bytes": self.absurd, "limited": self.absurd, "plain": self.absurd}
        return groups


def watch(page: Page, bridge: FakeBridge, address: str, number: float) -> None:
    """Open an address of a fleet with one absurd host, and let three seconds pass."""
    bridge.hosts = [AbsurdHost("web-1", absurd=number), MadeUpHost("web-2", number=1)]
    page.goto(address)
    for _ in range(3):
        page.wait_for_timeout(300)
        bridge.tick()


def draw_frames(page: Page) -> None:
    """Return once the page has run its loop twice; a page that hangs never does."""
    frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    assert page.evaluate(frames) is True


@every_number
def test_a_host_page_outlives_any_number(page: Page, bridge: FakeBridge, number: float) -> None:
    """An absurd number in a custom group, an interface and the memory leaves every other panel as it is."""
    watch(page, bridge, "/#/host/web-1", number)
    expect(page.locator('[data-panel="custom-x"] canvas').first).to_be_visible()
    page.locator('[data-panel="custom-x"]').scroll_into_view_if_needed()
    bridge.tick()
    draw_frames(page)
    expect(page.locator('[data-panel="cpu"] dd').first).to_contain_text("%")
    text = page.locator("main").inner_text()
    assert not [word for word in ("NaN", "Infinity", "e+") if word in text]


@every_number
def test_the_fleet_page_outlives_any_number(page: Page, bridge: FakeBridge, number: float) -> None:
    """An absurd number in the pulse of one host leaves the rows of all hosts and the sums as they are."""
    watch(page, bridge, "/", number)
    for host in ("web-1", "web-2"):
        expect(page.locator(f'tr[data-host="{host}"] .column-cpu .number')).to_contain_text("%")
    draw_frames(page)
    text = page.locator("main").inner_text()
    assert not [word for word in ("NaN", "Infinity", "e+") if word in text]


@every_number
def test_the_compare_page_outlives_any_number(page: Page, bridge: FakeBridge, number: float) -> None:
    """An absurd number in a pulse or a group that is compared leaves the line of the other host as it is."""
    metrics = "network_receive_bytes_per_second,custom-x.a_bytes,network.receive_bytes_per_second"
    watch(page, bridge, f"/#/compare?hosts=web-1,web-2&metric={metrics}", number)
    other = page.locator('[data-metric="network_receive_bytes_per_second"] tr[data-host="web-2"] td').first
    expect(other).to_contain_text("iB/s")
    draw_frames(page)
    text = page.locator("main").inner_text()
    assert not [word for word in ("NaN", "Infinity", "e+") if word in text]


@pytest.mark.parametrize(
    "query", ["pause=1e300", "pause=1e15", "win=1e300", "kiosk=1&cycle=1e12", "kiosk=1&cycle=1e-9"]
)
def test_the_page_outlives_any_number_in_its_address(page: Page, bridge: FakeBridge, query: str) -> None:
    """A link with an absurd moment, window or cycle shows the present, and stays where it is."""
    watch(page, bridge, f"/#/host/web-1?{query}", 1.0)
    expect(page.locator('[data-panel="cpu"] dd').first).to_contain_text("%")
    before = page.evaluate("history.length")
    page.wait_for_timeout(300)
    draw_frames(page)
    assert page.evaluate("history.length") == before
    assert "#/host/web-1" in page.url
