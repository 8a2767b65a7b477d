import re

import pytest
from playwright.sync_api import Page, expect

from support.page import FakeBridge
from support.pixels import SKY_ON_LIGHT, wait_for_ink
from support.samples import MadeUpHost
from support.waiting import wait_for

pytestmark = pytest.mark.browser

NOW = 1_795_000_000.0
A4_LESS_MARGINS_PIXELS = 718
CPU = '[data-panel="cpu"] canvas'

# Of each canvas: the panel, whether it has ink, and the lightness of the darkest and the mean pixel with any.
CANVASES = """() => [...document.querySelectorAll(".panel canvas")].filter((canvas) => canvas.clientWidth > 0).map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  let ink = 0
  for (let at = 3; at < data.length; at += 4) if (data[at] > 120) ink += 1
  return { panel: canvas.closest(".panel").dataset.panel, ink, stretched: Math.abs(canvas.width / devicePixelRatio - canvas.clientWidth) > 1 }
})"""


@pytest.fixture
def bridge() -> FakeBridge:
    return FakeBridge(now=NOW, hosts=[MadeUpHost("web-1", busy=50)])


@pytest.fixture
def page(page: Page) -> Page:
    """Give a host's page with its past, in a dark theme, with its clock standing still."""
    page.goto("/#/host/web-1")
    # Numbers come with the fleet; paper is drawn once, from what has come by then.
    expect(page.locator('[data-panel="cpu"] canvas').first).to_have_attribute(
        "aria-label", re.compile("range of")
    )
    page.clock.set_fixed_time(NOW + 1)
    return page


def test_paper_shows_every_chart(page: Page) -> None:
    """What is far below the window is drawn for the printer, too, at the width of the paper."""

    def empty_panels() -> set[str]:
        page.emulate_media(media="screen")
        page.emulate_media(media="print")  # again, as paper is drawn once, with what has come by then
        return {one["panel"] for one in page.evaluate(CANVASES) if one["ink"] == 0}

    wait_for(lambda: empty_panels() <= {"delivery"}, "ink in every chart")
    canvases = page.evaluate(CANVASES)
    assert len(canvases) > 12
    assert [one["panel"] for one in canvases if one["stretched"]] == []
    assert page.locator("main").bounding_box()["width"] == pytest.approx(A4_LESS_MARGINS_PIXELS, abs=1)  # type: ignore[index]


def test_paper_is_light_and_has_no_tools(page: Page) -> None:
    """A report has a white ground, the lines of the light theme, whole tables and nothing to press."""
    page.emulate_media(media="print")
    expect(page.locator("#header")).to_be_hidden()
    expect(page.locator(".panel-tools").first).to_be_hidden()
    expect(page.locator('[data-panel="gpu"]')).to_be_hidden()
    expect(page.get_by_role("button", name="since boot").first).to_be_hidden()
    expect(page.locator('[data-panel="cpu"]')).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator('[data-panel="proc"] .table-box')).to_have_css("overflow", "visible")
    wait_for_ink(page, CPU, 0, SKY_ON_LIGHT)


def test_the_screen_is_as_before_after_printing(page: Page) -> None:
    """A printed page is a few sheets of paper; afterwards the charts have their size and colours again."""
    before = page.locator('[data-panel="cpu"] canvas').evaluate("(canvas) => canvas.width")
    sheets = page.pdf(format="A4", print_background=True)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", sheets)) <= 8
    page.wait_for_function(
        "(width) => document.querySelector('[data-panel=\"cpu\"] canvas').width === width", arg=before
    )
    wait_for_ink(page, CPU, 0)
