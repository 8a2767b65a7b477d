from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from support.page import FakeBridge, serve_dashboard
from support.samples import MadeUpHost
from support.views import VIEWS, View
from support.waiting import PATIENCE_SECONDS

ContextMaker = Callable[..., Page]

NOW = 1_795_000_000.0


@pytest.fixture(scope="session")
def dashboard_url() -> Iterator[str]:
    with serve_dashboard() as url:
        yield url


@pytest.fixture
def bridge() -> FakeBridge:
    return usual_bridge()


def usual_bridge() -> FakeBridge:
    """Give a bridge that knows two hosts, one of them without sensors."""
    return FakeBridge(now=NOW, hosts=[MadeUpHost("web-1"), MadeUpHost("web-2", number=1, sensors=False)])


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: view.name)
def opened(request: pytest.FixtureRequest, browser: Browser, dashboard_url: str) -> Iterator[Page]:
    """Give each of the views, open and complete; the tests of a module share it and leave it as it was."""
    view: View = request.param
    with watched_pages(browser, dashboard_url) as make:
        page = make()
        bridge = usual_bridge()
        bridge.attach(page)
        view.open(page, bridge)
        yield page


@pytest.fixture
def new_page(browser: Browser, dashboard_url: str) -> Iterator[ContextMaker]:
    """Make pages; trouble in a console, a failed request or one to another origin fails the test."""
    with watched_pages(browser, dashboard_url) as make:
        yield make


@contextmanager
def watched_pages(browser: Browser, dashboard_url: str) -> Iterator[ContextMaker]:
    """Make pages for as long as the block lasts, and fail at its end if there was trouble with any."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def watch(request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(dashboard_url).netloc:
            trouble.append(f"other origin: {request.url}")

    def note_failure(request: Request) -> None:
        # A page that is left ends its requests; that is no failure of theirs.
        if request.failure != "net::ERR_ABORTED":
            trouble.append(f"failed: {request.url}, {request.failure}")

    def make(**options: object) -> Page:
        given = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", "timezone_id": "UTC"}
        context = browser.new_context(base_url=dashboard_url, **(given | options))  # type: ignore[arg-type]
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.on("requestfailed", note_failure)
        page.on("request", watch)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not trouble


@pytest.fixture
def page(new_page: ContextMaker, bridge: FakeBridge) -> Page:
    """Give a page whose WebSocket ends at the pretended bridge, which has its date as well."""
    page = new_page()
    bridge.attach(page)
    return page
