/** One row per core, or per few where there are many, one column per slice of the window: where the work was. */

import { element, freshCanvas } from "./dom.js"
import { columnKey } from "./store.js"
import { drawnLater } from "./time-view.js"

const SLICES = 60
const PERIOD_MILLISECONDS = 1000
const MAX_ROWS = 64

export class HeatMap {
  #context
  #source
  #cores = 0
  /** @type {import("./theme.js").Colours | undefined} */
  #colours
  #unfollow
  surface

  /**
   * @param {{scheduler: import("./scheduler.js").Scheduler, theme: import("./theme.js").Theme, time: import("./time-view.js").TimeView}} context
   * @param {import("./chart.js").Source} source
   */
  constructor(context, source) {
    this.#context = context
    this.#source = source
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { role: "img", "aria-label": "use of each core over time" }))
    this.surface = this.canvas
    this.element = element("div", { class: "plot heat" }, this.canvas)
    this.#unfollow = context.theme.follow((colours) => {
      this.#colours = colours
      context.scheduler.repaint()
    })
    context.scheduler.add(this)
  }

  /** Undo the constructor. */
  close() {
    this.#context.scheduler.remove(this)
    this.#unfollow()
  }

  /** @param {number} cores */
  setCores(cores) { this.#cores = cores }

  /** How many cores share a row. */
  get coresInRow() { return Math.max(1, Math.ceil(this.#cores / MAX_ROWS)) }

  period() { return PERIOD_MILLISECONDS }

  /** @param {number} now */
  paint(now) {
    const { context, width, height } = freshCanvas(this.canvas)
    if (width === 0 || this.#cores === 0 || this.#colours === undefined) return
    const { time } = this.#context
    const sliceMilliseconds = (time.seconds * 1000) / SLICES
    // As late as the lines beside it.
    const newestSlice = Math.floor((time.end(now) - drawnLater(this.#source.interval())) / sliceMilliseconds)
    const sums = this.#sums(newestSlice, sliceMilliseconds)
    const cellWidth = width / SLICES
    const cellHeight = height / sums.length
    const gap = cellHeight >= 6 ? 1 : 0
    const { heat } = this.#colours
    for (let row = 0; row < sums.length; row += 1) {
      for (let slice = 0; slice < SLICES; slice += 1) {
        const mean = sums[row][slice]
        if (Number.isNaN(mean)) continue
        context.fillStyle = heat[Math.min(heat.length - 1, Math.floor((mean / 100) * heat.length))]
        const left = Math.round(slice * cellWidth)
        const top = Math.round(row * cellHeight)
        context.fillRect(left, top, Math.round((slice + 1) * cellWidth) - left - (cellWidth >= 4 ? 1 : 0), Math.round((row + 1) * cellHeight) - top - gap)
      }
    }
  }

  /** The means of every row and slice, NaN where nothing came. @param {number} newestSlice @param {number} sliceMilliseconds */
  #sums(newestSlice, sliceMilliseconds) {
    const { columns } = this.#source
    const offset = this.#source.offset()
    const share = this.coresInRow
    const keys = Array.from({ length: this.#cores }, (_, core) => columnKey("core_percents", String(core)))
    const sums = Array.from({ length: Math.ceil(this.#cores / share) }, () => new Float64Array(SLICES))
    const counts = sums.map(() => new Uint32Array(SLICES))
    for (let row = columns.end - 1; row >= columns.first; row -= 1) {
      const slice = SLICES - 1 - (newestSlice - Math.floor((columns.time(row) * 1000 + offset) / sliceMilliseconds))
      if (slice < 0) break
      if (slice >= SLICES) continue
      keys.forEach((key, core) => {
        const value = columns.value(key, row)
        if (Number.isNaN(value)) return
        const place = Math.floor(core / share)
        sums[place][slice] += value
        counts[place][slice] += 1
      })
    }
    return sums.map((row, place) => row.map((sum, slice) => (counts[place][slice] > 0 ? sum / counts[place][slice] : Number.NaN)))
  }
}
