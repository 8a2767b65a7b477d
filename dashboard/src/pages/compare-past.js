/** The past of one of the hosts that are compared, as far as it is compared. No DOM. */

import { gapMilliseconds } from "../data/column-queries.js"
import { isSample } from "../data/messages.js"
import { isNumber } from "../data/numbers.js"
import { Columns } from "../data/store.js"
import { TickOrder } from "../data/tick-order.js"
import { HEADLINE, valueIn } from "./compare-metrics.js"

const CAPACITY_ROWS = 1024

/** @typedef {import("./compare-metrics.js").Metric & {unit: string | undefined}} Measured */

export class ComparePast {
  #fleet
  /**
   * @type {Map<string, {metrics: Measured[], columns: Columns, order: TickOrder, latest: Record<string,
   *   any> | undefined}>}
   */
  #groups = new Map()

  /** @param {string} id @param {import("../data/fleet.js").Fleet} fleet @param {Measured[]} metrics */
  constructor(id, fleet, metrics) {
    this.id = id
    this.#fleet = fleet
    for (const [group, own] of Map.groupBy(metrics, (metric) => metric.group)) {
      this.#groups.set(group, {
        metrics: own,
        columns: new Columns(CAPACITY_ROWS),
        order: new TickOrder(),
        latest: undefined,
      })
    }
  }

  /** Undefined while the bridge does not know it. */
  get host() {
    return this.#fleet.host(this.id)
  }

  /** @param {string} name of the group @param {unknown} payload @param {number} received milliseconds */
  take(name, payload, received) {
    const group = this.#groups.get(name)
    if (group === undefined || !isSample(payload)) return
    if (!this.#fleet.isStill) this.host?.clock.observe(payload.time, received)
    if (!group.order.accept(payload, this.#intervalSeconds(name))) return
    group.latest = payload
    group.columns.append(payload.time, entriesOf(payload, group.metrics))
  }

  /** @param {string} name of the group @param {unknown} payloads oldest first */
  takePast(name, payloads) {
    const group = this.#groups.get(name)
    const past = Array.isArray(payloads) ? payloads.filter(isSample) : []
    const newest = past.at(-1)
    if (group === undefined || newest === undefined) return
    group.columns.merge(past.map((one) => ({ time: one.time, entries: entriesOf(one, group.metrics) })))
    if (group.order.acceptPast(newest, this.#intervalSeconds(name))) group.latest = newest
  }

  /**
   * Where a chart finds a metric: its key is its id.
   * @param {Measured} metric
   * @returns {import("../data/column-queries.js").Source}
   */
  source({ group }) {
    return {
      columns: this.#groups.get(group)?.columns ?? new Columns(1),
      gap: () => gapMilliseconds(this.#intervalSeconds(group)),
      offset: () => this.host?.offsetMilliseconds ?? 0,
      interval: () => this.#intervalSeconds(group),
    }
  }

  /**
   * Whether the host told that it has no such value: its group came without it, or is not among those it
   * names.
   * @param {Measured} metric
   */
  lacks({ group, field, unit }) {
    const latest = this.#groups.get(group)?.latest
    if (latest !== undefined) return valueIn(latest, field, unit) === undefined
    const groups = this.host?.info.groups
    return (
      group !== HEADLINE && typeof groups === "object" && groups !== null && !Object.hasOwn(groups, group)
    )
  }

  /** Whether a metric is not one number of the host, but of each of its devices. @param {Measured} metric */
  combines(metric) {
    const { group, field } = metric
    const latest = this.#groups.get(group)?.latest
    return latest !== undefined && group !== HEADLINE && !isNumber(latest[field]) && !this.lacks(metric)
  }

  /** @param {string} name */
  #intervalSeconds(name) {
    return this.host?.intervalOf(name) ?? 1
  }
}

/** @param {unknown} payload @param {Measured[]} metrics @returns {[string, number][]} */
function entriesOf(payload, metrics) {
  return metrics.flatMap(({ id, field, unit }) => {
    const value = valueIn(payload, field, unit)
    return value === undefined ? [] : [/** @type {[string, number]} */ ([id, value])]
  })
}
