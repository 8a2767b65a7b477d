/** The times below a chart: they stand at its grid lines and move with them. */

import { clockTime } from "../data/numbers.js"
import { element, setText } from "../widgets/dom.js"
import { paintedEvery } from "./time-view.js"

const STEPS_SECONDS = [5, 10, 15, 30, 60, 120, 180, 300, 600]
const ROOM_OF_A_LABEL_PIXELS = 52
const HALF_A_LABEL_PIXELS = 14
const MINUTE_MILLISECONDS = 60_000

/**
 * From one grid line to the next, in milliseconds.
 * @param {number} seconds shown
 * @param {number} width pixels
 */
export function gridMilliseconds(seconds, width) {
  const room = (seconds / Math.max(1, width)) * ROOM_OF_A_LABEL_PIXELS
  return (STEPS_SECONDS.find((step) => step >= room) ?? seconds) * 1000
}

export class TimeAxis {
  #context
  #edge
  #strip = element("div", { class: "ticks" })
  #width = 0
  #step = 0
  #perPixel = 1

  /**
   * @param {{scheduler: import("./scheduler.js").Scheduler, time: import("./time-view.js").TimeView}} context
   * @param {(end: number) => number} edge the time at the right edge, in milliseconds, when the page is at
   *   `end`
   */
  constructor(context, edge) {
    this.#context = context
    this.#edge = edge
    this.element = element("div", { class: "axis-x", "aria-hidden": "true" }, this.#strip)
    this.surface = this.element
    context.scheduler.add(this)
  }

  /** Undo the constructor. */
  close() {
    this.#context.scheduler.remove(this)
  }

  period() {
    return paintedEvery(this.#context.time.seconds, this.#width)
  }

  /** @param {import("./scheduler.js").Size} size */
  resize({ width }) {
    this.#width = width
    this.#step = 0
  }

  paint() {}

  /** @param {number} now */
  write(now) {
    if (this.#width === 0) return
    const { time } = this.#context
    const edge = this.#edge(time.end(now))
    this.#space(gridMilliseconds(time.seconds, this.#width), (time.seconds * 1000) / this.#width)
    const newest = Math.floor(edge / this.#step) * this.#step
    const right = Math.round((edge - newest) / this.#perPixel)
    this.#strip.style.transform = `translateX(${-right}px)`
    const ticks = /** @type {HTMLElement[]} */ ([...this.#strip.children])
    ticks.forEach((tick, index) => {
      const x = this.#width - right - (index * this.#step) / this.#perPixel
      const outside = x < 0 || x > this.#width - HALF_A_LABEL_PIXELS
      if (tick.hidden !== outside) tick.hidden = outside
      setText(tick, tickLabel(newest - index * this.#step))
    })
  }

  /** @param {number} step milliseconds @param {number} perPixel milliseconds */
  #space(step, perPixel) {
    if (step === this.#step && perPixel === this.#perPixel) return
    this.#step = step
    this.#perPixel = perPixel
    const count = Math.ceil((this.#width * perPixel) / step) + 1
    this.#strip.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const tick = element("span")
        tick.style.right = `${(index * step) / perPixel}px`
        return tick
      }),
    )
  }
}

/** "14:02" at a full minute, ":10" between. @param {number} milliseconds */
function tickLabel(milliseconds) {
  const text = clockTime(milliseconds)
  return milliseconds % MINUTE_MILLISECONDS === 0 ? text.slice(0, 5) : text.slice(5)
}
