"""What is drawn on a canvas: pixels near a colour, where they are, and whether anything changed."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

Colour = tuple[int, int, int]

SKY: Colour = (0x6B, 0xCB, 0xFF)
AMBER: Colour = (0xF2, 0xB5, 0x2B)
SKY_ON_LIGHT: Colour = (0x1F, 0x7F, 0xE0)

PROBE = """([selector, red, green, blue]) => {
  const canvas = document.querySelector(selector)
  const { width, height } = canvas
  const blank = { columns: [], tops: {}, pixels: 0, hash: 0, top: null, width, height }
  if (width === 0 || height === 0) return blank
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height)
  const tops = {}
  let pixels = 0
  let hash = 0
  let top = null
  for (let at = 0; at < data.length; at += 4) {
    hash = (hash * 31 + data[at] + data[at + 3]) | 0
    const away = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue)
    if (away >= 60 || data[at + 3] <= 120) continue
    pixels += 1
    const row = Math.floor(at / 4 / width)
    top ??= row / height
    tops[(at / 4) % width] ??= row
  }
  const columns = Object.keys(tops).map((column) => column / width).sort((a, b) => a - b)
  return { columns, tops, pixels, hash, top, width, height }
}"""


@dataclass(frozen=True, slots=True)
class Ink:
    """The pixels of one colour on a canvas."""

    columns: list[float]
    """In shares of the width, from the left."""
    tops: dict[int, int]
    """The row of the highest such pixel, by column."""
    top: float | None
    """The highest one, in shares of the height."""
    pixels: int
    hash: int
    """Of all pixels, whatever their colour."""
    width: int
    height: int

    def between(self, left: float, right: float) -> list[float]:
        """Return the columns with ink between two shares of the width."""
        return [column for column in self.columns if left < column < right]


def ink(page: Page, canvas: str, colour: Colour = SKY) -> Ink:
    """Look at a canvas."""
    found: dict[str, Any] = page.evaluate(PROBE, [canvas, *colour])
    tops = {int(column): row for column, row in found.pop("tops").items()}
    return Ink(tops=tops, **found)


def wait_for_ink(page: Page, canvas: str, share: float = 0.9, colour: Colour = SKY) -> Ink:
    """Wait until there is ink in more than a share of the columns."""
    covered = f"{{ const {{ columns, width }} = ({PROBE})(given); return columns.length > share * width }}"
    page.wait_for_function(f"([given, share]) => {covered}", arg=[[canvas, *colour], share])
    return ink(page, canvas, colour)


def wait_for_change(page: Page, canvas: str, before: Ink) -> Ink:
    """Wait until the picture is another one."""
    page.wait_for_function(
        f"([given, hash]) => ({PROBE})(given).hash !== hash", arg=[[canvas, *SKY], before.hash]
    )
    return ink(page, canvas)
