"""The whole chain: real agent, mosquitto and bridge as processes, and a real browser."""

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.mosquitto import Mosquitto
from support.ports import free_port
from support.programs import Fleetglass, wait_for_page
from support.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.browser]

INKED_PIXELS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let hash = 0, inked = 0;
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] > 100) { inked += 1; hash = (hash * 31 + at + data[at - 1]) | 0 }
  }
  return { inked, hash };
}"""


@dataclass
class Chain:
    """A running fleet of one real host."""

    broker: Mosquitto
    agent: Fleetglass
    bridge: Fleetglass
    address: str


@pytest.fixture
def chain(own_mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Chain]:
    port = free_port()
    agent = Fleetglass("agent", "--broker", own_mosquitto.url, "--host-id", "real-1", home=tmp_path)
    bridge = Fleetglass("bridge", "--broker", own_mosquitto.url, "--port", str(port), home=tmp_path)
    with agent, bridge:
        yield Chain(own_mosquitto, agent, bridge, wait_for_page(port))


def test_the_real_host_appears_and_its_cpu_chart_moves(chain: Chain, page: Page) -> None:
    """From psutil to pixels: the host is in the table, its page opens, and the chart draws on."""
    page.goto(chain.address)
    row = page.get_by_role("row").filter(has=page.locator('a[href="#/host/real-1"]'))
    expect(row).to_contain_text("live")
    expect(row).to_contain_text(re.compile(r"\d %"))
    row.get_by_role("link").click()
    canvas = page.get_by_role("img", name=re.compile("CPU")).first
    expect(canvas).to_have_attribute("aria-label", re.compile(r"now \d"))
    first = wait_for(
        lambda: canvas.evaluate(INKED_PIXELS)["inked"] > 50 and canvas.evaluate(INKED_PIXELS), "ink"
    )
    wait_for(lambda: canvas.evaluate(INKED_PIXELS)["hash"] != first["hash"], "the chart moves")


def test_switching_the_host_neither_reloads_nor_mixes(chain: Chain, page: Page, tmp_path: Path) -> None:
    """The page stays the same document, and shows the facts of the other host alone."""
    with Fleetglass("simulate", "--hosts", "2", "--broker", chain.broker.url, home=tmp_path):
        page.goto(f"{chain.address}#/host/real-1")
        expect(page.locator("main")).to_contain_text("real-1")
        page.evaluate("window.sameDocument = true")
        page.goto(f"{chain.address}#/host/sim-0001")
        expect(page.get_by_text("synthetic").first).to_be_visible()
        expect(page.locator("main")).to_contain_text("sim-0001")
        expect(page.locator("main")).not_to_contain_text("real-1")
        assert page.evaluate("window.sameDocument") is True


def test_a_killed_bridge_is_told_in_words_and_survived(chain: Chain, page: Page) -> None:
    """The page says that the bridge is away, and goes on by itself when it is back."""
    page.goto(chain.address)
    expect(page.get_by_role("table").first).to_contain_text("live")
    chain.bridge.kill()
    expect(page.get_by_text("Connection to bridge lost").first).to_be_visible()
    chain.bridge.start()
    expect(page.get_by_text("Connection to bridge lost").first).to_be_hidden()
    expect(page.get_by_role("table").first).to_contain_text("live")


def test_a_killed_broker_is_told_in_words_and_loses_no_host(chain: Chain, page: Page) -> None:
    """The page says that the broker is away, and afterwards the host is as live as before."""
    page.goto(chain.address)
    expect(page.get_by_role("table").first).to_contain_text("live")
    chain.broker.kill()
    expect(page.get_by_text("lost its broker").first).to_be_visible()
    chain.broker.start()
    expect(page.get_by_text("lost its broker").first).to_be_hidden()
    ticks = _messages(chain)
    wait_for(lambda: _messages(chain) > ticks, "the agent publishes again")
    expect(page.get_by_role("table").first).to_contain_text("live")
    expect(page.get_by_role("table").first).not_to_contain_text("lost")


def test_a_killed_agent_is_lost_and_never_vanishes(chain: Chain, page: Page) -> None:
    """The will tells of the crash; the row stays; a new start of the agent brings it back."""
    page.goto(chain.address)
    table = page.get_by_role("table").first
    expect(table).to_contain_text("live")
    chain.agent.kill()
    expect(table).to_contain_text("lost")
    expect(table.locator('a[href="#/host/real-1"]')).to_be_visible()
    chain.agent.start()
    expect(table).to_contain_text("live")


def test_a_stopped_agent_says_goodbye(chain: Chain, page: Page) -> None:
    """A clean end is not a loss."""
    page.goto(chain.address)
    table = page.get_by_role("table").first
    expect(table).to_contain_text("live")
    assert chain.agent.interrupt() == 0
    expect(table).to_contain_text("stopped")


def _messages(chain: Chain) -> int:
    with urllib.request.urlopen(f"{chain.address}healthz", timeout=PATIENCE_SECONDS) as response:
        found = re.search(rb'"messages_received":(\d+)', response.read())
    assert found is not None
    return int(found[1])
