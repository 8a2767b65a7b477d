/** A group that this page does not know: a chart for each unit of its numbers, and its words. */

import { Scale } from "../charts/scale.js"
import { isObject } from "../data/messages.js"
import { clockTime, date, formatOf, isNumber } from "../data/numbers.js"
import { SEPARATOR } from "../data/store.js"
import { element } from "../widgets/dom.js"
import { KeyedTable } from "../widgets/table.js"
import { Panel } from "./panel.js"
import { ToggledLines } from "./toggled-lines.js"

const MAX_FIELDS = 200
const MAX_CHARTS = 4
const MAX_DEPTH = 3
const WORDS = "words"

/**
 * @typedef {{key: string, value: number | string | boolean, unit: string, limit: number | undefined}} Field
 */

/**
 * The panel of a group, which may have any name.
 * @param {string} group
 * @param {Set<string>} keys taken by other panels
 * @returns {import("./panel.js").Kind}
 */
export function genericKind(group, keys) {
  return {
    key: keys.has(group) ? `group-${group}` : group,
    title: group.replace(/^custom-/, ""),
    groups: [group],
    make: (context, kind) => new GenericPanel(context, kind),
  }
}

class GenericPanel extends Panel {
  /** @type {Map<string, {lines: ToggledLines, scale: Scale}>} by unit */
  #charts = new Map()
  /** @type {Field[]} */
  #fields = []
  #units = element("div", { class: "by-unit" })
  #words = new KeyedTable("Words", [
    { title: "field", grows: true },
    { title: "now", kind: "number", grows: true },
  ])

  /** @param {import("./panel.js").Context} context @param {import("./panel.js").Kind} kind */
  constructor(context, kind) {
    super(context, kind)
    this.#words.element.hidden = true
    this.body.append(this.#units, this.#words.element)
  }

  /** @param {import("./panel.js").Payload} payload */
  show(payload) {
    this.#fields = [...valuesOf(payload)]
      .slice(0, MAX_FIELDS)
      .map(([key, value]) => ({ key, value, ...this.#meaning(key, value) }))
    for (const unit of new Set(this.#fields.map((field) => field.unit)))
      if (unit !== WORDS) this.#showUnit(unit)
    const words = this.#fields.filter(({ unit }) => unit === WORDS || !this.#charts.has(unit))
    this.#words.element.hidden = words.length === 0
    this.#words.update(
      words.map(({ key, value, unit }) => ({
        key,
        cells: [labelOf(key), unit === WORDS ? inWords(value) : formatOf(unit)(value)],
      })),
    )
  }

  /** @param {string} unit */
  #showUnit(unit) {
    const made = this.#charts.get(unit) ?? this.#add(unit)
    const fields = this.#fields.filter((field) => field.unit === unit)
    const limits = fields.map(({ limit }) => limit).filter(isNumber)
    // A limit that all share is the end of the axis; others are lines.
    if (limits.length === fields.length && new Set(limits).size === 1) made?.scale.fix(limits[0])
    made?.lines.set(
      fields.map(({ key, value }) => ({
        name: key,
        label: labelOf(key),
        keys: [key],
        cells: [labelOf(key), formatOf(unit)(value)],
      })),
    )
  }

  /** @param {string} unit */
  #add(unit) {
    if (this.#charts.size >= MAX_CHARTS) return undefined
    const scale = new Scale({ least: 1, binary: unit.startsWith("bytes") })
    const lines = new ToggledLines(this, {
      label: `${this.kind.title}, ${unit || "numbers"}`,
      format: formatOf(unit),
      scale,
      columns: [
        { title: "field", grows: true },
        { title: "now", kind: "number" },
      ],
      thresholds: (shown) =>
        [
          ...new Set(
            this.#fields
              .filter(({ key }) => shown.includes(key))
              .map(({ limit }) => limit)
              .filter(isNumber),
          ),
        ].map((value) => ({ value, level: "limit" })),
    })
    this.#units.append(element("div", {}, lines.chart.element, this.timeAxis(), lines.table))
    const made = { lines, scale }
    this.#charts.set(unit, made)
    return made
  }

  /**
   * What the host says of a number, by the last name that leads to it.
   * @param {string} key
   * @param {number | string | boolean} value
   */
  #meaning(key, value) {
    if (typeof value !== "number" || key.endsWith("_time")) return { unit: WORDS, limit: undefined }
    const { groups } = this.context.host.info
    const [group] = this.kind.groups
    const fields =
      isObject(groups) && Object.hasOwn(groups, group) && isObject(groups[group])
        ? groups[group].fields
        : undefined
    if (!isObject(fields)) return { unit: "", limit: undefined }
    const name = key.split(SEPARATOR).findLast((part) => Object.hasOwn(fields, part))
    const meaning = name === undefined ? undefined : fields[name]
    if (!isObject(meaning)) return { unit: "", limit: undefined }
    return {
      unit: typeof meaning.unit === "string" ? meaning.unit : "",
      limit: isNumber(meaning.limit) ? meaning.limit : undefined,
    }
  }
}

/**
 * Every number, word and list of words of a payload with its key, as `numbersOf` names them.
 * @param {object} payload
 * @returns {Generator<[string, number | string | boolean]>}
 */
function* valuesOf(payload, prefix = "", depth = 0) {
  for (const [name, value] of Object.entries(payload)) {
    if (depth === 0 && (name === "time" || name === "tick")) continue
    const key = prefix === "" ? name : prefix + SEPARATOR + name
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean")
      yield [key, value]
    else if (Array.isArray(value) && value.every((one) => typeof one === "string"))
      yield [key, value.join(", ")]
    else if (value !== null && typeof value === "object" && depth < MAX_DEPTH)
      yield* valuesOf(value, key, depth + 1)
  }
}

/** @param {string} key */
function labelOf(key) {
  return key.replaceAll(SEPARATOR, " / ")
}

/** A number among the words is a moment. @param {number | string | boolean} value */
function inWords(value) {
  return typeof value === "number" ? `${date(value * 1000)} ${clockTime(value * 1000)}` : String(value)
}
