"""One chart alone in a page, with its own store, time and loop: fed by a test, second by second."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

CANVAS = "#rig canvas"

RIG = """async ({ width, height, look }) => {
  const names = [
    "charts/live-chart", "charts/scheduler", "charts/scale", "data/store", "frame/theme", "charts/time-view",
    "charts/time-axis",
  ]
  const modules = await Promise.all(names.map((name) => import(`/src/${name}.js`)))
  const { LiveChart, Scheduler, Scale, Columns, Theme, TimeView, TimeAxis, drawnLater } =
    Object.assign({}, ...modules)
  const box = document.createElement("div")
  box.id = "rig"
  box.style.cssText = `display: flex; flex-direction: column; width: ${width}px`
  document.body.replaceChildren(box)
  const scheduler = new Scheduler(() => {})
  const time = new TimeView()
  const theme = new Theme()
  const columns = new Columns(1024)
  const source = { columns, gap: () => 2500, offset: () => 0, interval: () => 1 }
  const scale = new Scale({ max: 100 })
  const { thresholds = [], ...rest } = look
  const chart = new LiveChart({ scheduler, theme, time }, {
    label: "rig", source, scale, format: (value) => `${Number(value).toFixed(0)} %`,
    series: [{ name: "one", colour: 1, keys: ["one"] }], thresholds: () => thresholds, ...rest,
  })
  chart.element.style.cssText = `flex: none; height: ${height}px; min-height: 0`
  const axis = new TimeAxis({ scheduler, time }, (end) => end - drawnLater(1))
  box.append(chart.element, axis.element)
  scheduler.start()
  window.rig = {
    chart, scheduler, time, theme, columns, axis,
    // The clock may stand still, and then nothing falls due by itself.
    feed: (rows) => {
      for (const [at, values] of rows) columns.append(at, Object.entries(values))
      scheduler.repaint()
    },
    fill: (rows) => {
      columns.merge(rows.map(([at, values]) => ({ time: at, entries: Object.entries(values) })))
      scheduler.repaint()
    },
  }
}"""

Row = tuple[float, dict[str, float]]


class ChartRig:
    """A chart of 60 s, 600 pixels wide and 200 high, from 0 to 100, whose series are columns of its store."""

    width = 600
    height = 200
    delay = 1.4
    """Seconds by which drawing is behind."""

    def __init__(self, page: Page, **look: Any) -> None:
        self._page = page
        page.goto("/")
        size = {"width": self.width + 61, "height": self.height + 1}
        page.evaluate(RIG, {**size, "look": look})

    def feed(self, rows: Sequence[Row]) -> None:
        """Append the newest rows: seconds, and values by name."""
        self._page.evaluate("(rows) => rig.feed(rows)", [list(row) for row in rows])

    def fill(self, rows: Sequence[Row]) -> None:
        """Put rows of the past in their place."""
        self._page.evaluate("(rows) => rig.fill(rows)", [list(row) for row in rows])

    def run(self, script: str) -> Any:
        """Run a script that knows `rig`, and return its value."""
        return self._page.evaluate(script)

    def column(self, at: float, now: float) -> float:
        """Return where a moment is drawn, in shares of the width."""
        return 1 - (now - self.delay - at) / 60
