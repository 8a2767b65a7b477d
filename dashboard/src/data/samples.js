/** The detail of the one host that is open: the last payload of each group, and its past. No DOM. */

import { gapMilliseconds, secondsAtLeast } from "./column-queries.js"
import { BUSY_PERCENT } from "./limits.js"
import { isSample } from "./messages.js"
import { prepared } from "./prepared.js"
import { Columns, numbersOf } from "./store.js"
import { TickOrder } from "./tick-order.js"

const CAPACITY_ROWS = 1024
const MAX_GROUPS = 64

export class GroupSamples {
  /** What came last. @type {import("./contract.js").Sample | undefined} */
  newest
  /**
   * What is shown: the same, or while time stands still that of the moment.
   * @type {Record<string, any> | undefined}
   */
  latest
  columns = new Columns(CAPACITY_ROWS)
  order = new TickOrder()
}

export class Samples {
  /** @type {Map<string, GroupSamples>} */
  #groups = new Map()

  #time
  #isHeard = false

  /** @param {import("./fleet.js").Host} host @param {{pausedAt: number | undefined}} [time] */
  constructor(host, time = { pausedAt: undefined }) {
    this.host = host
    this.#time = time
  }

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
    return [...this.#groups].filter(([, group]) => group.newest !== undefined).map(([name]) => name)
  }

  /** @param {string} name @returns {number} seconds between two samples of a group */
  interval(name) {
    return this.host.intervalOf(name)
  }

  /** @param {string} name @returns {number} milliseconds of silence that make a gap */
  gap(name) {
    return gapMilliseconds(this.interval(name))
  }

  /**
   * For how long the processors of the host are busy without a break: while its detail comes, its pulses do
   * not.
   * @param {number} now milliseconds
   */
  busySeconds(now) {
    const time = Math.min(this.host.newest, (now - this.host.offsetMilliseconds) / 1000)
    return secondsAtLeast(this.group("cpu").columns, "total_percent", BUSY_PERCENT, time, this.gap("cpu"))
  }

  /** @param {Record<string, unknown>} samples one tick, by group @param {number} received milliseconds */
  take(samples, received) {
    const { isStill } = this
    // A page that opens at a moment of the past knows the clock from no more than a pulse that may be a
    // second old.
    const tellsClock = !isStill || !this.#isHeard
    this.#isHeard = true
    for (const [name, sent] of Object.entries(samples)) {
      if (!isSample(sent)) continue
      const payload = prepared(sent, name)
      if (tellsClock) this.host.clock.observe(payload.time, received)
      const group = this.group(name)
      if (!group.order.accept(payload, this.interval(name))) continue
      group.newest = payload
      group.columns.append(payload.time, numbersOf(payload))
      if (isStill) continue
      group.latest = payload
      this.host.hear(payload.time)
    }
  }

  /**
   * @param {Record<string, unknown>} samples lists by group, oldest first
   * @param {number} received milliseconds
   */
  takePast(samples, received) {
    for (const [name, payloads] of Object.entries(samples)) {
      if (!Array.isArray(payloads) || name === "pulse") continue
      const past = payloads.filter(isSample).map((one) => prepared(one, name))
      const newest = past.at(-1)
      if (newest === undefined) continue
      const group = this.group(name)
      group.columns.merge(past.map((one) => ({ time: one.time, entries: numbersOf(one) })))
      if (this.isStill) this.#showOf(group, past)
      if (!group.order.acceptPast(newest, this.interval(name))) continue
      group.newest = newest
      if (this.isStill) continue
      group.latest = newest
      if (this.host.state === "live" && this.interval(name) <= 1)
        this.host.clock.observe(newest.time, received)
    }
  }
  /** Time goes on: what came meanwhile is shown. */
  goOn() {
    for (const group of this.#groups.values()) {
      group.latest = group.newest
      if (group.newest !== undefined && !(group.newest.time <= this.host.newest))
        this.host.hear(group.newest.time)
    }
  }

  /** Whether time stands still. */
  get isStill() {
    return this.#time.pausedAt !== undefined
  }

  /**
   * Of a part of the past, what was the latest at the moment that is shown.
   * @param {GroupSamples} group
   * @param {import("./contract.js").Sample[]} past oldest first
   */
  #showOf(group, past) {
    const then = this.host.upTo(past, this.#time.pausedAt ?? Number.POSITIVE_INFINITY).at(-1)
    if (then !== undefined && !(then.time <= group.latest?.time)) group.latest = then
  }
}
