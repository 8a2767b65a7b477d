/** The detail of the one host that is open: the last payload of each group, and its past. No DOM. */

import { BUSY_PERCENT } from "./limits.js"
import { isSample } from "./messages.js"
import { TickOrder } from "./order.js"
import { gapMilliseconds, secondsAtLeast } from "./readings.js"
import { Columns, numbersOf } from "./store.js"

const CAPACITY_ROWS = 1024
const MAX_GROUPS = 64

export class GroupSamples {
  /** @type {Record<string, any> | undefined} */
  latest
  columns = new Columns(CAPACITY_ROWS)
  order = new TickOrder()
}

export class Samples {
  /** @type {Map<string, GroupSamples>} */
  #groups = new Map()

  /** @param {import("./fleet.js").Host} host */
  constructor(host) { this.host = host }

  /** @param {string} name @returns {GroupSamples} */
  group(name) {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = new GroupSamples()
      if (this.#groups.size < MAX_GROUPS) this.#groups.set(name, group)
    }
    return group
  }

  /** Names of the groups that sent something. */
  get names() {
    return [...this.#groups].filter(([, group]) => group.latest !== undefined).map(([name]) => name)
  }

  /** @param {string} name @returns {number} seconds between two samples of a group */
  interval(name) { return this.host.intervalOf(name) }

  /** @param {string} name @returns {number} milliseconds of silence that make a gap */
  gap(name) { return gapMilliseconds(this.interval(name)) }

  /** For how long the processors of the host are busy without a break: while its detail comes, its pulses do not. */
  get busySeconds() { return secondsAtLeast(this.group("cpu").columns, "total_percent", BUSY_PERCENT, this.host.newest, this.gap("cpu")) }

  /** @param {Record<string, unknown>} samples one tick, by group @param {number} received milliseconds */
  take(samples, received) {
    for (const [name, payload] of Object.entries(samples)) {
      if (!isSample(payload)) continue
      this.host.clock.observe(payload.time, received)
      const group = this.group(name)
      if (!group.order.accept(payload, this.interval(name))) continue
      group.latest = payload
      this.host.hear(payload.time)
      group.columns.append(payload.time, numbersOf(payload))
    }
  }

  /** @param {Record<string, unknown>} samples lists by group, oldest first @param {number} received milliseconds */
  takePast(samples, received) {
    for (const [name, payloads] of Object.entries(samples)) {
      if (!Array.isArray(payloads) || name === "pulse") continue
      const past = payloads.filter(isSample)
      const newest = past.at(-1)
      if (newest === undefined) continue
      const group = this.group(name)
      group.columns.merge(past.map((one) => ({ time: one.time, entries: numbersOf(one) })))
      if (!group.order.acceptPast(newest, this.interval(name))) continue
      group.latest = newest
      if (this.host.state === "live" && this.interval(name) <= 1) this.host.clock.observe(newest.time, received)
    }
  }
}
