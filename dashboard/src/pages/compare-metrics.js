/**
 * What hosts can be compared by: their headline numbers, and every number of their groups that says its unit.
 * No DOM.
 */

import { Scale } from "../charts/scale.js"
import { isObject } from "../data/messages.js"
import { celsius, count, formatOf, isNumber, load, networkRate } from "../data/numbers.js"

export const HEADLINE = "pulse"
const MAX_DEPTH = 4
// The longer before the shorter, as the wire has them.
/** @type {[string, string][]} */
const UNITS = [
  ["_bytes_per_second", "bytes per second"],
  ["_per_second", "per second"],
  ["_percents", "percent"],
  ["_percent", "percent"],
  ["_bytes", "bytes"],
  ["_celsius", "celsius"],
  ["_hertz", "hertz"],
  ["_seconds", "seconds"],
  ["_watts", "watts"],
  ["_volts", "volts"],
  ["_rpm", "rpm"],
]
const HEADLINE_WORDS = new Map([
  ["cpu_percent", "CPU"],
  ["load_1m", "Load, 1 min"],
  ["memory_percent", "Memory"],
  ["swap_percent", "Swap"],
  ["filesystem_percent", "Fullest filesystem"],
  ["disk_read_bytes_per_second", "Disks, read"],
  ["disk_write_bytes_per_second", "Disks, written"],
  ["network_receive_bytes_per_second", "Network, received"],
  ["network_transmit_bytes_per_second", "Network, sent"],
  ["temperature_celsius", "Hottest sensor"],
  ["gpu_percent", "Busiest GPU"],
  ["battery_percent", "Battery"],
  ["process_count", "Processes"],
  ["failed_units", "Failed units"],
])
// They only ever count up.
const NOT_COMPARED = new Set(["time", "tick", "uptime_seconds"])
const ADDED_UP = new Set(["bytes", "bytes per second", "per second"])

/**
 * @typedef {{id: string, group: string, field: string}} Metric id: as in the address, the field of a pulse or
 *   `group.field`
 */
/**
 * @typedef {{words: string, combined: string, unit: string | undefined, limit: number | undefined,
 *   format: (value: unknown) => string}} Meaning combined: how the numbers of several devices are made one
 */

/** @param {string} id @returns {Metric | undefined} */
export function metricOf(id) {
  const [, group = HEADLINE, field = ""] = id.match(/^(?:([a-z0-9][a-z0-9_-]*)\.)?([A-Za-z0-9_-]+)$/) ?? []
  return field === "" ? undefined : { id, group, field }
}

/**
 * Everything that at least one of the hosts tells.
 * @param {import("../data/fleet.js").Host[]} hosts
 * @returns {Metric[]}
 */
export function metricsOf(hosts) {
  /** @type {Set<string>} */
  const ids = new Set()
  for (const { pulse } of hosts) {
    for (const [field, value] of Object.entries(pulse))
      if (isNumber(value) && !NOT_COMPARED.has(field)) ids.add(field)
  }
  for (const { info } of hosts) {
    for (const [group, about] of Object.entries(isObject(info.groups) ? info.groups : {})) {
      for (const field of Object.keys(ownField(about, "fields") ?? {})) ids.add(`${group}.${field}`)
    }
  }
  return [...ids].flatMap((id) => metricOf(id) ?? [])
}

/**
 * What a metric is, from the first of the hosts that says so, else from its name.
 * @param {Metric} metric
 * @param {import("../data/fleet.js").Host[]} hosts
 * @returns {Meaning}
 */
export function meaningOf({ group, field }, hosts) {
  const told = hosts.map(({ info }) => ownField(ownField(info.groups, group)?.fields, field)).find(isObject)
  const ending = UNITS.find(([suffix]) => field.endsWith(suffix))
  const unit = told === undefined ? ending?.[1] : typeof told.unit === "string" ? told.unit : ""
  const name =
    ending === undefined || field === ending[0].slice(1) ? field : field.slice(0, -ending[0].length)
  const words = group === HEADLINE ? HEADLINE_WORDS.get(field) : undefined
  return {
    words: words ?? `${group === HEADLINE ? "" : `${group} · `}${name.replaceAll("_", " ")}`,
    unit,
    limit: isNumber(told?.limit) ? told.limit : unit === "percent" && group === HEADLINE ? 100 : undefined,
    format: formatFor(group, field, unit),
    combined: ADDED_UP.has(unit ?? "") ? "sum" : "highest",
  }
}

/** @param {Meaning} meaning */
export function scaleFor({ unit = "", limit }) {
  if (unit === "percent" && limit === 100) return new Scale({ max: 100 })
  return unit.startsWith("bytes") ? new Scale({ least: 1024, binary: true }) : new Scale({ least: 1 })
}

/**
 * A metric in a payload: the number itself; of a number that each device has, the sum of the devices that are
 * not part of another, or the highest where a sum means nothing.
 * @param {unknown} payload
 * @param {string} field
 * @param {string | undefined} unit
 * @returns {number | undefined}
 */
export function valueIn(payload, field, unit) {
  const direct = ownField(payload, field)
  if (isNumber(direct)) return direct
  const isSum = ADDED_UP.has(unit ?? "")
  const values = [...numbersNamed(payload, field, isSum)]
  if (values.length === 0) return undefined
  return isSum ? values.reduce((sum, one) => sum + one, 0) : Math.max(...values)
}

/**
 * @param {string} group
 * @param {string} field
 * @param {string | undefined} unit
 * @returns {(value: unknown) => string}
 */
function formatFor(group, field, unit) {
  if (field.startsWith("load_")) return load
  if (field.endsWith("_count")) return count
  if (unit === "bytes per second" && (group === "network" || field.startsWith("network_"))) return networkRate
  return unit === "celsius" ? (value) => celsius(value) : formatOf(unit)
}

/**
 * @param {unknown} payload
 * @param {string} field
 * @param {boolean} isSum
 * @param {number} [depth]
 * @returns {Generator<number>}
 */
function* numbersNamed(payload, field, isSum, depth = 0) {
  if (payload === null || typeof payload !== "object" || depth > MAX_DEPTH) return
  if (isSum && ownField(payload, "in_total") === false) return
  for (const [name, value] of Object.entries(payload)) {
    if (name === field && isNumber(value)) yield value
    else if (name === field && Array.isArray(value)) yield* value.filter(isNumber)
    else yield* numbersNamed(value, field, isSum, depth + 1)
  }
}

/** @param {any} of @param {string} name @returns {any} */
function ownField(of, name) {
  return isObject(of) && Object.hasOwn(of, name) ? of[name] : undefined
}
