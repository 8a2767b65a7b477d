import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def troubled_fleet(bridge: FakeBridge) -> None:
    """Of three hosts one has a full disk and little memory."""
    bridge.hosts = [
        MadeUpHost("web-1", changes={"tags": ["paris", "web"]}),
        MadeUpHost("web-2", number=1, changes={"tags": ["berlin"]}),
        MadeUpHost("web-3", number=2, changes={"tags": ["paris", "a,b"]}),
    ]
    bridge.pulses["web-2"] = bridge.hosts[1].pulse(bridge.now, filesystem_percent=91.0, memory_percent=96.0)


def test_a_row_says_what_is_worst(page: Page) -> None:
    """A host in trouble stands first and names the worst in words beside a shape; the rest is in the title."""
    page.goto("/")
    expect(page.locator(".host-link")).to_have_text(["web-2", "web-1", "web-3"])
    chip = page.locator('tr[data-host="web-2"] .chip')
    expect(chip).to_have_text("◆memory 96 % +1")
    expect(chip).to_have_attribute("title", "memory 96 %\ndisk 91 %")
    expect(page.locator('tr[data-host="web-1"] .chip')).to_be_hidden()


def test_the_strip_counts_what_needs_attention_and_shows_only_that(page: Page, bridge: FakeBridge) -> None:
    """The number of hosts in trouble follows them, and its button shows only these."""
    page.goto("/")
    tile = page.locator(".tile-attention")
    expect(tile).to_contain_text("◆ 1 critical")
    bridge.set_state("web-3", "lost")
    expect(tile.locator(".value")).to_have_text("2")
    page.get_by_role("button", name="show only hosts that need attention").click()
    expect(page.locator(".host-link")).to_have_text(["web-2", "web-3"])
    assert "state=attention" in page.url
    bridge.set_state("web-3", "live")
    expect(page.locator(".host-link")).to_have_text(["web-2"])


def test_a_link_shows_only_what_needs_attention(page: Page) -> None:
    """The filter for attention is a state of the address like any other."""
    page.goto("/#/?state=attention")
    expect(page.locator(".host-link")).to_have_text(["web-2"])
    expect(page.locator(".filter-bar")).to_contain_text("1 of 3 hosts: attention")


def test_a_lost_host_keeps_its_numbers_and_empties_its_meters(page: Page, bridge: FakeBridge) -> None:
    """Of a lost host the last numbers stay, dimmed, the meters are empty and no old alert is repeated."""
    page.goto("/")
    row = page.locator('tr[data-host="web-2"]')
    expect(row.locator(".column-memory .number")).to_have_text("96 %")
    bridge.set_state("web-2", "lost")
    expect(row).to_contain_text("lost since")
    expect(row.locator(".column-memory .number")).to_have_text("96 %")
    expect(row.locator(".column-memory .meter-fill")).to_have_css("visibility", "hidden")
    expect(row.locator(".chip")).to_be_hidden()
    expect(row.locator(".column-seen .number")).not_to_have_text("now")


def test_a_tag_filters(page: Page) -> None:
    """Pressing a tag shows only its hosts, a second one narrows further, and each can be left out again."""
    page.goto("/")
    page.locator('tr[data-host="web-1"]').get_by_role("button", name="paris").click()
    expect(page.locator(".host-link")).to_have_text(["web-1", "web-3"])
    assert "tag=paris" in page.url
    page.locator('tr[data-host="web-3"]').get_by_role("button", name="a,b").click()
    expect(page.locator(".host-link")).to_have_text(["web-3"])
    page.reload()
    expect(page.locator(".host-link")).to_have_text(["web-3"])
    page.get_by_role("button", name="Without the tag paris").click()
    page.get_by_role("button", name="Without the tag a,b").click()
    expect(page.locator(".host-link")).to_have_count(3)
    expect(page.locator(".filter-bar")).to_be_hidden()


def test_hostile_tags_are_only_text(page: Page, bridge: FakeBridge) -> None:
    """Markup, very long and very many tags are text in a row of the usual height."""
    tags = ["<img src=x onerror=alert(1)>", "x" * 5000, "\u202eevil", "__proto__", *map(str, range(500))]
    bridge.hosts[0].changes = {"tags": tags}
    page.goto("/#/?sort=name")
    row = page.locator('tr[data-host="web-1"]')
    expect(row.locator(".tag-button").first).to_have_text("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0
    expect(row.locator(".tags .more")).to_have_text("+501")
    assert row.bounding_box()["height"] == pytest.approx(36, abs=1)  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row.locator(".tag-button").first.click()
    expect(page.locator(".host-link")).to_have_text(["web-1"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
