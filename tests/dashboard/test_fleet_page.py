import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser


def names(page: Page) -> list[str]:
    return page.locator(".host-link").all_inner_texts()


def row(page: Page, host: str) -> str:
    return page.locator(f'tr[data-host="{host}"]').inner_text()


def test_every_host_has_a_row_with_its_numbers(page: Page, bridge: FakeBridge) -> None:
    """A host's row names it and its state and shows its headline numbers in their units."""
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(
        bridge.now, cpu_percent=42.4, memory_percent=9.4, load_1m=3, network_receive_bytes_per_second=1536
    )
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    text = row(page, "web-1")
    for part in ("web-1", "live", "Debian 12, 8 cores", "42 %", "9.4 %", "0.38", "1.50 KiB/s", "52 d 05:25"):
        assert part in text


def test_numbers_follow_each_pulse(page: Page, bridge: FakeBridge) -> None:
    """A pulse that arrives is on the page at once, and an older one never replaces it."""
    page.goto("/")
    cell = page.locator('tr[data-host="web-1"] .column-cpu .number')
    expect(cell).to_have_text(re.compile("%"))
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(bridge.now + 2, cpu_percent=77.0)
    bridge.tick(2)
    expect(cell).to_have_text("77 %")
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(bridge.now - 1, cpu_percent=11.0)
    bridge.pulses["web-2"] = bridge.hosts[1].pulse(bridge.now + 1, cpu_percent=55.0)
    bridge.tick()
    expect(page.locator('tr[data-host="web-2"] .column-cpu .number')).to_have_text("55 %")
    expect(cell).to_have_text("77 %")


def test_a_value_the_host_cannot_give_is_a_dash(page: Page) -> None:
    """A host without sensors shows a dash that says why, not a zero."""
    page.goto("/")
    cell = page.locator('tr[data-host="web-2"] .column-temp .number')
    expect(cell).to_have_text("—")
    expect(cell).to_have_attribute("title", "not available on this host")


def test_rows_sort_by_any_column(page: Page, bridge: FakeBridge) -> None:
    """A column's button sorts largest first, then smallest first, and says which to assistive technology."""
    bridge.hosts = [MadeUpHost("a", busy=20), MadeUpHost("b", busy=90), MadeUpHost("c", busy=50)]
    page.goto("/")
    expect(page.locator(".host-link")).to_have_text(["a", "b", "c"])
    page.get_by_role("button", name="CPU", exact=True).click()
    expect(page.locator(".host-link")).to_have_text(["b", "c", "a"])
    expect(page.locator("th.column-cpu").first).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="CPU", exact=True).click()
    expect(page.locator(".host-link")).to_have_text(["a", "c", "b"])
    assert "sort=cpu" in page.url


def test_troubled_hosts_come_first(page: Page, bridge: FakeBridge) -> None:
    """Without a chosen order, late and lost hosts stand above the live ones."""
    bridge.hosts = [MadeUpHost("a"), MadeUpHost("b"), MadeUpHost("c"), MadeUpHost("d")]
    bridge.states = {"c": "lost", "d": "late"}
    page.goto("/")
    expect(page.locator(".host-link")).to_have_text(["d", "c", "a", "b"])


def test_rows_stay_while_the_pointer_is_over_them(page: Page, bridge: FakeBridge) -> None:
    """No row moves under a click: the order is held until the pointer leaves."""
    page.goto("/")
    expect(page.locator(".host-link")).to_have_text(["web-1", "web-2"])
    page.locator('tr[data-host="web-1"] .column-load').hover()
    bridge.set_state("web-2", "lost")
    expect(page.locator('tr[data-host="web-2"]')).to_contain_text("lost since")
    assert names(page) == ["web-1", "web-2"]
    page.locator(".brand").hover()
    bridge.tick()
    expect(page.locator(".host-link")).to_have_text(["web-2", "web-1"])


def test_a_filter_narrows_the_rows(page: Page) -> None:
    """The slash key leads to the filter; what is typed is kept in the address and undone by Escape."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("web-2")
    expect(page.locator(".host-link")).to_have_text(["web-2"])
    assert "q=web-2" in page.url
    page.reload()
    expect(page.locator(".host-link")).to_have_text(["web-2"])
    page.get_by_role("searchbox").fill("no such host")
    expect(page.locator(".nothing")).to_have_text("No host matches the filter (2 hidden).")
    page.keyboard.press("Escape")
    expect(page.locator("tr[data-host]")).to_have_count(2)


def test_the_counters_filter_by_state(page: Page, bridge: FakeBridge) -> None:
    """Each state is counted in the header, and its counter shows only the hosts in it."""
    bridge.states = {"web-2": "late"}
    page.goto("/")
    counter = page.get_by_role("button", name="1 late")
    counter.click()
    expect(page.locator(".host-link")).to_have_text(["web-2"])
    expect(counter).to_have_attribute("aria-pressed", "true")


def test_hostile_names_are_only_text(page: Page, bridge: FakeBridge) -> None:
    """Markup, very long and right-to-left names are shown as they are and change nothing else."""
    long = "x" * 200
    bridge.hosts = [
        MadeUpHost("a", name="<img src=x onerror=alert(1)>"),
        MadeUpHost("b", name=long, number=1),
        MadeUpHost("constructor", name="\u202eevil"),
    ]
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(3)
    assert names(page)[0] == "<img src=x onerror=alert(1)>"
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator('tr[data-host="constructor"] .host-link').click()
    expect(page.get_by_role("heading", level=1)).to_have_text("\u202eevil")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile(r"^\d"))


def test_hosts_of_one_name_are_told_apart(page: Page, bridge: FakeBridge) -> None:
    """Where two hosts give themselves the same name, both show their ids, for as long as both are there."""
    bridge.hosts = [MadeUpHost("pi-1", name="raspberrypi"), MadeUpHost("pi-2", name="raspberrypi", number=1)]
    page.goto("/")
    links = page.locator(".host-link")
    expect(links).to_have_text(["raspberrypi (pi-1)", "raspberrypi (pi-2)"])
    bridge.send("host", id="pi-1", removed=True)
    expect(links).to_have_text(["raspberrypi"])


def test_a_synthetic_host_is_marked(page: Page, bridge: FakeBridge) -> None:
    """A simulated host says so in the table and on its own page, once, though it has a tag that says the same."""
    bridge.hosts = [MadeUpHost("sim-1", synthetic=True, changes={"tags": ["synthetic", "lab"]})]
    page.goto("/")
    marked = page.locator('tr[data-host="sim-1"]').get_by_text("synthetic", exact=True)
    expect(marked).to_have_count(1)
    expect(marked).to_be_visible()
    page.goto("/#/host/sim-1")
    expect(page.locator(".identity-name")).to_have_text("sim-1livesyntheticlab")


def test_an_empty_fleet_shows_what_to_do(page: Page, bridge: FakeBridge) -> None:
    """Without hosts the page gives the commands that make one appear, and claims no address it cannot know."""
    bridge.hosts = []
    page.goto("/")
    expect(page.locator(".nothing")).to_have_text("No host has been heard yet.")
    expect(page.locator(".command code")).to_have_text(
        ["fleetglass agent", "fleetglass agent --broker mqtt://BROKER:1883"]
    )
    expect(page.locator(".command code").first).to_be_visible()
    expect(page.locator(".summary")).to_be_hidden()
    bridge.send("host", id="web-9", state="waiting", since=bridge.now)
    expect(page.locator(".host-link")).to_have_text(["web-9"])
    expect(page.locator(".nothing")).to_be_hidden()


def test_of_a_long_fleet_only_the_rows_in_sight_exist(page: Page, bridge: FakeBridge) -> None:
    """Two thousand hosts make few rows; scrolling brings the others and says their places."""
    bridge.hosts = [MadeUpHost(f"node-{number:04d}", number=number, cores=2) for number in range(2000)]
    page.goto("/#/?sort=name")
    expect(page.locator('tr[data-host="node-0000"]')).to_be_visible()
    assert page.locator("tr[data-host]").count() < 60
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator('tr[data-host="node-1999"]')
    expect(last).to_be_visible()
    expect(last).to_have_attribute("aria-rowindex", "2001")
    expect(last.locator(".host-link")).to_have_text("node-1999")
    assert page.locator("tr[data-host]").count() < 60


@pytest.mark.parametrize("width", [900, 1280, 1440, 1800])
def test_the_columns_of_a_long_fleet_fill_the_table(page: Page, bridge: FakeBridge, width: int) -> None:
    """What stands for the rows out of sight takes no width, whichever columns there is room for."""
    page.set_viewport_size({"width": width, "height": 800})
    bridge.hosts = [MadeUpHost(f"node-{number:04d}", number=number, cores=2) for number in range(200)]
    page.goto("/#/?sort=name")
    expect(page.locator('tr[data-host="node-0000"]')).to_be_visible()
    free = page.locator(".fleet-table").evaluate(
        """table => {
          const heads = [...table.tHead.rows[0].cells].filter((head) => head.offsetWidth > 0)
          return table.getBoundingClientRect().right - heads.at(-1).getBoundingClientRect().right
        }"""
    )
    assert 0 <= free <= 2


def test_scrolling_asks_the_bridge_for_little(page: Page, bridge: FakeBridge) -> None:
    """However fast a long fleet is scrolled, the page asks four times a second at most, for what it has not yet."""
    bridge.hosts = [MadeUpHost(f"node-{number:04d}", number=number, cores=2) for number in range(2000)]
    page.goto("/#/?sort=name")
    expect(page.locator('tr[data-host="node-0000"]')).to_be_visible()
    before = len(bridge.messages("watch"))
    page.clock.set_system_time(bridge.now)  # from here on its date passes by itself
    seconds = page.evaluate(
        """async () => {
          const start = performance.now()
          for (let step = 0; step < 60 && performance.now() - start < 5000; step += 1) {
            scrollBy(0, 400)
            await new Promise(requestAnimationFrame)
          }
          return (performance.now() - start) / 1000
        }"""
    )
    bridge.now += seconds
    top = page.evaluate(
        """() => [...document.querySelectorAll('tr[data-host]')]
          .find((row) => row.getBoundingClientRect().top > 100).dataset.host"""
    )
    page.wait_for_function(
        """host => {
          const canvas = document.querySelector(`tr[data-host="${host}"] .spark`)
          return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((part) => part > 0)
        }""",
        arg=top,
    )
    asked = bridge.messages("watch")
    assert len(asked) - before <= 4 * (seconds + 2) + 2
    assert max(len(message["hosts"]) for message in asked) <= 64
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator('tr[data-host="node-0000"]')).to_be_visible()
    # Its past came before and is kept.
    assert "node-0000" not in bridge.messages("watch")[-1]["hosts"]


def test_the_last_minute_is_drawn_on_open(page: Page, bridge: FakeBridge) -> None:
    """The sparkline of a row is full as soon as the past arrives."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.tick()
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector('tr[data-host="web-1"] .spark')
          if (!canvas || canvas.width === 0) return false
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
          const inked = new Set()
          for (let pixel = 0; pixel < data.length / 4; pixel += 1) {
            if (data[4 * pixel + 3] > 0) inked.add(pixel % canvas.width)
          }
          return inked.size > 0.9 * canvas.width
        }"""
    )


def test_a_removed_host_leaves(page: Page, bridge: FakeBridge) -> None:
    """A host that the bridge forgets is no longer in the table."""
    page.goto("/")
    expect(page.locator("tr[data-host]")).to_have_count(2)
    bridge.send("host", id="web-2", removed=True)
    expect(page.locator(".host-link")).to_have_text(["web-1"])


def test_the_phone_shows_cards_without_sideways_scrolling(new_page: object, bridge: FakeBridge) -> None:
    """At 320 px nothing is wider than the screen, on either page."""
    page = new_page(viewport={"width": 320, "height": 700})  # type: ignore[operator]
    bridge.attach(page)
    for address, seen in (
        ("/", ".card[data-host]"),
        ("/#/?view=table", "tr[data-host]"),
        ("/#/host/web-1", '[data-panel="cpu"] dd'),
    ):
        page.goto(address)
        expect(page.locator(seen).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
