/** A stretch of one column in four numbers. No DOM. */

import { rowFrom, timeOf } from "./column-queries.js"

const HIGH_SHARE = 0.95

/**
 * @typedef {{now: number, mean: number, max: number, high: number}} Statistics high: 95 of 100 values are not
 *   above it; NaN where there is none
 */

/**
 * @param {import("./column-queries.js").Source} source
 * @param {string} key
 * @param {import("./column-queries.js").Stretch} stretch
 * @returns {Statistics} now: of the newest sample, unless it is older than a gap
 */
export function statisticsOf(source, key, { from, to }) {
  const { columns } = source
  const values = []
  let now = Number.NaN
  for (let row = rowFrom(source, from); row < columns.end && timeOf(source, row) <= to; row += 1) {
    const value = columns.value(key, row)
    now = to - timeOf(source, row) <= source.gap() ? value : Number.NaN
    if (!Number.isNaN(value)) values.push(value)
  }
  const sorted = values.toSorted((a, b) => a - b)
  return {
    now,
    mean: values.reduce((sum, one) => sum + one, 0) / values.length,
    max: sorted.at(-1) ?? Number.NaN,
    high: sorted[Math.ceil(sorted.length * HIGH_SHARE) - 1] ?? Number.NaN,
  }
}
