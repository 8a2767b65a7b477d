/** A moving chart of columns of the store, with its values, its limits and the moment pointed at. */

import { rangeOf, rowFrom, rowNear, sampleBeside, timeOf } from "../data/column-queries.js"
import { clockTime, isNumber, roughly, trimmed } from "../data/numbers.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { Lines } from "./lines.js"
import { TimeCanvas } from "./time-canvas.js"
import { drawnLater, paintedEvery } from "./time-view.js"

const FOCUSED_PERIOD_MILLISECONDS = 33
const LABEL_EVERY_MILLISECONDS = 10_000
const LIMIT_LABEL_PIXELS = 12

/**
 * @typedef {import("../data/column-queries.js").Source} Source
 * @typedef {{name: string, colour: number, keys: string[], label?: string, filled?: boolean,
 *   source?: Source}} Series keys are
 *   added up; colour counts from 1; a source of its own instead of the chart's, in a chart that is not
 *   stacked
 * @typedef {{value: number, level: "high" | "critical" | "limit"}} Threshold
 * @typedef {{label: string, source?: Source, series: Series[], scale: import("./scale.js").Scale,
 *   format: (value: unknown) => string, stacked?: boolean, flipped?: boolean, sections?: number,
 *   thresholds?: () => Threshold[], total?: string}}
 *   Look
 *   total: a column that says what the chart is about, where that is not the topmost series or the sum of all
 */

export class LiveChart extends TimeCanvas {
  #context
  #look
  /** @type {Series[]} */
  #series
  /** @type {Set<string>} */
  #hiddenNames = new Set()
  /** @type {(Series & {source: Source})[]} */
  #drawn = []
  #lines
  /** @type {import("./colours.js").Colours | undefined} */
  #colours
  #axis = element(
    "div",
    { class: "axis-y", "aria-hidden": "true" },
    element("span"),
    element("span"),
    element("span"),
  )
  #limits = element("div", { class: "limits", "aria-hidden": "true" })
  #describedAt = 0
  element

  /** @param {import("./time-canvas.js").ChartContext} context @param {Look} look */
  constructor(context, look) {
    super(context, look.label)
    this.#context = context
    this.#look = look
    this.#series = look.series
    this.canvas.after(this.#limits)
    this.element = element("div", { class: look.flipped ? "chart flipped" : "chart" }, this.#axis, this.plot)
    this.#lines = new Lines(this.canvas, { stacked: look.stacked === true, sections: look.sections ?? 4 })
    this.#restart()
    this.begin()
  }

  /** Undo the constructor. */
  close() {
    super.close()
    this.#lines.clear()
  }

  /** Draw other columns in the same place. @param {Series[]} series */
  setSeries(series) {
    this.#series = series
    this.#look.scale.reset()
    this.#restart()
  }

  /** Draw all series but these, by name. @param {Set<string>} names */
  setHidden(names) {
    this.#hiddenNames = names
    this.#restart()
  }

  /**
   * The least and the most that is in sight, of the topmost series or of the whole stack; NaN where there is
   * nothing.
   */
  summary() {
    return this.#summary(Date.now())
  }

  /**
   * The last values of every series that is not hidden, in words, oldest first.
   * @param {number} rows at most
   */
  table(rows) {
    const series = this.#drawn
    const columns = ["time", ...series.map(nameOf)]
    const [first] = series
    if (first === undefined) return { columns, rows: [] }
    const stretch = this.stretch(Date.now())
    const end = rowFrom(first.source, stretch.to + 1)
    const start = Math.max(first.source.columns.first, end - rows)
    return {
      columns,
      rows: Array.from({ length: end - start }, (_, index) =>
        this.#row(series, timeOf(first.source, start + index)),
      ),
    }
  }

  period() {
    const { seconds } = this.#context.time
    const isFocused = this.isPointed || document.activeElement === this.canvas
    return paintedEvery(seconds, this.width, isFocused ? FOCUSED_PERIOD_MILLISECONDS : undefined)
  }

  /** @param {import("./colours.js").Colours} colours */
  dress(colours) {
    this.#colours = colours
    this.#lines.dress(colours)
  }

  /** @param {import("./scheduler.js").Size} size */
  fit(size) {
    this.#lines.resize(size)
  }

  /** @param {number} now */
  paint(now) {
    if (this.width === 0 || this.height === 0) return
    const { time } = this.#context
    const { scale } = this.#look
    const stretch = this.stretch(now)
    const highest = this.#lines.take(stretch, time.end(now), time.pausedAt !== undefined)
    scale.report(this, highest, time.end(now))
    this.#lines.draw(
      stretch,
      scale.max,
      this.#thresholds.map(({ value, level }) => ({ value, colour: this.#colourOf(level) })),
    )
  }

  /** @param {number} now */
  write(now) {
    if (this.width === 0) return
    this.#writeAxis()
    this.#writeLimits()
    super.write(now)
    if (Math.abs(now - this.#describedAt) <= LABEL_EVERY_MILLISECONDS) return
    const words = this.#description(now)
    setAttribute(this.canvas, "aria-label", words ?? `${this.#look.label}, no data`)
    // Data may come at any moment.
    if (words !== undefined) this.#describedAt = now
  }

  /** @param {number} at @param {number} now @returns {import("./crosshair.js").Reading[]} */
  readingsAt(at, now) {
    const stretch = this.stretch(now)
    let below = 0
    return this.#drawn.flatMap((series) => {
      const { source, keys, colour } = series
      const row = rowNear(source, at, stretch)
      const value = row === undefined ? Number.NaN : source.columns.sum(keys, row)
      if (row === undefined || Number.isNaN(value)) return []
      below += value
      const x = this.xOf(timeOf(source, row), now)
      const y = this.#yOf(this.#look.stacked ? below : value)
      return [{ label: nameOf(series), colour, text: this.#look.format(value), x, y }]
    })
  }

  /** When the sample nearest to a moment was taken. @param {number} at @param {number} now */
  sampleNear(at, now) {
    const stretch = this.stretch(now)
    for (const { source } of this.#drawn) {
      const row = rowNear(source, at, stretch)
      if (row !== undefined) return timeOf(source, row)
    }
    return undefined
  }

  /**
   * When the next sample was taken, or the one before; without a moment the first in sight, or the last.
   * @param {number | undefined} at
   * @param {number} by
   * @param {number} now
   */
  sampleBeside(at, by, now) {
    const source = this.#drawn[0]?.source
    return source && sampleBeside(source, at, by, this.stretch(now))
  }

  /** What is in sight. @param {number} now */
  stretch(now) {
    const { time } = this.#context
    const slowest = Math.max(0, ...this.#drawn.map(({ source }) => source.interval()))
    const to = time.end(now) - drawnLater(slowest)
    return { from: to - time.seconds * 1000, to }
  }

  #restart() {
    const { source: common } = this.#look
    this.#drawn = this.#series.flatMap((series) => {
      const source = series.source ?? common
      return source === undefined || this.#hiddenNames.has(series.name) ? [] : [{ ...series, source }]
    })
    this.#lines.set(this.#drawn)
    this.#context.scheduler.repaint()
  }

  /** @param {number} now */
  #summary(now) {
    const series = this.#drawn
    const top = series.at(-1)
    if (top === undefined) return { min: Number.NaN, max: Number.NaN }
    return rangeOf(top.source, this.#toldKeys(series, top), { ...this.stretch(now), to: this.#toldUntil })
  }

  /** What is drawn next is told, too: the number beside the chart is the newest. Milliseconds. */
  get #toldUntil() {
    return this.#context.time.end(Number.POSITIVE_INFINITY)
  }

  /** @param {Series[]} series @param {Series} top @returns {string[]} */
  #toldKeys(series, top) {
    const { stacked, total } = this.#look
    if (total !== undefined && this.#hiddenNames.size === 0) return [total]
    return stacked ? series.flatMap(({ keys }) => keys) : top.keys
  }

  /** @param {(Series & {source: Source})[]} series @param {number} at */
  #row(series, at) {
    const cells = series.map(({ source, keys }) => {
      const row = rowNear(source, at, { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY })
      return this.#look.format(row === undefined ? undefined : source.columns.sum(keys, row))
    })
    return [clockTime(at), ...cells]
  }

  /** @param {number} value */
  #yOf(value) {
    const share = Math.min(1, value / this.#look.scale.max)
    const above = (this.height - 1) * (1 - share)
    return this.#look.flipped ? this.height - above : above
  }

  get #thresholds() {
    return (this.#look.thresholds?.() ?? []).filter(
      ({ value }) => isNumber(value) && value >= 0 && value <= this.#look.scale.max,
    )
  }

  /** @param {Threshold["level"]} level */
  #colourOf(level) {
    const { warn, critical, muted } = /** @type {import("./colours.js").Colours} */ (this.#colours)
    return level === "high" ? warn : level === "critical" ? critical : muted
  }

  #writeAxis() {
    const { scale, flipped } = this.#look
    const format = (/** @type {number} */ value) => trimmed(this.#look.format(value))
    const [top, middle, bottom] = this.#axis.children
    setText(flipped ? bottom : top, format(scale.max))
    setText(middle, format(scale.max / 2))
    setText(flipped ? top : bottom, flipped ? "" : format(0))
  }

  #writeLimits() {
    const thresholds = this.#thresholds
    while (this.#limits.childElementCount > thresholds.length) this.#limits.lastElementChild?.remove()
    while (this.#limits.childElementCount < thresholds.length) this.#limits.append(element("span"))
    thresholds.forEach(({ value, level }, index) => {
      const label = /** @type {HTMLElement} */ (this.#limits.children[index])
      setText(label, `${level} ${trimmed(this.#look.format(value))}`)
      setAttribute(label, "data-level", level)
      const y = this.#yOf(value)
      const top = `${Math.round(y < LIMIT_LABEL_PIXELS + 2 ? y + 2 : y - LIMIT_LABEL_PIXELS - 1)}px`
      if (label.style.top !== top) label.style.top = top
    })
  }

  /** @param {number} now */
  #description(now) {
    const { label, format } = this.#look
    const { min, max } = this.#summary(now)
    const series = this.#drawn
    const top = series.at(-1)
    const row = top && rowFrom(top.source, this.#toldUntil + 1) - 1
    if (top === undefined || row === undefined || Number.isNaN(max)) return undefined
    const last = top.source.columns.sum(this.#toldKeys(series, top), row)
    const window = roughly(this.#context.time.seconds)
    return `${label}, now ${format(last)}, range of ${window} ${format(min)} to ${format(max)}`
  }
}

/** @param {Series} series */
function nameOf({ name, label }) {
  return label ?? name
}
