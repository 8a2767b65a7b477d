/** Numbers as people read them. An unknown number is a dash, never "NaN" and never 0. No DOM. */

import { MAX_MAGNITUDE } from "./contract.js"

export const MISSING = "—"
export const MISSING_TITLE = "not available on this host"

const KIBI = 1024
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
const BIT_UNITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s"]
const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
// Of a JavaScript date.
const LAST_MOMENT_MILLISECONDS = 8.64e15

/**
 * The viewer's choice of units.
 * @typedef {{network: "bytes" | "bits", temperature: "celsius" | "fahrenheit"}} Units
 * @type {Units}
 */
const units = { network: "bytes", temperature: "celsius" }

/** Have numbers read so from now on. @param {Units} chosen */
export function readIn(chosen) {
  Object.assign(units, chosen)
}

/**
 * Whether a value is a number, and not an unknown one: NaN, or beyond what a bridge lets through.
 * @param {unknown} value
 * @returns {value is number}
 */
export function isNumber(value) {
  return typeof value === "number" && Math.abs(value) <= MAX_MAGNITUDE
}

/** "9.4 %", "42 %". @param {unknown} value */
export function percent(value) {
  if (!isNumber(value)) return MISSING
  return Math.round(value * 10) < 100 ? `${fixed(value, 1)} %` : `${Math.round(value)} %`
}

/** Three significant digits, IEC units: "1.50 KiB", "512 B". @param {unknown} value */
export function bytes(value) {
  if (!isNumber(value)) return MISSING
  let size = Math.abs(value)
  let unit = 0
  while (size >= (unit === 0 ? KIBI : 999.5) && unit < BYTE_UNITS.length - 1) {
    size /= KIBI
    unit += 1
  }
  const digits = unit === 0 ? String(Math.round(size)) : significant(size)
  return `${value < 0 && digits !== "0" ? "-" : ""}${digits} ${BYTE_UNITS[unit]}`
}

/** "1.50 MiB/s". @param {unknown} value */
export function byteRate(value) {
  return isNumber(value) ? `${bytes(value)}/s` : MISSING
}

/**
 * What goes over a network: as other bytes, or as the viewer wants it "12.6 Mbit/s".
 * @param {unknown} value bytes per second
 */
export function networkRate(value) {
  if (!isNumber(value) || units.network === "bytes") return byteRate(value)
  let size = Math.abs(value) * 8
  let unit = 0
  while (size >= 999.5 && unit < BIT_UNITS.length - 1) {
    size /= 1000
    unit += 1
  }
  const sign = value < 0 ? "-" : ""
  return `${sign}${unit === 0 ? Math.round(size) : significant(size)} ${BIT_UNITS[unit]}`
}

/** Two decimals. @param {unknown} value */
export function load(value) {
  return isNumber(value) ? fixed(value, 2) : MISSING
}

/** "47 °C", or as the viewer wants it "117 °F". @param {unknown} value @param {number} [decimals] */
export function celsius(value, decimals = 0) {
  if (!isNumber(value)) return MISSING
  const [shown, unit] = units.temperature === "fahrenheit" ? [value * 1.8 + 32, "°F"] : [value, "°C"]
  return `${Number(shown.toFixed(decimals))} ${unit}`
}

/** "3.40 GHz". @param {unknown} value */
export function hertz(value) {
  return isNumber(value) ? `${fixed(value / 1e9, 2)} GHz` : MISSING
}

/** Whole, thousands apart: "12 345". @param {unknown} value */
export function count(value) {
  if (!isNumber(value)) return MISSING
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f")
}

/** "1 240/s". @param {unknown} value */
export function rate(value) {
  return isNumber(value) ? `${count(value)}/s` : MISSING
}

/** "1.24 ms", "310 µs". @param {unknown} seconds @returns {string} */
export function duration(seconds) {
  if (!isNumber(seconds)) return MISSING
  if (seconds <= -5e-7) return `-${duration(-seconds)}`
  const microseconds = Math.round(Math.abs(seconds) * 1e6)
  if (microseconds < 1000) return `${microseconds} µs`
  return microseconds < 999_500 ? `${significant(seconds * 1000)} ms` : `${significant(seconds)} s`
}

/** "52 d 05:25", under a day "05:25:13". @param {unknown} seconds */
export function uptime(seconds) {
  if (!isNumber(seconds) || seconds < 0) return MISSING
  const days = Math.floor(seconds / DAY)
  const hours = pad(Math.floor((seconds % DAY) / HOUR))
  const minutes = pad(Math.floor((seconds % HOUR) / MINUTE))
  return days > 0
    ? `${days} d ${hours}:${minutes}`
    : `${hours}:${minutes}:${pad(Math.floor(seconds % MINUTE))}`
}

/**
 * "3 s ago", "4 min ago", then the clock time.
 * @param {number} then milliseconds
 * @param {number} now milliseconds
 */
export function age(then, now) {
  if (!isNumber(then)) return MISSING
  const seconds = Math.max(0, Math.floor((now - then) / 1000))
  if (seconds < MINUTE) return `${seconds} s ago`
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`
  return seconds < DAY ? `at ${clockTime(then)}` : `on ${date(then)} ${clockTime(then)}`
}

/** "2 h", "12 s": a length of time in words. @param {number} seconds */
export function roughly(seconds) {
  if (!isNumber(seconds)) return MISSING
  const length = Math.abs(seconds)
  if (length < 90) return `${Math.round(length)} s`
  if (length < 90 * MINUTE) return `${Math.round(length / MINUTE)} min`
  if (length < 2 * DAY) return `${Math.round(length / HOUR)} h`
  return `${Math.round(length / DAY)} d`
}

/** "14:02:11" in the browser's zone. @param {number} milliseconds */
export function clockTime(milliseconds) {
  if (!isMoment(milliseconds)) return MISSING
  const at = new Date(milliseconds)
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`
}

/** "2026-11-21" in the browser's zone. @param {number} milliseconds */
export function date(milliseconds) {
  if (!isMoment(milliseconds)) return MISSING
  const at = new Date(milliseconds)
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
}

/** The same number without the zeros that say nothing: "5.00 MiB" as "5 MiB". @param {string} text */
export function trimmed(text) {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "")
}

const BY_UNIT = new Map([
  ["percent", percent],
  ["bytes", bytes],
  ["bytes per second", byteRate],
  ["per second", rate],
  ["celsius", (value) => celsius(value, 1)],
  ["hertz", hertz],
  ["seconds", duration],
])

/** The format for a unit as the wire names it. @param {unknown} unit @returns {(value: unknown) => string} */
export function formatOf(unit) {
  const known = BY_UNIT.get(String(unit))
  if (known) return known
  const suffix = typeof unit === "string" && unit ? ` ${unit}` : ""
  return (value) => (isNumber(value) ? `${significantOrWhole(value)}${suffix}` : MISSING)
}

/** Whether a date can be made of it. @param {unknown} milliseconds @returns {milliseconds is number} */
export function isMoment(milliseconds) {
  return isNumber(milliseconds) && Math.abs(milliseconds) <= LAST_MOMENT_MILLISECONDS
}

/** Without the "-0.0" of what is just below nothing. @param {number} value @param {number} digits */
function fixed(value, digits) {
  return value.toFixed(digits).replace(/^-(?=[0.]+$)/, "")
}

/** @param {number} value */
function significant(value) {
  return value >= 99.95 ? String(Math.round(value)) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

/** @param {number} value */
function significantOrWhole(value) {
  return Number.isInteger(value)
    ? count(value)
    : Math.abs(value) >= 1000
      ? count(value)
      : String(Number(value.toPrecision(3)))
}

/** @param {number} value */
function pad(value) {
  return String(value).padStart(2, "0")
}
