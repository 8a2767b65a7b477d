/** A payload as the page shows it: each core at its number, and memory in parts that add up. No DOM. */

import { isNumber } from "./numbers.js"

const MAX_CORES = 8192 // the most that Linux can be built for
const CORE_LISTS = ["core_percents", "core_frequencies_hertz"]

/**
 * @template {Record<string, any>} P
 * @param {P} payload of a pulse, or of a group
 * @param {string} group
 * @returns {P}
 */
export function prepared(payload, group) {
  if (group === "memory") return { ...payload, parts: memoryParts(payload) }
  if (Array.isArray(payload.core_numbers)) return { ...payload, ...placedCores(payload) }
  return payload
}

/**
 * The lists of cores with a place for each core, undefined where it is switched off.
 * @param {Record<string, any>} payload
 */
function placedCores(payload) {
  /** @type {unknown[]} */
  const numbers = payload.core_numbers
  if (!numbers.every((one) => Number.isInteger(one) && Number(one) >= 0 && Number(one) < MAX_CORES)) return {}
  const length = Math.max(-1, ...numbers.map(Number)) + 1
  /** @type {Record<string, unknown[]>} */
  const lists = {}
  for (const name of CORE_LISTS) {
    const told = payload[name]
    if (!Array.isArray(told)) continue
    lists[name] = Array.from({ length }, () => undefined)
    for (const [index, number] of numbers.entries()) lists[name][Number(number)] = told[index]
  }
  return lists
}

/**
 * What is used, and what of the rest is free, in buffers and in caches: together the whole memory. Shared
 * memory is in the cache of a payload, but is used.
 * @param {Record<string, any>} memory
 */
function memoryParts({ used_bytes: used, available_bytes: available, free_bytes, buffers_bytes }) {
  if (!isNumber(used) || !isNumber(available)) return {}
  const free = within(free_bytes, available)
  const buffers = within(buffers_bytes, available - free)
  return { used, cached: Math.max(0, available - free - buffers), buffers, free }
}

/** @param {unknown} part @param {number} whole */
function within(part, whole) {
  return isNumber(part) ? Math.max(0, Math.min(part, whole)) : 0
}
