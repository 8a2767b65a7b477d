/**
 * From where on a number is trouble: one table for meters, chips and the count of hosts that need attention.
 * No DOM.
 */

import { isNumber } from "./numbers.js"

/** @typedef {"warn" | "critical"} Level */
/** @typedef {{warn: number, critical?: number, falling?: boolean}} Limit falling: trouble is below */

/**
 * A meter is coloured early, since high is worth a look before it is worth a word; what is critical is so in
 * both.
 * @type {Limit}
 */
export const METER_LIMIT = { warn: 80, critical: 95 }

/** A processor that is busy at the moment does what it is there for. @type {Limit} */
export const BUSY_METER_LIMIT = { warn: 80 }

/** What needs attention. @type {Record<"filesystem" | "memory" | "swap" | "battery", Limit>} */
export const LIMITS = {
  filesystem: { warn: 90, critical: 95 },
  memory: { warn: 90, critical: 95 },
  swap: { warn: 80 },
  battery: { warn: 15, critical: 5, falling: true },
}

/** A processor is in trouble only when it stays busy. */
export const BUSY_PERCENT = 95
export const BUSY_SECONDS = 60

/** How far a host's clock may be off. */
export const SKEW_SECONDS = 2

/** @param {unknown} value @param {Limit} limit @returns {Level | null} */
export function levelAt(value, { warn, critical, falling = false }) {
  if (!isNumber(value)) return null
  const sign = falling ? -1 : 1
  if (critical !== undefined && sign * value >= sign * critical) return "critical"
  return sign * value >= sign * warn ? "warn" : null
}
