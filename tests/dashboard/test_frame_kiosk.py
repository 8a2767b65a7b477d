import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge, run_until

pytestmark = pytest.mark.browser

COUNT_LOCKS = """
  window.locks = []
  Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => {
    const lock = { kind, released: false, release: async () => { lock.released = true } }
    window.locks.push(lock)
    return lock
  } } })
"""


def test_a_kiosk_shows_nothing_but_data(page: Page) -> None:
    """A kiosk has no header, larger type and a screen that stays on; Esc ends all of it."""
    page.add_init_script(COUNT_LOCKS)
    page.goto("/#/host/web-1?kiosk=1")
    expect(page.locator(".host-name")).to_have_css("font-size", "28px")
    expect(page.locator("#header")).to_be_hidden()
    page.wait_for_function("() => window.locks.length === 1 && !window.locks[0].released")
    page.keyboard.press("Escape")
    expect(page.locator("#header")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/host/web-1$"))
    page.wait_for_function("() => window.locks[0].released")


def test_the_pointer_hides_in_a_kiosk(page: Page, bridge: FakeBridge) -> None:
    """After three seconds without a move there is no pointer, and with the next move there is."""
    page.goto("/#/?kiosk=1")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    root = page.locator("html")
    bridge.stop_time()
    page.clock.run_for(3_100)
    expect(root).to_have_css("cursor", "none")
    page.mouse.move(200, 200)
    expect(root).not_to_have_css("cursor", "none")


def test_a_kiosk_goes_from_host_to_host(page: Page, bridge: FakeBridge) -> None:
    """With a cycle the page goes from the fleet through every host and back, and keeps what else the address says."""
    page.goto("/#/?kiosk=1&cycle=20")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.stop_time()
    for expected in ("#/host/web-1", "#/host/web-2", "#/", "#/host/web-1"):
        before = page.url
        run_until(page, lambda before=before: page.url != before, "the next page", milliseconds=900)  # type: ignore[misc]
        assert f"{expected}?kiosk=1&cycle=20" in page.url
        page.clock.fast_forward(19_000)
        assert f"{expected}?kiosk=1&cycle=20" in page.url


def test_a_kiosk_goes_only_where_it_is_told(page: Page, bridge: FakeBridge) -> None:
    """With hosts in the address the cycle goes through those only."""
    page.goto("/#/host/web-2?kiosk=1&cycle=5&hosts=web-2")
    expect(page.locator(".host-name")).to_have_text("web-2")
    bridge.stop_time()
    page.clock.run_for(5_100)
    expect(page).to_have_url(re.compile("#/host/web-2"))


def test_the_palette_opens_a_kiosk(page: Page) -> None:
    """The kiosk is found in the palette, and is then in the address."""
    page.goto("/#/host/web-1")
    expect(page.locator(".host-name")).to_have_text("web-1")
    page.keyboard.press("Control+k")
    page.keyboard.type("kiosk")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("kiosk=1"))
    expect(page.locator("#header")).to_be_hidden()
