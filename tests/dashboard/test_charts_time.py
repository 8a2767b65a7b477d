"""How often charts are painted, when they stand still, and what they say about the moment pointed at."""

import math
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from support.chart_rig import CANVAS, ChartRig, Row
from support.page import FakeBridge
from support.pixels import ink

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0
COUNT_PAINTS = """window.paints = 0
const clear = CanvasRenderingContext2D.prototype.clearRect
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  if (this.canvas.closest("#rig")) window.paints += 1
  clear.apply(this, box)
}
"""
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true })
  document.dispatchEvent(new Event("visibilitychange"))
}"""


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge(now=NOW)


@pytest.fixture
def page(page: Page) -> Page:
    """Give a page whose time passes only when a test says so, frames included."""
    stop_at_now(page)
    return page


def stop_at_now(page: Page) -> None:
    page.clock.install(time=NOW - 60)
    page.clock.pause_at(NOW)
    page.add_init_script(COUNT_PAINTS)


def wave(start: float, end: float, name: str = "one") -> list[Row]:
    """Return a row for each second, each with another value than the one before."""
    return [
        (start + second, {name: 50 + 40 * math.sin((start + second) / 3)})
        for second in range(round(end - start) + 1)
    ]


def rig_with_past(page: Page, **look: object) -> ChartRig:
    rig = ChartRig(page, **look)
    rig.feed(wave(NOW - 200, NOW))
    page.clock.run_for(200)
    page.wait_for_function("() => paints > 0")
    return rig


def paints_in(page: Page, milliseconds: int) -> int:
    before: int = page.evaluate("paints")
    page.clock.run_for(milliseconds)
    after: int = page.evaluate("paints")
    return after - before


def picture_after(page: Page, milliseconds: int) -> int:
    page.clock.run_for(milliseconds)
    return ink(page, CANVAS).hash


def test_a_chart_is_painted_ten_times_a_second(page: Page) -> None:
    """Once per pixel it moves, which is ten times a second at a minute in 600 pixels, and more often with the focus."""
    rig = rig_with_past(page)
    assert paints_in(page, 3000) == pytest.approx(30, abs=2)
    rig.run("rig.time.setSeconds(300)")
    page.clock.run_for(1000)
    assert paints_in(page, 5000) == pytest.approx(10, abs=1)


def test_a_chart_with_the_focus_is_painted_once_per_pixel_up_to_thirty_times_a_second(page: Page) -> None:
    """A wide chart that has the focus moves in steps of one pixel."""
    rig = ChartRig(page)
    rig.run("document.getElementById('rig').style.width = '1261px'")
    rig.feed(wave(NOW - 70, NOW))
    page.clock.run_for(200)
    page.wait_for_function("() => rig.chart.width === 1200")
    assert paints_in(page, 3000) == pytest.approx(30, abs=2)
    page.locator(CANVAS).focus()
    assert paints_in(page, 3000) == pytest.approx(60, abs=4)


def test_a_hidden_tab_paints_nothing(page: Page) -> None:
    """While the page cannot be seen nothing is painted, and all that came meanwhile is there afterwards."""
    rig = rig_with_past(page)
    page.evaluate(HIDE, True)
    page.clock.run_for(100)
    assert paints_in(page, 5000) == 0
    rig.feed(wave(NOW + 1, NOW + 5))
    before = ink(page, CANVAS)
    page.evaluate(HIDE, False)
    page.clock.run_for(200)
    after = ink(page, CANVAS)
    assert after.hash != before.hash
    assert after.columns[-1] > 0.98


# Whoever observed before is told before.
IS_IN_SIGHT = """([canvas, wanted]) => new Promise((done) => {
  new IntersectionObserver(([one], all) => {
    all.disconnect()
    done(one.isIntersecting === wanted)
  }).observe(document.querySelector(canvas))
})"""


@pytest.mark.parametrize("away", ["margin-top: 5000px", "display: none"])
def test_a_chart_out_of_sight_is_not_painted(page: Page, away: str) -> None:
    """A chart that is scrolled away or folded costs nothing, and is painted when it comes back."""
    rig_with_past(page)
    page.evaluate("(away) => { document.getElementById('rig').style.cssText += ';' + away }", away)
    page.wait_for_function(IS_IN_SIGHT, arg=[CANVAS, False])
    page.clock.run_for(100)
    assert paints_in(page, 3000) == 0
    page.evaluate(
        "document.getElementById('rig').style.marginTop = 0; document.getElementById('rig').style.display = 'flex'"
    )
    page.wait_for_function(IS_IN_SIGHT, arg=[CANVAS, True])
    page.clock.run_for(200)
    assert paints_in(page, 1000) >= 9


def test_reduced_motion_steps_once_a_second(new_page: Callable[..., Page], bridge: FakeBridge) -> None:
    """Where the viewer wants little motion, a chart is painted once per second."""
    page = new_page(reduced_motion="reduce")
    bridge.attach(page)
    stop_at_now(page)
    rig_with_past(page)
    assert paints_in(page, 5000) == 5


def test_a_pause_holds_the_picture_and_loses_nothing(page: Page) -> None:
    """Paused, the picture stays although samples come; resumed, it is that of now, with all that came."""
    rig = rig_with_past(page)
    rig.run(f"rig.time.pause({NOW * 1000 + 200})")
    still = picture_after(page, 300)
    for second in range(1, 31):
        rig.feed(wave(NOW + second, NOW + second))
        page.clock.run_for(1000)
    assert ink(page, CANVAS).hash == still
    assert paints_in(page, 1000) > 0
    rig.run("rig.time.pause(undefined)")
    assert picture_after(page, 300) != still
    assert ink(page, CANVAS).columns[-1] > 0.95
    assert rig.run("rig.chart.table(100).rows.length") == 100


def test_a_pause_outlives_the_ring_of_the_store(page: Page) -> None:
    """What is paused stays in sight even when the store has overwritten it."""
    rig = rig_with_past(page)
    rig.run(f"rig.time.pause({NOW * 1000 + 200})")
    still = picture_after(page, 300)
    rig.feed(wave(NOW + 1, NOW + 1500))
    rig.fill(wave(NOW + 100.5, NOW + 102.5))
    page.clock.run_for(1000)
    assert ink(page, CANVAS).hash == still
    page.clock.fast_forward(1_500_000)
    page.clock.run_for(1000)
    assert ink(page, CANVAS).hash == still


def test_a_longer_window_shows_all_that_the_store_has(page: Page) -> None:
    """From one minute to five the chart is filled at once with the 200 s that are there."""
    rig = rig_with_past(page)
    rig.run("rig.time.setSeconds(300)")
    page.clock.run_for(1100)
    found = ink(page, CANVAS)
    assert found.columns[0] == pytest.approx(1 - 200 / 300, abs=0.01)
    assert len(found.columns) > 0.6 * found.width


def test_the_crosshair_reads_the_nearest_sample(page: Page) -> None:
    """Under the pointer stand the time, and each series with its value then; they go with the pointer."""
    series = [
        {"name": "one", "label": "first", "colour": 1, "keys": ["one"]},
        {"name": "two", "colour": 2, "keys": ["two"]},
    ]
    rig = ChartRig(page, series=series)
    rig.feed([(NOW - 70 + second, {"one": second, "two": 70.0 - second}) for second in range(71)])
    page.clock.run_for(200)
    hover(page, rig.column(NOW - 30.3, NOW + 0.2))
    page.clock.run_for(100)
    readings = page.locator("#rig .readings")
    expect(readings.locator(".moment")).to_have_text("11:06:10")
    expect(readings.locator("li")).to_have_text(["first40 %", "two30 %"])
    assert placed(page.locator("#rig .crosshair"), page) == pytest.approx(
        rig.column(NOW - 30, NOW + 0.3), abs=0.004
    )
    page.mouse.move(5, 700)
    page.clock.run_for(100)
    expect(readings).to_be_hidden()
    expect(page.locator("#rig .crosshair")).to_be_hidden()


def test_the_crosshair_says_nothing_in_a_gap(page: Page) -> None:
    """Where nothing was sampled there is a time and no value."""
    rig = ChartRig(page)
    rig.feed(wave(NOW - 70, NOW - 40))
    rig.feed(wave(NOW - 20, NOW))
    page.clock.run_for(200)
    hover(page, rig.column(NOW - 30, NOW + 0.2))
    page.clock.run_for(100)
    expect(page.locator("#rig .moment")).to_have_text("11:06:10")
    expect(page.locator("#rig .readings li")).to_have_count(0)


def test_the_crosshair_stays_below_the_pointer(page: Page) -> None:
    """While the chart moves on, the line stays where the mouse is, and reads what comes by."""
    rig = rig_with_past(page)
    hover(page, 0.5)
    page.clock.run_for(100)
    before = page.locator("#rig .moment").inner_text()
    for second in range(1, 4):
        rig.feed(wave(NOW + second, NOW + second))
        page.clock.run_for(1000)
    expect(page.locator("#rig .moment")).not_to_have_text(before)
    assert placed(page.locator("#rig .crosshair"), page) == pytest.approx(0.5, abs=0.01)


def test_the_crosshair_obeys_the_keyboard(page: Page) -> None:
    """With the focus on a chart arrows go sample by sample, Home and End to the ends, and Escape leaves."""
    rig = rig_with_past(page)
    canvas = page.locator(CANVAS)
    moment = page.locator("#rig .moment")
    canvas.focus()
    for key, text in (
        ("End", "11:06:38"),
        ("ArrowLeft", "11:06:37"),
        ("ArrowLeft", "11:06:36"),
        ("ArrowRight", "11:06:37"),
        ("Home", "11:05:39"),
        ("ArrowLeft", "11:05:39"),
    ):
        page.keyboard.press(key)
        page.clock.run_for(20)
        expect(moment).to_have_text(text)
    expect(page.locator("#rig .readings")).to_have_attribute("aria-live", "off")
    page.keyboard.press("Escape")
    page.clock.run_for(50)
    expect(moment).to_be_hidden()
    assert rig.run("rig.time.pointedAt === undefined") is True


def test_the_crosshair_obeys_a_finger(new_page: Callable[..., Page], bridge: FakeBridge) -> None:
    """A tap marks a moment that stays when the finger is gone, until a tap beside the chart."""
    page = new_page(has_touch=True)
    bridge.attach(page)
    stop_at_now(page)
    rig_with_past(page)
    page.locator(CANVAS).tap(position={"x": 300, "y": 50})
    page.clock.run_for(50)
    expect(page.locator("#rig .moment")).to_be_visible()
    page.touchscreen.tap(900, 700)
    page.clock.run_for(50)
    expect(page.locator("#rig .moment")).to_be_hidden()


def hover(page: Page, share: float) -> None:
    box = page.locator(CANVAS).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + share * box["width"], box["y"] + 60)


def placed(mark: Locator, page: Page) -> float:
    """Return where a mark is, in shares of the canvas."""
    box, place = page.locator(CANVAS).bounding_box(), mark.bounding_box()
    assert box is not None
    assert place is not None
    return (place["x"] - box["x"]) / box["width"]
