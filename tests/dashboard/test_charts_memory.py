"""A tab that is open for days: what it keeps does not grow."""

import pytest
from playwright.sync_api import Page

from support.heap import Heap
from support.page import FakeBridge, change_host
from support.samples import MadeUpHost

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a minute for a leak that a change of the page rarely brings
]

NOW = 1_795_000_000.0
MEGABYTE = 1_000_000
SECONDS_AT_ONCE = 4


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge(now=NOW, hosts=[MadeUpHost("web-1", cores=16), MadeUpHost("web-2", number=1)])


@pytest.fixture
def page(page: Page, bridge: FakeBridge) -> Page:
    """Give a page whose time passes only when a test says so."""
    bridge.stop_time()
    return page


def live(page: Page, bridge: FakeBridge, seconds: int) -> None:
    """Let time pass, with a sample of every group each second, and some frames after each few."""
    for _ in range(0, seconds, SECONDS_AT_ONCE):
        for _ in range(SECONDS_AT_ONCE):
            bridge.tick()
        page.clock.run_for(200)
        page.clock.fast_forward(1000 * SECONDS_AT_ONCE - 200)


@pytest.mark.timeout(240)
def test_ten_minutes_of_samples_leave_nothing_behind(page: Page, bridge: FakeBridge) -> None:
    """After ten minutes the heap is less than a megabyte larger, with no node and no listener more."""
    page.goto("/")
    change_host(page, "web-1")
    heap = Heap(page)
    live(page, bridge, 60)
    before = heap.kept()
    live(page, bridge, 600)
    after = heap.kept()
    assert after.heap_bytes - before.heap_bytes < MEGABYTE
    assert after.nodes <= before.nodes
    assert after.listeners <= before.listeners


@pytest.mark.timeout(240)
def test_fifty_changes_of_the_host_leave_nothing_behind(page: Page) -> None:
    """After fifty changes from host to host the page keeps what it kept at first."""
    page.goto("/")
    heap = Heap(page)
    for host in ("web-1", "web-2") * 10:  # the engine keeps what it compiles, less each time
        change_host(page, host)
    before = heap.kept()
    for host in ("web-1", "web-2") * 25:
        change_host(page, host)
    after = heap.kept()
    assert after.heap_bytes - before.heap_bytes < MEGABYTE
    assert after.nodes <= before.nodes
    assert after.listeners <= before.listeners
