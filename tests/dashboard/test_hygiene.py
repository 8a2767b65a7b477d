"""What holds on every page, in every state it can be in: `support/views.py` lists them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from fleetglass.bridge.page.files import read_page
from support.hostile import MARKUP, NAMES, HostileHost
from support.page import DASHBOARD, FakeBridge
from support.samples import MadeUpHost
from support.views import VIEWS, View
from support.waiting import wait_for

pytestmark = pytest.mark.browser

MakePage = Callable[..., Page]

NOW = 1_795_288_931.0
WIDER = """() => [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.tagName}.${one.className}`).slice(0, 8)"""

CALM = [view for view in VIEWS if view.then is None]

every_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)


@every_view
def test_hostile_names_are_text(new_page: MakePage, view: View) -> None:
    """Markup, endless, reversed and reserved names are shown as they are: they run nothing, and widen nothing."""
    bridge = FakeBridge(now=NOW, hosts=[HostileHost("web-1"), *hostile_hosts()])
    page = new_page(viewport={"width": 1280, "height": 800})
    page.on("dialog", lambda dialog: pytest.fail(f"a name was run: {dialog.message}"))
    bridge.attach(page)
    view.open(page, bridge)
    expect(page.get_by_text(MARKUP).first).to_be_attached()
    assert page.locator("img, b, script:not([src])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.evaluate(WIDER)


def hostile_hosts() -> list[MadeUpHost]:
    return [HostileHost(f"h{number}", number=number, name=name) for number, name in enumerate(NAMES)]


# What a kiosk shows is the host page once more.
@pytest.mark.parametrize("view", [one for one in CALM if one.name != "kiosk"], ids=lambda view: view.name)
def test_the_language_of_the_browser_changes_nothing(new_page: MakePage, view: View) -> None:
    """A German browser is shown the same numbers and words as a British one."""
    # All is in sight: what is not is not drawn, and has no axes.
    high = {"width": 1280, "height": 4000}
    pages = [opened_in(new_page(locale=locale, viewport=high), view) for locale in ("en-GB", "de-DE")]

    def say_the_same() -> bool:
        for page in pages:
            for _ in range(3):
                page.clock.fast_forward(1_000)  # every axis and every text is written in this time
        # Each page writes ages in a moment of its own.
        british, german = (re.sub(r"\b\d+ s ago", "a while ago", page.inner_text("main")) for page in pages)
        return british == german

    wait_for(say_the_same, "the same text")


def opened_in(page: Page, view: View) -> Page:
    bridge = FakeBridge(now=NOW, hosts=[MadeUpHost("web-1"), MadeUpHost("web-2", number=1)])
    bridge.attach(page)
    view.open(page, bridge)
    bridge.stop_time()
    return page


def test_the_whole_page_is_small_and_from_one_place(new_page: MakePage, bridge: FakeBridge) -> None:
    """All that every page asks for, fonts included, is under 200 KB as it is sent."""
    page = new_page()
    bridge.attach(page)
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(re.sub(r"^https?://[^/]+", "", request.url)))
    for view in CALM:
        page.goto("about:blank")
        view.open(page, bridge)
    files = read_page()
    sent = [file for path, file in files.items() if path in asked]
    assert sum(len(file.compressed or file.body) for file in sent) < 200_000


def test_an_open_page_asks_nothing_more(page: Page, bridge: FakeBridge) -> None:
    """Once it is open, a page lives by its WebSocket alone, on the fleet and on a host."""
    page.goto("/")
    cell = page.locator('tr[data-host="web-1"] .column-cpu .number')
    expect(cell).to_have_text(re.compile("%"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(bridge.now + 2, cpu_percent=77.0)
    bridge.tick(2)
    expect(cell).to_have_text("77 %")
    page.evaluate("location.hash = '#/host/web-1'")
    expect(page.locator("[data-panel='cpu'] canvas").first).to_be_visible()
    assert not [url for url in asked if "/icon" not in url], "the icon of the tab is the browser's affair"


def test_no_module_makes_code_or_markup_of_text() -> None:
    """Nothing in the page's own code parses text as markup or runs it as code."""
    unsafe = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser|createContextualFragment"
        r"|srcdoc|\beval\(|new Function|javascript:"
    )
    for module in (DASHBOARD / "src").rglob("*.js"):
        assert not unsafe.search(module.read_text()), module
