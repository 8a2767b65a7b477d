/** A moving chart of columns of the store. The only user of smoothie: another library would change this file only. */

import { element, setAttribute, setText } from "./dom.js"
import { roughly, trimmed } from "./numbers.js"
import { SmoothieChart, TimeSeries } from "./smoothie.js"
import { mixed, translucent } from "./theme.js"

const LINE_WIDTH = 1.75
const FILL_ALPHA = 0.14
const STACK_FILL_SHARE = 0.34
const FASTEST_PERIOD_MILLISECONDS = 50
const SLOWEST_PERIOD_MILLISECONDS = 1000
const DELIVERY_MILLISECONDS = 400
const LONGEST_DELAY_MILLISECONDS = 3000
const CLOCK_MOVED_MILLISECONDS = 100
const LABEL_EVERY_MILLISECONDS = 10_000
const GRID_MILLISECONDS = new Map([[60, 10_000], [300, 60_000], [900, 180_000]])

/**
 * @typedef {{columns: import("./store.js").Columns, gap: () => number, offset: () => number, interval: () => number}} Source
 * @typedef {{name: string, colour: number, keys: string[], filled?: boolean, source?: Source}} Series keys are added up;
 *   colour counts from 1; a source of its own instead of the chart's, in a chart that is not stacked
 */

/** What a chart has drawn of one source. */
class Feed {
  nextRow = 0
  generation = -1
  offset = Number.NaN
  lastTime = Number.NaN
  filledFrom = Number.POSITIVE_INFINITY

  /** @param {Source} source @param {number[]} indexes of the series that it feeds */
  constructor(source, indexes) {
    this.source = source
    this.indexes = indexes
  }
}

export class LiveChart {
  #chart
  #series
  /** @type {Feed[]} */
  #feeds
  #look
  #context
  #unfollow
  #segments = []
  #labelledAt = 0
  #colours
  #axis

  /**
   * @param {{scheduler: import("./scheduler.js").Scheduler, theme: import("./theme.js").Theme, window: () => number}} context
   * @param {{label: string, source?: Source, series: Series[], scale: import("./scale.js").Scale, format: (value: unknown) => string,
   *   stacked?: boolean, flipped?: boolean, timeAxis?: boolean, sections?: number}} look
   */
  constructor(context, look) {
    this.#context = context
    this.#look = look
    this.#series = look.series
    this.#feeds = feedsOf(look)
    this.canvas = element("canvas", { role: "img", "aria-label": look.label })
    this.#axis = element("div", { class: "axis-y", "aria-hidden": "true" }, element("span"), element("span"), element("span"))
    this.element = element("div", { class: look.flipped ? "chart flipped" : "chart" },
      this.#axis, element("div", { class: "plot" }, this.canvas))
    this.#chart = new SmoothieChart({
      responsive: true,
      interpolation: "linear",
      scaleSmoothing: 1,
      labels: { disabled: true },
      grid: { fillStyle: "transparent", lineWidth: 1, verticalSections: look.sections ?? 4, borderVisible: false },
      horizontalLines: [],
      yRangeFunction: () => ({ min: 0, max: look.scale.max }),
    })
    this.#chart.canvas = this.canvas
    this.#unfollow = context.theme.follow((colours) => this.#dress(colours))
    context.scheduler.add(this)
  }

  /** Undo the constructor. */
  close() {
    this.#context.scheduler.remove(this)
    this.#unfollow()
    for (const feed of this.#feeds) this.#empty(feed)
  }

  /** Draw other columns in the same place. @param {Series[]} series */
  setSeries(series) {
    for (const feed of this.#feeds) this.#empty(feed)
    this.#series = series
    this.#feeds = feedsOf({ series, source: this.#look.source })
    this.#look.scale.reset()
  }

  /** How often it is worth painting, in milliseconds: once per pixel. */
  period() {
    const perPixel = (this.#context.window() * 1000) / Math.max(1, this.canvas.clientWidth)
    return Math.min(SLOWEST_PERIOD_MILLISECONDS, Math.max(FASTEST_PERIOD_MILLISECONDS, perPixel))
  }

  /** @param {number} now */
  paint(now) {
    const width = this.canvas.clientWidth
    if (width === 0) return
    const seconds = this.#context.window()
    const { options } = this.#chart
    options.millisPerPixel = (seconds * 1000) / width
    options.grid.millisPerLine = GRID_MILLISECONDS.get(seconds) ?? seconds * 200
    const slowest = Math.max(0, ...this.#feeds.map(({ source }) => source.interval()))
    this.#chart.delay = Math.min(LONGEST_DELAY_MILLISECONDS, slowest * 1000 + DELIVERY_MILLISECONDS)
    this.#followPixelRatio()
    for (const feed of this.#feeds) this.#takeRows(feed, now - this.#chart.delay - seconds * 1000)
    this.#dropLeft(now - this.#chart.delay - seconds * 1000)
    this.#look.scale.report(this, this.#highest(), now)
    this.#chart.lastChartTimestamp = null
    this.#chart.render(this.canvas, now)
    this.#writeAxis()
    if (now - this.#labelledAt > LABEL_EVERY_MILLISECONDS) this.#describe(now, seconds)
  }

  #takeRows(feed, oldest) {
    const { columns, offset } = feed.source
    const nowOff = offset()
    const moved = !(Math.abs(nowOff - feed.offset) <= CLOCK_MOVED_MILLISECONDS)
    if (feed.generation !== columns.generation || moved || feed.nextRow < columns.first || oldest < feed.filledFrom) {
      this.#empty(feed)
      feed.generation = columns.generation
      feed.offset = nowOff
      feed.nextRow = firstVisible(feed, oldest)
    }
    // Later the window only moves on; one that grew is found by what it was filled from.
    feed.filledFrom = oldest
    for (; feed.nextRow < columns.end; feed.nextRow += 1) this.#takeRow(feed)
  }

  #takeRow(feed) {
    const { columns, gap } = feed.source
    const time = columns.time(feed.nextRow) * 1000 + feed.offset
    const silent = !(time - feed.lastTime <= gap())
    feed.lastTime = time
    let below = 0
    const levels = feed.indexes.map((index) => {
      const value = columns.sum(this.#series[index].keys, feed.nextRow)
      if (!this.#look.stacked) return value
      if (!Number.isNaN(value)) below += value
      return Number.isNaN(value) ? value : below
    })
    const levelled = feed.indexes.map((index, place) => ({ index, level: levels[place] }))
    // Fills reach the bottom, so of a stack the highest line is drawn first.
    for (const { index, level } of this.#look.stacked ? levelled.reverse() : levelled) this.#put(index, time, level, silent)
  }

  #put(index, time, value, silent) {
    let segment = this.#segments.findLast((one) => one.index === index && one.open)
    if (segment !== undefined && (silent || Number.isNaN(value))) {
      segment.open = false
      segment = undefined
    }
    if (Number.isNaN(value)) return
    if (segment === undefined) {
      segment = { index, open: true, line: new TimeSeries({ resetBounds: false }), last: time }
      this.#segments.push(segment)
      this.#chart.addTimeSeries(segment.line, this.#style(index))
    }
    segment.line.append(time, value)
    segment.last = time
  }

  #dropLeft(oldest) {
    this.#segments = this.#segments.filter((segment) => {
      if (segment.open || segment.last >= oldest) return true
      this.#chart.removeTimeSeries(segment.line)
      return false
    })
  }

  #empty(feed) {
    this.#segments = this.#segments.filter(({ index, line }) => {
      if (!feed.indexes.includes(index)) return true
      this.#chart.removeTimeSeries(line)
      return false
    })
    feed.lastTime = Number.NaN
  }

  #highest() {
    let highest = 0
    for (const { line } of this.#segments) for (const [, value] of line.data) if (value > highest) highest = value
    return highest
  }

  #style(index) {
    const { colour, filled } = this.#series[index]
    const strokeStyle = this.#colours.series[(colour - 1) % this.#colours.series.length]
    const fillStyle = this.#look.stacked
      ? mixed(strokeStyle, this.#colours.panel, STACK_FILL_SHARE)
      : filled === false ? undefined : translucent(strokeStyle, FILL_ALPHA)
    // smoothie fills after it strokes: an opaque fill hides the lower half of the line.
    return { lineWidth: this.#look.stacked ? 2 * LINE_WIDTH : LINE_WIDTH, strokeStyle, fillStyle }
  }

  #dress(colours) {
    this.#colours = colours
    this.#chart.options.grid.strokeStyle = colours.grid
    for (const segment of this.#segments) {
      Object.assign(this.#chart.getTimeSeriesOptions(segment.line), this.#style(segment.index))
    }
    this.#context.scheduler.repaint()
  }

  #pixelRatio = 0

  #followPixelRatio() {
    // smoothie looks only at the size in CSS pixels, which zooming leaves as it is.
    if (this.#pixelRatio === window.devicePixelRatio) return
    this.#pixelRatio = window.devicePixelRatio
    this.#chart.lastWidth = undefined
    this.#chart.lastHeight = undefined
  }

  #writeAxis() {
    const { scale, flipped } = this.#look
    const format = (value) => trimmed(this.#look.format(value))
    const [top, middle, bottom] = this.#axis.children
    setText(flipped ? bottom : top, format(scale.max))
    setText(middle, format(scale.max / 2))
    setText(flipped ? top : bottom, flipped ? "" : format(0))
  }

  #describe(now, seconds) {
    this.#labelledAt = now
    const { label, format } = this.#look
    const line = this.#segments.filter((one) => one.open).at(this.#look.stacked ? 0 : -1)?.line
    if (line === undefined || line.data.length === 0) {
      setAttribute(this.canvas, "aria-label", `${label}, no data`)
      return
    }
    const values = line.data.map(([, value]) => value)
    const range = `${format(Math.min(...values))} to ${format(Math.max(...values))}`
    setAttribute(this.canvas, "aria-label", `${label}, now ${format(values.at(-1))}, range of ${roughly(seconds)} ${range}`)
  }
}

/** Each source once, with the series that it feeds. @param {{series: Series[], source?: Source}} look @returns {Feed[]} */
function feedsOf({ series, source: common }) {
  const bySource = Map.groupBy(series.keys(), (index) => series[index].source ?? common)
  return [...bySource].map(([source, indexes]) => new Feed(source, indexes))
}

/** @param {Feed} feed @param {number} oldest milliseconds @returns {number} the row before the first in sight */
function firstVisible({ source: { columns }, offset }, oldest) {
  let row = columns.end
  while (row > columns.first && columns.time(row - 1) * 1000 + offset >= oldest) row -= 1
  return Math.max(columns.first, row - 1)
}
