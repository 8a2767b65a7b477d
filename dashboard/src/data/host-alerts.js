/** What needs attention on a host, from what it said last. No DOM. */

import { BUSY_SECONDS, LIMITS, levelAt, SKEW_SECONDS } from "./limits.js"
import { isObject } from "./messages.js"
import { celsius, count, isNumber, percent, roughly } from "./numbers.js"
import { stateInWords } from "./state-words.js"

/**
 * `metric` is what it is about: `state`, `conflict`, `clock` or a group of metrics.
 * @typedef {{level: import("./limits.js").Level, words: string, metric: string}} Alert
 * @typedef {(group: string) => Record<string, any> | undefined} Latest the newest payload of a group
 */

/**
 * Worst first. Of a host that is not heard nothing else is said, since its numbers are old.
 * @param {import("./fleet.js").Host} host
 * @param {number} now milliseconds
 * @param {Latest} [latest] where the detail of the host is known: then temperatures, throttling and
 *   collectors are judged, too
 * @param {number} [busySeconds] for how long its processors are busy without a break
 * @returns {Alert[]}
 */
export function alertsOf(host, now, latest = () => undefined, busySeconds = host.busySeconds) {
  /** @type {Alert[]} */
  const alerts = []
  if (typeof host.info.conflict === "string") {
    alerts.push({ level: "critical", metric: "conflict", words: "another machine uses this host id" })
  }
  if (host.state === "lost")
    alerts.push({ level: "critical", metric: "state", words: stateInWords(host, now) })
  // Of a site that is cut off the bar tells, once for all its hosts.
  if (host.state === "late" && !host.cutOff)
    alerts.push({ level: "warn", metric: "state", words: stateInWords(host, now) })
  if (host.state === "live")
    alerts.push(
      ...headlineAlerts(host, now, latest, busySeconds),
      ...unitAlerts(latest("unit")?.failed_count ?? host.failedUnits),
      ...clockAlerts(host),
      ...detailAlerts(latest),
    )
  return alerts.length < 2
    ? alerts
    : alerts.sort((a, b) => Number(b.level === "critical") - Number(a.level === "critical"))
}

/**
 * What the pulse tells, or the detail where that is newer.
 * @param {import("./fleet.js").Host} host
 * @param {number} now
 * @param {Latest} latest
 * @param {number} busySeconds
 * @returns {Alert[]}
 */
function headlineAlerts(host, now, latest, busySeconds) {
  const isNew = (host.newest - host.pulse.time) * 1000 <= host.gapMilliseconds
  const isOfThen = host.upTo([host.pulse], now).length > 0
  const pulse = isNew && isOfThen ? host.pulse : {}
  const memory = latest("memory")
  /** @type {Alert[]} */
  const alerts = []
  judge(alerts, "memory", "memory", LIMITS.memory, memory?.used_percent ?? pulse.memory_percent)
  judge(alerts, "memory", "swap", LIMITS.swap, memory?.swap_percent ?? pulse.swap_percent)
  const mounts = entriesOf(latest("filesystem")?.mounts)
  if (mounts.length === 0) judge(alerts, "filesystem", "disk", LIMITS.filesystem, pulse.filesystem_percent)
  for (const [mount, { used_percent: used }] of mounts)
    judge(alerts, "filesystem", mount, LIMITS.filesystem, used)
  const batteries = entriesOf(latest("power")?.batteries)
  if (batteries.length === 0) judge(alerts, "power", "battery", LIMITS.battery, pulse.battery_percent)
  for (const [name, { charge_percent: charge }] of batteries)
    judge(alerts, "power", name, LIMITS.battery, charge)
  if (busySeconds >= BUSY_SECONDS) {
    alerts.push({
      level: "warn",
      metric: "cpu",
      words: `CPU ${percent(latest("cpu")?.total_percent ?? pulse.cpu_percent)}, busy over ${BUSY_SECONDS} s`,
    })
  }
  return alerts
}

/**
 * @param {Alert[]} alerts gets one more
 * @param {string} metric
 * @param {string} what
 * @param {import("./limits.js").Limit} limit
 * @param {unknown} value
 */
function judge(alerts, metric, what, limit, value) {
  const level = levelAt(value, limit)
  if (level !== null) alerts.push({ level, metric, words: `${what} ${percent(value)}` })
}

/** @param {unknown} failed @returns {Alert[]} */
function unitAlerts(failed) {
  if (!isNumber(failed) || failed < 1) return []
  return [
    { level: "warn", metric: "unit", words: `${count(failed)} failed ${failed === 1 ? "unit" : "units"}` },
  ]
}

/** @param {import("./fleet.js").Host} host @returns {Alert[]} */
function clockAlerts({ skewSeconds: skew }) {
  if (skew === undefined || Math.abs(skew) <= SKEW_SECONDS) return []
  return [
    { level: "warn", metric: "clock", words: `clock ${roughly(skew)} ${skew > 0 ? "ahead" : "behind"}` },
  ]
}

/** @param {Latest} latest @returns {Alert[]} */
function detailAlerts(latest) {
  const sensor = latest("sensor")
  return [
    ...temperatureAlerts(sensor?.temperatures),
    ...throttlingAlerts(sensor?.throttling),
    ...collectorAlerts(latest("collector")?.collectors),
  ]
}

/** @param {unknown} temperatures @returns {Alert[]} */
function temperatureAlerts(temperatures) {
  /** @type {Alert[]} */
  const alerts = []
  for (const [
    name,
    { current_celsius: current, high_celsius: high, critical_celsius: critical },
  ] of entriesOf(temperatures)) {
    if (!isNumber(current)) continue
    const words = `${name} ${celsius(current)}`
    if (isNumber(critical) && current >= critical) alerts.push({ level: "critical", metric: "sensor", words })
    else if (isNumber(high) && current >= high) alerts.push({ level: "warn", metric: "sensor", words })
  }
  return alerts
}

/** @param {unknown} throttling @returns {Alert[]} */
function throttlingAlerts(throttling) {
  const now = isObject(throttling) && Array.isArray(throttling.now) ? throttling.now : []
  return now.length === 0
    ? []
    : [{ level: "warn", metric: "sensor", words: `held back: ${now.map(String).join(", ")}` }]
}

/** @param {unknown} collectors @returns {Alert[]} */
function collectorAlerts(collectors) {
  return entriesOf(collectors)
    .filter(([, run]) => run.state === "failed")
    .map(([name, { reason }]) => ({
      level: "warn",
      metric: name,
      words: `${name} cannot be read${typeof reason === "string" ? `: ${reason}` : ""}`,
    }))
}

/** @param {unknown} group @returns {[string, Record<string, any>][]} */
function entriesOf(group) {
  return isObject(group)
    ? /** @type {[string, Record<string, any>][]} */ (Object.entries(group)).filter(([, one]) =>
        isObject(one),
      )
    : []
}
