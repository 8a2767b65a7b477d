/** A group that this page does not know: its numbers, and a chart of the one chosen. */

import { formatOf, isNumber } from "../numbers.js"
import { Scale } from "../scale.js"
import { numbersOf, SEPARATOR } from "../store.js"
import { KeyedTable } from "../table.js"
import { timeAxis } from "./cpu.js"
import { Panel } from "./panel.js"

const MAX_FIELDS = 40

export class GenericPanel extends Panel {
  #picked
  #format = formatOf(undefined)
  #chart
  #table = new KeyedTable("Values", [{ title: "field", grows: true }, { title: "now", kind: "number" }], (key) => this.#pick(key))

  constructor(context, group) {
    super(context, { group, title: group, size: "6" })
    this.#chart = this.chart({ label: group, format: (value) => this.#format(value), scale: new Scale({ least: 1 }), series: [] })
    this.body.append(this.#chart.element, timeAxis(), this.#table.element)
  }

  show(payload) {
    const values = [...numbersOf(payload)].slice(0, MAX_FIELDS)
    if (this.#picked === undefined && values.length > 0) this.#pick(values[0][0])
    this.#table.update(values.map(([key, value]) => ({
      key,
      cells: [key.replaceAll(SEPARATOR, " / "), this.#formatOf(key)(value)],
      picked: key === this.#picked,
    })))
  }

  #pick(key) {
    this.#picked = key
    this.#format = this.#formatOf(key)
    this.#chart.setSeries([{ name: key, colour: 1, keys: [key] }])
    if (this.samples.latest) this.show(this.samples.latest)
  }

  #formatOf(key) {
    const fields = this.context.host.info.groups?.[this.group]?.fields
    const name = key.split(SEPARATOR).findLast((part) => fields && Object.hasOwn(fields, part))
    const unit = name === undefined ? undefined : fields[name]?.unit
    return unit === "seconds" ? (value) => (isNumber(value) ? `${value} s` : "—") : formatOf(unit)
  }
}
