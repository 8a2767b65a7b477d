/**
 * What all hosts do together: now, and over the last minute. Where nothing was heard there is nothing.
 * No DOM.
 */

import { isSample } from "./messages.js"
import { isNumber } from "./numbers.js"
import { MAX_HOSTS } from "./selection.js"
import { Columns } from "./store.js"

const ROWS = 72
const PAST_SECONDS = 60
/** Without a sum for so long, the line breaks. */
export const SUMS_GAP_MILLISECONDS = 2500
const FIELDS = new Map([
  ["received", "network_receive_bytes_per_second"],
  ["sent", "network_transmit_bytes_per_second"],
  ["read", "disk_read_bytes_per_second"],
  ["written", "disk_write_bytes_per_second"],
])

/** @typedef {"cores" | "memory" | "received" | "sent" | "read" | "written"} Summed */

export class FleetSums {
  /** Rows have times by the browser's clock. */
  columns = new Columns(ROWS)
  /** Sums of seconds of the past, not yet complete. @type {Map<number, Map<Summed, number>>} */
  #past = new Map()
  /**
   * Pulses of hosts whose past comes in parts, by their times: a part may come twice, as one that an earlier
   * page asked for comes late.
   * @type {Map<string, Map<number, import("./contract.js").Sample>>} by host id
   */
  #parts = new Map()
  /** Hosts whose past is in it, each with the last second it reaches. @type {Map<string, number>} */
  #told = new Map()

  /**
   * The sums of this second.
   * @param {Iterable<[string, number]>} entries
   * @param {number} received milliseconds
   */
  append(entries, received) {
    this.columns.append(received / 1000, entries)
  }

  /** Pulses were missed: what the bridge tells of the past counts anew. */
  forgetPast() {
    this.#past.clear()
    this.#parts.clear()
    this.#told.clear()
  }

  /**
   * Add what one host did, once its past is complete.
   * @param {import("./fleet.js").Host} host
   * @param {unknown[]} pulses a part of its past, in any order
   * @param {boolean} complete whether it is the last part
   * @param {number} received milliseconds
   */
  takePast(host, pulses, complete, received) {
    if (this.#told.has(host.id)) return
    const parts = this.#parts.get(host.id) ?? new Map()
    for (const pulse of pulses.filter(isSample)) parts.set(pulse.time, pulse)
    if (complete) {
      this.#parts.delete(host.id)
      this.#addHost(host, [...parts.values()].sort((a, b) => a.time - b.time).slice(-ROWS), received)
    } else if (this.#parts.has(host.id) || this.#parts.size < MAX_HOSTS) {
      this.#parts.set(host.id, parts)
    }
  }

  /**
   * Once the past of all these hosts is here, it is their sum, as far as that of each reaches.
   * @param {string[]} ids
   */
  fill(ids) {
    if (this.#past.size === 0 || !ids.every((id) => this.#told.has(id))) return
    const end = Math.min(...ids.map((id) => this.#told.get(id) ?? 0))
    const own = new Set()
    for (let row = this.columns.first; row < this.columns.end; row += 1)
      own.add(Math.floor(this.columns.time(row)))
    const missing = [...this.#past].filter(([second]) => second <= end && !own.has(second))
    this.columns.merge(missing.map(([second, sums]) => ({ time: second, entries: sums })))
    this.#past.clear()
  }

  /**
   * @param {import("./fleet.js").Host} host
   * @param {import("./contract.js").Sample[]} samples oldest first
   * @param {number} received milliseconds
   */
  #addHost(host, samples, received) {
    const end = Math.floor(received / 1000)
    let reached = Number.NEGATIVE_INFINITY
    samples.forEach((pulse, index) => {
      const second = Math.floor(pulse.time + host.offsetMilliseconds / 1000)
      // A value holds until the next one comes.
      const next = samples[index + 1]
      const until = next === undefined ? end + 1 : Math.floor(next.time + host.offsetMilliseconds / 1000)
      const last = Math.min(until, Math.ceil(second + host.gapMilliseconds / 1000), end + 1)
      for (let at = Math.max(second, end - PAST_SECONDS); at < last; at += 1)
        this.#add(at, contributions(host.info, pulse))
      reached = Math.max(reached, last - 1)
    })
    this.#told.set(host.id, reached)
  }

  /** @param {number} second @param {[Summed, number][]} entries */
  #add(second, entries) {
    const sums = this.#past.get(second) ?? new Map()
    this.#past.set(second, sums)
    for (const [key, value] of entries) sums.set(key, (sums.get(key) ?? 0) + value)
  }
}

/**
 * What one host adds to the sums: only what it gives.
 * @param {Record<string, any>} info
 * @param {Record<string, any>} pulse
 * @returns {[Summed, number][]}
 */
export function contributions(info, pulse) {
  /** @type {[Summed, number][]} */
  const entries = []
  if (isNumber(info.logical_cores) && isNumber(pulse.cpu_percent))
    entries.push(["cores", (info.logical_cores * pulse.cpu_percent) / 100])
  if (isNumber(info.memory_total_bytes) && isNumber(pulse.memory_percent))
    entries.push(["memory", (info.memory_total_bytes * pulse.memory_percent) / 100])
  for (const [key, field] of FIELDS)
    if (isNumber(pulse[field])) entries.push([/** @type {Summed} */ (key), pulse[field]])
  return entries
}
