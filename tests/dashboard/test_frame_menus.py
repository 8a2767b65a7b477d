import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

DARK, LIGHT = "rgb(14, 19, 22)", "rgb(244, 242, 236)"


def open_fleet(page: Page, address: str = "/") -> None:
    page.goto(address)
    expect(page.locator(".link-chip")).to_have_text(re.compile("^live"))


def menu(page: Page, name: str) -> Locator:
    return page.locator(".menu").filter(has=page.get_by_role("heading", name=name))


def test_help_lists_the_keys_that_work_here(page: Page) -> None:
    """The help names every key of the page and of the frame, each once, and Esc gives the focus back."""
    open_fleet(page, "/#/host/web-1")
    page.get_by_role("button", name="Help").focus()
    page.keyboard.press("?")
    box = page.locator("dialog.help")
    expect(box.get_by_role("heading", name="Everywhere")).to_be_visible()
    expect(box.locator("section").nth(0)).to_contain_text("Next host")
    keys = box.locator("kbd").all_inner_texts()
    assert {"[", "]", "Esc", "p", "w", "W", "t", "d", "?", "/", "Ctrl K"} <= set(keys)
    assert len(keys) == len(set(keys))
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.get_by_role("button", name="Help")).to_be_focused()
    assert page.url.endswith("#/host/web-1")


def test_a_box_closes_when_something_else_is_clicked(page: Page) -> None:
    """Help and menus close on a click outside, and a click inside does not close them."""
    open_fleet(page)
    page.keyboard.press("?")
    page.locator("dialog.help h2").click()
    expect(page.locator("dialog.help")).to_be_visible()
    page.mouse.click(5, 500)
    expect(page.locator("dialog.help")).to_be_hidden()
    page.get_by_role("button", name="Settings").click()
    expect(menu(page, "Settings")).to_be_visible()
    page.mouse.click(5, 500)
    expect(menu(page, "Settings")).to_be_hidden()


def test_the_palette_finds_a_host_by_tag_state_or_part_of_its_name(page: Page, bridge: FakeBridge) -> None:
    """Hosts are found by name, id, tag and state; arrows and Enter open one, without a mouse."""
    bridge.hosts.append(MadeUpHost("db-7", number=2, name="orders", changes={"tags": ["berlin"]}))
    bridge.states["web-2"] = "lost"
    open_fleet(page)
    options = page.locator(".palette-list li")
    for typed, found in (
        ("orders", "orders"),
        ("db-7", "orders"),
        ("berl", "orders"),
        ("lost", "web-2"),
        ("wb2", "web-2"),
    ):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        expect(options.first.locator(".palette-words")).to_have_text(found)
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("host web")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    chosen = options.nth(1).locator(".palette-words").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".host-name")).to_have_text(chosen)


def test_the_palette_runs_actions_and_goes_to_panels(page: Page) -> None:
    """What has no key is found by its words; a panel that is chosen has the focus."""
    open_fleet(page, "/#/host/web-1")
    expect(page.locator('[data-panel="disk"]')).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("disk panel")
    page.keyboard.press("Enter")
    expect(page.locator('[data-panel="disk"]').first).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("all hosts")
    page.locator(".palette-list li").first.click()
    expect(page.locator("tr[data-host]")).to_have_count(2)


def test_the_palette_lists_each_panel_once(page: Page) -> None:
    """A panel stands in the palette as itself, with its key, and not as an action besides."""
    page.goto("/#/host/web-1")
    expect(page.locator('[data-panel="disk"]')).to_be_visible()
    page.keyboard.press("Control+k")
    options = page.locator(".palette-list li")
    panels = options.filter(has=page.locator(".palette-kind", has_text=re.compile("^panel$")))
    expect(panels.filter(has=page.locator(".palette-words", has_text=re.compile("^CPU$")))).to_have_text(
        "CPU1panel"
    )
    expect(options.filter(has_text="Go to")).to_have_count(0)
    page.keyboard.press("Escape")
    page.goto("/#/compare?hosts=web-1,web-2&metric=cpu_percent,memory_percent")
    page.locator('[data-metric="memory_percent"]').wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("memory panel")
    page.keyboard.press("Enter")
    expect(page.locator('[data-metric="memory_percent"]')).to_be_focused()


def test_the_palette_gives_the_focus_back(page: Page) -> None:
    """Esc closes the palette, and what had the focus before has it again."""
    open_fleet(page)
    page.get_by_role("button", name="Settings").focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Host, panel or action")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Settings")).to_be_focused()


def test_the_palette_lists_a_part_of_many(page: Page, bridge: FakeBridge) -> None:
    """Of 2,000 hosts fifty are listed, the rest is counted, and nothing is said to fit where nothing does."""
    bridge.hosts = [MadeUpHost(f"node-{number:04}", number=number) for number in range(2000)]
    bridge.history = False
    open_fleet(page)
    expect(page.locator("tr[data-host]").first).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("node")
    expect(page.locator(".palette-list li")).to_have_count(50)
    expect(page.locator(".palette-more")).to_have_text("1950 more; type on to find them.")
    page.keyboard.type("-1234")
    expect(page.locator(".palette-list li").first).to_contain_text("node-1234")
    page.keyboard.type("xyz")
    expect(page.locator(".palette-more")).to_have_text("Nothing fits.")


def test_single_keys_can_be_switched_off(page: Page) -> None:
    """With single keys off only those with Ctrl work, also after a reload, and the help says so."""
    open_fleet(page)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("group", name="Single keys").get_by_role("button", name="off").click()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("tr[data-host]")).to_have_count(2)
    page.keyboard.press("t")
    page.keyboard.press("?")
    expect(page.locator("dialog.help")).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", DARK)
    page.keyboard.press("Control+k")
    expect(page.locator("dialog.palette")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Help").click()
    expect(page.locator("dialog.help")).to_contain_text("Single keys are switched off")


def test_the_theme_is_kept(page: Page) -> None:
    """The theme follows the system until one is chosen, by menu or key, which a reload keeps."""
    open_fleet(page)
    body = page.locator("body")
    expect(body).to_have_css("background-color", DARK)
    page.emulate_media(color_scheme="light")
    expect(body).to_have_css("background-color", LIGHT)
    expect(page.locator('meta[name="theme-color"]')).to_have_attribute("content", "#f4f2ec")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("group", name="Theme").get_by_role("button", name="dark").click()
    expect(body).to_have_css("background-color", DARK)
    page.reload()
    expect(body).to_have_css("background-color", DARK)
    page.keyboard.press("t")
    expect(body).to_have_css("background-color", LIGHT)
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("t")
    expect(body).to_have_css("background-color", LIGHT)
    page.keyboard.press("t")
    expect(body).to_have_css("background-color", DARK)


def test_density_is_a_key_and_kept(page: Page) -> None:
    """The density changes by key and in the menu, which shows it; a reload keeps it, and a link decides it."""
    open_fleet(page)
    root = page.locator("html")
    expect(root).to_have_attribute("data-density", "comfortable")
    page.keyboard.press("d")
    expect(root).to_have_attribute("data-density", "compact")
    expect(page).to_have_url(re.compile("density=compact"))
    page.goto("/")
    open_fleet(page)
    expect(root).to_have_attribute("data-density", "compact")
    page.goto("/#/?density=comfortable")
    expect(root).to_have_attribute("data-density", "comfortable")
    page.goto("/#/?density=compact")
    expect(root).to_have_attribute("data-density", "compact")
    page.get_by_role("button", name="Settings").click()
    chosen = page.get_by_role("group", name="Density").get_by_role("button", name="compact")
    expect(chosen).to_have_attribute("aria-pressed", "true")


def test_units_are_the_viewers_choice(page: Page, bridge: FakeBridge) -> None:
    """Network rates read in bit/s and temperatures in °F once that is chosen; disks stay in bytes."""
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(
        bridge.now + 1,
        network_receive_bytes_per_second=125_000,
        disk_read_bytes_per_second=2048,
        temperature_celsius=50.0,
    )
    page.goto(
        "/#/compare?hosts=web-1&metric=network_receive_bytes_per_second,temperature_celsius,disk_read_bytes_per_second"
    )
    now = page.locator(".compare-table td:nth-child(2)")
    expect(now.nth(0)).not_to_have_text("—")
    bridge.tick(1)
    expect(now.nth(0)).to_have_text("122 KiB/s")
    expect(now.nth(1)).to_have_text("50 °C")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("group", name="Network").get_by_role("button", name="bit/s").click()
    page.get_by_role("group", name="Temperature").get_by_role("button", name="°F").click()
    expect(now.nth(0)).to_have_text("1.00 Mbit/s")
    expect(now.nth(1)).to_have_text("122 °F")
    expect(now.nth(2)).to_have_text("2.00 KiB/s")


def test_the_connection_is_told_in_detail(page: Page, bridge: FakeBridge) -> None:
    """Behind the chip stand round trip, broker, clocks, versions and what is received; Esc gives the focus back."""
    bridge.now += 7200
    open_fleet(page)
    page.locator(".link-chip").click()
    box = menu(page, "Connection")
    expect(box).to_be_visible()
    for _ in range(5):
        bridge.tick()
    rows = box.locator("dl > div")
    for name, value in (
        ("round trip", r"\d+ ms"),
        ("broker", r"connected since \d\d:\d\d:\d\d"),
        ("bridge's clock", r"7[12]\d\d\.\d\d s ahead"),
        ("viewers when connected", "1"),
        ("bridge", r"0\.1\.0"),
        ("page", r"0\.1\.0"),
        ("protocol", "1"),
        ("received", r"\d+\.\d frames/s, .+/s"),
    ):
        row = rows.filter(has=page.locator("dt").get_by_text(name, exact=True))
        expect(row.locator("dd")).to_have_text(re.compile(f"^{value}$"))
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.locator(".link-chip")).to_be_focused()


def test_other_pages_count_the_fleet(page: Page, bridge: FakeBridge) -> None:
    """On a host page the header counts the hosts of each state; a count leads to those hosts."""
    open_fleet(page, "/#/host/web-1")
    bridge.set_state("web-2", "lost")
    expect(page.get_by_role("link", name="1 live")).to_be_visible()
    page.get_by_role("link", name="1 lost").click()
    expect(page.locator("tr[data-host]")).to_have_count(1)
    expect(page.get_by_role("link", name="1 lost")).to_be_hidden()


def test_lines_keep_their_colours_under_forced_colours(
    new_page: Callable[..., Page], bridge: FakeBridge
) -> None:
    """Where the system forces its colours, the colours of the lines stay apart and boxes keep their borders."""
    page = new_page(forced_colors="active")
    bridge.attach(page)
    open_fleet(page, "/#/host/web-1")
    colours = page.evaluate(
        """async () => {
          const { Theme } = await import("/src/frame/theme.js")
          return new Theme().colours.series
        }"""
    )
    assert len(set(colours)) == 8
    assert page.locator(".panel").first.evaluate("it => getComputedStyle(it).borderTopStyle") == "solid"


def test_more_contrast_leaves_no_muted_text(new_page: Callable[..., Page], bridge: FakeBridge) -> None:
    """Who asks for more contrast reads muted text in the colour of the other text."""
    page = new_page(contrast="more")
    bridge.attach(page)
    open_fleet(page)
    assert page.get_by_role("button", name="Settings").evaluate(
        "it => getComputedStyle(it).color"
    ) == page.locator("body").evaluate("it => getComputedStyle(it).color")
