import re
import time

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser


def open_host(page: Page, query: str = "") -> None:
    page.goto(f"/#/host/web-1{query}")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile("%"))


def paused_second(page: Page) -> int:
    """Return the second of the day, which is in UTC, that the bar names."""
    bar = page.locator(".bar p")
    expect(bar).to_have_text(re.compile(r"^Paused at \d\d:\d\d:\d\d$"))
    hours, minutes, seconds = bar.inner_text().removeprefix("Paused at ").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def test_pause_stops_what_is_seen_and_nothing_else(page: Page, bridge: FakeBridge) -> None:
    """While paused an amber bar says since when, numbers stand still, and what came meanwhile is there at Resume."""
    bridge.hosts = [MadeUpHost("web-1", busy=20.0)]
    open_host(page)
    total = page.locator('[data-panel="cpu"] dd').first
    expect(total).to_have_text("20 %")
    page.keyboard.press("p")
    expect(page.locator(".bar p")).to_have_text(re.compile(r"^Paused at \d\d:\d\d:\d\d$"))
    expect(page.locator("body")).to_have_attribute("data-link", "paused")
    bridge.hosts[0].busy = 70.0
    bridge.tick()
    # Whatever is written is written in the next frame.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(total).to_have_text("20 %")
    page.get_by_role("button", name="Resume").click()
    expect(total).to_have_text("70 %")
    expect(page.locator(".bar")).to_be_hidden()


def test_a_moment_is_a_link(page: Page, bridge: FakeBridge) -> None:
    """A pause is in the address; whoever opens it sees that moment, with as much past as there is."""
    bridge.now = time.time()
    open_host(page)
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"pause=\d+\.\d+$"))
    before = paused_second(page)
    bridge.now = time.time()
    page.reload()
    assert abs(paused_second(page) - before) <= 1
    assert bridge.messages("watch")[-1]["history"] == 900
    page.keyboard.press("p")
    expect(page).not_to_have_url(re.compile("pause"))
    expect(page.locator(".bar")).to_be_hidden()


def test_a_moment_is_by_the_bridges_clock(page: Page, bridge: FakeBridge) -> None:
    """A link names a moment by the bridge's clock, so that it is the same moment for a browser whose clock is off."""
    bridge.now = time.time() - 3600
    moment = bridge.now - 100
    page.goto(f"/#/host/web-1?pause={moment:.1f}")
    assert abs(paused_second(page) - (bridge.now + 3600 - 100) % 86400) <= 5


@pytest.mark.parametrize("ago", [901, -60])
def test_a_moment_that_is_not_kept_is_said_so(page: Page, bridge: FakeBridge, ago: float) -> None:
    """A link to a moment that is over, or still to come, says so and shows now."""
    page.goto(f"/#/host/web-1?pause={bridge.now - ago:.1f}")
    expect(page.locator(".bar p")).to_have_text(re.compile("^What this link shows, .* This is now.$"))
    expect(page).not_to_have_url(re.compile("pause"))
    expect(page.locator(".header-end .pause")).to_have_attribute("aria-pressed", "false")


def test_the_window_is_longer_or_shorter_by_key_and_in_the_address(page: Page) -> None:
    """`w` and `W` change the window between 1, 5 and 15 minutes; the address says it, and a link decides it."""
    open_host(page)
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("win=300"))
    page.keyboard.press("w")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("win=900"))
    page.keyboard.press("W")
    expect(page).to_have_url(re.compile("win=300"))
    page.goto("/#/host/web-2?win=900")
    expect(page.get_by_role("button", name="15 min", exact=True)).to_have_attribute("aria-pressed", "true")


def test_trouble_is_told_before_the_pause(page: Page, bridge: FakeBridge) -> None:
    """A connection lost while paused is told in the bar; the header still shows that time stands still."""
    open_host(page)
    page.keyboard.press("p")
    expect(page.locator(".bar")).to_contain_text("Paused at")
    bridge.refuse = True
    bridge.cut()
    expect(page.locator(".bar")).to_contain_text("Connection to bridge lost")
    expect(page.locator(".header-end .pause")).to_have_attribute("aria-pressed", "true")
    bridge.refuse = False
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".bar")).to_contain_text("Paused at")
