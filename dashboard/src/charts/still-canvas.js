/** A canvas in the hands of the scheduler that is drawn when there is something new to draw. */

import { fitCanvas } from "./scheduler.js"

/**
 * An empty canvas, measured in CSS pixels.
 * @typedef {{context: CanvasRenderingContext2D, width: number, height: number}} Sheet
 */

export class StillCanvas {
  #scheduler
  #draw
  #width = 0
  #height = 0
  surface

  /**
   * @param {import("./scheduler.js").Scheduler} scheduler
   * @param {HTMLCanvasElement} canvas
   * @param {(sheet: Sheet) => void} draw
   */
  constructor(scheduler, canvas, draw) {
    this.#scheduler = scheduler
    this.#draw = draw
    this.surface = canvas
    scheduler.add(this)
  }

  /** Undo the constructor. */
  close() {
    this.#scheduler.remove(this)
  }

  /** Have it drawn as soon as it is in sight. */
  renew() {
    this.#scheduler.wantPaint(this)
  }

  period() {
    return Number.POSITIVE_INFINITY
  }

  /** @param {import("./scheduler.js").Size} size */
  resize(size) {
    this.#width = size.width
    this.#height = size.height
    if (size.width > 0 && size.height > 0) fitCanvas(this.surface, size)
  }

  paint() {
    const context = this.surface.getContext("2d")
    if (context === null || this.#width === 0 || this.#height === 0) return
    context.clearRect(0, 0, this.#width, this.#height)
    this.#draw({ context, width: this.#width, height: this.#height })
  }
}
