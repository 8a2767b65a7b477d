/**
 * The only animation loop: first the page's text, then the canvases that are in sight and due, then the text
 * upon them.
 */

const FRAME_BUDGET_MILLISECONDS = 8
const REDUCED_MOTION_PERIOD_MILLISECONDS = 1000

/**
 * `paint` draws and touches no element, `write` changes text and places: painted one after the other,
 * canvases cost no
 * layout in between. `resize` tells the size of the surface, in CSS and in device pixels.
 * A period without end: only when it is wanted.
 * @typedef {{width: number, height: number, pixelWidth: number, pixelHeight: number}} Size
 * @typedef {{surface: Element, period: () => number, paint: (now: number) => void,
 *   write?: (now: number) => void, resize?: (size: Size) => void}} Painted
 * @typedef {{item: Painted, visible: boolean, dueAt: number}} Entry
 */

export class Scheduler {
  /** @type {Map<Element, Entry>} */
  #entries = new Map()
  /** @type {Entry[]} */
  #queue = []
  /** @type {Set<Painted>} */
  #unwritten = new Set()
  #frame = 0
  #writeText
  #textWanted = true
  #reduced = matchMedia("(prefers-reduced-motion: reduce)")
  #seen = new IntersectionObserver((seen) => this.#see(seen), { rootMargin: "200px" })
  #sizes = new ResizeObserver((sizes) => this.#resize(sizes))
  #pixelRatio = window.devicePixelRatio

  /** @param {(now: number) => void} writeText */
  constructor(writeText) {
    this.#writeText = writeText
  }

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
  wantText() {
    this.#textWanted = true
  }

  /** @param {Painted} item */
  add(item) {
    this.#entries.set(item.surface, { item, visible: false, dueAt: 0 })
    this.#seen.observe(item.surface)
    this.#measure(item)
  }

  /** @param {Painted} item */
  remove(item) {
    this.#seen.unobserve(item.surface)
    this.#sizes.unobserve(item.surface)
    this.#entries.delete(item.surface)
    this.#unwritten.delete(item)
  }

  /** Have every canvas painted in the next frames. */
  repaint() {
    for (const entry of this.#entries.values()) entry.dueAt = 0
  }

  /** Have one canvas painted when it is in sight, in the next frames. @param {Painted} item */
  wantPaint(item) {
    const entry = this.#entries.get(item.surface)
    if (entry !== undefined) entry.dueAt = 0
  }

  /** Paint every canvas at once, in sight or not, at the size that it has now. */
  paintAll() {
    const now = Date.now()
    const ratio = window.devicePixelRatio || 1
    const entries = [...this.#entries.values()]
    const sizes = entries.map(({ item: { surface } }) => ({
      width: surface.clientWidth,
      height: surface.clientHeight,
    }))
    entries.forEach((entry, index) => {
      const { width, height } = sizes[index]
      attempt(() =>
        entry.item.resize?.({
          width,
          height,
          pixelWidth: Math.round(width * ratio),
          pixelHeight: Math.round(height * ratio),
        }),
      )
      this.#paint(entry, now)
    })
    for (const { item } of entries) attempt(() => item.write?.(now))
  }

  /** Have what lies upon a canvas written in the next frame, painted or not. @param {Painted} item */
  wantWrite(item) {
    this.#unwritten.add(item)
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
    this.#followPixelRatio()
    this.#paintDue(now)
    this.#writeUpon(now)
  }

  /** @param {number} now */
  #paintDue(now) {
    const started = performance.now()
    if (this.#queue.length === 0) {
      this.#queue = [...this.#entries.values()].filter((entry) => entry.visible && now >= entry.dueAt)
    }
    // What the budget leaves over comes first in the next frame.
    while (this.#queue.length > 0 && performance.now() - started < FRAME_BUDGET_MILLISECONDS) {
      const entry = /** @type {Entry} */ (this.#queue.shift())
      if (this.#entries.get(entry.item.surface) === entry) this.#paint(entry, now)
    }
  }

  /** @param {Entry} entry @param {number} now */
  #paint(entry, now) {
    const { item } = entry
    const period = this.#reduced.matches ? REDUCED_MOTION_PERIOD_MILLISECONDS : item.period()
    entry.dueAt = now + period - (now % period)
    attempt(() => item.paint(now))
    this.#unwritten.add(item)
  }

  /** @param {number} now */
  #writeUpon(now) {
    const items = this.#unwritten
    // What is wanted while writing comes in the next frame.
    this.#unwritten = new Set()
    for (const item of items) if (this.#entries.get(item.surface)?.visible) attempt(() => item.write?.(now))
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #see(seen) {
    for (const { target, isIntersecting } of seen) {
      const entry = this.#entries.get(target)
      if (entry === undefined) continue
      entry.visible = isIntersecting
      entry.dueAt = 0
    }
  }

  /** @param {Painted} item */
  #measure(item) {
    if (item.resize === undefined) return
    this.#sizes.unobserve(item.surface)
    try {
      this.#sizes.observe(item.surface, { box: "device-pixel-content-box" })
    } catch {
      // Safari knows the size in CSS pixels only.
      this.#sizes.observe(item.surface)
    }
  }

  /** @param {ResizeObserverEntry[]} sizes */
  #resize(sizes) {
    for (const {
      target,
      contentRect: { width, height },
      devicePixelContentBoxSize: exact,
    } of sizes) {
      const entry = this.#entries.get(target)
      const pixelWidth = devicePixels(width, exact?.[0].inlineSize)
      const pixelHeight = devicePixels(height, exact?.[0].blockSize)
      attempt(() => entry?.item.resize?.({ width, height, pixelWidth, pixelHeight }))
      // A canvas of another size is blank, and this frame is shown without another turn of the loop.
      if (entry?.visible && !document.hidden) this.#paint(entry, Date.now())
    }
  }

  /** Zooming, or a move to another screen, may leave every size in CSS pixels as it is. */
  #followPixelRatio() {
    if (window.devicePixelRatio === this.#pixelRatio) return
    this.#pixelRatio = window.devicePixelRatio
    for (const { item } of this.#entries.values()) this.#measure(item)
  }
}

/**
 * A length on the screen: boxes begin at whole pixels, which only `exact` takes into account.
 * @param {number} length CSS pixels
 * @param {number} [exact]
 */
function devicePixels(length, exact) {
  const computed = length * (window.devicePixelRatio || 1)
  // Where a browser pretends to be another screen, it tells the pixels of the real one.
  return exact !== undefined && Math.abs(exact - computed) < 1 ? exact : Math.round(computed)
}

/**
 * Give a canvas the pixels of its box, and have it drawn upon in those of CSS.
 * @param {HTMLCanvasElement} canvas
 * @param {Size} size
 */
export function fitCanvas(canvas, { width, height, pixelWidth, pixelHeight }) {
  canvas.width = pixelWidth
  canvas.height = pixelHeight
  canvas.getContext("2d")?.scale(pixelWidth / width, pixelHeight / height)
}

/** One failing canvas must not end the loop. @param {() => void} work */
function attempt(work) {
  try {
    work()
  } catch (error) {
    console.error(error)
  }
}
