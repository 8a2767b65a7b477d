import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def five_hosts(bridge: FakeBridge) -> None:
    bridge.hosts = [MadeUpHost(f"web-{number}", number=number - 1) for number in range(1, 6)]


def test_a_host_is_found_and_opened_by_keyboard_alone(page: Page) -> None:
    """The keys j and k and the arrows move from host to host, Enter opens the one that is reached."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(5)
    for key, reached in (("j", "web-1"), ("j", "web-2"), ("ArrowDown", "web-3"), ("k", "web-2")):
        page.keyboard.press(key)
        expect(page.locator(f'tr[data-host="{reached}"] .host-link')).to_be_focused()
    expect(page.locator("[data-cursor]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("web-2")


def test_in_the_grid_the_arrows_move_by_a_line(page: Page) -> None:
    """Arrow down leads to the card below, j to the next one."""
    page.goto("/#/?view=grid")
    expect(page.locator(".card[data-host]")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    expect(page.locator('.card[data-host="web-5"] .host-link')).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator('.card[data-host="web-4"] .host-link')).to_be_focused()


def test_the_focus_stays_when_the_fleet_is_scrolled(page: Page, bridge: FakeBridge) -> None:
    """Rows that went out of sight are used again, and the row with the focus keeps it."""
    open_long_fleet(page, bridge)
    expect(page.locator('tr[data-host="node-0020"]')).to_be_attached()
    for _ in range(25):
        page.keyboard.press("j")
    focused = page.locator('tr[data-host="node-0024"] .host-link')
    expect(focused).to_be_focused()
    page.mouse.move(700, 600)
    page.mouse.wheel(0, 300)
    expect(page.locator('tr[data-host="node-0000"]')).not_to_be_attached()
    expect(focused).to_be_focused()


def test_the_cursor_goes_through_rows_that_do_not_exist_yet(page: Page, bridge: FakeBridge) -> None:
    """In a long fleet the cursor scrolls with it, and the focused row is never hidden under the head."""
    open_long_fleet(page, bridge)
    for _ in range(40):
        page.keyboard.press("j")
    reached = page.locator('tr[data-host="node-0039"]')
    expect(reached.locator(".host-link")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("k")
    reached = page.locator('tr[data-host="node-0009"]')
    expect(reached.locator(".host-link")).to_be_focused()
    head = page.locator(".fleet-table thead th").first.bounding_box()
    row = reached.bounding_box()
    assert head is not None
    assert row is not None
    assert row["y"] >= head["y"] + head["height"] - 1
    assert row["y"] + row["height"] <= 901


def test_keys_that_come_faster_than_rows(page: Page, bridge: FakeBridge) -> None:
    """A row that the page has yet to make gets the focus once it is there."""
    open_long_fleet(page, bridge)
    page.evaluate(
        """() => {
          for (let times = 0; times < 90; times += 1)
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true, cancelable: true }))
        }"""
    )
    expect(page.locator('tr[data-host="node-0089"] .host-link')).to_be_focused()


def test_the_focus_never_lands_on_another_host(page: Page, bridge: FakeBridge) -> None:
    """A focused row that is scrolled away takes the focus with it, and the next key goes on from where it was."""
    open_long_fleet(page, bridge)
    page.keyboard.press("j")
    expect(page.locator('tr[data-host="node-0000"] .host-link')).to_be_focused()
    page.evaluate("scrollTo(0, 9000)")
    expect(page.locator('tr[data-host="node-0000"]')).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('[data-host]')") is None
    page.keyboard.press("j")
    expect(page.locator('tr[data-host="node-0001"] .host-link')).to_be_focused()


def test_the_filter_leads_to_what_it_found(page: Page) -> None:
    """From the filter, Enter goes to the first host that fits."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(5)
    page.keyboard.press("/")
    page.keyboard.type("web-4")
    expect(page.locator("tr[data-host]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator('tr[data-host="web-4"] .host-link')).to_be_focused()


def test_hosts_are_picked_and_compared_by_keyboard(page: Page) -> None:
    """The key c picks hosts, a bar says which, and Enter leads to the page that compares them."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(5)
    for key in "jjc":
        page.keyboard.press(key)
    bar = page.locator(".compare-bar")
    expect(bar).to_contain_text("1 host picked: web-2")
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    for key in "jjc":
        page.keyboard.press(key)
    expect(bar).to_contain_text("2 hosts picked: web-2, web-4")
    assert "hosts=web-2,web-4" in page.url
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"#/compare\?hosts=web-2,web-4$"))


def test_what_is_picked_is_in_the_link_and_escape_lets_go(page: Page) -> None:
    """A link brings the picked hosts along; Escape picks none, and once more leaves the filter."""
    page.goto("/#/?hosts=web-1,web-3&q=web")
    expect(page.locator(".compare-bar")).to_contain_text("2 hosts picked: web-1, web-3")
    expect(page.locator('tr[data-host="web-3"] .pick-host')).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".compare-bar")).to_be_hidden()
    assert "hosts=" not in page.url
    assert "q=web" in page.url
    page.keyboard.press("Escape")
    expect(page.locator(".filter-bar")).to_be_hidden()
    assert "q=" not in page.url


def test_hosts_are_picked_with_the_mouse_eight_at_most(page: Page, bridge: FakeBridge) -> None:
    """Each row has a button that picks its host; a ninth is not taken."""
    bridge.hosts = [MadeUpHost(f"web-{number:02d}", number=number) for number in range(12)]
    page.goto("/#/?sort=name")
    for number in range(9):
        page.locator(f'tr[data-host="web-{number:02d}"]').hover()
        page.get_by_role("button", name=f"Compare web-{number:02d}").click()
    expect(page.locator("tr[data-picked]")).to_have_count(8)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("tr[data-picked]")).to_have_count(0)


def open_long_fleet(page: Page, bridge: FakeBridge) -> None:
    """Open a fleet with far more hosts than fit into the window, by name."""
    bridge.hosts = [MadeUpHost(f"node-{number:04d}", number=number, cores=2) for number in range(400)]
    page.goto("/#/?sort=name")
    expect(page.locator('tr[data-host="node-0000"]')).to_be_visible()
