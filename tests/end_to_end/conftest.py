from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from support.waiting import PATIENCE_SECONDS


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page; an error in its console or a request to anywhere but loopback fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    page = context.new_page()
    trouble: list[str] = []

    def take_console(message: ConsoleMessage) -> None:
        # The browser itself reports a refused WebSocket, which is what tests of a killed bridge cause.
        if message.type == "error" and "WebSocket connection to" not in message.text:
            trouble.append(f"console: {message.text}")

    def take_request(request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            trouble.append(f"request: {request.url}")

    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("console", take_console)
    page.on("request", take_request)
    yield page
    context.close()
    assert not trouble
