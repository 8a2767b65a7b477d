"""Lines are drawn where the samples say, move, and stop: looked at pixel by pixel."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from support.chart_rig import CANVAS, ChartRig, Row
from support.page import FakeBridge
from support.pixels import AMBER, SKY_ON_LIGHT, ink, wait_for_change, wait_for_ink
from support.samples import MadeUpHost

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0
CPU = '[data-panel="cpu"] canvas'


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge(now=NOW, hosts=[MadeUpHost("web-1", busy=50)])


def flat(value: float, start: float = NOW - 70, end: float = NOW, name: str = "one") -> list[Row]:
    """Return a row for each second, all with the same value."""
    return [(start + second, {name: value}) for second in range(round(end - start) + 1)]


def open_host(page: Page) -> None:
    page.goto("/#/host/web-1")
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text(re.compile("%"))
    page.clock.set_fixed_time(NOW + 1)


def open_host_without_past(page: Page, bridge: FakeBridge) -> None:
    bridge.history = False
    page.goto("/#/host/web-1")
    expect(page.locator('[data-panel="cpu"] .note').first).to_have_text("waiting for the first sample")


def test_charts_are_full_on_open(page: Page) -> None:
    """As soon as the past arrives the line of a chart runs through nearly its whole width."""
    open_host(page)
    found = wait_for_ink(page, CPU)
    assert found.columns[0] < 0.02
    assert found.columns[-1] > 0.95


def test_a_chart_moves_with_time_and_stands_with_it(page: Page, bridge: FakeBridge) -> None:
    """The picture changes when time passes and samples arrive, and is the same while time stands still."""
    open_host(page)
    before = wait_for_ink(page, CPU)
    bridge.hosts[0].busy = 90
    bridge.tick(2)
    bridge.tick(1)
    page.clock.set_fixed_time(NOW + 4)
    wait_for_change(page, CPU, before)
    after = wait_for_ink(page, CPU)
    page.wait_for_timeout(300)
    assert ink(page, CPU).hash == after.hash


def test_samples_of_each_second_reach_the_canvas(page: Page, bridge: FakeBridge) -> None:
    """What comes from the bridge is drawn after a second and a half, at its height."""
    open_host(page)
    wait_for_ink(page, CPU)
    bridge.hosts[0].busy = 100
    bridge.tick(1)
    bridge.tick(1)
    page.clock.set_fixed_time(NOW + 4)
    page.wait_for_function(
        "(canvas) => document.querySelector(canvas).closest('section').querySelector('dd').textContent === '100 %'",
        arg=CPU,
    )
    found = wait_for_ink(page, CPU)
    newest = found.tops[max(column for column in found.tops if column < 0.985 * found.width)]
    assert newest == pytest.approx((1 - 0.62) * found.height, abs=4)


def test_a_line_is_at_the_height_of_its_value(page: Page) -> None:
    """A step from 0 to 100 and levels between are drawn within two pixels of where the axis says."""
    rig = ChartRig(page, series=[{"name": "one", "colour": 1, "keys": ["one"], "filled": False}])
    levels = (0.0, 25.0, 50.0, 75.0, 100.0)
    for number, level in enumerate(levels):
        rig.feed(flat(level, NOW - 60 + 12 * number, NOW - 60 + 12 * number + 11))
    found = wait_for_ink(page, CANVAS, 0.8)
    for number, level in enumerate(levels):
        column = round(rig.column(NOW - 60 + 12 * number + 5, NOW) * found.width)
        # The line is 1.75 pixels thick: its middle is one below its top, which the upper edge may cut.
        assert found.tops[column] == pytest.approx((1 - level / 100) * found.height - 1, abs=2), level


def test_silence_is_a_gap_and_never_a_line(page: Page) -> None:
    """Twenty seconds without samples leave a third of the chart without ink, and exactly that third."""
    rig = ChartRig(page)
    rig.feed(flat(50, NOW - 70, NOW - 40))
    rig.feed(flat(50, NOW - 20, NOW))
    found = wait_for_ink(page, CANVAS, 0.5)
    left, right = rig.column(NOW - 40, NOW), rig.column(NOW - 20, NOW)
    assert found.between(left + 0.01, right - 0.01) == []
    assert len(found.between(0, left)) > 0.95 * left * found.width
    assert len(found.between(right, 1)) > 0.95 * (1 - right) * found.width


def test_a_value_that_is_missing_is_a_gap_in_its_own_line(page: Page) -> None:
    """Where one series has no value its line breaks, and the other goes on."""
    series = [
        {"name": "one", "colour": 1, "keys": ["one"], "filled": False},
        {"name": "two", "colour": 2, "keys": ["two"], "filled": False},
    ]
    rig = ChartRig(page, series=series)
    rig.feed(
        [(at, {"two": 80.0} | ({} if NOW - 40 < at < NOW - 20 else row)) for at, row in flat(30)],
    )
    wait_for_ink(page, CANVAS, 0.5)
    inside = (rig.column(NOW - 39, NOW), rig.column(NOW - 21, NOW))
    assert ink(page, CANVAS).between(*inside) == []
    assert len(ink(page, CANVAS, AMBER).between(*inside)) > 100


def test_a_gap_is_filled_when_its_past_comes(page: Page) -> None:
    """Rows that come late take their place, and the line is whole again."""
    rig = ChartRig(page)
    rig.feed(flat(50, NOW - 70, NOW - 40))
    rig.feed(flat(50, NOW - 20, NOW))
    assert len(wait_for_ink(page, CANVAS, 0.5).columns) < 450
    rig.fill(flat(50, NOW - 45, NOW - 15))
    assert len(wait_for_ink(page, CANVAS, 0.97).columns) > 590


def test_a_past_in_several_frames_is_put_together(page: Page, bridge: FakeBridge) -> None:
    """The newest come first and are drawn at once; what is older takes its place before them."""
    open_host_without_past(page, bridge)
    page.clock.set_fixed_time(NOW + 1)
    past = bridge.hosts[0].history(NOW, 60)
    for low, high in ((NOW - 20, NOW + 1), (NOW - 40, NOW - 20), (0, NOW - 40)):
        part = {
            name: [one for one in payloads if low <= one["time"] < high] for name, payloads in past.items()
        }
        bridge.send("history", host="web-1", samples=part, more=low > 0)
        if low == NOW - 20:
            assert wait_for_ink(page, CPU, 0.25).columns[0] > 0.6
    page.clock.set_fixed_time(NOW + 2)
    assert wait_for_ink(page, CPU).columns[0] < 0.02


@pytest.mark.parametrize("history", [True, False])
def test_an_outage_is_filled_from_the_past_or_stays_a_gap(
    page: Page, bridge: FakeBridge, *, history: bool
) -> None:
    """After twenty seconds without the bridge the line is whole if the bridge has the past, else it is not."""
    open_host(page)
    wait_for_ink(page, CPU)
    bridge.history = history
    bridge.cut()
    expect(page.locator(".bar")).to_be_visible()
    bridge.pass_time(20)
    expect(page.locator(".bar")).to_be_hidden()
    bridge.tick()
    bridge.tick()
    page.clock.set_fixed_time(NOW + 23)
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text("50 %")
    assert bridge.messages("watch")[-1]["history"] >= 60
    if history:
        assert len(wait_for_ink(page, CPU, 0.97).columns) > 0
    else:
        found = wait_for_ink(page, CPU, 0.5)
        assert found.between(0.66, 0.93) == []
        assert len(found.between(0.3, 0.6)) > 0.28 * found.width


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_a_wrong_clock_is_set_right(page: Page, bridge: FakeBridge, ahead: float) -> None:
    """A host whose clock is an hour off draws at the right place."""
    bridge.hosts = [MadeUpHost("web-1", busy=50, clock_ahead=ahead)]
    open_host(page)
    bridge.tick()
    found = wait_for_ink(page, CPU)
    assert found.columns[0] < 0.05
    assert found.columns[-1] > 0.95


def test_duplicate_and_older_samples_are_dropped(page: Page, bridge: FakeBridge) -> None:
    """A sample that came before, or late, changes neither number nor line."""
    open_host(page)
    bridge.tick()
    before = wait_for_ink(page, CPU)
    older = bridge.hosts[0].live(NOW - 5)
    older["cpu"] |= {"total_percent": 99.0, "user_percent": 99.0}
    bridge.send("live", host="web-1", samples=older)
    bridge.send("live", host="web-1", samples=bridge.hosts[0].live(bridge.now))
    bridge.hosts[0].busy = 33
    bridge.tick()
    expect(page.locator('[data-panel="cpu"] dd').first).to_have_text("33 %")
    page.clock.set_fixed_time(NOW + 3.5)
    after = wait_for_change(page, CPU, before)
    assert after.top == pytest.approx(1 - 0.31, abs=0.03)


def test_a_theme_switch_recolours_the_lines(page: Page) -> None:
    """When the system turns light, the line has the light colour of its series at once."""
    open_host(page)
    wait_for_ink(page, CPU)
    page.emulate_media(color_scheme="light")
    assert wait_for_ink(page, CPU, colour=SKY_ON_LIGHT).pixels > 50
    assert ink(page, CPU).pixels == 0


def test_hidden_series_leave_line_and_stack(page: Page) -> None:
    """A series that is switched off is not drawn, and those above it in a stack come down."""
    series = [{"name": name, "colour": 1 + number, "keys": [name]} for number, name in enumerate(("a", "b"))]
    rig = ChartRig(page, series=series, stacked=True)
    rig.feed([(at, {"a": 30.0, "b": 40.0}) for at, _ in flat(0)])
    assert wait_for_ink(page, CANVAS, colour=AMBER).top == pytest.approx(0.3, abs=0.02)
    rig.run("rig.chart.setHidden(new Set(['a']))")
    page.wait_for_function("() => rig.chart.summary().max === 40")
    page.wait_for_timeout(200)
    assert ink(page, CANVAS).pixels == 0
    assert ink(page, CANVAS, AMBER).top == pytest.approx(0.6, abs=0.02)
    rig.run("rig.chart.setHidden(new Set())")
    wait_for_ink(page, CANVAS)


def test_a_stack_keeps_its_order_when_a_layer_comes_late(page: Page) -> None:
    """A layer without values at first lies above those below it, and does not cover them."""
    series = [{"name": name, "colour": 1 + number, "keys": [name]} for number, name in enumerate(("a", "b"))]
    rig = ChartRig(page, series=series, stacked=True)
    rig.feed([(at, {"a": 30.0} | ({"b": 40.0} if at > NOW - 30 else {})) for at, _ in flat(0)])
    assert wait_for_ink(page, CANVAS, 0.95).top == pytest.approx(0.7, abs=0.02)


def test_limits_are_lines_with_words(page: Page) -> None:
    """A limit is a line across the chart at its value, and says what it is; one beyond the axis is left out."""
    thresholds = [{"value": 80, "level": "high"}, {"value": 150, "level": "critical"}]
    rig = ChartRig(page, thresholds=thresholds)
    rig.feed(flat(10))
    wait_for_ink(page, CANVAS)
    warn = ink(page, CANVAS, (0xFF, 0xC9, 0x3D))
    assert len(warn.columns) == warn.width
    assert warn.top == pytest.approx(0.2, abs=0.01)
    expect(page.locator("#rig .limits span")).to_have_text(["high 80 %"])


def test_summary_and_table_say_what_is_in_sight(page: Page) -> None:
    """The range covers the window and what is about to enter it, the table what is drawn, with holes as dashes."""
    rig = ChartRig(page, series=[{"name": "one", "label": "the one", "colour": 1, "keys": ["one"]}])
    assert rig.run("Number.isNaN(rig.chart.summary().max)") is True
    rig.feed([(NOW - 100, {"one": 99.0}), *flat(20, NOW - 50, NOW - 11), (NOW - 10, {"one": 35.0})])
    rig.feed([(NOW, {"one": 77.0})])
    assert rig.run("rig.chart.summary()") == {"min": 20, "max": 77}
    table = rig.run("rig.chart.table(2)")
    assert table == {"columns": ["time", "the one"], "rows": [["11:06:29", "20 %"], ["11:06:30", "35 %"]]}


def test_a_first_sample_is_told_before_it_is_drawn(page: Page) -> None:
    """Who listens is told the newest value, which enters the picture a moment later."""
    rig = ChartRig(page)
    rig.feed([(NOW, {"one": 77.0})])
    expect(page.locator(CANVAS)).to_have_attribute(
        "aria-label", re.compile("now 77 %, range of 60 s 77 % to 77 %")
    )


def test_the_axis_shows_the_times_of_its_grid_lines(page: Page) -> None:
    """Full minutes are named whole, others by their seconds, and each stands where its moment is drawn."""
    rig = ChartRig(page)
    rig.feed(flat(50))
    wait_for_ink(page, CANVAS)
    ticks = page.locator("#rig .ticks span:visible")
    expect(ticks.first).to_be_visible()
    box = page.locator(CANVAS).bounding_box()
    assert box is not None
    seen = {}
    for tick in ticks.all():
        place = tick.bounding_box()
        assert place is not None
        seen[tick.inner_text()] = (place["x"] + place["width"] / 2 - box["x"]) / box["width"]
    start = datetime.fromtimestamp(NOW, UTC)
    expected = {}
    for ago in range(65):
        moment = start - timedelta(seconds=ago)
        if moment.second % 10 == 0 and 0 < (where := rig.column(NOW - ago, NOW)) < 0.97:
            expected[f"{moment:%H:%M}" if moment.second == 0 else f"{moment::%S}"] = where
    assert seen == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("factor", [1, 1.5, 2])
def test_canvases_are_as_fine_as_the_screen(
    new_page: Callable[..., Page], bridge: FakeBridge, factor: float
) -> None:
    """A canvas has a pixel for each pixel of the screen, and follows when the page moves to another one."""
    page = new_page(device_scale_factor=factor)
    bridge.attach(page)
    rig = ChartRig(page)
    rig.feed(flat(50))
    wait_for_ink(page, CANVAS)
    found = ink(page, CANVAS)
    assert (found.width, found.height) == (round(rig.width * factor), round(rig.height * factor))
    session = page.context.new_cdp_session(page)
    screen = {"width": 1440, "height": 900, "deviceScaleFactor": 3, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", screen)
    page.wait_for_function("(canvas) => document.querySelector(canvas).width === 1800", arg=CANVAS)
    assert wait_for_ink(page, CANVAS).top == pytest.approx(0.5, abs=0.01)


def test_charts_say_what_they_show(page: Page) -> None:
    """Each canvas has a text for those who cannot see it, with the value of now and the range."""
    open_host(page)
    wait_for_ink(page, CPU)
    page.clock.set_fixed_time(NOW + 2)
    expect(page.locator(CPU).first).to_have_attribute(
        "aria-label", re.compile(r"CPU use, now 50 %, range of 60 s \d+ % to \d+ %")
    )
    assert page.locator("canvas:not([role=img][aria-label])").count() == 0


def test_a_moment_pointed_at_is_marked_on_every_chart(page: Page) -> None:
    """Pointing at one chart tells the values of all the others at that moment, and marks it on the heat map."""
    open_host(page)
    wait_for_ink(page, CPU)
    page.locator(CPU).first.hover()
    expect(page.locator('[data-panel="cpu"] .moment').first).to_have_text("11:06:10")
    memory = page.get_by_role("region", name="Memory and swap")
    expect(memory.locator(".readings").first).to_contain_text("used")
    expect(page.locator(".heat .crosshair")).to_be_visible()
    page.locator(".heat canvas").hover()
    expect(page.locator(".heat .moment")).to_be_visible()
    expect(page.locator('[data-panel="cpu"] .readings').first).to_contain_text("user31 %")
    page.mouse.move(1, 1)
    expect(page.locator(".crosshair:visible")).to_have_count(0)
