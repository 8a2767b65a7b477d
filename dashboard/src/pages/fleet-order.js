/** Which hosts are shown, and in which order. No DOM. */

import { isNumber } from "../data/numbers.js"

const names = new Intl.Collator("en", { numeric: true })
const AFTER_LEVEL = ["late", "lost", "waiting", "live", "suspended", "stopped"]
const SEPARATOR = ","

/** @typedef {import("../data/fleet.js").Host} Host */
/** @typedef {(a: Host, b: Host) => number} Comparison */
/**
 * @typedef {{words: string[], states: Set<string>, tags: string[]}} Filter states: with `attention` among
 *   them
 */
/** @typedef {(host: Host) => import("../data/host-alerts.js").Alert[]} AlertsOf */

/** @type {Comparison} */
export function byName(a, b) {
  return names.compare(a.name, b.name) || (a.id < b.id ? -1 : 1)
}

/**
 * Those that need attention first, the worst at the top; then by name.
 * @param {AlertsOf} alertsOf
 * @returns {Comparison}
 */
export function byTrouble(alertsOf) {
  const rank = (/** @type {Host} */ host) => {
    const [worst] = host.state === "live" ? alertsOf(host) : []
    if (worst !== undefined) return worst.level === "critical" ? 0 : 1
    return 2 + AFTER_LEVEL.indexOf(host.state)
  }
  return ranked(rank)
}

/**
 * By what a column shows; hosts without a value last either way.
 * @param {(host: Host) => unknown} readValue a text or a number
 * @param {boolean} descending
 * @returns {Comparison}
 */
export function byValue(readValue, descending) {
  const values = new Map()
  const value = (/** @type {Host} */ host) => {
    if (!values.has(host)) values.set(host, readValue(host))
    return values.get(host)
  }
  const sign = descending ? -1 : 1
  return (a, b) => {
    const [one, other] = [value(a), value(b)]
    if (typeof one === "string" && typeof other === "string")
      return sign * names.compare(one, other) || byName(a, b)
    if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -1 : 1
    return (isNumber(one) ? sign * (one - other) : 0) || byName(a, b)
  }
}

/** @param {URLSearchParams} query @param {string[]} states those there are @returns {Filter} */
export function filterOf(query, states) {
  return {
    words: (query.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean),
    states: new Set((query.get("state") ?? "").split(SEPARATOR).filter((state) => states.includes(state))),
    tags: readTags(query.get("tag") ?? ""),
  }
}

/** A tag may have a comma in it. @param {string[]} list */
export function writeTags(list) {
  return list.map((tag) => tag.replaceAll("%", "%25").replaceAll(SEPARATOR, "%2C")).join(SEPARATOR)
}

/** @param {string} text @returns {string[]} */
export function readTags(text) {
  return text
    .split(SEPARATOR)
    .filter(Boolean)
    .map((tag) => tag.replaceAll("%2C", SEPARATOR).replaceAll("%25", "%"))
}

/** @param {Host} host @param {Filter} filter @param {AlertsOf} alertsOf */
export function fits(host, { words, states, tags }, alertsOf) {
  if (states.size > 0 && !states.has(host.state) && !(states.has("attention") && alertsOf(host).length > 0))
    return false
  const own = host.tags
  if (!tags.every((tag) => own.includes(tag))) return false
  if (words.length === 0) return true
  const text = [
    host.id,
    host.name,
    host.ownName,
    host.notes,
    host.state,
    host.info.os_name ?? "",
    host.synthetic ? "synthetic" : "",
    ...own,
  ]
    .join("\n")
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

/** The tags to show: that a host is simulated is said beside its name. @param {Host} host */
export function shownTagsOf(host) {
  return host.tags.filter((tag) => !(host.synthetic && tag === "synthetic"))
}

/** @param {(host: Host) => number} rankOf @returns {Comparison} */
function ranked(rankOf) {
  const ranks = new Map()
  const rank = (/** @type {Host} */ host) => {
    const known = ranks.get(host) ?? rankOf(host)
    ranks.set(host, known)
    return known
  }
  return (a, b) => rank(a) - rank(b) || byName(a, b)
}
