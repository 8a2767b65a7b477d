/** One bar per core, as it is now: large in a panel, and small in a row of hosts. */

import { isNumber } from "../data/numbers.js"
import { element } from "../widgets/dom.js"
import { StillCanvas } from "./still-canvas.js"

const WIDEST_BAR_PIXELS = 24
const WIDE_CORES = 16
export const MAX_CORES_SHOWN = 32

export class CoreBars {
  #picture
  #colours
  /** @type {unknown[]} */
  #percents = []
  #unfollow
  element

  /**
   * @param {{scheduler: import("./scheduler.js").Scheduler, theme: import("./colours.js").ColourSource}}
   *   context
   */
  constructor({ scheduler, theme }) {
    const canvas = /** @type {HTMLCanvasElement} */ (
      element("canvas", { role: "img", "aria-label": "use of each core now" })
    )
    this.element = element("div", { class: "plot" }, canvas)
    this.#colours = theme.colours
    this.#picture = new StillCanvas(scheduler, canvas, (sheet) => this.#draw(sheet))
    this.#unfollow = theme.follow((colours) => {
      this.#colours = colours
      this.#picture.renew()
    })
  }

  /** Undo the constructor. */
  close() {
    this.#picture.close()
    this.#unfollow()
  }

  /** @param {unknown[]} percents of each core */
  set(percents) {
    this.#percents = percents
    this.#picture.renew()
  }

  /** @param {import("./still-canvas.js").Sheet} sheet */
  #draw({ context, width, height }) {
    const count = this.#percents.length
    const room = Math.min(WIDEST_BAR_PIXELS, width / count)
    const bar = Math.max(1, room - (room >= 3 ? Math.ceil(room / 8) : 0))
    const { grid, series } = this.#colours
    this.#percents.forEach((percent, core) => {
      if (!isNumber(percent)) return
      const left = Math.round(core * room)
      const tall = Math.round((Math.min(100, Math.max(0, percent)) / 100) * height)
      context.fillStyle = grid
      context.fillRect(left, 0, bar, height)
      context.fillStyle = series[0]
      context.fillRect(left, height - tall, bar, tall)
    })
  }
}

/**
 * Each core as a column, as high as it is busy.
 * @param {import("./still-canvas.js").Sheet} sheet
 * @param {unknown} percents
 * @param {import("./colours.js").Colours} colours
 */
export function drawCores({ context, height }, percents, colours) {
  if (!Array.isArray(percents)) return
  const [width, pitch] = percents.length > WIDE_CORES ? [2, 3] : [3, 4]
  percents.slice(0, MAX_CORES_SHOWN).forEach((percent, core) => {
    if (percent === undefined) return // switched off
    context.fillStyle = colours.heat[0]
    context.fillRect(core * pitch, 0, width, height)
    const filled = Math.round((Math.min(100, Math.max(0, Number(percent) || 0)) / 100) * height)
    context.fillStyle = colours.series[0]
    context.fillRect(core * pitch, height - filled, width, filled)
  })
}
