/** The only animation loop: first the page's text, then the canvases that are visible and due. */

const FRAME_BUDGET_MILLISECONDS = 8
const REDUCED_MOTION_PERIOD_MILLISECONDS = 1000

/** @typedef {{canvas: HTMLCanvasElement, period: () => number, paint: (now: number) => void}} Painted */

export class Scheduler {
  /** @type {Map<Element, {item: Painted, visible: boolean, dueAt: number}>} */
  #entries = new Map()
  #queue = []
  #frame = 0
  #writeText
  #textWanted = true
  #reduced = matchMedia("(prefers-reduced-motion: reduce)")
  #observer = new IntersectionObserver((seen) => this.#see(seen), { rootMargin: "200px" })

  /** @param {(now: number) => void} writeText */
  constructor(writeText) { this.#writeText = writeText }

  /** Run whenever the page can be seen. */
  start() {
    document.addEventListener("visibilitychange", this.#followVisibility)
    this.#followVisibility()
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#followVisibility)
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }

  /** Have the text written in the next frame. */
  wantText() { this.#textWanted = true }

  /** @param {Painted} item */
  add(item) {
    this.#entries.set(item.canvas, { item, visible: false, dueAt: 0 })
    this.#observer.observe(item.canvas)
  }

  /** @param {Painted} item */
  remove(item) {
    this.#observer.unobserve(item.canvas)
    this.#entries.delete(item.canvas)
  }

  /** Have every canvas painted in the next frames. */
  repaint() {
    for (const entry of this.#entries.values()) entry.dueAt = 0
  }

  #followVisibility = () => {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    if (document.hidden) return
    this.#textWanted = true
    this.repaint()
    this.#frame = requestAnimationFrame(this.#tick)
  }

  #tick = () => {
    this.#frame = requestAnimationFrame(this.#tick)
    const now = Date.now()
    if (this.#textWanted) {
      this.#textWanted = false
      attempt(() => this.#writeText(now))
    }
    this.#paintDue(now)
  }

  #paintDue(now) {
    const started = performance.now()
    if (this.#queue.length === 0) {
      this.#queue = [...this.#entries.values()].filter((entry) => entry.visible && now >= entry.dueAt)
    }
    // What the budget leaves over comes first in the next frame.
    while (this.#queue.length > 0 && performance.now() - started < FRAME_BUDGET_MILLISECONDS) {
      const entry = this.#queue.shift()
      if (this.#entries.get(entry.item.canvas) !== entry) continue
      const period = this.#reduced.matches ? REDUCED_MOTION_PERIOD_MILLISECONDS : entry.item.period()
      entry.dueAt = now + period - (now % period)
      attempt(() => entry.item.paint(now))
    }
  }

  #see(seen) {
    for (const { target, isIntersecting } of seen) {
      const entry = this.#entries.get(target)
      if (entry === undefined) continue
      entry.visible = isIntersecting
      entry.dueAt = 0
    }
  }
}

/** One failing canvas must not end the loop. @param {() => void} work */
function attempt(work) {
  try {
    work()
  } catch (error) {
    console.error(error)
  }
}
