from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

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
  .filter((one) => !/\\w/.test(one.textContent) || one.querySelector(".glyph").getBoundingClientRect().width === 0).length"""
FOLLOW_FOCUS = """() => {
  window.focused = new Map()
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target)
    const { top, bottom } = target.getBoundingClientRect()
    const bar = target.closest("main") ? document.querySelector("header").getBoundingClientRect().bottom : 0
    const marked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
    window.focused.set(target, !marked ? "without a mark" : bottom <= bar || top >= innerHeight ? "out of sight" : "seen")
  })
}"""
FOCUSED = """() => ({
  unseen: [...window.focused].filter(([, how]) => how !== "seen").map(([one, how]) => `${one.outerHTML.slice(0, 120)} ${how}`),
  unreached: [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0 && !window.focused.has(one))
    .map((one) => one.outerHTML.slice(0, 120)),
  count: window.focused.size,
})"""


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
    opened.evaluate("document.activeElement.blur()")
    opened.evaluate(FOLLOW_FOCUS)
    for _ in range(400):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement === document.body"):
            break
    found = opened.evaluate(FOCUSED)
    assert found["count"] > 3
    assert not found["unreached"]
    assert not found["unseen"]
