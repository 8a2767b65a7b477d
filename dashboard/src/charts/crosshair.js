/**
 * The moment pointed at, marked on every chart of the page, with what each chart says then: by mouse, touch
 * or keyboard.
 */

import { clockTime } from "../data/numbers.js"
import { element, setAttribute, setText } from "../widgets/dom.js"

const ROOM_BESIDE_LINE_PIXELS = 8

/**
 * `x` and `y` in CSS pixels from the upper left corner of the plot.
 * @typedef {{label: string, colour: number, text: string, x: number, y: number}} Reading
 * @typedef {{surface: Element, xOf: (at: number, now: number) => number, timeAt: (x: number,
 *   now: number) => number, readingsAt: (at: number, now: number) => Reading[], sampleNear: (at: number,
 *   now: number) => number | undefined, sampleBeside: (at: number | undefined, by: number,
 *   now: number) => number | undefined, width: number}}
 *   Pointed
 */

export class Crosshair {
  #chart
  #time
  #wantWrite
  #unfollow
  /** @type {number | undefined} where the mouse rests: the chart moves on below it */
  #pointerX
  #line = element("div", { class: "crosshair", hidden: true })
  #moment = element("p", { class: "moment" })
  #list = element("ul")
  #readout = element("div", { class: "readings", "aria-live": "off", hidden: true }, this.#moment, this.#list)
  #dots = element("div", { class: "dots", hidden: true })
  #removeListeners = new AbortController()

  /**
   * @param {Pointed} chart
   * @param {{canvas: HTMLElement, plot: HTMLElement}} parts the canvas takes the keys, the plot what lies
   *   upon it
   * @param {import("./time-view.js").TimeView} time
   * @param {() => void} wantWrite asks for `write` in the next frame
   */
  constructor(chart, { canvas, plot }, time, wantWrite) {
    this.#chart = chart
    this.#time = time
    this.#wantWrite = wantWrite
    this.#unfollow = time.follow(wantWrite)
    canvas.tabIndex = 0
    plot.append(this.#line, this.#dots, this.#readout)
    const { signal } = this.#removeListeners
    plot.addEventListener("pointermove", (event) => this.#point(event), { signal })
    plot.addEventListener("pointerdown", (event) => this.#point(event), { signal })
    // A finger that leaves the glass leaves the mark where it was.
    plot.addEventListener(
      "pointerleave",
      (event) => {
        if (event.pointerType === "mouse") this.#leave()
      },
      { signal },
    )
    canvas.addEventListener("blur", () => this.#leave(), { signal })
    canvas.addEventListener("keydown", (event) => this.#press(event), { signal })
  }

  /** Undo the constructor. */
  close() {
    if (this.isPointed) this.#leave()
    this.#removeListeners.abort()
    this.#unfollow()
  }

  /** Whether the moment is chosen on this chart. */
  isPointed = false

  /** @param {number} now */
  write(now) {
    if (this.#pointerX !== undefined) this.#pointAt(this.#chart.timeAt(this.#pointerX, now), now)
    const at = this.#time.pointedAt
    const x = at === undefined ? Number.NaN : this.#chart.xOf(at, now)
    const inSight = x >= 0 && x <= this.#chart.width
    if (this.isPointed && at !== undefined && !inSight) this.#leave()
    this.#line.hidden = this.#readout.hidden = this.#dots.hidden = !inSight
    if (!inSight || at === undefined) return
    this.#line.style.transform = `translateX(${Math.round(x)}px)`
    this.#place(x)
    const readings = this.#chart.readingsAt(at, now)
    this.#moment.hidden = !this.isPointed
    setText(this.#moment, clockTime(at))
    this.#write(readings)
    this.#readout.hidden = !this.isPointed && readings.length === 0
  }

  /** @param {number} x */
  #place(x) {
    const { style } = this.#readout
    const { width } = this.#chart
    const isRight = x < width / 2
    const away = Math.round(isRight ? x : width - x) + ROOM_BESIDE_LINE_PIXELS
    style.left = isRight ? `${away}px` : "auto"
    style.right = isRight ? "auto" : `${away}px`
    style.maxWidth = `${Math.max(0, width - away)}px`
  }

  /** @param {Reading[]} readings */
  #write(readings) {
    while (this.#list.childElementCount > readings.length) {
      this.#list.lastElementChild?.remove()
      this.#dots.lastElementChild?.remove()
    }
    while (this.#list.childElementCount < readings.length) {
      this.#list.append(
        element(
          "li",
          {},
          element("span", { "aria-hidden": "true" }),
          element("span", { class: "reading-label" }),
          element("span", { class: "reading-value" }),
        ),
      )
      this.#dots.append(element("i"))
    }
    readings.forEach(({ label, colour, text, x, y }, index) => {
      const [swatch, name, value] = this.#list.children[index].children
      setAttribute(swatch, "class", `swatch swatch-${colour}`)
      setText(name, label)
      setText(value, text)
      const dot = /** @type {HTMLElement} */ (this.#dots.children[index])
      setAttribute(dot, "class", `swatch-${colour}`)
      dot.style.transform = `translate(${x}px, ${y}px)`
    })
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const plot = /** @type {HTMLElement} */ (event.currentTarget)
    const x = event.clientX - plot.getBoundingClientRect().left - plot.clientLeft
    if (event.pointerType === "mouse") this.#pointerX = x
    this.#pointAt(this.#chart.timeAt(x, Date.now()), Date.now())
  }

  /** @param {number} at @param {number} now */
  #pointAt(at, now) {
    this.isPointed = true
    this.#time.point(this.#chart.sampleNear(at, now) ?? at)
  }

  #leave() {
    if (!this.isPointed) return
    this.isPointed = false
    this.#pointerX = undefined
    this.#time.point(undefined)
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const now = Date.now()
    const target = this.#target(event.key, now)
    if (target === undefined && !(event.key === "Escape" && this.isPointed)) return
    event.preventDefault()
    event.stopPropagation()
    this.#pointerX = undefined
    if (target === undefined) this.#leave()
    else this.#pointAt(target, now)
    this.#wantWrite()
  }

  /** @param {string} key @param {number} now @returns {number | undefined} milliseconds */
  #target(key, now) {
    const at = this.#time.pointedAt
    switch (key) {
      case "ArrowLeft":
        return this.#chart.sampleBeside(at, -1, now)
      case "ArrowRight":
        return this.#chart.sampleBeside(at, 1, now)
      case "Home":
        return this.#chart.sampleBeside(undefined, 1, now)
      case "End":
        return this.#chart.sampleBeside(undefined, -1, now)
      default:
        return undefined
    }
  }
}
