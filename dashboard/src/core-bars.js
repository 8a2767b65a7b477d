/** One bar per core, as it is now. */

import { element, freshCanvas } from "./dom.js"
import { isNumber } from "./numbers.js"

const PERIOD_MILLISECONDS = 1000
const WIDEST_BAR_PIXELS = 24

export class CoreBars {
  #context
  /** @type {import("./theme.js").Colours | undefined} */
  #colours
  /** @type {unknown[]} */
  #percents = []
  #unfollow
  surface

  /** @param {{scheduler: import("./scheduler.js").Scheduler, theme: import("./theme.js").Theme}} context */
  constructor(context) {
    this.#context = context
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { role: "img", "aria-label": "use of each core now" }))
    this.surface = this.canvas
    this.element = element("div", { class: "plot" }, this.canvas)
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

  /** @param {unknown[]} percents of each core */
  set(percents) { this.#percents = percents }

  period() { return PERIOD_MILLISECONDS }

  paint() {
    const { context, width, height } = freshCanvas(this.canvas)
    const count = this.#percents.length
    if (width === 0 || count === 0 || this.#colours === undefined) return
    const room = Math.min(WIDEST_BAR_PIXELS, width / count)
    const bar = Math.max(1, room - (room >= 3 ? Math.ceil(room / 8) : 0))
    this.#percents.forEach((percent, core) => {
      if (!isNumber(percent) || this.#colours === undefined) return
      const left = Math.round(core * room)
      const tall = Math.round((Math.min(100, Math.max(0, percent)) / 100) * height)
      context.fillStyle = this.#colours.grid
      context.fillRect(left, 0, bar, height)
      context.fillStyle = this.#colours.series[0]
      context.fillRect(left, height - tall, bar, tall)
    })
  }
}
