/** A canvas whose width is a stretch of time, with the moment pointed at marked upon it. */

import { element } from "../widgets/dom.js"
import { Crosshair } from "./crosshair.js"
import { fitCanvas } from "./scheduler.js"

/**
 * @typedef {{scheduler: import("./scheduler.js").Scheduler, theme: import("./colours.js").ColourSource,
 *   time: import("./time-view.js").TimeView}} ChartContext
 * @typedef {import("../data/column-queries.js").Stretch} Stretch
 */

/** What draws on it extends it, and calls `begin` at the end of its constructor. */
export class TimeCanvas {
  #context
  #crosshair
  #unfollow = () => {}
  canvas
  /** The canvas and what lies upon it. */
  plot
  surface
  /** In CSS pixels; 0 while it is not in the page. */
  width = 0
  height = 0

  /**
   * @param {ChartContext} context
   * @param {string} label what it shows, for those who cannot see it
   * @param {string} [kind] a class beside `plot`
   */
  constructor(context, label, kind = "") {
    this.#context = context
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { role: "img", "aria-label": label }))
    this.surface = this.canvas
    this.plot = element("div", { class: `plot ${kind}`.trim() }, this.canvas)
    this.#crosshair = new Crosshair(this, this, context.time, () => context.scheduler.wantWrite(this))
  }

  /** Have it dressed and painted from now on. */
  begin() {
    const { theme, scheduler } = this.#context
    this.#unfollow = theme.follow((colours) => {
      this.dress(colours)
      scheduler.repaint()
    })
    scheduler.add(this)
  }

  /** Undo the constructor and `begin`. */
  close() {
    this.#context.scheduler.remove(this)
    this.#unfollow()
    this.#crosshair.close()
  }

  /** What is in sight. @param {number} _now @returns {Stretch} */
  stretch(_now) {
    return { from: 0, to: 1 }
  }

  /** Draw in these colours from now on. @param {import("./colours.js").Colours} _colours */
  dress(_colours) {}

  /** @param {number} _now */
  paint(_now) {}

  /** How often it is painted, in milliseconds. */
  period() {
    return Number.POSITIVE_INFINITY
  }

  /** @param {import("./scheduler.js").Size} size */
  resize(size) {
    this.width = size.width
    this.height = size.height
    if (size.width > 0 && size.height > 0) this.fit(size)
  }

  /** @param {import("./scheduler.js").Size} size */
  fit(size) {
    fitCanvas(this.canvas, size)
  }

  /** @param {number} now */
  write(now) {
    this.#crosshair.write(now)
  }

  /** Whether the moment is chosen here. */
  get isPointed() {
    return this.#crosshair.isPointed
  }

  /** @param {number} at milliseconds @param {number} now */
  xOf(at, now) {
    const { from, to } = this.stretch(now)
    return ((at - from) / (to - from)) * this.width
  }

  /** @param {number} x @param {number} now */
  timeAt(x, now) {
    const { from, to } = this.stretch(now)
    return from + (x / this.width) * (to - from)
  }

  /**
   * What is drawn at a moment, in words.
   * @param {number} _at
   * @param {number} _now
   * @returns {import("./crosshair.js").Reading[]}
   */
  readingsAt(_at, _now) {
    return []
  }

  /**
   * When the sample nearest to a moment was taken.
   * @param {number} _at
   * @param {number} _now
   * @returns {number | undefined}
   */
  sampleNear(_at, _now) {
    return undefined
  }

  /**
   * When the next sample was taken, or the one before; without a moment the first in sight, or the last.
   * @param {number | undefined} _at
   * @param {number} _by
   * @param {number} _now
   * @returns {number | undefined}
   */
  sampleBeside(_at, _by, _now) {
    return undefined
  }
}
