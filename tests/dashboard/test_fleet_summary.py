import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge

pytestmark = pytest.mark.browser


def test_the_strip_adds_up_all_hosts(page: Page, bridge: FakeBridge) -> None:
    """Cores, memory, network and disks are the sums of the hosts that are heard; a lost one is left out."""
    numbers = {
        "cpu_percent": 50.0,
        "memory_percent": 25.0,
        "network_receive_bytes_per_second": 1_048_576,
        "network_transmit_bytes_per_second": 2048,
        "disk_read_bytes_per_second": 0,
        "disk_write_bytes_per_second": 512,
    }
    for host in bridge.hosts:
        bridge.pulses[host.id] = host.pulse(bridge.now, **numbers)
    page.goto("/")
    expect(page.locator(".tile-hosts")).to_contain_text("2all live")
    expect(page.locator(".tile-CPU")).to_contain_text("8.0of 16 cores, 50 %")
    expect(page.locator(".tile-memory")).to_contain_text("6.00GiBof 24.0 GiB, 25 %")
    expect(page.locator(".tile-network .figures")).to_have_text("↓2.00MiB/s↑4.00KiB/s")
    expect(page.locator(".tile-disks .figures")).to_have_text("r0B/sw1.00KiB/s")
    bridge.set_state("web-2", "lost")
    expect(page.locator(".tile-CPU")).to_contain_text("4.0of 8 cores, 50 %")
    expect(page.locator(".tile-hosts")).to_contain_text("1live, of 2")


def test_a_sum_of_nothing_is_a_dash(page: Page, bridge: FakeBridge) -> None:
    """Where no host is heard there is no sum, not a zero."""
    bridge.states = {"web-1": "lost", "web-2": "waiting"}
    page.goto("/")
    expect(page.locator(".tile-CPU .value")).to_have_text("—")
    expect(page.locator(".tile-network .value").first).to_have_text("—")


def test_the_last_minute_of_the_sums_is_drawn_on_open(page: Page) -> None:
    """Of a fleet whose past the bridge tells, the strip's lines are full when the page opens."""
    page.goto("/")
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector(".tile-CPU .tile-line")
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
          const inked = new Set()
          for (let pixel = 0; pixel < data.length / 4; pixel += 1) {
            if (data[4 * pixel + 3] > 0) inked.add(pixel % canvas.width)
          }
          return inked.size > 0.9 * canvas.width
        }"""
    )


def test_a_gap_in_a_small_line_stays_a_gap(page: Page) -> None:
    """Where nothing was heard for long, or a value is missing, a small line has no ink."""
    page.goto("/")
    inked = page.evaluate(
        """async () => {
          const { drawSparkline } = await import("/src/charts/sparkline.js")
          const { Columns } = await import("/src/data/store.js")
          const columns = new Columns(72)
          for (let second = 0; second <= 60; second += 1) {
            if (second > 20 && second < 30) continue
            columns.append(second, second > 40 && second < 50 ? [] : [["v", 50]])
          }
          const canvas = document.createElement("canvas")
          Object.assign(canvas, { width: 600, height: 40 })
          const sheet = { context: canvas.getContext("2d"), width: 600, height: 40 }
          drawSparkline(sheet, [{ columns, key: "v", colour: "#ff0000", offset: 0, gap: 2500 }], 60_000)
          const { data } = canvas.getContext("2d").getImageData(0, 0, 600, 40)
          const columnHasInk = (x) => Array.from({ length: 40 }, (_, y) => data[4 * (600 * y + x) + 3]).some((alpha) => alpha > 0)
          return [100, 250, 350, 450, 550].map(columnHasInk)
        }"""
    )
    assert inked == [True, False, True, False, True]
