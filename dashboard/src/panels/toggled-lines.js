/**
 * A chart of many lines of one unit, and the table that chooses them: at most as many as there are colours.
 */

import { SERIES_COLOURS } from "../charts/colours.js"
import { Scale } from "../charts/scale.js"
import { KeyedTable } from "../widgets/table.js"

/**
 * @typedef {{name: string, label: string, keys: string[], cells: unknown[]}} Item one line: the name is
 *   remembered, the keys are those of its column
 * @typedef {{label: string, format: (value: unknown) => string,
 *   columns: import("../widgets/table.js").Column[], scale?: Scale,
 *   thresholds?: (shown: string[]) => import("../charts/live-chart.js").Threshold[]}} Look
 */

export class ToggledLines {
  #panel
  /** @type {Map<string, number>} */
  #colours = new Map()
  /** @type {Item[]} */
  #items = []
  #drawn = ""
  #table
  chart

  /** @param {import("./panel.js").Panel} panel @param {Look} look */
  constructor(panel, { label, format, columns, scale = new Scale(), thresholds }) {
    this.#panel = panel
    this.chart = panel.chart({
      label,
      format,
      scale,
      series: [],
      ...(thresholds ? { thresholds: () => thresholds([...this.#colours.keys()]) } : {}),
    })
    this.#table = new KeyedTable(label, columns, (name) => this.#toggle(name))
    this.table = this.#table.element
  }

  /**
   * @param {Item[]} items in the order of the table
   * @param {string[]} [ranked] names in the order in which they get a line unasked
   */
  set(items, ranked = items.map(({ name }) => name)) {
    this.#items = items
    const names = new Set(ranked)
    for (const name of this.#colours.keys()) if (!names.has(name)) this.#colours.delete(name)
    for (const name of ranked) if (this.#panel.isShown(name)) this.#give(name)
    this.#write()
  }

  /** @param {string} name */
  #toggle(name) {
    if (this.#colours.delete(name)) this.#panel.choose(name, false)
    else if (this.#give(name)) this.#panel.choose(name, true)
    this.#write()
  }

  /** A colour that no other line has. @param {string} name @returns {boolean} whether there was one */
  #give(name) {
    if (this.#colours.has(name)) return true
    const taken = new Set(this.#colours.values())
    const free = Array.from({ length: SERIES_COLOURS }, (_, index) => index + 1).find(
      (colour) => !taken.has(colour),
    )
    if (free !== undefined) this.#colours.set(name, free)
    return free !== undefined
  }

  #write() {
    const shown = this.#items.filter(({ name }) => this.#colours.has(name))
    const drawn = JSON.stringify(shown.map(({ name, label }) => [name, label, this.#colours.get(name)]))
    if (drawn !== this.#drawn) {
      this.#drawn = drawn
      this.chart.setSeries(
        shown.map(({ name, label, keys }) => ({
          name,
          label,
          keys,
          colour: this.#colours.get(name) ?? 1,
          filled: false,
        })),
      )
    }
    this.#table.update(
      this.#items.map(({ name, cells }) => ({
        key: name,
        cells,
        picked: this.#colours.has(name),
        colour: this.#colours.get(name),
      })),
    )
  }
}
