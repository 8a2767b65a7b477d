/** The past of one group of one host: a ring of rows with typed columns, oldest overwritten first. No DOM. */

import { isNumber } from "./numbers.js"

export const SEPARATOR = "\u001f"
const MAX_COLUMNS = 1024
const MAX_DEPTH = 3

/**
 * @typedef {{time: number, entries: Iterable<[string, number]>}} Row time in seconds, by the host's clock
 * @typedef {{values: Float32Array, heardAt: number}} Column its values by slot, and after which row the last
 *   came
 */

export class Columns {
  #capacity
  #times
  /** @type {Map<string, Column>} */
  #columns = new Map()
  #end
  #length = 0
  #generation = 0
  #roomSoughtAt = -1

  /** @param {number} capacity rows kept */
  constructor(capacity) {
    this.#capacity = capacity
    // Room below for rows of the past.
    this.#end = capacity
    this.#times = new Float64Array(capacity)
  }

  /**
   * Number of the oldest row kept; numbers go up by one; with a new generation, rows may have got other
   * numbers.
   */
  get first() {
    return this.#end - this.#length
  }
  /** Number after the newest row. */
  get end() {
    return this.#end
  }
  /** Changes whenever rows already read may have changed. */
  get generation() {
    return this.#generation
  }
  get keys() {
    return this.#columns.keys()
  }

  /** @param {number} row @returns {number} seconds, by the host's clock */
  time(row) {
    return this.#times[row % this.#capacity]
  }

  /** @param {string} key @param {number} row @returns {number} NaN where there is none */
  value(key, row) {
    const column = this.#columns.get(key)
    return column === undefined ? Number.NaN : column.values[row % this.#capacity]
  }

  /**
   * The values of some columns added up; NaN only where all are missing.
   * @param {string[]} keys
   * @param {number} row
   */
  sum(keys, row) {
    let total = Number.NaN
    for (const key of keys) {
      const value = this.value(key, row)
      if (!Number.isNaN(value)) total = Number.isNaN(total) ? value : total + value
    }
    return total
  }

  /** Whether there is such a column. @param {string} key */
  has(key) {
    return this.#columns.has(key)
  }

  /**
   * Add the newest row, unless its time is unknown.
   * @param {number} time
   * @param {Iterable<[string, number]>} entries unknown numbers are left out
   */
  append(time, entries) {
    if (!isNumber(time)) return
    this.#forgetFrom(time)
    const slot = this.#end % this.#capacity
    this.#times[slot] = time
    for (const { values } of this.#columns.values()) values[slot] = Number.NaN
    this.#end += 1
    this.#length = Math.min(this.#length + 1, this.#capacity)
    for (const [key, value] of entries) this.#put(key, slot, value)
  }

  /** Put rows of the past in their place; rows already here stay as they are. @param {Row[]} past */
  merge(past) {
    const present = new Set()
    for (let row = this.first; row < this.#end; row += 1) present.add(this.time(row))
    const missing = past
      .filter(({ time }) => isNumber(time) && !present.has(time) && present.add(time))
      .sort((a, b) => a.time - b.time)
    if (missing.length === 0) return
    this.#generation += 1
    const oldest = this.#length > 0 ? this.time(this.first) : Number.POSITIVE_INFINITY
    const newest = this.#length > 0 ? this.time(this.#end - 1) : Number.POSITIVE_INFINITY
    const between = missing.filter(({ time }) => time > oldest && time < newest)
    if (between.length > 0) this.#insert(between)
    for (const row of missing.filter(({ time }) => time < oldest).reverse()) this.#prepend(row)
    for (const { time, entries } of missing) if (time > newest) this.append(time, entries)
  }

  clear() {
    this.#length = 0
    this.#generation += 1
    this.#columns.clear()
  }

  /** A clock that was set back: what it called later never was. @param {number} time */
  #forgetFrom(time) {
    if (this.#length === 0 || this.time(this.#end - 1) < time) return
    while (this.#length > 0 && this.time(this.#end - 1) >= time) {
      this.#end -= 1
      this.#length -= 1
    }
    this.#generation += 1
  }

  /** @param {Row} row older than all, and left out where the ring is full */
  #prepend({ time, entries }) {
    if (this.#length === this.#capacity) return
    this.#length += 1
    const slot = this.first % this.#capacity
    this.#times[slot] = time
    for (const { values } of this.#columns.values()) values[slot] = Number.NaN
    for (const [key, value] of entries) this.#put(key, slot, value)
  }

  /** @param {Row[]} rows within a hole, oldest first */
  #insert(rows) {
    const [first] = rows
    let above = this.first
    while (this.time(above) < first.time) above += 1
    const later = Array.from({ length: this.#end - above }, (_, index) => this.#rowOf(above + index))
    this.#length -= later.length
    this.#end = above
    for (const { time, entries } of [...rows, ...later].sort((a, b) => a.time - b.time))
      this.append(time, entries)
  }

  /** @param {number} row @returns {Row} */
  #rowOf(row) {
    const slot = row % this.#capacity
    /** @type {[string, number][]} */
    const entries = []
    for (const [key, { values }] of this.#columns)
      if (!Number.isNaN(values[slot])) entries.push([key, values[slot]])
    return { time: this.#times[slot], entries }
  }

  /** @param {string} key @param {number} slot @param {number} value */
  #put(key, slot, value) {
    if (!isNumber(value)) return
    let column = this.#columns.get(key)
    if (column === undefined) {
      if (this.#columns.size >= MAX_COLUMNS) this.#dropSilent()
      if (this.#columns.size >= MAX_COLUMNS) return
      column = { values: new Float32Array(this.#capacity).fill(Number.NaN), heardAt: this.#end }
      this.#columns.set(key, column)
    }
    column.values[slot] = value
    column.heardAt = this.#end
  }

  /** Devices come and go: make room where nothing was heard for as long as the ring reaches. */
  #dropSilent() {
    if (this.#roomSoughtAt === this.#end) return
    this.#roomSoughtAt = this.#end
    for (const [key, { heardAt }] of this.#columns) if (heardAt <= this.first) this.#columns.delete(key)
  }
}

/** The key of a column from the names that lead to it. @param {...string} path */
export function columnKey(...path) {
  return path.join(SEPARATOR)
}

/**
 * Every number of a payload with the key of its column, looked for only when they are asked for.
 * @param {unknown} payload
 * @returns {Generator<[string, number]>}
 */
export function* numbersOf(payload) {
  /** @type {[string, number][]} */
  const found = []
  if (typeof payload === "object" && payload !== null)
    collect(/** @type {Record<string, unknown>} */ (payload), "", 0, found)
  yield* found
}

/**
 * @param {Record<string, unknown>} from
 * @param {string} prefix
 * @param {number} depth
 * @param {[string, number][]} found
 */
function collect(from, prefix, depth, found) {
  for (const name of Object.keys(from)) {
    if (depth === 0 && (name === "time" || name === "tick")) continue
    const value = from[name]
    const key = prefix === "" ? name : prefix + SEPARATOR + name
    if (isNumber(value)) found.push([key, value])
    else if (typeof value === "object" && value !== null && depth < MAX_DEPTH)
      collect(/** @type {Record<string, unknown>} */ (value), key, depth + 1, found)
  }
}
