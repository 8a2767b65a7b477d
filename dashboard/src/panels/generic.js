/** A group that this page does not know: its numbers and texts, and a chart of the number chosen. */

import { clockTime, date, formatOf, isNumber } from "../numbers.js"
import { Scale } from "../scale.js"
import { SEPARATOR } from "../store.js"
import { KeyedTable } from "../table.js"
import { Panel } from "./panel.js"

const MAX_FIELDS = 200
const MAX_DEPTH = 3

export class GenericPanel extends Panel {
  #picked
  #format = formatOf(undefined)
  #chart
  #table = new KeyedTable("Values", [{ title: "field", grows: true }, { title: "now", kind: "number", grows: true }], (key) => this.#pick(key))

  constructor(context, group) {
    super(context, { group, title: group, size: "6" })
    this.#chart = this.chart({ label: group, format: (value) => this.#format(value), scale: new Scale({ least: 1 }), series: [] })
    this.body.append(this.#chart.element, this.timeAxis(), this.#table.element)
  }

  show(payload) {
    const values = [...valuesOf(payload)].slice(0, MAX_FIELDS)
    const number = this.#picked === undefined ? values.find(([, value]) => isNumber(value)) : undefined
    if (number) this.#pick(number[0])
    this.#table.update(values.map(([key, value]) => ({
      key,
      cells: [key.replaceAll(SEPARATOR, " / "), isNumber(value) ? this.#formatOf(key)(value) : String(value)],
      picked: key === this.#picked,
    })))
  }

  #pick(key) {
    const chosen = this.samples.latest && [...valuesOf(this.samples.latest)].find(([name]) => name === key)
    if (chosen && !isNumber(chosen[1])) return
    this.#picked = key
    this.#format = this.#formatOf(key)
    this.#chart.setSeries([{ name: key, colour: 1, keys: [key] }])
    if (this.samples.latest) this.show(this.samples.latest)
  }

  #formatOf(key) {
    if (key.endsWith("_time")) return (value) => `${date(value * 1000)} ${clockTime(value * 1000)}`
    const fields = this.context.host.info.groups?.[this.group]?.fields
    const name = key.split(SEPARATOR).findLast((part) => fields && Object.hasOwn(fields, part))
    const unit = name === undefined ? undefined : fields[name]?.unit
    return unit === "seconds" ? (value) => (isNumber(value) ? `${value} s` : "—") : formatOf(unit)
  }
}

/** Every number, word and list of words of a payload with its key, as `numbersOf` names them. */
function* valuesOf(payload, prefix = "", depth = 0) {
  for (const [name, value] of Object.entries(payload)) {
    if (depth === 0 && (name === "time" || name === "tick")) continue
    const key = prefix === "" ? name : prefix + SEPARATOR + name
    if (isNumber(value) || typeof value === "string" || typeof value === "boolean") yield [key, value]
    else if (Array.isArray(value) && value.every((one) => typeof one === "string")) yield [key, value.join(", ")]
    else if (value !== null && typeof value === "object" && depth < MAX_DEPTH) yield* valuesOf(value, key, depth + 1)
  }
}
