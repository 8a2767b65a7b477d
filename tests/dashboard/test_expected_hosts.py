"""Hosts that the bridge expects, on each page: the names of its list, and what was not heard yet."""

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

NOTES = "Arrives in December.\nRack 3, unit 9."


@pytest.fixture
def bridge(bridge: FakeBridge) -> FakeBridge:
    """Give a bridge that expects a live host, and one that was not heard yet."""
    bridge.hosts.append(MadeUpHost("db-2", number=2))
    bridge.states["db-2"] = "waiting"
    bridge.expected["web-1"] = {"name": "Shop", "tags": ["paris"], "notes": "Ask Jane."}
    bridge.expected["db-2"] = {"name": "Orders", "tags": ["db", "paris"], "notes": NOTES}
    return bridge


def names(page: Page) -> list[str]:
    return page.locator(".host-link").all_inner_texts()


@pytest.mark.parametrize(
    ("view", "row", "values"),
    [("table", "tr", "td"), ("grid", ".card", ".card-meters, .card-strips, .card-line")],
)
def test_a_host_that_was_not_heard_yet_has_a_place(page: Page, view: str, row: str, values: str) -> None:
    """It has the name, tags and notes of the list beside its id, and no value: neither 0 nor a dash."""
    page.goto(f"/#/?view={view}")
    waiting = page.locator(f'{row}[data-host="db-2"]')
    expect(waiting.locator(".host-link")).to_have_text("Orders")
    expect(waiting.locator(".host-id")).to_have_text("db-2")
    expect(waiting.locator(".state")).to_have_text("has not reported yet")
    expect(waiting.locator(".about")).to_contain_text("Arrives in December.")
    expect(waiting.locator(".tag-button")).to_have_text(["db", "paris"])
    cells = waiting.locator(values).filter(visible=True)
    assert cells.count() > 0
    assert "".join(cells.all_inner_texts()).strip() == ""
    for drawn in waiting.locator("canvas, .meter").all():
        expect(drawn).to_be_hidden()
    page.locator('button.counter[data-state="waiting"]').click()
    expect(page.locator(".host-link")).to_have_text(["Orders"])


def test_a_live_host_has_the_name_of_the_list(page: Page) -> None:
    """Its id stays beside it; a host that is not on the list has its own name alone."""
    page.goto("/")
    live = page.locator('tr[data-host="web-1"]')
    expect(live.locator(".host-link")).to_have_text("Shop")
    expect(live.locator(".host-id")).to_have_text("web-1")
    expect(live.locator(".about")).to_have_text("Debian 12, 8 cores")
    expect(live.locator(".host-link")).to_have_attribute("title", "web-1\nAsk Jane.")
    expect(page.locator('tr[data-host="web-2"] .host-link')).to_have_text("web-2")
    expect(page.locator('tr[data-host="web-2"] .host-id')).to_be_hidden()


def test_filters_know_the_list(page: Page) -> None:
    """A tag of the list filters as a host's own, and words find the name of the list, the id and the notes."""
    page.goto("/")
    page.locator('tr[data-host="db-2"] [data-tag="paris"]').click()
    expect(page.locator(".host-link")).to_have_text(["Orders", "Shop"])
    page.keyboard.press("Escape")
    for words, found in (("orders", ["Orders"]), ("web-1", ["Shop"]), ("december", ["Orders"])):
        page.locator(".search").fill(words)
        expect(page.locator(".host-link")).to_have_text(found)


def test_the_page_of_a_host_that_was_not_heard_yet(page: Page, bridge: FakeBridge) -> None:
    """It says since when the bridge waits, has the notes, and no panel until the host is heard."""
    page.goto("/#/host/db-2")
    expect(page.locator("h1")).to_have_text("Orders")
    expect(page.locator(".identity .host-id")).to_have_text("db-2")
    expect(page.locator(".identity .state")).to_have_text("has not reported yet")
    expect(page.locator('[data-fact="notes"] dd')).to_have_text(NOTES)
    expect(page.locator('[data-fact="last sample"]')).to_be_hidden()
    expect(page.get_by_text("This host is expected and has not reported yet.")).to_be_visible()
    expect(page.get_by_text("an agent with the host id db-2")).to_be_visible()
    expect(page.locator(".panel").first).to_be_hidden()
    expect(page).to_have_title("Orders (db-2) · Fleetglass")
    bridge.states["db-2"] = "live"
    bridge.send(
        "host",
        id="db-2",
        state="live",
        since=bridge.now,
        info=bridge.hosts[-1].info(bridge.now),
        expected=bridge.expected["db-2"],
    )
    bridge.tick()
    expect(page.locator(".identity .state")).to_have_text("live")
    expect(page.locator('[data-panel="cpu"] dd').first).to_contain_text("%")
    expect(page.get_by_text("The bridge has waited")).to_be_hidden()
    expect(page.locator('[data-fact="notes"] dd')).to_have_text(NOTES)


def test_the_facts_of_a_host_on_the_list(page: Page) -> None:
    """The panel of facts has what the list says, and all tags; switcher and search name host and id."""
    page.goto("/#/host/web-1")
    facts = page.locator('[data-panel="info"]')
    expect(facts).to_contain_text("Ask Jane.")
    expect(facts).to_contain_text("yes, on the bridge's list of hosts")
    expect(facts).to_contain_text("paris, rack-3, web")
    expect(page.locator(".switcher option:checked")).to_have_text("Shop (web-1)")
    page.keyboard.press("Control+k")
    page.keyboard.type("orders")
    expect(page.locator('[role="option"]').first).to_contain_text("db-2 db paris")


def test_a_list_that_changes(page: Page, bridge: FakeBridge) -> None:
    """A host that is added appears, a changed name is shown, and an unheard host that is removed goes."""
    page.goto("/")
    expect(page.locator(".host-link")).to_have_text(["Orders", "Shop", "web-2"])
    bridge.send("host", id="nas", state="waiting", since=bridge.now, expected={})
    bridge.send("host", id="db-2", removed=True)
    bridge.send("host", id="web-1", state="live", since=bridge.now, expected={"name": "Front"})
    expect(page.locator(".host-link")).to_have_text(["nas", "Front", "web-2"])


def test_a_host_that_was_not_heard_yet_is_compared(page: Page) -> None:
    """It is named with its id and state, and has no line and no value."""
    page.goto("/#/compare?hosts=web-1,db-2&metric=cpu_percent")
    chips = page.locator(".compare-choice").first
    expect(chips).to_contain_text("Shop (web-1)")
    expect(chips).to_contain_text("Orders (db-2)")
    expect(chips).to_contain_text("has not reported yet")
    expect(page.locator('tr[data-host="web-1"] td').first).to_contain_text("%")
    expect(page.locator('tr[data-host="db-2"] td')).to_have_text(["—"] * 4)


def test_only_hosts_that_were_not_heard_yet(page: Page, bridge: FakeBridge) -> None:
    """They are listed, and how a host is added is said as for an empty fleet."""
    bridge.hosts = [host for host in bridge.hosts if host.id == "db-2"]
    page.goto("/")
    expect(page.locator(".host-link")).to_have_text(["Orders"])
    expect(page.get_by_text("fleetglass agent --broker mqtt://BROKER:1883")).to_be_visible()
