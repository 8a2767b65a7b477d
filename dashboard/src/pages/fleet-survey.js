/** The whole fleet at a moment: hosts by state, what needs attention, and what all do together. No DOM. */

import { contributions } from "../data/fleet-sums.js"
import { alertsOf } from "../data/host-alerts.js"
import { STATES } from "../data/messages.js"
import { isNumber } from "../data/numbers.js"

/**
 * `cores` and `memory` are those of the hosts that are in the sums.
 * @typedef {{total: number, counts: Map<string, number>, alerts: Map<import("../data/fleet.js").Host,
 *   import("../data/host-alerts.js").Alert[]>, troubled: Record<import("../data/limits.js").Level, number>,
 *   sums: Partial<Record<import("../data/fleet-sums.js").Summed, number>>, cores: number, memory: number}}
 *   Survey
 */

/** @param {Iterable<import("../data/fleet.js").Host>} hosts @param {number} now @returns {Survey} */
export function survey(hosts, now) {
  /** @type {Survey} */
  const seen = {
    total: 0,
    counts: new Map(STATES.map((state) => [state, 0])),
    alerts: new Map(),
    troubled: { warn: 0, critical: 0 },
    sums: {},
    cores: 0,
    memory: 0,
  }
  for (const host of hosts) {
    seen.total += 1
    seen.counts.set(host.state, (seen.counts.get(host.state) ?? 0) + 1)
    const alerts = alertsOf(host, now)
    if (alerts.length > 0) {
      seen.alerts.set(host, alerts)
      seen.troubled[alerts[0].level] += 1
    }
    if (host.state === "live" || host.state === "late") addTo(seen, host)
  }
  return seen
}

/** A row for the last minute of the sums. @param {Survey} seen @returns {[string, number][]} */
export function rowOf({ counts, troubled, sums }) {
  return [
    ["live", counts.get("live") ?? 0],
    ["attention", troubled.warn + troubled.critical],
    ...Object.entries(sums),
  ]
}

/** @param {Survey} seen @param {import("../data/fleet.js").Host} host */
function addTo(seen, { info, pulse }) {
  for (const [key, value] of contributions(info, pulse)) {
    seen.sums[key] = (seen.sums[key] ?? 0) + value
    if (key === "cores" && isNumber(info.logical_cores)) seen.cores += info.logical_cores
    if (key === "memory" && isNumber(info.memory_total_bytes)) seen.memory += info.memory_total_bytes
  }
}
