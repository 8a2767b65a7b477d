import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

TABLE_BELOW_MAIN = (
    "document.querySelector('.fleet-table').offsetTop - document.querySelector('main').offsetTop"
)


def test_a_key_switches_between_table_and_grid(page: Page) -> None:
    """The key g turns the rows into cards and back; the choice is in the address and is remembered."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    page.keyboard.press("g")
    expect(page.locator(".card[data-host]")).to_have_count(2)
    expect(page.locator(".fleet-table")).to_be_hidden()
    assert "view=grid" in page.url
    page.goto("/#/host/web-1")
    page.goto("/#/")
    expect(page.locator(".card[data-host]")).to_have_count(2)
    page.get_by_role("button", name="table", exact=True).click()
    expect(page.locator("tr[data-host]")).to_have_count(2)


def test_a_link_to_a_view_wins_over_what_is_remembered(page: Page) -> None:
    """An address with a view shows that view, whatever was chosen here before."""
    page.goto("/#/?view=grid")
    expect(page.locator(".card[data-host]")).to_have_count(2)


def test_a_card_tells_what_a_row_tells(page: Page, bridge: FakeBridge) -> None:
    """A card names the host and its state and shows its meters, its traffic and its temperature."""
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(
        bridge.now,
        cpu_percent=42.4,
        memory_percent=9.4,
        filesystem_percent=61.0,
        network_receive_bytes_per_second=1536,
        temperature_celsius=51.0,
    )
    page.goto("/#/?view=grid")
    card = page.locator('.card[data-host="web-1"]')
    for part in ("web-1", "live", "Debian 12, 8 cores", "42 %", "9.4 %", "61 %", "1.50 KiB/s", "51 °C"):
        expect(card).to_contain_text(part)


def test_a_card_is_pressed_anywhere(page: Page) -> None:
    """The whole card opens its host."""
    page.goto("/#/?view=grid")
    box = page.locator('.card[data-host="web-2"] .card-meters').bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    expect(page.get_by_role("heading", level=1)).to_have_text("web-2")


def test_the_phone_shows_cards_unless_told_otherwise(new_page: object, bridge: FakeBridge) -> None:
    """On a narrow screen the fleet is a grid by itself, one card wide."""
    page = new_page(viewport={"width": 390, "height": 844})  # type: ignore[operator]
    bridge.attach(page)
    page.goto("/")
    cards = page.locator(".card[data-host]")
    expect(cards).to_have_count(2)
    first, second = (cards.nth(index).bounding_box() for index in (0, 1))
    assert first is not None
    assert second is not None
    assert first["x"] == second["x"]
    assert second["y"] >= first["y"] + first["height"]


def test_of_a_long_grid_only_the_cards_in_sight_exist(page: Page, bridge: FakeBridge) -> None:
    """Two thousand hosts make few cards, each where it belongs."""
    bridge.hosts = [MadeUpHost(f"node-{number:04d}", number=number, cores=2) for number in range(2000)]
    page.goto("/#/?view=grid&sort=name")
    expect(page.locator('.card[data-host="node-0000"]')).to_be_visible()
    assert page.locator(".card[data-host]").count() < 120
    height = page.evaluate("document.querySelector('.fleet-grid').scrollHeight")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator('.card[data-host="node-1999"]')).to_be_visible()
    assert page.locator(".card[data-host]").count() < 120
    # Cards that are not there take their space all the same.
    assert page.evaluate("document.querySelector('.fleet-grid').scrollHeight") == pytest.approx(height, abs=1)


@pytest.mark.parametrize("view", ["table", "grid"])
def test_nothing_moves_under_the_pointer(page: Page, bridge: FakeBridge, view: str) -> None:
    """While the pointer is over the hosts their order stays; when it leaves, trouble rises."""
    page.goto(f"/#/?view={view}")
    names = page.locator(".host-link:visible")
    expect(names).to_have_text(["web-1", "web-2"])
    page.locator('[data-host="web-1"]:visible .host-link').hover()
    bridge.set_state("web-2", "lost")
    expect(page.locator('[data-host="web-2"]:visible')).to_contain_text("lost since")
    expect(names).to_have_text(["web-1", "web-2"])
    page.locator(".brand").hover()
    bridge.tick()
    expect(names).to_have_text(["web-2", "web-1"])


def test_rows_are_closer_in_compact_density(page: Page) -> None:
    """Rows are 36 pixels high, and 28 where the page is compact."""
    page.goto("/")
    row = page.locator('tr[data-host="web-1"]')
    expect(row).to_be_visible()
    assert row.bounding_box()["height"] == pytest.approx(36, abs=1)  # type: ignore[index]
    page.evaluate("document.documentElement.dataset.density = 'compact'")
    assert row.bounding_box()["height"] == pytest.approx(28, abs=1)  # type: ignore[index]


def test_rows_that_are_on_their_way_have_their_place(page: Page, bridge: FakeBridge) -> None:
    """Until the bridge has said which hosts there are, empty rows of the final height stand for them."""
    bridge.frozen = True
    page.goto("/")
    bones = page.locator(".fleet-table .skeleton")
    expect(bones.first).to_be_visible()
    height = bones.first.bounding_box()["height"]  # type: ignore[index]
    above = page.evaluate(TABLE_BELOW_MAIN)
    expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    bridge.frozen = False
    bridge.cut()
    row = page.locator('tr[data-host="web-1"]')
    expect(row).to_be_visible()
    expect(bones).to_have_count(0)
    expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
    assert row.bounding_box()["height"] == pytest.approx(height, abs=1)  # type: ignore[index]
    assert page.evaluate(TABLE_BELOW_MAIN) == above


def test_whatever_a_host_sends_the_others_are_shown(page: Page, bridge: FakeBridge) -> None:
    """Wrong types in info and pulse, or an info alone, leave dashes in that row and all other rows whole."""
    odd = {"cpu_percent": "much", "core_percents": {"0": 1}, "load_1m": None, "uptime_seconds": -5}
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(bridge.now, **odd)
    bridge.hosts[0].changes = {"tags": "none", "os_name": 7, "logical_cores": "eight", "conflict": False}
    bridge.hosts.append(MadeUpHost("web-3", number=2))
    bridge.states["web-3"] = "waiting"
    page.goto("/")
    bridge.send("host", id="web-3", info=bridge.hosts[2].info(bridge.now))
    row = page.locator('tr[data-host="web-1"]')
    expect(row.locator(".column-cpu .number")).to_have_text("—")
    expect(row.locator(".column-load .number")).to_have_text("—")
    expect(row.locator(".column-uptime .number")).to_have_text("—")
    expect(page.locator('tr[data-host="web-3"]')).to_contain_text("Debian 12, 8 cores")
    expect(page.locator('tr[data-host="web-2"] .column-cpu .number')).to_have_text(re.compile("%"))


def test_of_many_cores_the_first_are_drawn(page: Page, bridge: FakeBridge) -> None:
    """A strip shows 32 cores and says how many more there are."""
    bridge.hosts = [MadeUpHost("big", cores=64), MadeUpHost("small", cores=4, number=1)]
    page.goto("/")
    expect(page.locator('tr[data-host="big"] .column-cores')).to_have_text("+32")
    expect(page.locator('tr[data-host="small"] .column-cores')).to_have_text("")


@pytest.mark.parametrize("way_back", ["history", "Escape", "link"])
@pytest.mark.parametrize("query", ["", "?q=node&sort=name&view=grid"])
def test_the_fleet_is_found_as_it_was_left(page: Page, bridge: FakeBridge, way_back: str, query: str) -> None:
    """Back from a host, the fleet is filtered and scrolled as before; a host's page begins at its top."""
    bridge.hosts = [MadeUpHost(f"node-{number:03d}", number=number, cores=2) for number in range(300)]
    page.goto(f"/#/{query}")
    page.locator("[data-host]").first.wait_for()
    page.evaluate("scrollTo(0, 2500)")
    address = page.url
    page.wait_for_function("() => document.elementFromPoint(700, 500)?.closest('[data-host]')")
    host = page.evaluate("document.elementFromPoint(700, 500).closest('[data-host]').dataset.host")
    page.locator(f'[data-host="{host}"] .host-link').click()
    expect(page.locator(".host-name")).to_have_text(host)
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile("%"))
    assert page.evaluate("scrollY") == 0
    if way_back == "history":
        page.go_back()
    elif way_back == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("link", name="all hosts").click()
    expect(page.locator(f'[data-host="{host}"]')).to_be_in_viewport()
    assert page.evaluate("scrollY") == 2500
    assert page.url == address
