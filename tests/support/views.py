"""What the page can show, as addresses and what to do there: for tests of what holds everywhere."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from support.page import FakeBridge

_VALUE = re.compile(r"\d")


@dataclass(frozen=True)
class View:
    """One page in one state."""

    name: str
    address: str
    shown: str
    """What is there once it is complete: a selector of something that tells a number."""
    then: Callable[[Page, FakeBridge], None] | None = None
    """What leads from the address to the state."""

    def open(self, page: Page, bridge: FakeBridge) -> None:
        """Go there and wait until it is complete."""
        page.goto(self.address)
        expect(page.locator(self.shown).first).to_have_text(_VALUE)
        if self.then is not None:
            self.then(page, bridge)


def _lose_host(page: Page, bridge: FakeBridge) -> None:
    bridge.set_state("web-1", "lost")
    expect(page.get_by_text("lost since").first).to_be_visible()


def _lose_bridge(page: Page, bridge: FakeBridge) -> None:
    bridge.refuse = True
    bridge.cut()
    expect(page.locator(".bar")).to_contain_text("Connection to bridge lost")


def _lose_broker(page: Page, bridge: FakeBridge) -> None:
    bridge.send("broker", state="connecting", since=bridge.now)
    expect(page.locator(".bar")).to_contain_text("lost its broker")


def _press(key: str, shown: str) -> Callable[[Page, FakeBridge], None]:
    def press(page: Page, _: FakeBridge) -> None:
        page.keyboard.press(key)
        expect(page.locator(shown)).to_be_visible()

    return press


def _open_menu(name: str, shown: str) -> Callable[[Page, FakeBridge], None]:
    def open_menu(page: Page, _: FakeBridge) -> None:
        page.locator(name).click()
        expect(page.get_by_role("heading", name=shown, exact=True)).to_be_visible()

    return open_menu


def _want_token(page: Page, bridge: FakeBridge) -> None:
    bridge.token = "s3cret"
    bridge.cut()
    expect(page.get_by_label("Viewer token")).to_be_visible()


_CARD = '.card[data-host="web-1"] .number'
_ROW = 'tr[data-host="web-1"] .number'
_COMPARED = ".compare-table td"
_PANEL = '[data-panel="cpu"] dd'

VIEWS = [
    View("fleet", "/", _ROW),
    View("fleet-grid", "/#/?view=grid", _CARD),
    View("fleet-host-lost", "/", _ROW, _lose_host),
    View("fleet-grid-host-lost", "/#/?view=grid", _CARD, _lose_host),
    View("fleet-bridge-lost", "/", _ROW, _lose_bridge),
    View("fleet-broker-lost", "/", _ROW, _lose_broker),
    View("host", "/#/host/web-1", _PANEL),
    View("host-lost", "/#/host/web-1", _PANEL, _lose_host),
    View("host-bridge-lost", "/#/host/web-1", _PANEL, _lose_bridge),
    View("host-paused", "/#/host/web-1", _PANEL, _press("p", ".bar")),
    View("host-help", "/#/host/web-1", _PANEL, _press("?", "dialog.help")),
    View("fleet-palette", "/", _ROW, _press("Control+k", "dialog.palette")),
    View("fleet-settings", "/", _ROW, _open_menu(".settings", "Settings")),
    View("fleet-connection", "/", _ROW, _open_menu(".link-chip", "Connection")),
    View("fleet-token", "/", _ROW, _want_token),
    View("panel", "/#/host/web-1/cpu", _PANEL),
    View("compare", "/#/compare?hosts=web-1,web-2&metric=cpu_percent,temperature_celsius", _COMPARED),
    View("compare-small", "/#/compare?hosts=web-1,web-2&layout=small", _COMPARED),
    View("compare-host-lost", "/#/compare?hosts=web-1,web-2", _COMPARED, _lose_host),
    View("kiosk", "/#/host/web-1?kiosk=1", _PANEL),
]
