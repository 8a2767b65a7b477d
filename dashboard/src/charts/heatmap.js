/**
 * One row per core, or per few where there are many, one column per slice of the window: where the work was.
 */

import { rowNear, sampleBeside, timeOf } from "../data/column-queries.js"
import { columnKey } from "../data/store.js"
import { TimeCanvas } from "./time-canvas.js"
import { drawnLater } from "./time-view.js"

const SLICES = 60
const PERIOD_MILLISECONDS = 1000
const MAX_ROWS = 64

export class HeatMap extends TimeCanvas {
  #time
  #source
  #cores = 0
  /** @type {import("./colours.js").Colours | undefined} */
  #colours

  /**
   * @param {import("./time-canvas.js").ChartContext} context
   * @param {import("../data/column-queries.js").Source} source
   */
  constructor(context, source) {
    super(context, "use of each core over time", "heat")
    this.#time = context.time
    this.#source = source
    this.begin()
  }

  get element() {
    return this.plot
  }

  /** @param {number} cores */
  setCores(cores) {
    this.#cores = cores
  }

  /** How many cores share a row. */
  get coresInRow() {
    return Math.max(1, Math.ceil(this.#cores / MAX_ROWS))
  }

  period() {
    return PERIOD_MILLISECONDS
  }

  /** @param {import("./colours.js").Colours} colours */
  dress(colours) {
    this.#colours = colours
  }

  /** @param {number} now */
  paint(now) {
    const context = this.canvas.getContext("2d")
    if (context === null || this.width === 0) return
    context.clearRect(0, 0, this.width, this.height)
    if (this.#cores === 0 || this.#colours === undefined) return
    const { slice: sliceMilliseconds, to } = this.stretch(now)
    const sums = this.#sums(to / sliceMilliseconds - 1, sliceMilliseconds)
    const cellWidth = this.width / SLICES
    const cellHeight = this.height / sums.length
    const gap = cellHeight >= 6 ? 1 : 0
    const { heat } = this.#colours
    for (let row = 0; row < sums.length; row += 1) {
      for (let slice = 0; slice < SLICES; slice += 1) {
        const mean = sums[row][slice]
        if (Number.isNaN(mean)) continue
        context.fillStyle =
          heat[Math.max(0, Math.min(heat.length - 1, Math.floor((mean / 100) * heat.length)))]
        const left = Math.round(slice * cellWidth)
        const top = Math.round(row * cellHeight)
        context.fillRect(
          left,
          top,
          Math.round((slice + 1) * cellWidth) - left - (cellWidth >= 4 ? 1 : 0),
          Math.round((row + 1) * cellHeight) - top - gap,
        )
      }
    }
  }

  /** @param {number} at @param {number} now */
  sampleNear(at, now) {
    const row = rowNear(this.#source, at, this.stretch(now))
    return row === undefined ? undefined : timeOf(this.#source, row)
  }

  /** @param {number | undefined} at @param {number} by @param {number} now */
  sampleBeside(at, by, now) {
    return sampleBeside(this.#source, at, by, this.stretch(now))
  }

  /** What is in sight: whole slices, as late as the lines beside. @param {number} now */
  stretch(now) {
    const slice = (this.#time.seconds * 1000) / SLICES
    const to = (Math.floor((this.#time.end(now) - drawnLater(this.#source.interval())) / slice) + 1) * slice
    return { from: to - SLICES * slice, to, slice }
  }

  /**
   * The means of every row and slice, NaN where nothing came.
   * @param {number} newestSlice
   * @param {number} sliceMilliseconds
   */
  #sums(newestSlice, sliceMilliseconds) {
    const { columns } = this.#source
    const offset = this.#source.offset()
    const share = this.coresInRow
    // A host may claim more cores than the store keeps columns.
    const cores = Array.from({ length: this.#cores }, (_, core) => ({
      core,
      key: columnKey("core_percents", String(core)),
    })).filter(({ key }) => columns.has(key))
    const sums = Array.from({ length: Math.ceil(this.#cores / share) }, () => new Float64Array(SLICES))
    const counts = sums.map(() => new Uint32Array(SLICES))
    for (let row = columns.end - 1; row >= columns.first; row -= 1) {
      const slice =
        SLICES - 1 - (newestSlice - Math.floor((columns.time(row) * 1000 + offset) / sliceMilliseconds))
      if (slice < 0) break
      if (slice >= SLICES) continue
      for (const { core, key } of cores) {
        const value = columns.value(key, row)
        if (Number.isNaN(value)) continue
        const place = Math.floor(core / share)
        sums[place][slice] += value
        counts[place][slice] += 1
      }
    }
    return sums.map((row, place) =>
      row.map((sum, slice) => (counts[place][slice] > 0 ? sum / counts[place][slice] : Number.NaN)),
    )
  }
}
