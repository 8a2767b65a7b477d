/**
 * Two directions, mirrored about a middle line, of the devices chosen in the table below; what is chosen is
 * added up.
 */

import { Scale } from "../charts/scale.js"
import { isNumber } from "../data/numbers.js"
import { columnKey } from "../data/store.js"
import { button, element, setAttribute } from "../widgets/dom.js"
import { KeyedTable } from "../widgets/table.js"
import { devicesOf, Panel } from "./panel.js"
import { Readout } from "./readout.js"

/**
 * @typedef {{label: string, field: string, sign: string}} Direction
 * @typedef {{words: string, columns: import("../widgets/table.js").Column[], cells: (name: string,
 *   device: import("./panel.js").Payload) => unknown[]}} View a table of the devices
 * @typedef {{list: string, format: (value: unknown) => string, up: Direction, down: Direction, views: View[],
 *   isUsual: (name: string, device: import("./panel.js").Payload) => boolean}} Traffic
 *   `list`: where the payload keeps its devices; `isUsual`: whether a device is drawn unasked
 */

export class TrafficPanel extends Panel {
  #kind
  #charts
  #tables
  #view = 0
  #slot = element("div")
  #switch
  #readout
  #drawn = ""
  /** @type {Map<string, import("./panel.js").Payload>} */
  #devices = new Map()

  /**
   * @param {import("./panel.js").Context} context
   * @param {import("./panel.js").Kind} kind
   * @param {Traffic} traffic
   */
  constructor(context, kind, traffic) {
    super(context, kind)
    this.#kind = traffic
    const scale = new Scale({ least: 1024, binary: true })
    this.#charts = [traffic.up, traffic.down].map(({ label }, index) =>
      this.chart({
        label: `${kind.title}, ${label}`,
        format: traffic.format,
        scale,
        sections: 2,
        flipped: index === 1,
        series: [],
      }),
    )
    const [up, down] = this.#charts
    this.#readout = new Readout(
      [
        { key: "up", large: true, label: traffic.up.label, colour: 1 },
        { key: "down", large: true, label: traffic.down.label, colour: 2 },
      ],
      element(
        "span",
        { class: "extents" },
        this.extent(up, traffic.format, traffic.up.sign),
        this.extent(down, traffic.format, traffic.down.sign),
      ),
    )
    this.#tables = traffic.views.map(
      ({ words, columns }) =>
        new KeyedTable(`${kind.title} by device, ${words}`, columns, (name) => this.#toggle(name)),
    )
    this.#switch = traffic.views.map(({ words }) => button(words, () => this.#turn(words)))
    this.body.append(
      this.#readout.element,
      element("div", { class: "mirror" }, ...this.#charts.map((chart) => chart.element)),
      this.timeAxis(),
      this.#slot,
      element(
        "div",
        { class: "panel-row" },
        this.below,
        element("span", { class: "choice", role: "group", "aria-label": "Columns" }, ...this.#switch),
      ),
    )
    this.#show(traffic.views.findIndex(({ words }) => words === context.choices.get(kind.key, "view")))
  }

  /** Words below the table. */
  below = element("p", { class: "quiet" })

  /** @param {import("./panel.js").Payload} payload */
  show(payload) {
    this.#devices = new Map(devicesOf(payload[this.#kind.list]))
    this.#write()
  }

  /** @param {string} name */
  #toggle(name) {
    this.choose(name, !this.#isDrawn(name))
    this.#write()
  }

  /** @param {string} words */
  #turn(words) {
    this.context.choices.set(this.kind.key, "view", words)
    this.#show(this.#kind.views.findIndex((view) => view.words === words))
    this.#write()
  }

  /** @param {number} view the first where there is none such */
  #show(view) {
    this.#view = Math.max(0, view)
    this.#slot.replaceChildren(this.#tables[this.#view].element)
    for (const [index, one] of this.#switch.entries())
      setAttribute(one, "aria-pressed", String(index === this.#view))
  }

  /** @param {string} name */
  #isDrawn(name) {
    const hasUsual = [...this.#devices.keys()].some((one) => this.#isUsual(one))
    return this.isShown(name, !hasUsual || this.#isUsual(name))
  }

  /** @param {string} name */
  #isUsual(name) {
    return this.#kind.isUsual(name, this.#devices.get(name) ?? {})
  }

  #write() {
    const { up, down, views, list, format } = this.#kind
    const names = [...this.#devices.keys()].sort(
      (a, b) =>
        Number(this.#isUsual(b)) - Number(this.#isUsual(a)) || a.localeCompare(b, "en", { numeric: true }),
    )
    const drawn = names.filter((name) => this.#isDrawn(name))
    if (drawn.join("\n") !== this.#drawn) {
      this.#drawn = drawn.join("\n")
      this.#charts.forEach((chart, index) => {
        const { field, label } = [up, down][index]
        chart.setSeries([
          { name: field, label, colour: index + 1, keys: drawn.map((name) => columnKey(list, name, field)) },
        ])
      })
    }
    this.#readout.set("up", format(this.#sum(drawn, up.field)))
    this.#readout.set("down", format(this.#sum(drawn, down.field)))
    const { cells } = views[this.#view]
    this.#tables[this.#view].update(
      names.map((name) => ({
        key: name,
        cells: cells(name, this.#devices.get(name) ?? {}),
        picked: drawn.includes(name),
      })),
    )
  }

  /** @param {string[]} names @param {string} field */
  #sum(names, field) {
    const values = names.map((name) => this.#devices.get(name)?.[field]).filter(isNumber)
    return values.length > 0 ? values.reduce((sum, one) => sum + one, 0) : undefined
  }
}
