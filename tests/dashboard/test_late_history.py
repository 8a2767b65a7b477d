"""A viewer who switches quickly: the past that an earlier page asked for comes while another page is open."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.samples import MadeUpHost
from support.waiting import wait_for

pytestmark = pytest.mark.browser

EARLIER, LATER = 11.0, 77.0
"""The CPU use of the two hosts, in percent."""
MOST_OF_THE_LINE = 20
TOPS = """() => {
  const canvas = document.querySelector(".tile-CPU canvas")
  const { width, height } = canvas
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height)
  const top = x => Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3]).findIndex(alpha => alpha > 128)
  return Array.from({ length: width - 4 }, (_, x) => top(x + 2)).filter(y => y >= 0)
}"""
"""The pixel rows of a tile's line, column by column where there is one."""


@pytest.fixture
def bridge(bridge: FakeBridge) -> FakeBridge:
    """Give a bridge that sends the past only when a test says so."""
    bridge.hosts = [MadeUpHost("web-1", busy=EARLIER), MadeUpHost("web-2", number=1, busy=LATER)]
    bridge.history = False
    return bridge


def send_past(bridge: FakeBridge, host: MadeUpHost, seconds: int = 60, **fields: Any) -> None:
    """Send the past of a host as the bridge does, whoever asked for it and when."""
    bridge.send("history", host=host.id, samples=host.history(bridge.now, seconds), **fields)


def test_the_past_of_another_host_changes_nothing(page: Page, bridge: FakeBridge) -> None:
    """What was asked for on the page of one host is not drawn on that of the next, and its own past still comes."""
    earlier, later = bridge.hosts
    page.goto(f"/#/host/{earlier.id}")
    expect(page.locator(".host-name")).to_have_text(earlier.id)
    page.evaluate("id => { location.hash = `#/host/${id}` }", later.id)
    expect(page.locator(".host-name")).to_have_text(later.id)
    send_past(bridge, earlier)
    busy = page.locator('[data-panel="cpu"] dd').first
    bridge.tick()
    expect(busy).to_have_text("77 %")
    send_past(bridge, later)
    bridge.tick()
    page.get_by_role("button", name="CPU as table").click()
    cells = page.locator('[data-panel="cpu"] .value-tables tbody tr')
    expect(cells).to_have_count(60)
    users = set(page.locator('[data-panel="cpu"] .value-tables tbody tr td:nth-child(2)').all_inner_texts())
    assert users == {"48 %"}, "62 % of the time of its own host is spent by users"


def test_the_past_of_an_earlier_visit_is_as_good_as_that_of_this_one(page: Page, bridge: FakeBridge) -> None:
    """There and back again, the past of the first visit comes late: every second of it is shown once, and is the host's."""
    earlier, later = bridge.hosts
    for host in (earlier, later, earlier):
        page.goto(f"/#/host/{host.id}")
        expect(page.locator(".host-name")).to_have_text(host.id)
    send_past(bridge, earlier, 20, more=True)
    send_past(bridge, later)
    send_past(bridge, earlier)
    bridge.tick()
    page.get_by_role("button", name="CPU as table").click()
    times = page.locator('[data-panel="cpu"] .value-tables tbody th')
    expect(times).to_have_count(60)
    assert len(set(times.all_inner_texts())) == 60
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text("11 %")


def test_the_past_of_a_host_page_counts_in_the_fleet_once(page: Page, bridge: FakeBridge) -> None:
    """What a host page asked for comes on the fleet page, where the line of the cores in use stays level."""
    _, busier = bridge.hosts
    page.goto(f"/#/host/{busier.id}")
    expect(page.locator(".host-name")).to_have_text(busier.id)
    page.goto("/#/")
    expect(page.locator(f'tr[data-host="{busier.id}"]')).to_be_visible()
    older = [busier.pulse(bridge.now - ago) for ago in range(60, 29, -1)]
    bridge.send("history", host=busier.id, samples={"pulse": older}, more=True)
    for host in bridge.hosts:
        bridge.send("history", host=host.id, samples={"pulse": host.past_pulses(bridge.now, 60)})
    bridge.tick()
    expect(page.locator(".tile-CPU .value")).to_have_text("7.0")
    wait_for(lambda: len(page.evaluate(TOPS)) > MOST_OF_THE_LINE, "the last minute is drawn")
    tops = page.evaluate(TOPS)
    assert max(tops) - min(tops) <= 1, tops
