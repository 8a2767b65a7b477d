/** A minute as a line, without axes. */

import { translucent } from "./colours.js"

const SPAN_MILLISECONDS = 60_000
const HEADROOM = 1.1

/**
 * One line. `half`: above or below the middle, where two mirror each other.
 * @typedef {{columns: import("../data/store.js").Columns, key: string, colour: string, offset: number,
 *   gap: number, top?: number, half?: "upper" | "lower"}} Line
 *   offset: milliseconds to add to its times; gap: milliseconds of silence that break it; top: value at the
 *   edge, by default above the highest of any
 */

/**
 * @param {import("./still-canvas.js").Sheet} sheet
 * @param {Line[]} lines
 * @param {number} now at the right edge
 */
export function drawSparkline({ context, width, height }, lines, now) {
  const runs = lines.map((line) => runsOf(line, now))
  const highest = Math.max(Number.MIN_VALUE, ...runs.flat(2).map(({ value }) => value)) * HEADROOM
  lines.forEach(({ colour, top = highest, half }, index) => {
    const extent = half === undefined ? height - 2 : height / 2 - 1
    const base = half === "upper" ? height / 2 : half === "lower" ? height / 2 : height - 1
    const upwards = half === "lower" ? -1 : 1
    context.strokeStyle = colour
    context.fillStyle = translucent(colour, 0.14)
    context.lineWidth = 1.25
    context.lineJoin = "round"
    for (const run of runs[index]) {
      context.beginPath()
      for (const { ago, value } of run) {
        context.lineTo(
          width - (ago / SPAN_MILLISECONDS) * width,
          base - upwards * (Math.min(top, Math.max(0, value)) / top) * extent,
        )
      }
      context.stroke()
      context.lineTo(width - (run[run.length - 1].ago / SPAN_MILLISECONDS) * width, base)
      context.lineTo(width - (run[0].ago / SPAN_MILLISECONDS) * width, base)
      context.fill()
    }
  })
}

/**
 * The points of a line, in one list for each unbroken part.
 * @param {Line} line
 * @param {number} now
 * @returns {{ago: number, value: number}[][]}
 */
function runsOf({ columns, key, offset, gap }, now) {
  /** @type {{ago: number, value: number}[][]} */
  const runs = []
  let last = Number.NaN
  for (let row = columns.first; row < columns.end; row += 1) {
    const ago = now - (columns.time(row) * 1000 + offset)
    const value = columns.value(key, row)
    if (ago > SPAN_MILLISECONDS + gap) continue
    if (Number.isNaN(value) || !(last - ago <= gap)) runs.push([])
    last = Number.isNaN(value) ? value : ago
    if (!Number.isNaN(value)) runs[runs.length - 1].push({ ago, value })
  }
  return runs.filter((run) => run.length > 1)
}
