"""What the page costs the browser that shows it: frames, script, long tasks, memory, bytes, first data.

In a real Chromium, drawing in software. Frames and first data are of the whole chain: mosquitto, bridge and
simulated hosts. Memory over ten minutes, changes of the host and the large fleet are of the page alone, with
a pretended bridge, as time must pass faster there or hosts would cost more than the page.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from fleetglass.bridge.page.files import read_page
from rig import Spent, running_bridge, running_broker, show, told, write
from support.chromium import find_chromium, running_chromium
from support.heap import Heap
from support.page import FakeBridge, change_host, serve_dashboard
from support.programs import Fleetglass
from support.samples import MadeUpHost

SIZE = {"width": 1440, "height": 2400}
"""High enough for every chart of a host to be in sight."""
MILLION = 1_000_000
TICKS = 20
WATCH_FRAMES = """
window.deltas = []
window.longTasks = []
let before = performance.now()
const frame = (now) => {
  deltas.push(now - before)
  before = now
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask", buffered: true })
"""
NOTE_FIRST_DATA = """
const look = () => {
  const first = document.querySelector('[data-panel="cpu"] dd')
  if (first?.textContent.includes("%")) window.firstData = performance.now()
  else requestAnimationFrame(look)
}
requestAnimationFrame(look)
"""
CHARTS = "document.querySelectorAll('main canvas').length"


class Row(NamedTuple):
    """One figure and what it must be."""

    what: str
    measured: float
    target: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to count frames (default: 60)")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if find_chromium() is None:
        parser.exit(1, "bench: needs Chromium: apt-get install chromium\n")
    spent = Spent()
    with running_chromium() as browser:
        rows = [*chain(browser, options.seconds), *alone(browser)]
    at = spent.stop()
    table = [row._asdict() for row in rows]
    show(table)
    print(", ".join(f"{name} {value}" for name, value in told(at).items()))
    write(options.json, table, circumstances=told(at))


def chain(browser: Browser, seconds: float) -> Iterator[Row]:
    """Measure one host and a fleet of 200 as they come from a bridge."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_broker(Path(folder)) as broker,
        running_bridge(broker, Path(folder)) as bridge,
        Fleetglass("simulate", "--hosts", "200", "--cores", "16", "--broker", broker.url, home=Path(folder)),
    ):
        bridge.wait_for_hosts(200)
        address = f"http://127.0.0.1:{bridge.port}/"
        with shown(browser, address, NOTE_FIRST_DATA) as page:
            host = page.evaluate(
                "fetch('api/hosts').then((got) => got.json()).then(({ hosts }) => hosts[0].id)"
            )
        with shown(browser, f"{address}#/host/{host}", NOTE_FIRST_DATA, WATCH_FRAMES) as page:
            page.wait_for_function("() => window.firstData !== undefined")
            yield Row("first data of a host, ms", round(page.evaluate("firstData")), "< 1000")
            yield from smoothness(
                page,
                f"host page of {page.evaluate(CHARTS)} canvases",
                lambda: page.wait_for_timeout(1000 * seconds),
            )
        with shown(browser, address, WATCH_FRAMES) as page:
            page.wait_for_function("() => document.querySelectorAll('main canvas').length > 0")
            yield from smoothness(
                page, "fleet page of 200 hosts", lambda: page.wait_for_timeout(1000 * seconds)
            )


def smoothness(page: Page, what: str, wait: Callable[[], None]) -> Iterator[Row]:
    """Count frames, script and long tasks while waiting, and the longest task until then."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def script_seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "ScriptDuration"))

    page.wait_for_timeout(2000)
    loading = page.evaluate("longTasks")
    page.evaluate("deltas.length = longTasks.length = 0")
    before, started = script_seconds(), time.monotonic()
    wait()
    script = (script_seconds() - before) / (time.monotonic() - started)
    deltas = sorted(page.evaluate("deltas"))
    tasks = page.evaluate("longTasks")
    yield Row(f"{what}: frames per second", round(1000 * len(deltas) / sum(deltas), 1), ">= 55")
    yield Row(f"{what}: 95 % of frames within, ms", round(deltas[int(0.95 * len(deltas))], 1), "")
    yield Row(f"{what}: script, % of a core", round(100 * script, 2), "< 10")
    yield Row(f"{what}: longest task while loading, ms", round(max(loading, default=0)), "")
    yield Row(f"{what}: tasks over 50 ms afterwards", len(tasks), "0")
    yield Row(f"{what}: the longest of them, ms", round(max(tasks, default=0)), "<= 50")


def alone(browser: Browser) -> Iterator[Row]:
    """Measure the page with a pretended bridge."""
    with serve_dashboard() as address:
        with pretended(browser, address, [MadeUpHost("web-1", cores=64), MadeUpHost("web-2")]) as (
            page,
            bridge,
        ):
            fetched: list[str] = []
            page.on("request", lambda request: fetched.append(urlsplit(request.url).path))
            page.goto("/")
            change_host(page, "web-1")
            files = [file for path, file in read_page().items() if path in fetched]
            sent = sum(len(file.compressed or file.body) for file in files)
            yield Row("page with fonts, compressed, kB", round(sent / 1000, 1), "< 200")
            heap = Heap(page)
            live(page, bridge, 60)
            before = heap.kept()
            live(page, bridge, 600)
            grown = heap.kept().heap_bytes - before.heap_bytes
            yield Row("heap of a host page of 64 cores, MB", round(before.heap_bytes / MILLION, 2), "")
            yield Row("growth in 10 min of its time, MB", round(grown / MILLION, 2), "< 1")
            for host in ("web-2", "web-1"):
                change_host(page, host)
            before = heap.kept()
            for host in ("web-2", "web-1") * 25:
                change_host(page, host)
            grown = heap.kept().heap_bytes - before.heap_bytes
            yield Row("growth by 50 changes of the host, MB", round(grown / MILLION, 2), "< 1")
        hosts = [MadeUpHost(f"host-{number:04}", number) for number in range(2000)]
        with pretended(browser, address, hosts, paused=False) as (page, bridge):
            page.add_init_script(WATCH_FRAMES)
            page.goto("/")
            page.wait_for_function("() => document.querySelectorAll('main canvas').length > 0")

            def tick() -> None:
                for _ in range(TICKS):
                    started = time.monotonic()
                    bridge.tick()
                    page.wait_for_timeout(1000 * max(0.0, 1 - (time.monotonic() - started)))

            yield from smoothness(page, "fleet page of 2000 hosts", tick)


@contextmanager
def shown(browser: Browser, address: str, *scripts: str) -> Iterator[Page]:
    """Open an address in a window of its own."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    page = context.new_page()
    for script in scripts:
        page.add_init_script(script)
    page.goto(address)
    yield page
    context.close()


@contextmanager
def pretended(
    browser: Browser, address: str, hosts: list[MadeUpHost], *, paused: bool = True
) -> Iterator[tuple[Page, FakeBridge]]:
    """Give a page whose bridge is pretended, and whose time passes only when told so."""
    context = browser.new_context(base_url=address, viewport=SIZE)  # type: ignore[arg-type]
    page = context.new_page()
    now = float(int(time.time()))
    if paused:
        page.clock.install(time=now - 60)
        page.clock.pause_at(now)
    bridge = FakeBridge(now=now, hosts=hosts)
    bridge.attach(page)
    yield page, bridge
    context.close()


def live(page: Page, bridge: FakeBridge, seconds: int) -> None:
    """Let time pass, with a sample of every group each second, and some frames."""
    for _ in range(seconds):
        bridge.tick()
        page.clock.run_for(200)
        page.clock.fast_forward(800)


if __name__ == "__main__":
    main()
