/** Small pictures in a row of the fleet table: the last minute of CPU, and the cores now. */

import { freshCanvas } from "./dom.js"
import { translucent } from "./theme.js"

const SPAN_MILLISECONDS = 60_000
const CORE_WIDTH = 3
const CORE_GAP = 1
export const MAX_CORES_SHOWN = 16

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./store.js").Columns} columns
 * @param {number} offset milliseconds
 * @param {number} gap milliseconds of silence that break the line
 * @param {number} now
 * @param {import("./theme.js").Colours} colours
 */
export function drawSparkline(canvas, columns, offset, gap, now, colours) {
  const { context, width, height } = freshCanvas(canvas)
  const [line] = colours.series
  context.strokeStyle = line
  context.fillStyle = translucent(line, 0.14)
  context.lineWidth = 1.25
  context.lineJoin = "round"
  const runs = [[]]
  let last = Number.NaN
  for (let row = columns.first; row < columns.end; row += 1) {
    const time = columns.time(row) * 1000 + offset
    const value = columns.value("cpu_percent", row)
    if (time - last > gap || Number.isNaN(value)) runs.push([])
    last = time
    if (Number.isNaN(value) || time < now - SPAN_MILLISECONDS - 2000) continue
    const x = width - ((now - time) / SPAN_MILLISECONDS) * width
    runs.at(-1).push([x, height - 1 - (Math.min(100, value) / 100) * (height - 2)])
  }
  for (const run of runs) {
    if (run.length < 2) continue
    context.beginPath()
    for (const [x, y] of run) context.lineTo(x, y)
    context.stroke()
    context.lineTo(run.at(-1)[0], height)
    context.lineTo(run[0][0], height)
    context.fill()
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {unknown} percents
 * @param {import("./theme.js").Colours} colours
 */
export function drawCores(canvas, percents, colours) {
  const { context, height } = freshCanvas(canvas)
  if (!Array.isArray(percents)) return
  percents.slice(0, MAX_CORES_SHOWN).forEach((percent, core) => {
    const left = core * (CORE_WIDTH + CORE_GAP)
    context.fillStyle = colours.heat[0]
    context.fillRect(left, 0, CORE_WIDTH, height)
    const filled = Math.round((Math.min(100, Math.max(0, Number(percent) || 0)) / 100) * height)
    context.fillStyle = colours.series[0]
    context.fillRect(left, height - filled, CORE_WIDTH, filled)
  })
}
