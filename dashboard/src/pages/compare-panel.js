/** One metric of all the hosts that are compared: one line each, and what the lines come to. */

import { LiveChart } from "../charts/live-chart.js"
import { TimeAxis } from "../charts/time-axis.js"
import { drawnLater } from "../charts/time-view.js"
import { MISSING, MISSING_TITLE } from "../data/numbers.js"
import { statisticsOf } from "../data/statistics.js"
import { element, setAttribute, setText } from "../widgets/dom.js"
import { scaleFor } from "./compare-metrics.js"

const COLUMNS = [
  { title: "now" },
  { title: "mean" },
  { title: "max" },
  { title: "p95", words: "95th percentile: 95 of 100 values are not above it" },
]

/**
 * @typedef {import("./compare-past.js").ComparePast} Past
 * @typedef {import("../charts/time-canvas.js").ChartContext} Context
 */

export class ComparePanel {
  #context
  #metric
  #format
  #scale
  /** @type {{close: () => void}[]} */
  #closables = []
  #rows
  #combined = element("span", { class: "combined", hidden: true })
  #note = element("p", { class: "note", hidden: true })
  words
  element

  /**
   * @param {Context} context @param {import("./compare-past.js").Measured} metric
   * @param {import("./compare-metrics.js").Meaning} meaning
   * @param {{past: Past, colour: number}[]} hosts
   * @param {{layout: string, nameOf: (past: Past) => string}} looks
   */
  constructor(context, metric, meaning, hosts, { layout, nameOf }) {
    this.#context = context
    this.#metric = metric
    this.#format = meaning.format
    this.words = meaning.words
    this.#scale = scaleFor(meaning)
    const id = `compare-${metric.id.replaceAll(".", "-")}`
    const charts =
      layout === "small"
        ? element("div", { class: "multiples" }, ...hosts.map((host) => this.#small(meaning, host, nameOf)))
        : this.#chart(meaning.words, hosts, nameOf, false)
    setText(this.#combined, `${meaning.combined} of all devices`)
    this.#rows = hosts.map(({ past, colour }) => new HostRow(past, colour, nameOf))
    this.element = element(
      "section",
      { class: "panel", "data-metric": metric.id, "aria-labelledby": id, tabindex: "-1" },
      element("h2", { class: "panel-title", id }, meaning.words, this.#combined),
      element(
        "div",
        { class: "panel-body" },
        charts,
        element(
          "div",
          { class: "table-box" },
          element(
            "table",
            { class: "small-table compare-table", "aria-label": `${meaning.words} of the window` },
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                element("th", { scope: "col" }, "host"),
                ...COLUMNS.map(({ title, words }) =>
                  element("th", { scope: "col", class: "cell-number", title: words }, title),
                ),
              ),
            ),
            element("tbody", {}, ...this.#rows.map((row) => row.element)),
          ),
        ),
        this.#note,
      ),
    )
  }

  /** Undo the constructor. */
  close() {
    for (const closable of this.#closables) closable.close()
  }

  /** @param {number} now */
  update(now) {
    const { time } = this.#context
    const to = time.end(now)
    const stretch = { from: to - time.seconds * 1000, to }
    for (const row of this.#rows) row.update(this.#metric, this.#format, stretch)
    this.#combined.hidden = !this.#rows.some(({ past }) => past.combines(this.#metric))
    const without = this.#rows.filter(({ past }) => past.lacks(this.#metric)).map((row) => row.name)
    this.#note.hidden = without.length === 0
    setText(this.#note, `not available on ${without.join(", ")}`)
  }

  /**
   * @param {import("./compare-metrics.js").Meaning} meaning
   * @param {{past: Past, colour: number}} host
   * @param {(past: Past) => string} nameOf
   */
  #small(meaning, host, nameOf) {
    const name = nameOf(host.past)
    return element(
      "figure",
      { class: "multiple" },
      element(
        "figcaption",
        {},
        element("span", { class: `swatch swatch-${host.colour}`, "aria-hidden": "true" }),
        name,
      ),
      this.#chart(`${meaning.words} of ${name}`, [host], nameOf, true),
    )
  }

  /**
   * @param {string} label
   * @param {{past: Past, colour: number}[]} hosts
   * @param {(past: Past) => string} nameOf
   * @param {boolean} filled
   */
  #chart(label, hosts, nameOf, filled) {
    const series = hosts.map(({ past, colour }) => ({
      name: past.id,
      label: nameOf(past),
      colour,
      keys: [this.#metric.id],
      filled,
      source: past.source(this.#metric),
    }))
    const slowest = () => Math.max(...series.map(({ source }) => source.interval()))
    const chart = new LiveChart(this.#context, { label, series, scale: this.#scale, format: this.#format })
    const axis = new TimeAxis(this.#context, (end) => end - drawnLater(slowest()))
    this.#closables.push(chart, axis)
    return element("div", { class: "compare-chart" }, chart.element, axis.element)
  }
}

/** What one host's line comes to. */
class HostRow {
  #name = element("span", { class: "compare-name" })
  #state = element("span", { class: "compare-state" })
  #cells = COLUMNS.map(() => element("td", { class: "cell-number" }))
  #nameOf
  element

  /** @param {Past} past @param {number} colour @param {(past: Past) => string} nameOf */
  constructor(past, colour, nameOf) {
    this.past = past
    this.#nameOf = nameOf
    this.element = element(
      "tr",
      { "data-host": past.id },
      element(
        "th",
        { scope: "row" },
        element("span", { class: `swatch swatch-${colour}`, "aria-hidden": "true" }),
        this.#name,
        this.#state,
      ),
      ...this.#cells,
    )
  }

  get name() {
    return this.#nameOf(this.past)
  }

  /**
   * @param {import("./compare-past.js").Measured} metric
   * @param {(value: unknown) => string} format
   * @param {import("../data/column-queries.js").Stretch} stretch
   */
  update(metric, format, stretch) {
    const { now, mean, max, high } = statisticsOf(this.past.source(metric), metric.id, stretch)
    const { host } = this.past
    setText(this.#name, this.name)
    setText(this.#state, host === undefined || host.state === "live" ? "" : host.state)
    setAttribute(this.element, "data-state", host?.state ?? "waiting")
    const lacks = this.past.lacks(metric)
    for (const [index, value] of [now, mean, max, high].entries()) {
      const cell = this.#cells[index]
      if (cell === undefined) continue
      const text = format(value)
      setText(cell, text)
      setAttribute(cell, "title", text === MISSING && lacks ? MISSING_TITLE : null)
    }
  }
}
