from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge, run_until
from support.samples import MadeUpHost
from support.waiting import wait_for

pytestmark = pytest.mark.browser


def test_a_missing_token_is_asked_for(page: Page, bridge: FakeBridge) -> None:
    """A bridge that wants a token is not asked again until one is given, which is kept for this tab only."""
    bridge.token = "s3cret"
    page.goto("/#/host/web-1")
    field = page.get_by_label("Viewer token")
    expect(page.locator(".bar p")).to_have_text("This bridge asks for its viewer token.")
    expect(field).to_be_focused()
    page.clock.fast_forward(60_000)
    assert bridge.connections == 1
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".bar p")).to_have_text("The bridge does not know this viewer token.")
    field.fill("http://127.0.0.1:8765/#token=s3cret")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator(".bar")).to_be_hidden()
    assert bridge.messages("hello")[-1]["token"] == "s3cret"
    assert page.url.endswith("#/host/web-1")
    holders = page.evaluate(
        "[localStorage, sessionStorage].map(store => Object.values(store).includes('s3cret'))"
    )
    assert holders == [False, True]


def test_a_token_is_taken_from_a_link_while_the_page_is_open(page: Page, bridge: FakeBridge) -> None:
    """A link with a token that is pasted into the open page connects with it and leaves the address at once."""
    bridge.token = "new"
    page.goto("/#token=old")
    expect(page.locator(".bar p")).to_have_text("The bridge does not know this viewer token.")
    page.evaluate("location.hash = '#token=new'")
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator("tr[data-host]")).to_have_count(2)
    assert "token" not in page.url


def test_a_bridge_of_another_version_is_told(page: Page, bridge: FakeBridge) -> None:
    """A bridge that was updated behind the open page is named with both versions; Reload brings the new page."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.version = "0.2.0"
    bridge.cut()
    expect(page.locator(".bar p")).to_have_text("The bridge is now of version 0.2.0, this page of 0.1.0.")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("tr[data-host]")).to_have_count(2)
    expect(page.locator(".bar")).to_be_hidden()


def test_another_protocol_asks_for_a_reload(page: Page, bridge: FakeBridge) -> None:
    """A bridge that speaks another protocol is told apart from one that is away."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.send("error", code="bad_protocol", text="got protocol 1, expected 2")
    bridge.refuse = True
    bridge.cut(1008)
    expect(page.locator(".bar p")).to_contain_text(
        "another version of the protocol: got protocol 1, expected 2"
    )
    expect(page.get_by_role("button", name="Reload")).to_be_visible()


@pytest.mark.parametrize(
    "event",
    ["window.dispatchEvent(new Event('online'))", "document.dispatchEvent(new Event('visibilitychange'))"],
)
def test_what_wakes_the_page_retries_at_once(page: Page, bridge: FakeBridge, event: str) -> None:
    """A page that comes online or into sight does not wait for its next attempt."""
    lose_bridge(page, bridge)
    page.evaluate(event)
    # No time has passed in which the page could dial by itself.
    wait_for_bridge(page, lambda: bridge.connections == 3, "the page dials again")


def test_the_page_is_whole_within_two_seconds_of_its_bridge(page: Page, bridge: FakeBridge) -> None:
    """A page that somebody sees finds a bridge that was away for four attempts within 2 s, and watches again."""
    lose_bridge(page, bridge)
    for attempt in range(3, 6):
        pass_until(page, f"(attempt {attempt})")
    bridge.refuse = False
    watched = len(bridge.messages("watch"))
    page.clock.run_for(2_000)
    wait_for_bridge(page, lambda: len(bridge.messages("watch")) > watched, "the page watches again")
    page.clock.run_for(100)
    expect(page.locator("body")).to_have_attribute("data-link", "ok")


def lose_bridge(page: Page, bridge: FakeBridge) -> None:
    """Open the page and end its connection; its clock then stands still, and it waits for its second attempt."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.stop_time()
    bridge.refuse = True
    bridge.cut()
    pass_until(page, "(attempt 2)")


def wait_for_bridge(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Wait for something that the bridge hears; no time passes in the page."""

    def is_so() -> bool:
        page.wait_for_timeout(20)
        return condition()

    wait_for(is_so, what)


def pass_until(page: Page, words: str) -> None:
    """Let time pass in the page until its bar says so."""
    run_until(page, lambda: words in page.locator(".bar").inner_text(), words)


def test_trouble_is_seen_from_another_tab(page: Page, bridge: FakeBridge) -> None:
    """Title and icon tell how many hosts are lost, on every page, and the icon that the broker is."""
    page.goto("/")
    icon = page.locator('link[rel="icon"]')
    expect(page).to_have_title("Fleetglass")
    expect(icon).to_have_attribute("href", "icon.svg")
    bridge.set_state("web-2", "lost")
    expect(page).to_have_title("(1) Fleetglass")
    expect(icon).to_have_attribute("href", "icon-trouble.svg")
    page.goto("/#/host/web-1")
    expect(page).to_have_title("(1) web-1 · Fleetglass")
    bridge.set_state("web-2", "live")
    expect(page).to_have_title("web-1 · Fleetglass")
    expect(icon).to_have_attribute("href", "icon.svg")
    bridge.send("broker", state="connecting", since=bridge.now)
    expect(icon).to_have_attribute("href", "icon-trouble.svg")


def test_listeners_are_told_changes_at_most_every_five_seconds(page: Page, bridge: FakeBridge) -> None:
    """What happens to hosts and connection is said politely, together, and never twice within five seconds."""
    bridge.hosts = [MadeUpHost(f"web-{number}", number=number) for number in range(1, 7)]
    page.goto("/")
    said = page.locator("p.unseen[role=status]").last
    expect(page.locator("tr[data-host]")).to_have_count(6)
    bridge.stop_time()
    bridge.set_state("web-1", "lost")
    page.clock.run_for(1_500)
    expect(said).to_have_text("web-1 lost.")
    for number in (2, 3, 4, 5):
        bridge.set_state(f"web-{number}", "late")
    bridge.set_state("web-1", "live")
    bridge.set_state("web-6", "lost")
    bridge.set_state("web-6", "live")
    page.clock.run_for(2_000)
    expect(said).to_have_text("web-1 lost.")
    page.clock.run_for(4_000)
    expect(said).to_have_text("4 hosts late. web-1 back.")


def test_a_bridge_that_answers_no_more_is_said_once(page: Page, bridge: FakeBridge) -> None:
    """Attempts are counted for the eye; a listener hears that the connection is lost, and that it is back."""
    page.goto("/")
    said = page.locator("p.unseen[role=status]").last
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.stop_time()
    bridge.refuse = True
    bridge.cut()
    run_until(page, lambda: said.inner_text() == "Connection to bridge lost.", "the loss is said")
    page.clock.run_for(6_000)
    expect(said).to_have_text("Connection to bridge lost.")
    bridge.refuse = False
    page.evaluate("window.dispatchEvent(new Event('online'))")
    run_until(page, lambda: said.inner_text() == "Connection is back.", "the return is said")


def test_an_address_of_no_page_is_said(page: Page, bridge: FakeBridge) -> None:
    """An address that leads nowhere shows the fleet and says so."""
    page.goto("/#/nothing")
    expect(page.locator(".bar p")).to_have_text("There is no page #/nothing; this is the fleet.")
    expect(page.locator("tbody [data-host]")).to_have_count(len(bridge.hosts))
