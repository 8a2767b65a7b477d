import re

import pytest
from playwright.sync_api import Locator, Page, expect

from support.page import FakeBridge
from support.pixels import AMBER, SKY, wait_for_ink
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

BOTH = "/#/compare?hosts=web-1,web-2"


def rows(page: Page, metric: str) -> Locator:
    return page.locator(f'[data-metric="{metric}"] tbody tr')


def cells(page: Page, metric: str, host: str) -> list[str]:
    return page.locator(f'[data-metric="{metric}"] tr[data-host="{host}"] td').all_inner_texts()


def test_hosts_stand_beside_each_other_with_their_past(page: Page, bridge: FakeBridge) -> None:
    """Each host has its line and its now, mean, max and 95th percentile, from the past that is there at once."""
    bridge.hosts = [MadeUpHost("web-1", busy=30.0), MadeUpHost("web-2", number=1, busy=75.0)]
    page.goto(BOTH)
    bridge_cells = page.locator('[data-metric="cpu_percent"] tr[data-host="web-1"] td')
    expect(bridge_cells).to_have_text(["30 %", "30 %", "30 %", "30 %"])
    assert cells(page, "cpu_percent", "web-2") == ["75 %", "75 %", "75 %", "75 %"]
    assert bridge.messages("watch")[-1] == {
        "type": "watch",
        "fleet": True,
        "hosts": {"web-1": ["collector"], "web-2": ["collector"]},
        "history": 65,
    }
    canvas = page.locator('[data-metric="cpu_percent"] canvas')
    expect(canvas).to_have_count(1)
    bridge.tick()
    for colour in (SKY, AMBER):
        wait_for_ink(page, '[data-metric="cpu_percent"] canvas', 0.5, colour)


def test_what_comes_is_added(page: Page, bridge: FakeBridge) -> None:
    """A pulse that comes is the new now; the highest value of the window stays the maximum."""
    bridge.hosts = [MadeUpHost("web-1", busy=90.0), MadeUpHost("web-2", number=1)]
    page.goto(BOTH)
    values = page.locator('[data-metric="cpu_percent"] tr[data-host="web-1"] td')
    expect(values.first).to_have_text("90 %")
    bridge.hosts[0].busy = 40.0
    bridge.tick()
    expect(values.first).to_have_text("40 %")
    expect(values.nth(2)).to_have_text("90 %")


def test_a_metric_of_a_group_is_asked_for_by_its_group(page: Page, bridge: FakeBridge) -> None:
    """Metrics beyond the headline come from their groups, of which only those are asked for; devices are combined."""
    page.goto(f"{BOTH}&metric=cpu.user_percent,disk.read_bytes_per_second,disk.busy_percent")
    for metric in ("cpu.user_percent", "disk.read_bytes_per_second", "disk.busy_percent"):
        expect(rows(page, metric).locator("td").first).not_to_have_text("—")
    assert bridge.messages("watch")[-1]["hosts"] == {
        key: ["collector", "cpu", "disk"] for key in ("web-1", "web-2")
    }
    devices = bridge.hosts[0].live(bridge.now)["disk"]["devices"].values()
    read = sum(device["read_bytes_per_second"] for device in devices)
    said = page.evaluate("async value => (await import('/src/data/numbers.js')).byteRate(value)", read)
    assert cells(page, "disk.read_bytes_per_second", "web-1")[0] == said
    busiest = max(device["busy_percent"] for device in devices)
    said = page.evaluate("async value => (await import('/src/data/numbers.js')).percent(value)", busiest)
    assert cells(page, "disk.busy_percent", "web-1")[0] == said
    expect(page.locator('[data-metric="disk.busy_percent"] .combined')).to_have_text("highest of all devices")
    expect(page.locator('[data-metric="cpu.user_percent"] .combined')).to_be_hidden()


def test_a_missing_metric_is_said(page: Page) -> None:
    """A host without the metric is named as such, with dashes and no line; the others are compared."""
    page.goto(f"{BOTH}&metric=temperature_celsius")
    panel = page.locator('[data-metric="temperature_celsius"]')
    expect(panel.locator(".note")).to_have_text("not available on web-2")
    assert cells(page, "temperature_celsius", "web-2") == ["—"] * 4
    expect(panel.locator('tr[data-host="web-2"] td').first).to_have_attribute(
        "title", "not available on this host"
    )
    expect(panel.locator('tr[data-host="web-1"] td').first).to_have_text(re.compile(r"^\d+ °C$"))


def test_a_lost_host_dims_and_keeps_its_past(page: Page, bridge: FakeBridge) -> None:
    """A host that is lost says so in its row, has no value of now, and keeps what it was."""
    bridge.hosts = [MadeUpHost("web-1", busy=30.0), MadeUpHost("web-2", number=1, busy=50.0)]
    page.goto(BOTH)
    row = page.locator('[data-metric="cpu_percent"] tr[data-host="web-2"]')
    expect(row.locator("td").first).to_have_text("50 %")
    bridge.set_state("web-2", "lost")
    expect(row.locator(".compare-state")).to_have_text("lost")
    expect(row.locator(".swatch")).to_have_css("opacity", "0.55")
    bridge.stop_time()
    for _ in range(8):
        bridge.tick()
        page.clock.run_for(1_000)
    expect(row.locator("td")).to_have_text(["—", "50 %", "50 %", "50 %"])
    expect(page.locator('[data-metric="cpu_percent"] tr[data-host="web-1"] td').first).to_have_text("30 %")
    expect(page.locator(".compared").first).to_contain_text(re.compile(r"lost since \d\d:\d\d:\d\d"))


def test_hosts_and_metrics_are_chosen_by_keyboard(page: Page, bridge: FakeBridge) -> None:
    """Hosts and metrics are added by key and removed by button; the address and the colours follow."""
    bridge.hosts += [MadeUpHost(f"db-{number}", number=number) for number in range(2, 9)]
    bridge.hosts[0].changes = {
        "groups": {
            "cpu": {"interval_seconds": 1.0, "fields": {"user_percent": {"unit": "percent", "limit": 100}}}
        }
    }
    page.goto("/#/compare")
    expect(page.locator(".nothing")).to_have_text("Choose two to eight hosts to compare.")
    for host in ("web-1", "db-3"):
        page.keyboard.press("c")
        page.keyboard.type(host)
        page.keyboard.press("Enter")
        expect(page.locator(".compared").first.get_by_role("link", name=host)).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/compare\?hosts=web-1,db-3&metric=cpu_percent$"))
    page.keyboard.press("m")
    page.keyboard.type("cpu user")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"metric=cpu_percent,cpu\.user_percent$"))
    expect(rows(page, "cpu.user_percent")).to_have_count(2)
    page.get_by_role("button", name="Remove web-1").click()
    expect(page.get_by_role("button", name="Add host")).to_be_focused()
    expect(rows(page, "cpu_percent")).to_have_count(1)
    expect(rows(page, "cpu_percent").locator(".swatch")).to_have_class("swatch swatch-1")


def test_never_more_than_eight_hosts_and_four_metrics(page: Page, bridge: FakeBridge) -> None:
    """A link may name any number of hosts and metrics; eight and four are shown, each once, what is none is passed over."""
    bridge.hosts = [MadeUpHost(f"web-{number}", number=number) for number in range(12)]
    hosts = ",".join(f"web-{number}" for number in [0, 0, *range(12)])
    page.goto(
        f"/#/compare?hosts=Bad%20Id,{hosts}&metric=cpu_percent,<b>,load_1m,memory_percent,swap_percent,process_count"
    )
    expect(page.locator("[data-metric]")).to_have_count(4)
    expect(rows(page, "load_1m")).to_have_count(8)
    expect(page.get_by_role("button", name="Add host")).to_be_hidden()
    expect(page.get_by_role("button", name="Add metric")).to_be_hidden()
    classes = (
        rows(page, "load_1m")
        .locator(".swatch")
        .evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
    )
    assert len(set(classes)) == 8


def test_small_multiples_share_their_range(page: Page, bridge: FakeBridge) -> None:
    """Each host has a chart of its own with the same top of its axis; the layout is in the address."""
    page.goto(f"{BOTH}&metric=network_receive_bytes_per_second")
    expect(page.locator("[data-metric] canvas")).to_have_count(1)
    page.get_by_role("button", name="small multiples").click()
    expect(page).to_have_url(re.compile("layout=small"))
    expect(page.locator("[data-metric] canvas")).to_have_count(2)
    bridge.pulses["web-1"] = bridge.hosts[0].pulse(
        bridge.now + 1, network_receive_bytes_per_second=300 * 1024**2
    )
    for _ in range(2):  # charts are drawn more than a second late
        bridge.tick()
    tops = page.locator("[data-metric] .axis-y span:first-child")
    expect(tops).to_have_text(["500 MiB/s", "500 MiB/s"])
    page.reload()
    expect(page.locator("[data-metric] canvas")).to_have_count(2)
    page.keyboard.press("g")
    expect(page).not_to_have_url(re.compile("layout"))


def test_a_longer_window_asks_for_more(page: Page, bridge: FakeBridge) -> None:
    """Five minutes instead of one are asked for, counted and in the address."""
    page.goto(BOTH)
    expect(rows(page, "cpu_percent")).to_have_count(2)
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("win=300"))
    expect(page.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.locator('[data-metric="cpu_percent"] tr[data-host="web-1"] td').first).to_have_text(
        re.compile("%")
    )
    assert bridge.messages("watch")[-1]["history"] == 305


def test_a_host_is_compared_from_its_page(page: Page) -> None:
    """On a host page `c` opens the comparison with that host in it."""
    page.goto("/#/host/web-2")
    expect(page.locator(".host-name")).to_have_text("web-2")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile(r"#/compare\?hosts=web-2$"))
    expect(rows(page, "cpu_percent")).to_have_count(1)


def test_a_host_the_bridge_does_not_know_is_named(page: Page, bridge: FakeBridge) -> None:
    """A host of a link that nobody knows keeps its place and says so; it is compared as soon as it is heard."""
    page.goto("/#/compare?hosts=web-1,late-1")
    expect(page.locator(".compared").first).to_contain_text("not known to the bridge")
    newcomer = MadeUpHost("late-1", number=3, busy=12.0)
    bridge.hosts.append(newcomer)
    bridge.send("host", id="late-1", state="live", since=bridge.now, info=newcomer.info(bridge.now))
    bridge.tick()
    expect(page.locator('tr[data-host="late-1"] td').first).to_have_text("12 %")


@pytest.mark.parametrize("hosts", [2, 3, 4, 5, 6, 7, 8])
def test_small_multiples_leave_no_hole(page: Page, bridge: FakeBridge, hosts: int) -> None:
    """However many hosts are compared, every row of small charts is full, and has four at most."""
    bridge.hosts = [MadeUpHost(f"web-{number}", number=number) for number in range(hosts)]
    page.goto(f"/#/compare?layout=small&hosts={','.join(host.id for host in bridge.hosts)}")
    expect(page.locator(".multiple")).to_have_count(hosts)
    rows = page.locator(".multiples").evaluate(
        """all => {
          const rows = Map.groupBy([...all.children].map((one) => one.getBoundingClientRect()), ({ top }) => top)
          const { right } = all.getBoundingClientRect()
          return [...rows.values()].map((row) => ({ charts: row.length, left: right - row.at(-1).right }))
        }"""
    )
    assert [row["charts"] for row in rows] == {5: [3, 2], 6: [3, 3], 7: [4, 3], 8: [4, 4]}.get(hosts, [hosts])
    assert all(abs(row["left"]) < 1 for row in rows)
