/** What the columns behind a chart say: at a moment, over the stretch in sight, and row by row. No DOM. */

/**
 * @typedef {{columns: import("./store.js").Columns, gap: () => number, offset: () => number,
 *   interval: () => number}} Source
 * @typedef {{from: number, to: number}} Stretch milliseconds by the browser's clock
 */

const GAP_INTERVALS = 2.5
const SHORTEST_GAP_SECONDS = 2.5

/** How long a silence makes a gap, in milliseconds. @param {number} intervalSeconds between two samples */
export function gapMilliseconds(intervalSeconds) {
  return Math.max(SHORTEST_GAP_SECONDS, GAP_INTERVALS * intervalSeconds) * 1000
}

/**
 * The row nearest to a moment, or undefined where nothing was sampled about then.
 * @param {Source} source @param {number} at milliseconds @param {Stretch} stretch of the rows that count
 * @returns {number | undefined}
 */
export function rowNear(source, at, { from, to }) {
  const { columns } = source
  const after = rowFrom(source, at)
  const candidates = [after - 1, after].filter((row) => {
    if (row < columns.first || row >= columns.end) return false
    const time = timeOf(source, row)
    return time >= from && time <= to && Math.abs(time - at) <= source.gap() / 2
  })
  const [one, other] = candidates
  return other !== undefined && timeOf(source, other) - at < at - timeOf(source, one) ? other : one
}

/**
 * When the next sample was taken, or the one before; without a moment the first in sight, or the last.
 * @param {Source} source
 * @param {number | undefined} at milliseconds
 * @param {number} by above 0: the next
 * @param {Stretch} stretch
 * @returns {number | undefined}
 */
export function sampleBeside(source, at, by, { from, to }) {
  const oldest = rowFrom(source, from)
  const newest = rowFrom(source, to + 1) - 1
  if (newest < oldest) return undefined
  if (at === undefined) return timeOf(source, by > 0 ? oldest : newest)
  // The time of a sample comes back rounded.
  const beside = by > 0 ? rowFrom(source, at + 1) : rowFrom(source, at - 1) - 1
  return timeOf(source, Math.min(newest, Math.max(oldest, beside)))
}

/** The first row at a moment or after it. @param {Source} source @param {number} at milliseconds */
export function rowFrom(source, at) {
  const { columns } = source
  let low = columns.first
  let high = columns.end
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (timeOf(source, middle) < at) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * When a row was sampled, by the browser's clock, in milliseconds.
 * @param {Source} source
 * @param {number} row
 */
export function timeOf({ columns, offset }, row) {
  return columns.time(row) * 1000 + offset()
}

/**
 * The least and the most of columns added up; NaN where there is nothing.
 * @param {Source} source
 * @param {string[]} keys
 * @param {Stretch} stretch
 */
export function rangeOf(source, keys, { from, to }) {
  const { columns } = source
  let min = Number.NaN
  let max = Number.NaN
  for (let row = rowFrom(source, from); row < columns.end && timeOf(source, row) <= to; row += 1) {
    const value = columns.sum(keys, row)
    if (Number.isNaN(value)) continue
    if (!(value >= min)) min = value
    if (!(value <= max)) max = value
  }
  return { min, max }
}

/**
 * For how long a column was at least so high without a break when its last value came, in seconds; 0 where
 * that is older than a gap, or `time` is unknown.
 * @param {import("./store.js").Columns} columns @param {string} key @param {number} least
 * @param {number} time up to which values count, seconds by the host's clock @param {number} gap milliseconds
 */
export function secondsAtLeast(columns, key, least, time, gap) {
  if (!Number.isFinite(time)) return 0
  let row = columns.end - 1
  while (row >= columns.first && columns.time(row) > time) row -= 1
  const newest = row < columns.first ? time : columns.time(row)
  let since = newest
  let next = time
  for (
    ;
    row >= columns.first && columns.value(key, row) >= least && (next - columns.time(row)) * 1000 <= gap;
    row -= 1
  )
    next = since = columns.time(row)
  return newest - since
}
