/** The past of one group of one host: a ring of rows with typed columns, oldest overwritten first. No DOM. */

export const SEPARATOR = "\u001f"
const MAX_COLUMNS = 1024
const MAX_DEPTH = 3

/** @typedef {{time: number, tick: number, entries: Iterable<[string, number]>}} Row time in seconds, by the host's clock */

export class Columns {
  #capacity
  #times
  #ticks
  /** @type {Map<string, Float32Array>} */
  #columns = new Map()
  #end = 0
  #length = 0
  #generation = 0

  /** @param {number} capacity rows kept */
  constructor(capacity) {
    this.#capacity = capacity
    this.#times = new Float64Array(capacity)
    this.#ticks = new Float64Array(capacity)
  }

  /** Number of the oldest row kept; rows are numbered from the first ever appended. */
  get first() { return this.#end - this.#length }
  /** Number after the newest row. */
  get end() { return this.#end }
  /** Changes whenever rows already read may have changed. */
  get generation() { return this.#generation }
  get keys() { return this.#columns.keys() }

  /** @param {number} row @returns {number} seconds, by the host's clock */
  time(row) { return this.#times[row % this.#capacity] }

  /** @param {string} key @param {number} row @returns {number} NaN where there is none */
  value(key, row) {
    const column = this.#columns.get(key)
    return column === undefined ? Number.NaN : column[row % this.#capacity]
  }

  /** The values of some columns added up; NaN only where all are missing. @param {string[]} keys @param {number} row */
  sum(keys, row) {
    let total = Number.NaN
    for (const key of keys) {
      const value = this.value(key, row)
      if (!Number.isNaN(value)) total = Number.isNaN(total) ? value : total + value
    }
    return total
  }

  /** Add the newest row. @param {number} time @param {number} tick @param {Iterable<[string, number]>} entries */
  append(time, tick, entries) {
    const slot = this.#end % this.#capacity
    this.#times[slot] = time
    this.#ticks[slot] = tick
    for (const column of this.#columns.values()) column[slot] = Number.NaN
    for (const [key, value] of entries) this.#column(key)?.fill(value, slot, slot + 1)
    this.#end += 1
    this.#length = Math.min(this.#length + 1, this.#capacity)
  }

  /** Put rows of the past in their place; rows already here stay as they are. @param {Row[]} past */
  merge(past) {
    /** @type {Map<number, Row>} */
    const rows = new Map()
    for (const row of past) rows.set(row.time, row)
    for (let row = this.first; row < this.#end; row += 1) {
      rows.set(this.time(row), { time: this.time(row), tick: this.#ticks[row % this.#capacity], entries: this.#entries(row) })
    }
    const sorted = [...rows.values()].sort((a, b) => a.time - b.time).slice(-this.#capacity)
    this.clear()
    for (const row of sorted) this.append(row.time, row.tick, row.entries)
  }

  clear() {
    this.#length = 0
    this.#generation += 1
    this.#columns.clear()
  }

  /** @param {string} key */
  #column(key) {
    let column = this.#columns.get(key)
    if (column === undefined && this.#columns.size < MAX_COLUMNS) {
      column = new Float32Array(this.#capacity).fill(Number.NaN)
      this.#columns.set(key, column)
    }
    return column
  }

  /** @param {number} row @returns {[string, number][]} */
  #entries(row) {
    /** @type {[string, number][]} */
    const entries = []
    for (const key of this.#columns.keys()) {
      const value = this.value(key, row)
      if (!Number.isNaN(value)) entries.push([key, value])
    }
    return entries
  }
}

/** The key of a column from the names that lead to it. @param {...string} path */
export function columnKey(...path) {
  return path.join(SEPARATOR)
}

/**
 * Every number of a payload with the key of its column.
 * @param {unknown} payload
 * @returns {Generator<[string, number]>}
 */
export function* numbersOf(payload, prefix = "", depth = 0) {
  if (payload === null || typeof payload !== "object" || depth > MAX_DEPTH) return
  for (const [name, value] of Object.entries(payload)) {
    if (depth === 0 && (name === "time" || name === "tick")) continue
    const key = prefix === "" ? name : prefix + SEPARATOR + name
    if (typeof value === "number" && Number.isFinite(value)) yield [key, value]
    else if (typeof value === "object") yield* numbersOf(value, key, depth + 1)
  }
}
