/**
 * Lines on a canvas, drawn by smoothie from columns of the store. The only user of smoothie: another library
 * would change this file only.
 */

import { rowFrom } from "../data/column-queries.js"
import { mixed, translucent } from "./colours.js"
import { fitCanvas } from "./scheduler.js"
import { SmoothieChart, TimeSeries } from "./smoothie.js"
import { gridMilliseconds } from "./time-axis.js"

const LINE_WIDTH = 1.75
const FILL_ALPHA = 0.14
const STACK_FILL_SHARE = 0.34
const CLOCK_MOVED_MILLISECONDS = 100
const REMEASURED_EVERY_MILLISECONDS = 1000

/**
 * @typedef {import("../data/column-queries.js").Source} Source
 * @typedef {{colour: number, keys: string[], source: Source, filled?: boolean}} Line keys are added up;
 *   colour counts from 1
 * @typedef {{line: Line, open: boolean, series: any, last: number}} Segment of a line, from one gap to the
 *   next
 */

/** What was taken so far of one source. */
class Feed {
  nextRow = 0
  generation = -1
  offset = Number.NaN
  firstTime = Number.NaN
  lastTime = Number.NaN
  filledFrom = Number.POSITIVE_INFINITY

  /** @param {Source} source @param {Line[]} lines */
  constructor(source, lines) {
    this.source = source
    this.lines = lines
  }
}

export class Lines {
  #canvas
  #chart
  #stacked
  /** @type {Feed[]} */
  #feeds = []
  /** @type {Segment[]} */
  #segments = []
  /** @type {import("./colours.js").Colours | undefined} */
  #colours
  #highest = 0
  #measuredAt = 0
  #top = 1

  /** @param {HTMLCanvasElement} canvas @param {{stacked: boolean, sections: number}} look */
  constructor(canvas, { stacked, sections }) {
    this.#canvas = canvas
    this.#stacked = stacked
    this.#chart = new SmoothieChart({
      responsive: true,
      interpolation: "linear",
      scaleSmoothing: 1,
      labels: { disabled: true },
      grid: { fillStyle: "transparent", lineWidth: 1, verticalSections: sections, borderVisible: false },
      horizontalLines: [],
      // The line of 0 would else lie half below the edge, and be too faint to see.
      yRangeFunction: () => ({ min: -this.#top / (this.#chart.clientHeight - 1), max: this.#top }),
    })
    this.#chart.canvas = canvas
    // It would ask the page for the size at every paint, and overlook a change of the pixel ratio.
    this.#chart.resize = () => {}
  }

  /** @param {Line[]} lines the lowest of a stack first */
  set(lines) {
    this.clear()
    this.#feeds = [...Map.groupBy(lines, (line) => line.source)].map(([source, own]) => new Feed(source, own))
  }

  clear() {
    for (const feed of this.#feeds) this.#empty(feed)
    this.#feeds = []
  }

  /** @param {import("./colours.js").Colours} colours */
  dress(colours) {
    this.#colours = colours
    this.#chart.options.grid.strokeStyle = colours.grid
    for (const { series, line } of this.#segments)
      Object.assign(this.#chart.getTimeSeriesOptions(series), this.#style(line))
  }

  /** @param {import("./scheduler.js").Size} size */
  resize(size) {
    fitCanvas(this.#canvas, size)
    this.#chart.clientWidth = size.width
    this.#chart.clientHeight = size.height
  }

  /**
   * Take what is new and say how high the lines reach.
   * @param {import("../data/column-queries.js").Stretch} stretch in sight
   * @param {number} newest what was sampled later is left out, milliseconds
   * @param {boolean} still whether what is drawn stays even if the store has lost it
   */
  take(stretch, newest, still) {
    let changed = false
    for (const feed of this.#feeds) changed = this.#takeRows(feed, stretch.from, newest, still) || changed
    this.#dropLeft(stretch.from)
    if (changed || Math.abs(stretch.to - this.#measuredAt) > REMEASURED_EVERY_MILLISECONDS) {
      this.#measuredAt = stretch.to
      this.#highest = 0
      for (const { series } of this.#segments)
        for (const [, value] of series.data) if (value > this.#highest) this.#highest = value
    }
    return this.#highest
  }

  /**
   * @param {import("../data/column-queries.js").Stretch} stretch in sight
   * @param {number} top the value at the upper edge
   * @param {{value: number, colour: string}[]} marks horizontal lines
   */
  draw({ from, to }, top, marks) {
    const { options, clientWidth: width } = this.#chart
    this.#top = top
    options.millisPerPixel = (to - from) / width
    options.grid.millisPerLine = gridMilliseconds((to - from) / 1000, width)
    options.horizontalLines = marks.map(({ value, colour }) => ({ value, color: colour, lineWidth: 1 }))
    this.#chart.lastChartTimestamp = null
    this.#chart.render(this.#canvas, to)
  }

  /** @param {Feed} feed @param {number} oldest @param {number} newest @param {boolean} still */
  #takeRows(feed, oldest, newest, still) {
    const { columns } = feed.source
    const offset = feed.source.offset()
    const moved = !(Math.abs(offset - feed.offset) <= CLOCK_MOVED_MILLISECONDS)
    const other = feed.generation !== columns.generation || moved || feed.nextRow < columns.first
    if ((other || oldest < feed.filledFrom || feed.lastTime > newest) && !(still && hasLost(feed))) {
      this.#empty(feed)
      feed.generation = columns.generation
      feed.offset = offset
      // One more on the left, for the line that comes in from there.
      feed.nextRow = Math.max(columns.first, rowFrom(feed.source, oldest) - 1)
      feed.filledFrom = oldest
    }
    if (oldest > feed.filledFrom) feed.filledFrom = oldest
    const before = feed.nextRow
    while (
      feed.nextRow >= columns.first &&
      feed.nextRow < columns.end &&
      columns.time(feed.nextRow) * 1000 + feed.offset <= newest
    ) {
      this.#takeRow(feed, feed.nextRow)
      feed.nextRow += 1
    }
    return feed.nextRow !== before
  }

  /** @param {Feed} feed @param {number} row */
  #takeRow(feed, row) {
    const { columns, gap } = feed.source
    const time = columns.time(row) * 1000 + feed.offset
    const silent = !(time - feed.lastTime <= gap())
    if (Number.isNaN(feed.firstTime)) feed.firstTime = time
    feed.lastTime = time
    let below = 0
    const levels = feed.lines.map((line) => {
      const value = columns.sum(line.keys, row)
      if (!this.#stacked || Number.isNaN(value)) return value
      below += value
      return below
    })
    // Fills reach the bottom, so of a stack the highest line is drawn first.
    for (let place = 0; place < levels.length; place += 1) {
      const index = this.#stacked ? levels.length - 1 - place : place
      this.#put(feed.lines[index], time, levels[index], silent)
    }
  }

  /** @param {Line} line @param {number} time @param {number} value @param {boolean} silent */
  #put(line, time, value, silent) {
    let segment = this.#segments.findLast((one) => one.line === line && one.open)
    if (segment !== undefined && (silent || Number.isNaN(value))) {
      segment.open = false
      segment = undefined
    }
    if (Number.isNaN(value)) return
    if (segment === undefined) {
      segment = { line, open: true, series: new TimeSeries({ resetBounds: false }), last: time }
      this.#segments.push(segment)
      this.#chart.addTimeSeries(segment.series, this.#style(line))
      if (this.#stacked) this.#bringLowerToFront(line)
    }
    segment.series.append(time, value)
    segment.last = time
  }

  /** A layer that comes later than the others must not hide those below it. @param {Line} line */
  #bringLowerToFront(line) {
    const lines = this.#feeds.flatMap((feed) => feed.lines)
    for (let index = lines.indexOf(line) - 1; index >= 0; index -= 1) {
      const segment = this.#segments.findLast((one) => one.line === lines[index] && one.open)
      if (segment !== undefined) this.#chart.bringToFront(segment.series)
    }
  }

  /** @param {number} oldest */
  #dropLeft(oldest) {
    this.#remove((segment) => !segment.open && segment.last < oldest)
  }

  /** @param {Feed} feed */
  #empty(feed) {
    this.#remove((segment) => feed.lines.includes(segment.line))
    feed.firstTime = Number.NaN
    feed.lastTime = Number.NaN
    feed.generation = -1
  }

  /** @param {(segment: Segment) => boolean} isGone */
  #remove(isGone) {
    this.#segments = this.#segments.filter((segment) => {
      if (!isGone(segment)) return true
      this.#chart.removeTimeSeries(segment.series)
      return false
    })
  }

  /** @param {Line} line */
  #style({ colour, filled }) {
    if (this.#colours === undefined) return {}
    const { series, panel } = this.#colours
    const strokeStyle = series[(colour - 1) % series.length]
    const fillStyle = this.#stacked
      ? mixed(strokeStyle, panel, STACK_FILL_SHARE)
      : filled === false
        ? undefined
        : translucent(strokeStyle, FILL_ALPHA)
    // smoothie fills after it strokes: an opaque fill hides the lower half of the line.
    return { lineWidth: this.#stacked ? 2 * LINE_WIDTH : LINE_WIDTH, strokeStyle, fillStyle }
  }
}

/** Whether the store no longer holds what was taken first. @param {Feed} feed */
function hasLost({ source: { columns }, firstTime, offset }) {
  return (
    !Number.isNaN(firstTime) &&
    !(columns.end > columns.first && columns.time(columns.first) * 1000 + offset <= firstTime)
  )
}
