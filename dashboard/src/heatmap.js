/** One row per core, one column per slice of the window: where the work was. */

import { element, freshCanvas } from "./dom.js"
import { columnKey } from "./store.js"

const SLICES = 60
const PERIOD_MILLISECONDS = 1000
const MAX_ROWS = 128

export class HeatMap {
  #context
  #source
  #rows = 0
  #colours
  #unfollow

  /** @param {object} context @param {import("./chart.js").Source} source */
  constructor(context, source) {
    this.#context = context
    this.#source = source
    this.canvas = element("canvas", { role: "img", "aria-label": "use of each core over time" })
    this.surface = this.canvas
    this.element = element("div", { class: "plot heat" }, this.canvas)
    this.#unfollow = context.theme.follow((colours) => {
      this.#colours = colours
      context.scheduler.repaint()
    })
    context.scheduler.add(this)
  }

  close() {
    this.#context.scheduler.remove(this)
    this.#unfollow()
  }

  /** @param {number} cores */
  setRows(cores) { this.#rows = Math.min(MAX_ROWS, cores) }

  period() { return PERIOD_MILLISECONDS }

  /** @param {number} now */
  paint(now) {
    const { context, width, height } = freshCanvas(this.canvas)
    if (width === 0 || this.#rows === 0) return
    const sliceMilliseconds = (this.#context.time.seconds * 1000) / SLICES
    const newestSlice = Math.floor(this.#context.time.end(now) / sliceMilliseconds)
    const sums = this.#sums(newestSlice, sliceMilliseconds)
    const cellWidth = width / SLICES
    const cellHeight = height / this.#rows
    const gap = cellHeight >= 6 ? 1 : 0
    const { heat } = this.#colours
    for (let core = 0; core < this.#rows; core += 1) {
      for (let slice = 0; slice < SLICES; slice += 1) {
        const mean = sums[core][slice]
        if (Number.isNaN(mean)) continue
        context.fillStyle = heat[Math.min(heat.length - 1, Math.floor((mean / 100) * heat.length))]
        const left = Math.round(slice * cellWidth)
        const top = Math.round(core * cellHeight)
        context.fillRect(left, top, Math.round((slice + 1) * cellWidth) - left - (cellWidth >= 4 ? 1 : 0), Math.round((core + 1) * cellHeight) - top - gap)
      }
    }
  }

  #sums(newestSlice, sliceMilliseconds) {
    const { columns } = this.#source
    const offset = this.#source.offset()
    const keys = Array.from({ length: this.#rows }, (_, core) => columnKey("core_percents", String(core)))
    const sums = keys.map(() => new Float64Array(SLICES))
    const counts = keys.map(() => new Uint16Array(SLICES))
    for (let row = columns.end - 1; row >= columns.first; row -= 1) {
      const slice = SLICES - 1 - (newestSlice - Math.floor((columns.time(row) * 1000 + offset) / sliceMilliseconds))
      if (slice < 0) break
      if (slice >= SLICES) continue
      keys.forEach((key, core) => {
        const value = columns.value(key, row)
        if (Number.isNaN(value)) return
        sums[core][slice] += value
        counts[core][slice] += 1
      })
    }
    return sums.map((row, core) => row.map((sum, slice) => (counts[core][slice] > 0 ? sum / counts[core][slice] : Number.NaN)))
  }
}
