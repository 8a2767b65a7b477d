import re
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from support.node import NO_PACKAGES, PACKAGES, has_packages

pytestmark = pytest.mark.browser

USUAL: ViewportSize = {"width": 1440, "height": 900}
VIOLATIONS = """async () => {
  const { violations } = await axe.run(document, { rules: { "target-size": { enabled: true } } })
  return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ target, any }) => `${target} ${any.map((one) => one.message)}`) }))
}"""
WIDER = """() => [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.tagName}.${one.className}`).slice(0, 8)"""
MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
  const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(one)
  return transitionDuration.split(", ").some((time) => time !== "0s") || animationName !== "none" || scrollBehavior === "smooth"
}).map((one) => `${one.tagName}.${one.className}`).slice(0, 8)"""
EDGELESS = """() => [...document.querySelectorAll(".meter, .swatch, input, select")].filter((one) => one.checkVisibility())
  .filter((one) => ["borderTopStyle", "outlineStyle"].every((edge) => getComputedStyle(one)[edge] === "none") && getComputedStyle(one).forcedColorAdjust !== "none")
  .map((one) => `${one.tagName}.${one.className}`).slice(0, 8)"""
WORDLESS = """() => [...document.querySelectorAll(".state")].filter((one) => one.checkVisibility())
  .filter((one) => one.querySelector(".state-word")?.textContent === "" || one.querySelector(".glyph").getBoundingClientRect().width === 0).length"""
SEE_FOCUS = """() => {
  const focused = document.activeElement
  if (focused === document.body) return
  const marked = [focused, focused.closest("tr, li, .card")].some((one) => {
    const { outlineStyle, outlineWidth } = one === null ? {} : getComputedStyle(one)
    return one !== null && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
  })
  const { top, bottom } = focused.getBoundingClientRect()
  const bar = focused.closest("main") ? document.querySelector("header").getBoundingClientRect().bottom : 0
  window.focused.set(focused, !marked ? "without a mark" : bottom <= bar || top >= innerHeight ? "out of sight" : "seen")
}"""
FOCUSED = """() => {
  const reachable = [...(document.querySelector(":modal") ?? document).querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0)
  return {
    count: reachable.length,
    unreached: reachable.filter((one) => !window.focused.has(one)).map((one) => one.outerHTML.slice(0, 120)),
    unseen: [...window.focused].filter(([, how]) => how !== "seen").map(([one, how]) => `${one.outerHTML.slice(0, 120)} ${how}`),
  }
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    if not has_packages():
        pytest.skip(NO_PACKAGES)
    return (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing(opened: Page, axe: str, theme: Any) -> None:
    """No rule of axe-core is broken, in either theme."""
    opened.emulate_media(color_scheme=theme)
    opened.evaluate(axe)
    found = opened.evaluate(VIOLATIONS)
    said = [f"{one['id']}: {one['help']}\n    " + "\n    ".join(one["nodes"][:5]) for one in found]
    assert not found, "\n".join(said)


@pytest.mark.parametrize("size", [(320, 700), (640, 400)], ids=["320px", "200-percent"])
def test_nothing_is_wider_than_the_screen(opened: Page, size: tuple[int, int]) -> None:
    """At 320 px, and on a usual screen at 200 %, no page scrolls sideways."""
    width, height = size
    opened.set_viewport_size({"width": width, "height": height})
    wider = opened.evaluate("document.documentElement.scrollWidth - innerWidth"), opened.evaluate(WIDER)
    opened.set_viewport_size(USUAL)
    assert wider[0] <= 0, wider


def test_less_motion_is_none(opened: Page) -> None:
    """Where the system asks for less motion, nothing fades, slides or scrolls smoothly."""
    opened.emulate_media(reduced_motion="reduce")
    moving = opened.evaluate(MOVING)
    opened.emulate_media(reduced_motion="no-preference")
    assert not moving


def test_forced_colours_leave_edges_and_words(opened: Page) -> None:
    """With the few colours of the system, meters, fields and legends stay to be seen, and states in words."""
    opened.emulate_media(forced_colors="active")
    edgeless, wordless = opened.evaluate(EDGELESS), opened.evaluate(WORDLESS)
    opened.emulate_media(forced_colors="none")
    assert not edgeless
    assert wordless == 0


def test_tab_reaches_everything_and_shows_where_it_is(opened: Page) -> None:
    """What can be clicked can be reached with the keyboard, is marked when it has the focus, and is in sight then."""
    opened.evaluate("() => { document.activeElement.blur(); window.focused = new Map() }")
    # Between the last and the first, the browser has the focus itself.
    for _ in range(opened.evaluate(FOCUSED)["count"] + 3):
        opened.keyboard.press("Tab")
        opened.evaluate(SEE_FOCUS)
    found = opened.evaluate(FOCUSED)
    assert found["count"] > 0
    assert not found["unreached"]
    assert not found["unseen"]


def test_a_visit_needs_no_pointer(page: Page) -> None:
    """From the skip link to a host, its pause, another stretch of time, help and back, keys are enough."""
    page.goto("/")
    expect(page.locator('tr[data-host="web-1"] .number').first).to_have_text(re.compile(r"\d"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the data")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("web-2")
    page.keyboard.press("[")
    expect(heading).to_have_text("web-1")
    page.keyboard.press("p")
    expect(page.locator(".bar")).to_contain_text("Paused at")
    page.keyboard.press("p")
    expect(page.locator(".bar")).to_be_hidden()
    page.keyboard.press("w")
    expect(page.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("web-2")
    page.keyboard.press("Enter")
    expect(heading).to_have_text("web-2")
    page.keyboard.press("Escape")
    expect(heading).to_have_text("Fleet")
